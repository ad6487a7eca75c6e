"""Writes the values that `masks.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/masks.py f32
    env/bin/python tests/golden/masks.py f64

Twelve networks on sequences with padding in front, between and behind: the outputs for 20 samples, the loss of 30 steps in batches of
8, 8 and 4, the outputs after them, and an evaluation. The metrics are those of the evaluation: in training steps Keras 3.15.1 loses the
mask of the outputs before it updates the metrics on JAX, not on its other backends.
"""
import json
import sys

from draw import DTYPE, HERE, classes, draw, floats, keras, np, one_hot

L, O, K = keras.layers, keras.optimizers, keras.losses
N, T, BATCH, STEPS = 20, 6, 8, 30
counts = draw((N, T), 631) > -0.25
counts[5] = False  # a sample of padding alone
some = counts.copy()
some[:, 2] = True  # no sample of padding alone: Keras's mean of no steps is NaN
series = draw((N, T, 4), 632)
padded = np.where(counts[:, :, None], series, 0).astype(DTYPE)
ones = np.where(some[:, :, None], series, -1).astype(DTYPE)
words = np.where(counts, 1 + classes(N * T, 6, 633).reshape(N, T), 0).astype(DTYPE)
some_words = np.where(some, 1 + classes(N * T, 6, 633).reshape(N, T), 0).astype(DTYPE)
y3, y_steps = classes(N, 3, 634), classes(N * T, 3, 635).reshape(N, T)
hot, numbers = one_hot(y3, 3), draw((N, 2), 636)
hot_steps = one_hot(y_steps.ravel(), 3).reshape(N, T, 3)
number_steps = draw((N, T, 2), 637)
bits = (draw((N, 1), 638) > 0).astype(DTYPE)
weight = (np.abs(draw((N,), 639)) + 0.25).astype(DTYPE)
step_weight = (np.abs(draw((N, T), 640)) + 0.25).astype(DTYPE)


def residual(x):
    masked = L.Masking(0.0)(x)
    inner = L.Dense(4, activation="tanh")(masked)
    inner = L.BatchNormalization(momentum=0.9)(inner)
    return L.Dense(3, activation="softmax")(L.LSTM(3)(L.Add()([masked, inner])))


# name: layers, optimizer, loss, x, y, weights
MASKS = {
    "lstm": ([L.Masking(0.0), L.LSTM(4), L.Dense(3, activation="softmax")], O.Adam(0.01), K.CategoricalCrossentropy(), padded, hot, None),
    "gru_steps": ([L.Masking(0.0), L.GRU(3, return_sequences=True), L.TimeDistributed(L.Dense(3, activation="softmax"))], O.Adam(0.02),
                  K.CategoricalCrossentropy(), padded, hot_steps, step_weight),
    "gru_before": ([L.Masking(-1.0), L.GRU(4, reset_after=False, return_sequences=True), L.GRU(3), L.Dense(2)], O.SGD(0.05, momentum=0.9),
                   K.MeanSquaredError(), ones, numbers, weight),
    "backwards": ([L.Masking(0.0), L.SimpleRNN(4, go_backwards=True, return_sequences=True), L.SimpleRNN(3), L.Dense(2)], O.SGD(0.05),
                  K.Huber(), padded, numbers, None),
    "both_ways": ([L.Embedding(7, 3, mask_zero=True), L.Bidirectional(L.LSTM(3, return_sequences=True)), L.Dense(3, activation="softmax")], O.Adam(0.02),
                  K.SparseCategoricalCrossentropy(), words, y_steps, None),
    "both_ends": ([L.Embedding(7, 3, mask_zero=True), L.Bidirectional(L.GRU(3), merge_mode="mul"), L.Dense(1, activation="sigmoid")], O.RMSprop(0.01),
                  K.BinaryCrossentropy(), words, bits, None),
    "mean_of_words": ([L.Embedding(7, 5, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")], O.Adam(0.05),
                      K.BinaryCrossentropy(), some_words, bits, weight),
    "batch_norm": ([L.Masking(0.0), L.Dense(5, use_bias=False), L.BatchNormalization(momentum=0.8), L.ReLU(), L.LSTM(3), L.Dense(3, activation="softmax")],
                   O.SGD(0.1), K.SparseCategoricalCrossentropy(), padded, y3, None),
    "passing": ([L.Masking(-1.0), L.LayerNormalization(), L.Dense(6), L.PReLU(), L.UnitNormalization(), L.Rescaling(2.0), L.Dropout(0.0), L.GlobalAveragePooling1D(),
                 L.Dense(2)], O.Adam(0.02), K.MeanAbsoluteError(), ones, numbers, None),
    "ending": ([L.Masking(0.0), L.Conv1D(4, 3, activation="relu"), L.GlobalMaxPooling1D(), L.Dense(3, activation="softmax")], O.Adam(0.02),
               K.CategoricalCrossentropy(), padded, hot, None),
    "residual": (residual, O.Adam(0.01), K.CategoricalCrossentropy(), padded, hot, weight),
    "zero_outputs": ([L.Masking(0.0), L.LSTM(3, return_sequences=True, zero_output_for_mask=True), L.Dense(2)], O.SGD(0.02),
                     K.MeanSquaredError(reduction="sum"), padded, number_steps, None),
}


def run(layers, optimizer, loss, x, y, weight):
    if callable(layers):
        inputs = L.Input(x.shape[1:])
        model = keras.Model(inputs, layers(inputs))
    else:
        model = keras.Sequential([L.Input(x.shape[1:]), *layers])
    for i, w in enumerate(model.weights):
        value = draw(w.shape, 650 + i, 0.5)
        w.assign(np.abs(value) + np.asarray(0.5, DTYPE) if w.name == "moving_variance" else value)
    metric = "accuracy" if "Crossentropy" in type(loss).__name__ else "mae"
    model.compile(optimizer, loss, metrics=[metric], weighted_metrics=[metric])
    before, losses = floats(model(x, training=False)), []
    for step in range(STEPS):
        rows = slice(step % 3 * BATCH, step % 3 * BATCH + BATCH)
        model.reset_metrics()
        losses.append(model.train_on_batch(x[rows], y[rows], None if weight is None else weight[rows], return_dict=True)["loss"])
    scores = model.evaluate(x, y, batch_size=BATCH, sample_weight=weight, return_dict=True, verbose=0)
    scores = [scores[key] for key in ("loss", metric, f"weighted_{metric}")]
    return {"before": before, "losses": floats(np.array(losses, DTYPE)), "after": floats(model(x, training=False)), "scores": scores}


found = {name: run(*case) for name, case in MASKS.items()}
(HERE / f"masks_{sys.argv[1]}.json").write_text(json.dumps(found))
for name, case in found.items():
    print(name, case["losses"][0], case["losses"][-1], case["scores"])
