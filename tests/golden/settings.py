"""Settings of models as Keras writes them, and what Keras computes by them, for `tests/files/keras_settings.rs`.

    env/bin/python tests/golden/settings.py > tests/golden/settings.json

Each case is saved by Keras and read again; a case that cornu refuses has words of its error instead of results.
"""
import json
import os
import zipfile

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from keras.src.ops import nn

L, K, M, R, C, I = keras.layers, keras.losses, keras.metrics, keras.regularizers, keras.constraints, keras.initializers
rng = np.random.default_rng(7)
X = {"flat": rng.normal(size=(7, 4)), "steps": rng.normal(size=(7, 4, 3)), "image": rng.normal(size=(7, 4, 3, 2))}
LABELS = np.array([0, 2, 1, 2, 0, 1, 1])
Y = {"hot": np.eye(3)[LABELS], "classes": LABELS[:, None], "bits": (rng.random((7, 1)) > 0.5) * 1.0, "many": (rng.random((7, 3)) > 0.5) * 1.0}
CASES = []


def write(name, layers, x, y, refused, compiled, shape=None):
    keras.utils.set_random_seed(1)
    x = X[x].astype("float32")
    model = keras.Sequential([keras.Input(shape or x.shape[1:]), *layers])
    for weight in model.weights:
        if "float" in weight.dtype:
            weight.assign(np.abs(rng.normal(size=weight.shape)) if "variance" in weight.name else rng.normal(size=weight.shape))
    if compiled:
        model.compile(keras.optimizers.SGD(0.1, **compiled.pop("sgd", {})), **compiled)
    model.save("/tmp/settings.keras")
    with zipfile.ZipFile("/tmp/settings.keras") as file:
        config = file.read("config.json").decode()
    case = {"name": name, "config": config}
    case["weights"] = [{"shape": weight.shape, "values": np.ravel(weight).tolist()} for weight in model.get_weights()]
    case["x"] = {"shape": x.shape, "values": np.ravel(x).tolist()}
    if refused:
        case["refused"] = refused
        case["predictions"] = np.ravel(model.predict(x, verbose=0)).tolist()
        return CASES.append(case)
    model = keras.models.load_model("/tmp/settings.keras")
    if isinstance((compiled or {}).get("loss"), dict):
        # A Sequential does not know the name of its output; Keras computes with the names in functional models.
        model = keras.Model(model.inputs, model.outputs)
        model.compile(keras.optimizers.SGD(0.1), **compiled)
    case["predictions"] = np.ravel(model.predict(x, verbose=0)).tolist()
    if compiled:
        y = Y[y].astype("float32")
        case["y"] = {"shape": y.shape, "values": np.ravel(y).tolist()}
        case["scores"] = scores = model.evaluate(x, y, batch_size=3, verbose=0, return_dict=True)
        for metric in compiled.get("metrics") or []:
            if len(getattr(metric, "thresholds", None) or []) > 1 and not isinstance(metric, M.AUC):
                values = scores.pop(metric.name)
                scores |= {f"{metric.name}_{threshold}": float(value) for threshold, value in zip(metric.thresholds, values)}
        # Keras cannot train without a reduction.
        if not name.startswith("the reduction"):
            for _ in range(3):
                model.train_on_batch(x, y)
            case["trained"] = np.ravel(model.predict(x, verbose=0)).tolist()
    CASES.append(case)


def compiled(name, y, refused=None, loss=None, **settings):
    units, function = (1, "sigmoid") if y == "bits" else (3, "sigmoid" if y == "many" else "softmax")
    loss = loss or {"hot": "categorical_crossentropy", "classes": "sparse_categorical_crossentropy"}.get(y, "binary_crossentropy")
    write(name, [L.Dense(units, activation=function, name="out")], "flat", y, refused, dict(loss=loss, **settings))


def layer(name, layer, x="flat", refused=None):
    write(name, [layer], x, None, refused, None)


# Losses and metrics in each form.
compiled("a loss function", "hot", loss=K.mean_squared_error)
compiled("a loss in a list", "hot", loss=["mse"])
compiled("a loss by output", "hot", loss={"out": K.Huber()}, loss_weights={"out": 1.0}, metrics={"out": ["mae"]}, weighted_metrics={"out": "mse"})
compiled("one weight", "hot", loss_weights=[1.0])
compiled("another weight", "hot", "`compile_config.loss_weights`: expected 1, because the model has one loss, found 2", loss_weights=2.0)
compiled("nested metrics", "hot", metrics=[["accuracy", "mse"]])
compiled("metric functions", "hot", metrics=[K.mean_absolute_error, K.kl_divergence, M.categorical_accuracy, K.cosine_similarity, K.huber])
compiled("metric names", "hot", metrics=["kl_divergence", "poisson", "categorical_hinge", "hinge", "squared_hinge", "cosine_similarity", "bce", "categorical_crossentropy"])
compiled("wrapped functions", "hot", metrics=[M.MeanMetricWrapper(K.huber, name="h", delta=0.1), M.MeanMetricWrapper(K.categorical_crossentropy, name="c", label_smoothing=0.2), M.MeanMetricWrapper(M.binary_accuracy, name="b", threshold=0.3)])
compiled("losses as metrics", "hot", metrics=[M.CategoricalCrossentropy(label_smoothing=0.1), M.BinaryCrossentropy(from_logits=True), M.KLDivergence(), M.Poisson(), M.Hinge(), M.SquaredHinge(), M.CategoricalHinge(name="ch"), M.MeanSquaredError()])
compiled("losses of classes as metrics", "classes", metrics=[M.SparseCategoricalCrossentropy(from_logits=True, name="logits"), "sparse_categorical_crossentropy"])
compiled("an ignored class", "classes", metrics=[M.SparseCategoricalCrossentropy(ignore_class=1)])
compiled("a loss object as a metric", "hot", "`compile_config.metrics[0]`: expected a metric, which averages over rows", metrics=[K.MeanSquaredError()])
compiled("a loss along another axis", "hot", "`compile_config.loss.config.axis`: expected -1", loss=K.CategoricalCrossentropy(axis=1))
compiled("a mean", "hot", loss=K.MeanSquaredError(reduction="mean"))
compiled("a sum", "hot", loss=K.MeanSquaredError(reduction="sum"))
compiled("a sum with an ignored class", "classes", loss=K.SparseCategoricalCrossentropy(ignore_class=1, reduction="sum"))
for reduction in [None, "none"]:
    compiled(f"the reduction {reduction}", "hot", loss=K.MeanSquaredError(reduction=reduction))
compiled("another reduction", "hot", "`compile_config.loss.config.reduction`: expected sum_over_batch_size, mean, sum or none, found \"mean_with_sample_weight\"", loss=K.MeanSquaredError(reduction="mean_with_sample_weight"))
compiled("no loss", "hot", "`compile_config.loss`: expected a loss, found null", loss={"out": None})
compiled("thresholds", "bits", metrics=[M.BinaryAccuracy(threshold=0.3), M.AUC(thresholds=[0.2, 0.5, 0.6]), M.AUC(name="pr", curve="PR", thresholds=[0.4]), M.Precision(thresholds=[0.6]), M.Recall(thresholds=[0.3], name="r")])
compiled("thresholds of several columns", "many", metrics=[M.BinaryAccuracy(threshold=0.7), M.AUC(thresholds=[0.2, 0.5])])
compiled("several thresholds", "bits", metrics=[M.Precision(thresholds=[0.3, 0.6]), M.Recall(thresholds=[0.25, 0.5, 0.75], name="found"), "accuracy"])
compiled("bounds of 0", "hot", sgd=dict(clipnorm=0.0))
compiled("a global bound of 0", "hot", sgd=dict(global_clipnorm=0.0))
compiled("bounds of values of 0", "hot", sgd=dict(clipvalue=0.0))


# Activations.
for at, function in enumerate([nn.Celu(2.0), nn.Squareplus(1.0), nn.SoftShrink(0.2), nn.HardShrink(1.0), nn.Threshold(0.3, -2.0), nn.Gelu(), nn.Gelu(False), nn.LeakyRelu(0.4), nn.Elu(0.4), nn.LogSigmoid(), nn.Softmax(), nn.HardSilu(), L.ReLU(2.0), L.LeakyReLU(), L.Activation("mish")]):
    layer(f"the activation {type(function).__name__} {at}", L.Dense(3, activation=function))


@keras.saving.register_keras_serializable()
def cube(x):
    return x**3


layer("a custom activation", L.Dense(3, activation=cube), refused='`layers[1].config.activation`: expected an activation\'s name, found the function "Custom>cube"')
layer("an activation with weights", L.Dense(3, activation=L.PReLU()), refused='found a "PReLU"')


# Axes, and statistics as settings.
layer("unit vectors over two axes", L.UnitNormalization(axis=[1, 2]), "steps")
layer("unit vectors over a list of one axis", L.UnitNormalization(axis=[-1]), "steps")
layer("unit vectors over inner axes", L.UnitNormalization(axis=(2, 1)), "image")
layer("unit vectors over axes apart", L.UnitNormalization(axis=[1, 3]), "image")
layer("a softmax over axes apart", L.Softmax(axis=[3, 1]), "image")
layer("normalization over axes apart", L.Normalization(axis=[1, 3], mean=np.arange(8.0).reshape(4, 2).tolist(), variance=np.arange(1.0, 9.0).reshape(4, 2).tolist()), "image")
write("sequences of any length", [L.LSTM(4, return_sequences=True), L.TimeDistributed(L.Dense(3)), L.GlobalAveragePooling1D()], "steps", None, None, None, (None, 3))
layer("a softmax over two axes", L.Softmax(axis=[-2, -1]), "steps")
layer("a softmax over a tuple of one axis", L.Softmax(axis=(1,)), "steps")
layer("normalization over two axes", L.Normalization(axis=[1, 2]), "image")
layer("normalization over all axes", L.Normalization(axis=[1, 2, 3]), "image")
layer("normalization by given numbers", L.Normalization(axis=(1,), mean=[1, 2, 3, 4], variance=[1, 2, 1, 2]), "steps")
layer("normalization by one number", L.Normalization(mean=2.0, variance=3.0), "steps")
layer("normalization of everything", L.Normalization(axis=None, mean=2.0, variance=3.0), "steps")
layer("layer normalization over a list of axes", L.LayerNormalization(axis=[-1, -2]), "image")
layer("layer normalization over an inner axis", L.LayerNormalization(axis=1), "steps")
layer("batch normalization over the last axis", L.BatchNormalization(axis=1))
layer("batch normalization over an inner axis", L.BatchNormalization(axis=1), "steps")
layer("rescaling by channel", L.Rescaling([1.0, 2.0, 3.0], offset=[0, 1, 2]), "steps")
layer("a constraint of all filters", L.Conv2D(2, 2, kernel_constraint=C.MaxNorm(2, axis=[0, 1, 2])), "image")
CONV = [C.MaxNorm(0.5, axis=[1, 2]), C.MinMaxNorm(0.2, 0.5, 0.7, axis=[0, -1]), C.UnitNorm(axis=[2, 0])]
for at, constraint in enumerate(CONV):
    layers = [L.Conv2D(2, 2, kernel_constraint=constraint), L.Flatten(), L.Dense(3, "softmax", kernel_constraint=C.UnitNorm(axis=-1))]
    write(f"constraints along other axes {at}", layers, "image", "hot", None, dict(loss="categorical_crossentropy"))


# Objects that only training needs.
@keras.saving.register_keras_serializable()
class Tenth(I.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.full(shape, 0.1, dtype)


@keras.saving.register_keras_serializable()
class Sum(R.Regularizer):
    def __call__(self, x):
        return keras.ops.sum(x)

    def get_config(self):
        return {}


class Half(C.Constraint):
    def __call__(self, w):
        return w / 2


layer("a custom initializer", L.Dense(3, kernel_initializer=Tenth()), refused='`layers[1].config.kernel_initializer`: expected an initializer of Keras, found a "Tenth"')
layer("a custom regularizer", L.Bidirectional(L.LSTM(2, recurrent_regularizer=Sum())), "steps", 'recurrent_regularizer`: expected an L1, L2 or L1L2 regularizer of Keras, found a "Sum"')
layer("a regularizer of Keras", L.TimeDistributed(L.Dense(2, activity_regularizer=R.OrthogonalRegularizer())), "steps", 'found a "OrthogonalRegularizer"')
layer("a custom constraint", L.PReLU(alpha_constraint=Half()), refused='`layers[1].config.alpha_constraint`: expected a MaxNorm, UnitNorm, MinMaxNorm or NonNeg constraint of Keras, found a "Half"')
print(json.dumps(CASES))
