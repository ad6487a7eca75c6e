"""Reads the files of `tests/files/interop.rs` and `interop_settings.rs` in Keras, PyTorch and NumPy, and compares.

    cargo test --features full --test files interop
    env/bin/python tests/interop/check.py target/tmp/interop
"""
import contextlib
import json
import os
import sys
import zipfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import jax

jax.config.update("jax_enable_x64", True)
import keras
import numpy as np
from safetensors.numpy import load_file

# On JAX, Keras 3.15.1 converts float64 results of `mean`, `tanh` and others to float32.
keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
compared = 0


def near(what, found, expected, tolerance):
    global compared
    found, expected = np.ravel(np.asarray(found, dtype=np.float64)), np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape, f"{what}: {found.shape} and {expected.shape}"
    error = np.max(np.abs(found - expected)) / max(np.max(np.abs(expected)), 1e-30)
    assert error <= tolerance, f"{what}: off by {error:.1e}"
    compared += 1


def outputs(model, x):
    """The predictions; row by row for stateful layers, whose batches have one row in a file without states."""
    states = [layer.states for layer in model._flatten_layers() if getattr(layer, "states", None) is not None]
    if not states:
        return model(x, training=False)
    rows = []
    for row in range(len(x)):
        # Keras's `reset_states` fails for stacked cells.
        for state in keras.tree.flatten(states):
            state.assign(0 * state)
        rows.append(model(x[row:row + 1], training=False))
    return np.concatenate(rows)


def check(about, folder):
    name, wide = f"{about['name']}_{about['dtype']}", about["dtype"] == "f64"
    keras.config.set_floatx("float64" if wide else "float32")
    dtype = keras.config.floatx()
    x = np.array(about["x"], dtype=dtype).reshape(about["shape"])
    model = keras.models.load_model(folder / f"{name}.keras")
    near(f"{name}: predictions", outputs(model, x), about["predictions"], 1e-12 if wide else 1e-6)
    layers = json.loads(zipfile.ZipFile(folder / f"{name}.keras").read("config.json"))["config"]["layers"]
    stored = [layer["config"]["name"] for layer in layers]
    assert stored[-len(model.layers):] == [layer.name for layer in model.layers], f"{name}: the order of the layers"
    for kind, stored in [("safetensors", load_file(folder / f"{name}.safetensors")), ("npz", np.load(folder / f"{name}.npz"))]:
        for path, values in about["weights"].items():
            near(f"{name}.{kind}: {path}", stored[path], values, 0)
    weights = keras.models.load_model(folder / f"{name}.keras")
    weights.set_weights([np.zeros_like(weight) for weight in weights.get_weights()])
    weights.load_weights(folder / f"{name}.weights.h5")
    near(f"{name}.weights.h5: predictions", outputs(weights, x), about["predictions"], 1e-12 if wide else 1e-6)
    if "losses" not in about:
        return
    y = np.array(about["y"], dtype=dtype).reshape(about["y_shape"])
    losses = []
    for step in range(4, 24):
        start = (0, 8, 16)[step % 3]
        model.reset_metrics()
        loss = model.train_on_batch(x[start:start + 8], y[start:start + 8])
        losses.append(loss[0] if isinstance(loss, (list, tuple)) else loss)
    for step, (found, expected) in enumerate(zip(losses, about["losses"])):
        near(f"{name}: step {step}", [found], [expected], 1e-10 if wide else 2e-5)


def settings(folder):
    """Every setting of every layer, and every loss, metric and optimizer, of `tests/files/interop_settings.rs`."""
    keras.config.set_floatx("float32")
    jax.config.update("jax_enable_x64", False)
    failed = []
    for about in json.loads((folder / "layers.json").read_text()) + json.loads((folder / "compiled.json").read_text()):
        x = np.array(about["x"], dtype="float32").reshape(about["shape"])
        try:
            model = keras.models.load_model(folder / about["file"])
            if "predictions" in about:
                near("prediction", outputs(model, x), about["predictions"], 2e-6)
                continue
            y = np.array(about["y"], dtype="float32").reshape(about["y_shape"])
            # Compiled, Keras's R2Score of several regressors fails on JAX.
            if about["what"] == "metrics":
                with contextlib.suppress(jax.errors.TracerBoolConversionError):
                    model.evaluate(x, y, verbose=0)
                model.run_eagerly = True
                model.reset_metrics()
            scores = model.evaluate(x, y, batch_size=3, verbose=0, return_dict=True)
            for name, expected in about["scores"].items():
                near(name, [scores[name]], [expected], 1e-5)
            for expected in [] if model.run_eagerly else about["losses"]:
                model.reset_metrics()
                near("loss", [model.train_on_batch(x, y, return_dict=True)["loss"]], [expected], 2e-5)
        except Exception as error:
            failed.append(f"{about['what']}: {type(error).__name__}: {str(error)[:200]}")
    assert not failed, "\n".join(failed)
    jax.config.update("jax_enable_x64", True)


def main():
    folder = Path(sys.argv[1])
    settings(folder / "settings")
    paths = sorted(folder.glob("*.json"))
    assert len(paths) >= 18, f"{len(paths)} models in {folder}"
    for path in paths:
        check(json.loads(path.read_text()), folder)
    try:
        from safetensors.torch import load_file as load_in_torch
    except ImportError:
        print("PyTorch is not there: its reading of .safetensors is not compared")
    else:
        for path in paths:
            about = json.loads(path.read_text())
            tensors = load_in_torch(path.with_suffix(".safetensors"))
            for name, values in about["weights"].items():
                near(f"{path.stem} in torch: {name}", tensors[name].numpy(), values, 0)
    print(f"{len(paths)} models, {compared} comparisons")


main()
