"""Computes the golden values with Keras 3 on the JAX backend.

    python -m venv env
    env/bin/pip install keras==3.15.1 jax numpy
    env/bin/python tests/golden/generate.py f32
    env/bin/python tests/golden/generate.py f64
"""
import json
import sys

from draw import DTYPE, HERE, classes, draw, floats, jax, keras, np, one_hot

layers = keras.layers
STEPS = 50


def set_weights(model, salt=300):
    """Sets hashed values, all exact; biases, and kernels with many inputs, are small."""
    for i, w in enumerate(model.weights):
        wide = len(w.shape) == 1 or w.shape[0] > 1000
        w.assign(draw(w.shape, salt + i, 2.0**-5 if wide else 0.5))


def question(width=6000):
    return keras.Sequential([
        layers.Input((width, 1)), layers.Flatten(name="S2"), layers.Dense(40, activation="relu", name="F1"),
        layers.Dense(10, activation="relu", name="F2"), layers.Dense(5, activation="relu", name="output"), layers.Softmax(name="softmax"),
    ])


def dense(*stack):
    return keras.Sequential([layers.Input((8,))] + [layers.Dense(u, activation=a) for u, a in stack])


Y5 = classes(60, 5, 1)
SIGNS = draw((60, 3), 6)


def trainings():
    """name: model, optimizer, loss, x, y, row weights, batch."""
    x = draw((60, 8), 2)
    sgd, adam = keras.optimizers.SGD, keras.optimizers.Adam
    losses = keras.losses
    weight = np.abs(draw((60,), 3)) + 0.25
    by_class = np.array([0.5, 2.0, 1.0, 0.25, 4.0])[Y5].astype(DTYPE)
    # A signal for each class with a sixteenth of noise: as large as an EEG in microvolts, and of size 1.
    y250 = classes(250, 5, 5)
    eeg = draw((5, 6000, 1), 15, 128.0)[y250] + draw((250, 6000, 1), 4, 8.0)
    quiet = eeg / 128
    yield "question", question(), sgd(0.01), losses.CategoricalCrossentropy(), eeg, one_hot(y250, 5), None, 50
    yield "question_scaled", question(), sgd(0.01), losses.CategoricalCrossentropy(), quiet, one_hot(y250, 5), None, 50
    yield "categorical_class_weight", dense((16, "relu"), (5, "softmax")), sgd(0.1, momentum=0.9), losses.CategoricalCrossentropy(), x, one_hot(Y5, 5), by_class, 16
    yield "logits_smoothing", dense((16, "tanh"), (5, None)), sgd(0.1, momentum=0.8, nesterov=True), losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), x, one_hot(Y5, 5), None, 16
    yield "sparse_ignore", dense((16, "sigmoid"), (5, "softmax")), adam(0.01), losses.SparseCategoricalCrossentropy(ignore_class=3), x, Y5, None, 16
    yield "binary_sample_weight", dense((16, "relu"), (3, "sigmoid")), adam(0.02), losses.BinaryCrossentropy(), x, (SIGNS > 0).astype(DTYPE), weight.astype(DTYPE), 25
    yield "squared", dense((12, "elu"), (3, None)), sgd(0.05), losses.MeanSquaredError(), x, SIGNS, weight.astype(DTYPE), 16
    yield "absolute", dense((12, "softplus"), (3, None)), adam(0.005), losses.MeanAbsoluteError(), x, SIGNS, None, 60


def run(model, optimizer, loss, x, y, weight, batch):
    set_weights(model)
    model.compile(optimizer, loss)
    starts = list(range(0, len(x), batch))
    values = []
    for step in range(STEPS):
        start = starts[step % len(starts)]
        rows = slice(start, min(start + batch, len(x)))
        model.reset_metrics()
        values.append(model.train_on_batch(x[rows], y[rows], None if weight is None else weight[rows]))
    weights = []
    for w in model.weights:
        flat = np.ravel(np.array(w))
        weights.append({"stride": max(1, len(flat) // 500), "values": floats(flat[:: max(1, len(flat) // 500)])})
    return {"losses": floats(np.array(values, dtype=DTYPE)), "weights": weights}


ACTIVATIONS = {
    "linear": {}, "relu": {}, "relu6": {}, "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 0.7}, "celu": {"alpha": 1.3}, "selu": {},
    "sigmoid": {}, "log_sigmoid": {}, "hard_sigmoid": {}, "silu": {}, "hard_silu": {}, "tanh": {}, "tanh_shrink": {}, "hard_tanh": {},
    "softplus": {}, "softsign": {}, "squareplus": {"b": 3}, "sparse_plus": {}, "sparse_sigmoid": {}, "gelu": {"approximate": False},
    "mish": {}, "soft_shrink": {"threshold": 0.5}, "hard_shrink": {"threshold": 0.5}, "threshold": {"threshold": 0.3, "default_value": -0.1},
    "exponential": {}, "softmax": {}, "log_softmax": {}, "glu": {},
}


def activations():
    x = draw((6, 4), 7, 4.0)
    dy = lambda shape: draw(shape, 8)
    extra = {"gelu_approximate": ("gelu", {"approximate": True}), "relu_with": ("relu", {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.25})}
    found = {}
    for name, (kind, args) in {**{k: (k, v) for k, v in ACTIVATIONS.items()}, **extra}.items():
        f = lambda v: getattr(keras.activations, kind)(v, **args)
        y, back = jax.vjp(f, jax.numpy.asarray(x))
        found[name] = {"y": floats(y), "dx": floats(back(dy(y.shape).astype(y.dtype))[0])}
    return found


def losses():
    p = keras.ops.softmax(draw((6, 4), 9, 4.0))
    p = np.array(p)
    p[0] = [1e-9, 0.5, 0.5, 0.0]  # outside the clip
    z, y, w = draw((6, 4), 10, 4.0), classes(6, 4, 11), np.abs(draw((6,), 12)) + 0.25
    hot, soft = one_hot(y, 4), np.abs(draw((6, 4), 13))
    k = keras.losses
    cases = {
        "categorical": (k.CategoricalCrossentropy(), p, hot), "categorical_of_2p": (k.CategoricalCrossentropy(), 2 * p, hot),
        "categorical_soft": (k.CategoricalCrossentropy(), p, soft), "categorical_smooth": (k.CategoricalCrossentropy(label_smoothing=0.1), p, hot),
        "categorical_logits": (k.CategoricalCrossentropy(from_logits=True), z, soft),
        "sparse": (k.SparseCategoricalCrossentropy(), p, y), "sparse_ignore": (k.SparseCategoricalCrossentropy(ignore_class=int(y[1])), p, y),
        "sparse_logits": (k.SparseCategoricalCrossentropy(from_logits=True), z, y),
        "binary": (k.BinaryCrossentropy(), p, hot), "binary_smooth": (k.BinaryCrossentropy(label_smoothing=0.2), p, soft),
        "binary_logits": (k.BinaryCrossentropy(from_logits=True), z, soft),
        "squared": (k.MeanSquaredError(), z, soft), "absolute": (k.MeanAbsoluteError(), z, soft),
    }
    found = {}
    for name, (loss, pred, true) in cases.items():
        for weighted in (False, True):
            f = lambda v: loss(true, v, sample_weight=w if weighted else None)
            value, dy = jax.value_and_grad(f)(pred)
            found[name + ("_weighted" if weighted else "")] = {"value": float(value), "dy": floats(dy)}
    return {"p": floats(p), "cases": found}


def normalization():
    x = draw((7, 3, 2), 14, 8.0) + np.asarray(4.0, DTYPE)
    found = {}
    for name, axis in (("last", -1), ("none", None), ("first", 1)):
        layer = layers.Normalization(axis=axis)
        layer.adapt(x)
        found[name] = {"y": floats(layer(x))}
    return found


def histories():
    """Whole fits with validation, partial batches, weights: what is reported for each epoch."""
    x, y = draw((50, 8), 2), one_hot(Y5[:50], 5)
    weight = (np.abs(draw((50,), 3)) + 0.25).astype(DTYPE)
    found = {}
    for name, args in {
        "split": {"validation_split": 0.3}, "sample_weight": {"sample_weight": weight, "validation_split": 0.3},
        "class_weight": {"class_weight": {0: 0.5, 1: 2.0, 2: 1.0, 3: 0.25, 4: 4.0}, "validation_split": 0.3},
    }.items():
        model = dense((16, "relu"), (5, "softmax"))
        set_weights(model)
        model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
        history = model.fit(x, y, batch_size=16, epochs=4, shuffle=False, verbose=0, **args).history
        found[name] = {k: [float(v) for v in h] for k, h in history.items()}
    return found


found = {
    "keras": keras.__version__, "jax": jax.__version__,
    "trainings": {t[0]: run(*t[1:]) for t in trainings()},
    "activations": activations(), "losses": losses(), "normalization": normalization(), "histories": histories(),
}
(HERE / f"keras_{sys.argv[1]}.json").write_text(json.dumps(found))
for name, t in found["trainings"].items():
    print(name, t["losses"][0], t["losses"][25], t["losses"][-1])
