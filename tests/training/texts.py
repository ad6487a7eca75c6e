"""The classifiers of `tests/training/texts.rs` in Keras, on the same texts.

python -m venv env && env/bin/pip install keras==3.15.1 jax tensorflow-cpu && env/bin/python texts.py
"""
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

L = keras.layers
state = 1


def below(n):
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) % n


def text():
    words = [f"w{below(200)}" for _ in range(4 + below(27))]
    place, good, negated = below(len(words)), below(2), below(2)
    words[place] = ("not " if negated else "") + ("good" if good else "bad")
    return " ".join(words), good ^ negated


texts, y = zip(*[text() for _ in range(3000)])
y = np.array(y)
tokenizer = L.TextVectorization()
tokenizer.adapt(texts)
sequences = [[int(i) for i in row if i] for row in np.asarray(tokenizer(texts))]
for side in ["post", "pre"]:
    x = keras.utils.pad_sequences(sequences, padding=side)
    for seed in [1, 2, 3]:
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([
            L.Embedding(tokenizer.vocabulary_size(), 16, mask_zero=True), L.LSTM(16), L.Dense(1, activation="sigmoid")])
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=10, validation_split=0.2, verbose=0)
        print(side, seed, [round(v, 4) for v in history.history["val_accuracy"]])
