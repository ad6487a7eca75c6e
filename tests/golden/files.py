"""Writes the files in `tests/golden/files/`, and what Keras computes by them, which `files.rs` compares with; for the
environment see `generate.py`.

    env/bin/python tests/golden/files.py f32
    env/bin/python tests/golden/files.py f64
    env/bin/python tests/golden/files.py f32 nested residual

The last form writes only these cases, and keeps the others.

A compiled network is trained for 4 steps in batches of 8, 8 and 4, and saved; then come its predictions and the losses of 20
further steps. One that is not compiled is saved as it is. Every layer, loss, optimizer, schedule, initializer, regularizer
and constraint that is known on both sides occurs, most of them with settings away from their defaults.
"""
import json
import sys

import h5py
from draw import DTYPE, HERE, classes, draw, floats, keras, np, one_hot
from keras.src.legacy.saving import legacy_h5_format

L, O, K, M, S = keras.layers, keras.optimizers, keras.losses, keras.metrics, keras.optimizers.schedules
R, C, I = keras.regularizers, keras.constraints, keras.initializers
N, STEPS = 20, 20
X = {
    "series": draw((N, 12, 4), 701), "flat": draw((N, 6), 702), "image": draw((N, 6, 6, 2), 703),
    "words": ((draw((N, 9), 704) + 1) * 3.5).astype(np.int64).astype(DTYPE),
}
Y3 = classes(N, 3, 705)
Y = {
    "hot": one_hot(Y3, 3), "classes": Y3, "numbers": draw((N, 2), 706), "bits": (draw((N, 2), 707) > 0).astype(DTYPE),
    "steps": one_hot(classes(N * 12, 3, 708), 3).reshape(N, 12, 3), "positive": np.abs(draw((N, 2), 709)) + np.asarray(0.25, DTYPE),
    "soft": ((np.abs(draw((N, 3), 710)) + np.asarray(0.25, DTYPE)) / 4).astype(DTYPE),
}


def frozen(layer):
    layer.trainable = False
    return layer


def adapted(**options):
    layer = L.Normalization(**options)
    layer.adapt(X["series"] * 3 + 1)
    return layer


def chain(inputs, *layers):
    for layer in layers:
        inputs = layer(inputs)
    return inputs


def stateful(shape):
    return keras.Sequential([L.Input(batch_shape=(N, *shape)), L.Bidirectional(L.LSTM(3, stateful=True, return_sequences=True)), L.GRU(2, stateful=True), L.Dense(2)])


def of(build):
    """A functional model of the output that `build` returns."""
    def model(shape):
        inputs = L.Input(shape)
        return keras.Model(inputs, build(inputs))
    return model


def inner_functional(x):
    inner = L.Input((5,))
    inner = keras.Model(inner, chain(inner, L.Dense(3, activation="tanh", name="hidden"), L.LayerNormalization()), name="inner")
    return chain(x, L.Dense(5, name="hidden"), keras.Sequential([L.Dense(5, activation="relu", name="hidden")], name="again"), inner)


def frozen_base(x):
    base = L.Input((6,))
    base = frozen(keras.Model(base, chain(base, L.Dense(5, activation="relu"), L.BatchNormalization(momentum=0.5))))
    return chain(base(x, training=False), L.Dense(2))


def residual(x):
    x = L.Conv1D(6, 3, padding="same", name="stem")(x)
    branch = chain(x, L.Conv1D(6, 3, padding="same", use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(), L.Conv1D(6, 3, padding="same"), L.BatchNormalization(momentum=0.9))
    x = L.ReLU()(L.Add()([branch, x]))
    # One within another, and two that end together.
    middle = L.Dense(6, activation="tanh")(x)
    inner = middle + L.Dense(6)(middle)
    x = L.Add(name="outer")([x, frozen(L.Dense(6))(inner)])
    whole = L.Add()([x, L.Add()([x, L.Dense(6, activation="relu")(x)])])
    return chain(whole, keras.Sequential([L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax", name="stem")], name="head"))


def residual_steps(x):
    step = L.Input((4,))
    step = keras.Model(step, L.Add()([step, chain(step, L.Dense(3, activation="relu"), L.Dense(4))]))
    return chain(x, L.TimeDistributed(step), L.LSTM(3), L.Dense(2))


def conv(filters, size, **options):
    return L.Conv1D(filters, size, padding="same", **options)


def projected(x):
    """Residual blocks with more channels and half the steps."""
    for filters, strides in ((6, 1), (8, 2)):
        branch = chain(x, conv(filters, 3, strides=strides, use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(), conv(filters, 3))
        shortcut = chain(x, conv(filters, 1, strides=strides, use_bias=False), L.BatchNormalization(momentum=0.9))
        x = L.ReLU()(L.Add()([shortcut, branch]))
    return chain(x, L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax"))


def inception(x):
    for axis in (-1, 2):
        x = L.Concatenate(axis=axis)([conv(2, 1)(x), chain(x, conv(2, 1, activation="relu"), conv(3, 5)), x, chain(x, L.MaxPooling1D(3, strides=1, padding="same"), conv(2, 1))])
    return chain(x, L.GlobalMaxPooling1D(), L.Dense(3, activation="softmax"))


def merges(x):
    x = chain(x, L.Dense(5), L.ReLU())
    # Equal values, of two and of three branches.
    x = L.Maximum()([x, L.ReLU()(x), L.Activation("linear")(x), L.Dense(5)(x)])
    inner = L.Average()([x, L.Dense(5, activation="tanh")(x), L.Add()([L.Dense(5)(x), L.Dense(5)(x)])])
    x = L.Multiply()([x, inner, L.Dense(5, activation="sigmoid")(x)])
    return chain(L.Add()([x, x, L.Dense(5)(x)]), L.GlobalAveragePooling1D(), L.Dense(2))


def within_merges(x):
    """A nested model with branches, whose weights have another order than the layers of its chains."""
    inner = L.Input((4,))
    outer = L.Concatenate()([L.Dense(4)(inner), chain(inner, L.Dense(4, activation="tanh"), L.Dense(4), L.Dense(4)), chain(inner, L.Dense(4), L.BatchNormalization(), L.Dense(4))])
    return chain(L.TimeDistributed(keras.Model(inner, outer))(x), L.GlobalAveragePooling1D(), L.Dense(2))


# name: layers or a functional model, x; then, of a compiled one, y, optimizer, loss, metrics
CASES = {
    "dense": ([L.Dense(5, activation="relu", name="F1"), L.Dense(3, activation="softmax", name="output")], "flat", "hot", O.Adam(0.01), K.CategoricalCrossentropy(), ["accuracy"]),
    "conv1d": ([L.Conv1D(4, 3, padding="same", activation="relu"), L.MaxPooling1D(2), L.Conv1D(4, 3, padding="causal", dilation_rate=2, groups=2, activation="tanh"),
                L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")], "series", "classes", O.Adamax(0.02), K.SparseCategoricalCrossentropy(), [M.SparseCategoricalAccuracy()]),
    "conv2d": ([L.Conv2D(3, 3, padding="same", strides=2), L.LeakyReLU(), L.AveragePooling2D((2, 2), strides=1), L.Flatten(), L.Dense(2, activation="sigmoid")],
               "image", "bits", O.RMSprop(0.005, momentum=0.5, centered=True), K.BinaryCrossentropy(label_smoothing=0.1), [M.AUC(curve="PR", num_thresholds=50), M.Precision(), M.Recall()]),
    "recurrent": ([L.LSTM(4, return_sequences=True), L.GRU(3, reset_after=False), L.Dense(2)], "series", "numbers", O.Nadam(0.02), K.Huber(), ["mse", "mae"]),
    "gru": ([L.GRU(3, use_bias=False, recurrent_activation="hard_sigmoid", return_sequences=True), L.SimpleRNN(3, go_backwards=True, activation="relu"), L.Dense(2)],
            "series", "numbers", O.SGD(0.05, momentum=0.9, nesterov=True), K.LogCosh(), [M.R2Score(), M.LogCoshError()]),
    "bidirectional": ([L.Bidirectional(L.GRU(3, return_sequences=True)), L.Bidirectional(L.LSTM(2, return_sequences=True, unit_forget_bias=False), merge_mode="ave"),
                       L.TimeDistributed(L.Dense(3, activation="softmax"))], "series", "steps", O.AdamW(0.02), K.CategoricalCrossentropy(), None),
    "embedding": ([L.Embedding(7, 3), L.Conv1D(4, 3, activation="gelu"), L.GlobalMaxPooling1D(), L.Dense(2, activation="sigmoid")], "words", "bits", O.Adagrad(0.1),
                  K.BinaryFocalCrossentropy(gamma=1.5), [M.F1Score(average="macro", threshold=0.5), M.FBetaScore(average="micro", beta=2.0)]),
    "normalized": ([L.Dense(8), L.LayerNormalization(epsilon=1e-4), L.PReLU(), L.UnitNormalization(), L.Dense(2)], "flat", "numbers", O.Adadelta(1.0, clipnorm=0.1), K.MeanSquaredError(), [M.RootMeanSquaredError()]),
    "batch_norm": ([L.Conv1D(4, 5, padding="same", use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(max_value=2.0, negative_slope=0.1), L.Conv1D(3, 3),
                    L.BatchNormalization(center=False, scale=False, epsilon=1e-4), L.GlobalAveragePooling1D(keepdims=False), L.Softmax()],
                   "series", "hot", O.Adam(0.01, amsgrad=True, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4), K.CategoricalFocalCrossentropy(), [M.TopKCategoricalAccuracy(k=2)]),
    "separable": ([L.SeparableConv1D(4, 3, padding="same", depth_multiplier=2), L.DepthwiseConv1D(3, depth_multiplier=2, strides=2, activation="elu"), L.Flatten(), L.Dense(3)],
                  "series", "hot", O.SGD(S.ExponentialDecay(0.1, 10, 0.5), momentum=0.9), K.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), None),
    "transposed": ([L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same", activation="elu"), L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1),
                    L.SeparableConv2D(4, (2, 3), depth_multiplier=2), L.Reshape((20, 4)), L.Conv1DTranspose(3, 4, strides=2, activation="tanh"), L.GlobalAveragePooling1D(), L.Dense(2)],
                   "image", "numbers", O.SGD(0.05, momentum=0.9), K.MeanSquaredError(), None),
    "shapes": ([L.Reshape((6, 8)), L.Permute((2, 1)), L.ZeroPadding1D(1), L.Cropping1D((0, 1)), L.UpSampling1D(2),
                L.Conv1D(4, 3, kernel_regularizer=R.L2(0.01), activity_regularizer=R.L1(0.01)), L.Flatten(), L.Dense(2, bias_regularizer=R.L1L2(0.01, 0.02))],
               "series", "numbers", O.Lion(0.002, weight_decay=0.01), K.MeanAbsoluteError(), [M.MeanAbsolutePercentageError(), M.MeanSquaredLogarithmicError()]),
    "repeat": ([L.Dense(4, activation="selu", kernel_initializer=I.LecunNormal()), L.RepeatVector(3), L.SimpleRNN(3, return_sequences=True, recurrent_initializer=I.Identity()), L.LSTM(3, go_backwards=True), L.Dense(2)],
               "flat", "numbers", O.Ftrl(0.05, l1_regularization_strength=0.001, l2_regularization_strength=0.001), K.CosineSimilarity(), [M.CosineSimilarity()]),
    "bound": ([L.Dense(6, activation="tanh", kernel_constraint=C.MaxNorm(0.5)), frozen(L.Dense(5, activation="relu")), frozen(L.BatchNormalization()),
               L.Dense(3, use_bias=False, kernel_constraint=C.MinMaxNorm(0.1, 0.8, rate=0.5))], "flat", "hot", O.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2, global_clipnorm=0.5), K.CategoricalHinge(), None),
    "adapted": ([adapted(), L.Flatten(), L.Dense(3, activation="softmax", kernel_constraint=C.UnitNorm(), bias_constraint=C.NonNeg())], "series", "soft", O.Adam(S.CosineDecay(0.02, 10, alpha=0.1, warmup_target=0.03, warmup_steps=3)), K.KLDivergence(), ["accuracy"]),
    "schedule_restarts": ([L.Dense(3)], "flat", "hot", O.Nadam(S.CosineDecayRestarts(0.02, 5), clipvalue=0.1), K.Hinge(), None),
    "schedule_inverse": ([L.Dense(3)], "flat", "hot", O.RMSprop(S.InverseTimeDecay(0.02, 5, 0.5, staircase=True)), K.SquaredHinge(), None),
    "schedule_piecewise": ([L.Dense(2, activation="softplus")], "flat", "positive", O.Adamax(S.PiecewiseConstantDecay([3, 9], [0.02, 0.01, 0.005])), K.Poisson(), None),
    "schedule_polynomial": ([L.Dense(2, activation="exponential")], "flat", "positive", O.Adagrad(S.PolynomialDecay(0.1, 10, power=2.0)), K.MeanSquaredLogarithmicError(), None),
    "percentage": ([L.Dense(4, activation="mish"), L.Dense(2, activation=L.LeakyReLU(negative_slope=0.4))], "flat", "positive", O.Lion(0.01, use_ema=True), K.MeanAbsolutePercentageError(), None),
    "ignored": ([L.Dense(4, activation="silu"), L.Dense(3, activation="log_softmax"), L.Activation("exponential")], "flat", "classes", O.Adam(0.01, clipvalue=0.05), K.SparseCategoricalCrossentropy(ignore_class=1), None),
    "named_loss": ([L.Dense(2, activation="sigmoid")], "flat", "bits", "rmsprop", "binary_crossentropy", ["accuracy", "mse"]),
    "untrained": ([L.Dense(3, kernel_initializer=I.HeUniform(), bias_initializer=I.Constant(0.25))], "flat", "hot", O.SGD(0.1), K.MeanSquaredError(), None),
    "noise": ([L.Dropout(0.2), L.SpatialDropout1D(0.2), L.GaussianNoise(0.1), L.GaussianDropout(0.1), L.AlphaDropout(0.1), L.Conv1D(2, 3), L.Rescaling(0.5, offset=-1.0)], "series"),
    "pools": ([L.ZeroPadding2D(((1, 0), (2, 1))), L.MaxPooling2D((2, 3), strides=2, padding="same"), L.Conv2D(2, 2, dilation_rate=2, padding="same", kernel_initializer=I.Orthogonal(gain=0.5)), L.GlobalMaxPooling2D(keepdims=True)], "image"),
    "pools_1d": ([L.AveragePooling1D(3, strides=2, padding="same"), L.ELU(alpha=0.5), L.MaxPooling1D(2), L.GlobalMaxPooling1D()], "series"),
    "images": ([L.UpSampling2D((1, 2), interpolation="bilinear"), L.Cropping2D(((1, 0), (2, 1))), L.Conv2D(4, 3, padding="same"), L.GroupNormalization(groups=2, epsilon=1e-4), L.RMSNormalization(),
                L.AdaptiveAveragePooling2D((3, 4)), L.AdaptiveMaxPooling2D((2, 3)), L.UpSampling2D(2), L.Flatten(), L.Dense(2)], "image", "numbers", O.Adam(0.01), K.MeanSquaredError(), None),
    "adaptive": ([L.AdaptiveMaxPooling1D(9), L.AdaptiveAveragePooling1D(5), L.GroupNormalization(groups=-1, axis=1), L.RMSNormalization(axis=[1, 2]), L.Reshape((5, 2, 2)), L.SpatialDropout2D(0.2), L.Flatten(), L.Dense(2)], "series"),
    "global_2d": ([L.Conv2D(3, (1, 2), activation="relu6"), L.GlobalAveragePooling2D(), L.Dense(2, activation="softsign", kernel_initializer=I.VarianceScaling(2.0, "fan_avg", "uniform"))], "image"),
    "inner_axes": ([L.BatchNormalization(axis=1, momentum=0.7), L.LayerNormalization(axis=1), L.TimeDistributed(L.LayerNormalization(axis=1)), L.Flatten(), L.Dense(2)], "series", "numbers", O.SGD(0.05), K.MeanSquaredError()),
    "legacy_inner_axes": ([L.BatchNormalization(axis=1), L.LayerNormalization(axis=1), L.Flatten(), L.Dense(2)], "series"),
    "axes": ([L.LayerNormalization(axis=[1, 2]), L.PReLU(shared_axes=[1], alpha_initializer=I.RandomUniform(0.1, 0.3)), L.Softmax(axis=1), L.UnitNormalization(axis=1), L.BatchNormalization(axis=2)], "series"),
    "given_statistics": ([L.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 16.0]), L.Flatten(), L.Dense(2)], "series"),
    "rescaled_channels": ([L.Rescaling([0.5, 2.0, -1.0, 1.0], offset=[0.0, 1.0, 2.0, 3.0]), L.Flatten(), L.Dense(2)], "series"),
    "given_number": ([L.Normalization(axis=-1, mean=1.0, variance=4.0), L.Flatten(), L.Dense(2)], "series"),
    "late_freeze": ([L.Dense(6, activation="tanh"), L.Dense(5, activation="relu"), L.Dense(3, activation="softmax")], "flat", "hot", O.Adam(0.02), K.CategoricalCrossentropy(), ["accuracy"]),
    "masked_words": ([L.Embedding(7, 3, mask_zero=True), L.Bidirectional(L.LSTM(3, return_sequences=True)), L.GRU(4, reset_after=False), L.Dense(3, activation="softmax")],
                     "words", "hot", O.Adam(0.02), K.CategoricalCrossentropy(), ["accuracy"]),
    "masked_series": ([L.Masking(0.5), L.SimpleRNN(4, return_sequences=True, zero_output_for_mask=True), L.GlobalAveragePooling1D(), L.Dense(2)],
                      "series", "numbers", O.SGD(0.05), K.MeanSquaredError(), None),
    "untrained_adam": ([L.Dense(4, activation="tanh"), L.BatchNormalization(), L.Dense(3, activation="softmax")], "flat", "hot", O.Adam(0.02, use_ema=True, amsgrad=True), K.CategoricalCrossentropy(), ["accuracy"]),
    "untrained_schedule": ([L.Dense(3, activation="softmax")], "flat", "hot", O.Nadam(S.ExponentialDecay(0.05, 10, 0.5), gradient_accumulation_steps=2), K.CategoricalCrossentropy(), None),
    "nested": ([L.Dense(5, activation="tanh", name="a"), keras.Sequential([L.BatchNormalization(momentum=0.8), L.Dense(4, activation="relu", name="a")], name="inner"),
                frozen(keras.Sequential([L.Dense(4, name="b"), keras.Sequential([L.BatchNormalization(), L.Dense(4, name="a")])], name="fixed")), L.Dense(3, activation="softmax")],
               "flat", "hot", O.Adam(0.01), K.CategoricalCrossentropy(), ["accuracy"]),
    "nested_steps": ([L.TimeDistributed(keras.Sequential([L.Dense(4, activation="relu"), L.LayerNormalization(), L.Dense(3)])), L.TimeDistributed(keras.Sequential([L.Dense(3)], name="single")), L.Flatten(), L.Dense(2)],
                     "series", "numbers", O.RMSprop(0.005, momentum=0.5), K.MeanSquaredError(), None),
    "functional": (of(inner_functional), "flat", "soft", O.Nadam(0.02), K.MeanSquaredError(), None),
    "frozen_base": (of(frozen_base), "flat", "numbers", O.SGD(0.05, momentum=0.9), K.MeanSquaredError(), None),
    "residual": (of(residual), "series", "hot", O.Adam(0.01), K.CategoricalCrossentropy(), ["accuracy"]),
    "projected": (of(projected), "series", "hot", O.Adam(0.01), K.CategoricalCrossentropy(), ["accuracy"]),
    "inception": (of(inception), "series", "hot", O.AdamW(0.01, use_ema=True), K.CategoricalCrossentropy(), None),
    "merges": (of(merges), "series", "numbers", O.RMSprop(0.005, momentum=0.5, gradient_accumulation_steps=2), K.MeanSquaredError(), None),
    "untrained_branches": (of(projected), "series", "hot", O.Adam(0.01), K.CategoricalCrossentropy(), None),
    "residual_steps": (of(residual_steps), "series", "numbers", O.AdamW(0.02), K.MeanSquaredError(), None),
    "cells": ([L.RNN(L.LSTMCell(3, unit_forget_bias=False), return_sequences=True, go_backwards=True), L.Identity(), L.Bidirectional(L.RNN(L.GRUCell(2, reset_after=False), return_sequences=True)),
               L.ActivityRegularization(l1=0.01, l2=0.02), L.RNN(L.SimpleRNNCell(3, activation="relu")), L.Dense(2)], "series", "numbers", O.Adam(0.02), K.MeanSquaredError(), None),
    "stacked_cells": ([L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2, reset_after=False), L.LSTMCell(3)]), return_sequences=True),
                      L.RNN(frozen(L.StackedRNNCells([L.SimpleRNNCell(3), L.GRUCell(2)])), go_backwards=True), L.Dense(2)], "series", "numbers", O.Adam(0.02), K.MeanSquaredError(), None),
    "stateful": (stateful, "series"),
    "legacy": ([L.Dense(5, activation="tanh", name="a"), keras.Sequential([L.BatchNormalization(momentum=0.8), frozen(L.Dense(4, activation="relu", name="a")), L.Dense(4)], name="inner"),
                frozen(L.BatchNormalization()), L.Dense(3, activation="softmax")], "flat", "hot", O.Adam(0.01), K.CategoricalCrossentropy(label_smoothing=0.1), ["accuracy"]),
    # The names of the weights are split over several attributes, as Keras does above 64 kB.
    "legacy_split": ([L.LSTM(3, return_sequences=True), L.BatchNormalization(), L.GRU(2), L.Dense(3, activation="softmax")], "series", "hot", O.Adam(0.02, amsgrad=True), K.CategoricalCrossentropy(), None),
    "legacy_residual": (of(residual_steps), "series", "numbers", O.RMSprop(0.005, momentum=0.5), "mse", [M.RootMeanSquaredError()]),
    "legacy_branches": (of(within_merges), "series", "numbers", O.Nadam(0.01), "mse", None),
    "legacy_axes": ([L.LayerNormalization(axis=[1, 2]), L.BatchNormalization(axis=2), L.Bidirectional(L.GRU(2, return_sequences=True)), L.Softmax(axis=1), L.Flatten(), L.Dense(2)], "series"),
    "legacy_keras_2": ([L.Conv1D(4, 3, activation="relu"), L.BatchNormalization(), L.LeakyReLU(0.1), L.LSTM(3), L.Dense(3, activation="softmax")], "series", "hot", O.SGD(0.05), "categorical_crossentropy", ["accuracy"]),
    "one_statistic": ([adapted(axis=None), adapted(axis=1), L.GlobalAveragePooling1D()], "series"),
}
for i, names in enumerate([("celu", "hard_shrink", "hard_silu", "hard_tanh"), ("leaky_relu", "log_sigmoid", "soft_shrink", "sparse_plus"), ("sparse_sigmoid", "squareplus", "tanh_shrink", "linear")]):
    CASES[f"activations_{i}"] = ([L.Dense(3, activation=name, kernel_initializer=I.RandomNormal(stddev=1.0)) for name in names], "flat")
WIDE = ["dense", "conv2d", "transposed", "recurrent", "bidirectional", "batch_norm", "adapted", "nested", "residual", "projected", "inception", "merges", "legacy"]


def networks():
    """Three networks that were trained for longer."""
    yield "trained_dense", [L.Dense(32, activation="relu"), L.Dense(32, activation="relu"), L.Dense(3, activation="softmax")], "flat", "classes", O.Adam(0.01), K.SparseCategoricalCrossentropy(), ["accuracy"]
    yield "trained_conv", [L.Conv1D(8, 5, padding="same"), L.BatchNormalization(), L.ReLU(), L.Conv1D(8, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")], "series", "hot", O.Adam(0.005), K.CategoricalCrossentropy(), ["accuracy"]
    yield "trained_recurrent", [L.Bidirectional(L.LSTM(8, return_sequences=True)), L.GRU(8), L.Dense(2)], "series", "numbers", O.RMSprop(0.003), K.MeanSquaredError(), None


def step(model, x, y, number):
    start = (0, 8, 16)[number % 3]
    model.reset_metrics()
    loss = model.train_on_batch(x[start:start + 8], y[start:start + 8])
    return loss[0] if isinstance(loss, (list, tuple)) else loss


def as_keras_2(path):
    """Rewrites what Keras 2.15 writes in another form: the input of the first layer, axes as lists, and the names of weights."""
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        _, *layers = config["config"]["layers"]
        layers[0]["config"]["batch_input_shape"] = config["config"].pop("build_input_shape")
        config["config"] = {"name": "sequential", "layers": layers}
        for layer in layers:
            settings = layer["config"]
            settings["dtype"] = "float32"
            settings.pop("quantization_config", None)
            for name, value in settings.items():
                if isinstance(value, dict):
                    settings[name] = {"class_name": value["class_name"], "config": value["config"]}
            if layer["class_name"] == "BatchNormalization":
                settings["axis"] = [2]
                for name in ("synchronized", "renorm", "renorm_clipping", "renorm_momentum"):
                    settings.pop(name, None)
            if layer["class_name"] == "LeakyReLU":
                settings["alpha"] = settings.pop("negative_slope")
            if layer["class_name"] == "LSTM":
                settings |= {"time_major": False, "implementation": 2}
        training = json.loads(file.attrs["training_config"])
        training["optimizer_config"]["config"] = {"name": "SGD", "learning_rate": 0.05, "decay": 0.0, "momentum": 0.0, "nesterov": False}
        for attributes in (file.attrs, file["model_weights"].attrs):
            attributes["keras_version"] = b"2.15.0"
        file.attrs["model_config"], file.attrs["training_config"] = json.dumps(config).encode(), json.dumps(training).encode()
        del file["optimizer_weights"]
        for group in file["model_weights"].values():
            names = list(group.attrs["weight_names"])
            for name in names:
                group.move(name, f"{name}:0")
            group.attrs["weight_names"] = [f"{name}:0".encode() for name in names]


def write(name, layers, x, y=None, optimizer=None, loss=None, metrics=None, before=4):
    model = layers(X[x].shape[1:]) if callable(layers) else keras.Sequential([L.Input(X[x].shape[1:]), *layers])
    if optimizer:
        model.compile(optimizer, loss, metrics=metrics)
        for number in range(0 if name.startswith("untrained") else before):
            step(model, X[x], Y[y], number)
    path = HERE / "files" / f"{name}_{'f32' if DTYPE == 'float32' else 'f64'}.{'h5' if name.startswith('legacy') else 'keras'}"
    if name == "late_freeze":
        model.layers[0].trainable = False
    legacy_h5_format.HDF5_OBJECT_HEADER_LIMIT = 80 if name == "legacy_split" else 64512
    model.save(path)
    if name == "late_freeze":
        model = keras.models.load_model(path)
    if name == "legacy_keras_2":
        as_keras_2(path)
    entry = {"x": x, "predictions": floats(model.predict(X[x], batch_size=N, verbose=0))}
    if optimizer:
        entry |= {"y": y, "losses": floats(np.array([step(model, X[x], Y[y], before + number) for number in range(STEPS)], dtype=DTYPE))}
    return entry


def main():
    keras.utils.set_random_seed(7)
    wanted = CASES if DTYPE == "float32" else {name: CASES[name] for name in WIDE}
    path = HERE / f"files_{'f32' if DTYPE == 'float32' else 'f64'}.json"
    if sys.argv[2:]:
        stored = json.loads(path.read_text()) | {name: write(name, *wanted[name]) for name in sys.argv[2:]}
    else:
        stored = {name: write(name, *case) for name, case in wanted.items()}
        if DTYPE == "float32":
            stored |= {name: write(name, *case, before=100) for name, *case in networks()}
    path.write_text(json.dumps(stored, separators=(",", ":")).replace("},", "},\n") + "\n")


main()
