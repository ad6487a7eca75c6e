"""Losses of one epoch with class weights on soft labels, for `tests/training/class_weights.rs`.

    env/bin/python tests/golden/class_weights.py > tests/golden/class_weights.json

The weights stay as they are, since the learning rate is 0.
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

losses = keras.losses
rng = np.random.default_rng(7)
X = np.round(rng.normal(size=(8, 2)), 2)
ONE = np.array([[0.2], [0.9], [0.5], [0.51], [0.0], [1.0], [0.49], [0.7]])
COUNTS = np.array([[0.2], [1.5], [2.5], [0.5], [2.0], [1.0], [0.4], [2.2]])
SEVERAL = np.round(rng.random((8, 3)), 2)
SEVERAL[3] = 0.5
ROWS = SEVERAL / SEVERAL.sum(1, keepdims=True)
LABELS = np.array([[0], [2], [1], [2], [0], [1], [1], [2]])
TWO, THREE = {0: 1.0, 1: 5.0}, {0: 0.5, 1: 2.0, 2: 4.0}
CASES = {
    "binary": (losses.BinaryCrossentropy(), "sigmoid", ONE, TWO),
    "binary_smoothed": (losses.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", ONE, TWO),
    "binary_logits": (losses.BinaryCrossentropy(from_logits=True), "linear", ONE, TWO),
    "binary_focal": (losses.BinaryFocalCrossentropy(), "sigmoid", ONE, TWO),
    "squared": (losses.MeanSquaredError(), "linear", COUNTS, THREE),
    "absolute": (losses.MeanAbsoluteError(), "linear", ONE, TWO),
    "labels": (losses.BinaryCrossentropy(), "sigmoid", SEVERAL, THREE),
    "categorical": (losses.CategoricalCrossentropy(), "softmax", ROWS, THREE),
    "categorical_smoothed": (losses.CategoricalCrossentropy(label_smoothing=0.2), "softmax", ROWS, THREE),
    "sparse": (losses.SparseCategoricalCrossentropy(), "softmax", LABELS, THREE),
    "sparse_ignored": (losses.SparseCategoricalCrossentropy(ignore_class=1), "softmax", LABELS, THREE),
}

found = []
for name, (loss, activation, y, weights) in CASES.items():
    units = 1 if y.shape[1] == 1 and "sparse" not in name else 3
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation)])
    kernel = np.round(rng.normal(size=(2, units)), 2)
    model.layers[0].set_weights([kernel, np.zeros(units)])
    model.compile(keras.optimizers.SGD(0.0), loss)
    history = model.fit(X, y, batch_size=8, class_weight=weights, verbose=0)
    found.append({
        "name": name, "activation": activation, "y": y.tolist(), "kernel": kernel.tolist(),
        "weights": list(weights.values()), "loss": history.history["loss"][0],
    })
print(json.dumps({"keras": keras.__version__, "x": X.tolist(), "cases": found}))
