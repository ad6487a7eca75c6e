"""Writes the values that `states.rs` compares with; for the environment see `generate.py`.

    env/bin/python tests/golden/states.py f32
    env/bin/python tests/golden/states.py f64

Eight networks with stateful layers: the loss of 6 steps on batches that continue each other, with a reset after the third, and then the
outputs of two batches. On JAX, Keras 3.15.1 compiles a step with the first states as constants, and does not keep those after it. So
the steps are not compiled, and a call of the model moves the states.
"""
import json
import sys

from draw import DTYPE, HERE, draw, floats, keras

L, O = keras.layers, keras.optimizers
N, STEPS = 4, 5


def stack(*cells, **settings):
    return L.RNN(L.StackedRNNCells(cells), stateful=True, **settings)


# name: layers, optimizer, whether the targets have steps
STATE_MODELS = {
    "lstm": ([L.LSTM(4, stateful=True, return_sequences=True), L.Dense(2)], O.Adam(0.02), True),
    "gru": ([L.GRU(4, stateful=True, go_backwards=True), L.Dense(2)], O.SGD(0.1), False),
    "gru_before": ([L.GRU(3, stateful=True, reset_after=False), L.Dense(2)], O.Adam(0.02), False),
    "two": ([L.SimpleRNN(3, stateful=True, return_sequences=True), L.LSTM(3, stateful=True), L.Dense(2)], O.RMSprop(0.01), False),
    "masked": ([L.Masking(0.0), L.GRU(3, stateful=True, return_sequences=True, zero_output_for_mask=True), L.LSTM(3, stateful=True), L.Dense(2)],
               O.Adam(0.02), False),
    "bidirectional": ([L.Bidirectional(L.LSTM(3, stateful=True)), L.Dense(2)], O.Adam(0.02), False),
    "stack": ([stack(L.LSTMCell(4), L.GRUCell(3), return_sequences=True), L.Dense(2)], O.Adam(0.02), True),
    "masked_stack": ([L.Masking(0.0), stack(L.SimpleRNNCell(3), L.LSTMCell(2), return_sequences=True, go_backwards=True, zero_output_for_mask=True),
                      L.GRU(3), L.Dense(2)], O.SGD(0.1, momentum=0.9), False),
}


def samples(batch):
    x = draw((N, STEPS, 3), 800 + batch)
    # Padding behind, in front, and everywhere.
    x[0, 3:] = 0
    x[1, :2] = 0
    x[2] *= batch % 2
    return x


def run(layers, optimizer, with_steps):
    model = keras.Sequential([L.Input(batch_shape=(N, STEPS, 3)), *layers])
    for i, w in enumerate(model.weights):
        w.assign(draw(w.shape, 810 + i, 0.5))
    model.compile(optimizer, keras.losses.MeanSquaredError(), run_eagerly=True)
    states = [v for layer in model._flatten_layers() if getattr(layer, "states", None) for v in keras.tree.flatten(layer.states)]
    losses = []
    for batch in range(6):
        if batch == 3:
            for v in states:
                v.assign(0 * v)
        x, y = samples(batch), draw((N, STEPS, 2) if with_steps else (N, 2), 830 + batch)
        before = [keras.ops.copy(v.value) for v in states]
        model(x, training=True)
        after = [keras.ops.copy(v.value) for v in states]
        for v, value in zip(states, before):
            v.assign(value)
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
        for v, value in zip(states, after):
            v.assign(value)
    return {"losses": losses, "after": [floats(model(samples(batch), training=False)) for batch in (6, 7)]}


found = {name: run(*case) for name, case in STATE_MODELS.items()}
(HERE / f"states_{sys.argv[1]}.json").write_text(json.dumps(found))
