"""Writes `kinks.json`: values and slopes of activations at the points where the slope jumps; for the environment see `generate.py`.

    env/bin/python tests/golden/kinks.py f64
"""
import json

from draw import HERE, jax, keras

A = keras.activations
POINTS = [-3.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0]
NAMED = ["relu", "relu6", "leaky_relu", "elu", "celu", "selu", "hard_sigmoid", "hard_silu", "hard_tanh", "soft_shrink", "hard_shrink", "sparse_plus", "sparse_sigmoid", "softsign"]
# Negative slope, maximum (or none), threshold of a ReLU.
RELU = [(0.125, None, 0.0), (0.0, 2.0, 0.0), (0.0, None, 0.5), (0.125, 2.0, 0.0), (0.125, None, 0.5), (0.0, 2.0, 0.5), (0.125, 2.0, 0.5), (0.0, 6.0, 0.0), (0.0, 6.0, 0.5), (0.125, 6.0, 0.0),
        (0.0, 0.5, 0.5), (0.0, None, -0.5), (0.125, None, -0.5), (0.0, 2.0, -0.5), (0.0, 0.0, 0.0), (0.125, 0.0, 0.0), (0.0, 0.0, -0.5), (0.0, 0.25, 0.5)]


def at_points(f):
    return {"y": [float(f(jax.numpy.array(x))) for x in POINTS], "slope": [float(jax.grad(f)(x)) for x in POINTS]}


def relu(slope, maximum, threshold):
    return lambda x: A.relu(x, negative_slope=slope, max_value=maximum, threshold=threshold)


found = {"x": POINTS, "named": {name: at_points(getattr(A, name)) for name in NAMED}, "relu": [{"settings": s, **at_points(relu(*s))} for s in RELU]}
(HERE / "kinks.json").write_text(json.dumps(found).replace("}, ", "},\n") + "\n")
