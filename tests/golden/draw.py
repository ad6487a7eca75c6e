"""What the scripts of this folder share: Keras on JAX in the precision named on the command line, and `draw`.

Inputs are not stored: `draw` makes them from their place and a salt, here and in `draw.rs` alike, exactly in
either precision.
"""
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
import jax

DTYPE = {"f32": "float32", "f64": "float64"}[sys.argv[1]]
if DTYPE == "float64":
    jax.config.update("jax_enable_x64", True)
import keras
import numpy as np

keras.config.set_floatx(DTYPE)
# On JAX, Keras 3.15.1 takes every result of float64 numbers for float32, in `mean` and `tanh` among others.
keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


class Wide:
    """Keras's operations, without the casts to float32 in `IoU`."""

    def __getattr__(self, name):
        return getattr(keras.ops, name)

    def cast(self, x, dtype):
        return keras.ops.cast(x, DTYPE if dtype == "float32" else dtype)

    def convert_to_tensor(self, x, dtype=None):
        return keras.ops.convert_to_tensor(x, DTYPE if dtype == "float32" else dtype)


keras.src.metrics.iou_metrics.ops = Wide()
HERE = Path(__file__).parent


def draw(shape, salt, scale=1.0):
    """Numbers of 16 bits in [-1, 1), hashed from their place; times a scale that is a power of two."""
    n = int(np.prod(shape))
    z = (np.arange(n, dtype=np.uint64) + np.uint64(salt * 1_000_003)) * np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(29)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(32)
    return (((z >> np.uint64(20)) & np.uint64(0xFFFF)).astype(np.float64) / 32768 - 1).reshape(shape).astype(DTYPE) * scale


def classes(n, count, salt):
    return ((draw((n,), salt).astype(np.float64) + 1) * 16384).astype(np.int64) % count


def one_hot(y, count):
    return np.eye(count, dtype=DTYPE)[y]


def floats(a):
    """Shortest digits that read back as the same number."""
    return [float(v) if DTYPE == "float64" else float(np.format_float_positional(np.float32(v), unique=True)) for v in np.ravel(a)]
