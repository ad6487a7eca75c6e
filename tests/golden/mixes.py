"""Writes the values that `mixes.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/mixes.py f32
    env/bin/python tests/golden/mixes.py f64

Twelve small networks that mix layers, losses, optimizers and their options: the loss of 20 steps in batches of 8, 8 and 4,
and what the network puts out for all 20 samples at the end.
"""
import json
import sys

from draw import DTYPE, HERE, classes, draw, floats, keras, np, one_hot

L, O, K = keras.layers, keras.optimizers, keras.losses
N, BATCH, STEPS = 20, 8, 20
series, flat = draw((N, 12, 4), 601), draw((N, 6), 602)
image = draw((N, 6, 6, 2), 603)
words = ((draw((N, 9), 604) + 1) * 3.5).astype(np.int64).astype(DTYPE)
y3 = classes(N, 3, 605)
hot, numbers, bits = one_hot(y3, 3), draw((N, 2), 606), (draw((N, 2), 607) > 0).astype(DTYPE)
steps = one_hot(classes(N * 12, 3, 608), 3).reshape(N, 12, 3)
soft = np.abs(draw((N, 3), 609)) + np.asarray(0.25, DTYPE)
soft = (soft / 4).astype(DTYPE)
weight = (np.abs(draw((N,), 610)) + 0.25).astype(DTYPE)
step_weight = (np.abs(draw((N, 12), 611)) + 0.25).astype(DTYPE)


def frozen(layer):
    layer.trainable = False
    return layer


# name: layers, optimizer, loss, x, y, weights
MIXES = {
    "convolution": ([L.Conv1D(4, 3, padding="same", activation="relu"), L.MaxPooling1D(2), L.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="tanh"),
                     L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")], O.Adam(0.01), K.CategoricalCrossentropy(), series, hot, None),
    "fully_convolutional": ([L.Conv1D(4, 5, padding="same", use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(), L.Conv1D(3, 3, padding="same", use_bias=False),
                             L.BatchNormalization(momentum=0.9), L.ReLU(), L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")],
                            O.Adamax(0.02), K.SparseCategoricalCrossentropy(), series, y3, weight),
    "image": ([L.Conv2D(3, 3, padding="same", strides=2), L.LeakyReLU(), L.AveragePooling2D((2, 2), strides=1), L.Flatten(), L.Dense(2, activation="sigmoid")],
              O.RMSprop(0.005, momentum=0.5), K.BinaryCrossentropy(label_smoothing=0.1), image, bits, None),
    "recurrent": ([L.LSTM(4, return_sequences=True), L.GRU(3), L.Dense(2)], O.Nadam(0.02), K.Huber(delta=0.5), series, numbers, weight),
    "steps": ([L.Bidirectional(L.GRU(3, return_sequences=True)), L.TimeDistributed(L.Dense(3, activation="softmax"))], O.AdamW(0.02),
              K.CategoricalCrossentropy(), series, steps, step_weight),
    "words": ([L.Embedding(7, 3), L.Conv1D(4, 3, activation="gelu"), L.GlobalMaxPooling1D(), L.Dense(2, activation="sigmoid")], O.Adagrad(0.1),
              K.BinaryFocalCrossentropy(), words, bits, None),
    "layer_norm": ([L.Dense(8), L.LayerNormalization(), L.PReLU(), L.Dense(2)], O.Adadelta(1.0, clipnorm=0.1), K.LogCosh(), flat, numbers, None),
    "separable": ([L.SeparableConv1D(4, 3, padding="same"), L.UnitNormalization(), L.Flatten(), L.Dense(3)],
                  O.SGD(O.schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9, nesterov=True),
                  K.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), series, hot, None),
    "shapes": ([L.Reshape((6, 8)), L.Permute((2, 1)), L.ZeroPadding1D(1), L.Cropping1D((0, 1)), L.UpSampling1D(2),
                L.Conv1D(4, 3, groups=2, kernel_regularizer=keras.regularizers.L2(0.01), activity_regularizer=keras.regularizers.L1(0.01)), L.Flatten(), L.Dense(2)],
               O.Lion(0.002, weight_decay=0.01), K.MeanSquaredError(), series, numbers, None),
    "repeat": ([L.Dense(4, activation="selu"), L.RepeatVector(3), L.SimpleRNN(3, return_sequences=True), L.LSTM(3, go_backwards=True), L.Dense(2)],
               O.Ftrl(0.05, l2_regularization_strength=0.001), K.MeanAbsoluteError(), flat, numbers, weight),
    "depthwise": ([L.DepthwiseConv1D(3, depth_multiplier=2, strides=2), L.BatchNormalization(), L.ELU(), L.GlobalAveragePooling1D(), L.Dense(3, activation="softmax")],
                  O.Adam(0.01, amsgrad=True, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4), K.KLDivergence(), series, soft, None),
    "bound": ([L.Dense(6, activation="tanh", kernel_constraint=keras.constraints.MaxNorm(0.5)), frozen(L.Dense(5, activation="relu")), frozen(L.BatchNormalization()),
               L.Dense(3, use_bias=False)], O.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2, global_clipnorm=0.5), K.CategoricalHinge(), flat, hot, weight),
}


def run(layers, optimizer, loss, x, y, weight):
    model = keras.Sequential([L.Input(x.shape[1:]), *layers])
    for i, w in enumerate(model.weights):
        value = draw(w.shape, 620 + i, 0.5)
        w.assign(np.abs(value) + np.asarray(0.5, DTYPE) if w.name == "moving_variance" else value)
    model.compile(optimizer, loss)
    losses = []
    for step in range(STEPS):
        rows = slice(step % 3 * BATCH, step % 3 * BATCH + BATCH)
        model.reset_metrics()
        losses.append(model.train_on_batch(x[rows], y[rows], None if weight is None else weight[rows]))
    return {"losses": floats(np.array(losses, DTYPE)), "outputs": floats(model(x, training=False))}


found = {name: run(*mix) for name, mix in MIXES.items()}
(HERE / f"mixes_{sys.argv[1]}.json").write_text(json.dumps(found))
for name, mix in found.items():
    print(name, mix["losses"][0], mix["losses"][-1])
