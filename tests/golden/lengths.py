"""Writes the values that `lengths.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/lengths.py f32
    env/bin/python tests/golden/lengths.py f64

Six networks whose input has open steps, `Input((None, 3))`: the loss of 12 steps on batches of the lengths 6, 9, 4, 6, 12 and 9, twice,
and then the outputs for 9 steps.
"""
import json
import sys

from draw import DTYPE, HERE, classes, draw, floats, keras, one_hot

L, O, K = keras.layers, keras.optimizers, keras.losses
N, LENGTHS = 8, [6, 9, 4, 6, 12, 9]

# name: layers, optimizer, loss, the targets: classes, numbers or numbers for each step
LENGTH_MODELS = {
    "lstm": ([L.LSTM(4, return_sequences=True), L.LSTM(3), L.Dense(3, activation="softmax")], O.Adam(0.02), K.CategoricalCrossentropy(), "classes"),
    "convolution": ([L.Conv1D(4, 3, activation="relu"), L.MaxPooling1D(2), L.Conv1D(5, 2, padding="same", dilation_rate=2), L.GlobalAveragePooling1D(),
                     L.Dense(2)], O.SGD(0.05, momentum=0.9), K.MeanSquaredError(), "numbers"),
    "steps": ([L.Bidirectional(L.GRU(3, return_sequences=True)), L.BatchNormalization(momentum=0.9), L.TimeDistributed(L.Dense(4, activation="relu")), L.Dense(2)],
              O.Adam(0.02), K.MeanSquaredError(), "steps"),
    "padded": ([L.ZeroPadding1D((1, 2)), L.SeparableConv1D(4, 3), L.Cropping1D((1, 1)), L.UpSampling1D(2), L.AveragePooling1D(3, strides=2),
                L.GlobalMaxPooling1D(), L.Dense(2)], O.RMSprop(0.01), K.Huber(), "numbers"),
    "normalized": ([L.LayerNormalization(), L.PReLU(shared_axes=[1]), L.SimpleRNN(4, go_backwards=True), L.Dense(3, activation="softmax")], O.Adam(0.02),
                   K.CategoricalCrossentropy(), "classes"),
    "transposed": ([L.Conv1DTranspose(3, 3, strides=2, padding="same"), L.Conv1D(2, 2, strides=2)], O.SGD(0.1), K.MeanAbsoluteError(), "steps"),
}


def targets(kind, steps, i):
    if kind == "classes":
        return one_hot(classes(N, 3, 700 + i), 3)
    return draw((N, 2) if kind == "numbers" else (N, steps, 2), 720 + i)


def run(layers, optimizer, loss, kind):
    model = keras.Sequential([L.Input((None, 3)), *layers])
    for i, w in enumerate(model.weights):
        value = draw(w.shape, 650 + i, 0.5)
        w.assign(abs(value) + 0.5 if w.name == "moving_variance" else value)
    model.compile(optimizer, loss)
    losses = []
    for i, steps in enumerate(2 * LENGTHS):
        model.reset_metrics()
        loss = model.train_on_batch(draw((N, steps, 3), 740 + i), targets(kind, steps, i))
        losses.append(float(loss))
    return {"losses": losses, "after": floats(model(draw((N, 9, 3), 760), training=False))}


found = {name: run(*case) for name, case in LENGTH_MODELS.items()}
(HERE / f"lengths_{sys.argv[1]}.json").write_text(json.dumps(found))
