"""Integrated gradients of two Keras models by JAX's gradients, for `tests/diagnosis/attribution.rs`.

    env/bin/python tests/golden/attribution.py > tests/golden/attribution.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import keras
import numpy as np

# On JAX, Keras 3.15.1 takes every result of float64 numbers for float32, in `tanh` among others.
keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
keras.config.set_floatx("float64")
STEPS = 40


def case(name, model, x, baseline, output):
    rng = np.random.default_rng(3)
    weights = [rng.normal(size=w.shape) * 0.5 for w in model.get_weights()]
    model.set_weights(weights)
    variables = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]

    def f(x):
        y, _ = model.stateless_call(*variables, x[None], training=False)
        return y[0, output]

    middles = (np.arange(STEPS) + 0.5) / STEPS
    values = []
    for sample in x:
        slopes = [np.asarray(jax.grad(f)(jnp.asarray(baseline + share * (sample - baseline)))) for share in middles]
        values.append((sample - baseline) * np.mean(slopes, axis=0))
    numbers = lambda a: np.ravel(np.asarray(a)).tolist()
    return {
        "name": name,
        "weights": [numbers(w) for w in weights],
        "x": numbers(x),
        "baseline": numbers(baseline),
        "output": output,
        "steps": STEPS,
        "values": numbers(values),
        "at_sample": [float(f(jnp.asarray(sample))) for sample in x],
        "at_baseline": float(f(jnp.asarray(baseline))),
    }


rng = np.random.default_rng(1)
dense = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dropout(0.5), keras.layers.Dense(3, "softmax")]
)
signals = keras.Sequential(
    [
        keras.Input((12, 2)),
        keras.layers.Conv1D(4, 3, activation="gelu"),
        keras.layers.LSTM(3),
        keras.layers.Dense(2),
    ]
)
print(
    json.dumps(
        {
            "keras": keras.__version__,
            "cases": [
                case("dense", dense, rng.normal(size=(3, 6)), np.zeros(6), 1),
                case("signals", signals, rng.normal(size=(2, 12, 2)), rng.normal(size=(12, 2)), 0),
            ],
        }
    )
)
