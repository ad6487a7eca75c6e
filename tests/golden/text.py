"""Golden values of text and categorical preparation, of Keras, for `tests/data/text.rs`.

python -m venv env && env/bin/pip install keras==3.15.1 jax tensorflow-cpu && env/bin/python text.py > text.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

L = keras.layers
TEXTS = [
    "The cat sat on the mat.", "the CAT; the dog - and don't mind!", "  tabs\tand\nnew\x0blines\r\x0cand spaces  ", "",
    "É Straße ÉTÉ naïve\u00a0space \u4f60\u597d", "[UNK] a_b c/d e@f {x} ~y~ `q` \"quoted\" 'single' 3.14 $5 10% <tag> a+b=c ^ | \\",
]
NEW = ["the unseen CAT, and the dog", "É été", "", "mat mat mat on the mat and more words than six"]
vectorizations = []
for settings in [
    {}, {"max_tokens": 6}, {"output_sequence_length": 4}, {"standardize": None}, {"standardize": "lower"},
    {"standardize": "strip_punctuation"}, {"split": "character"}, {"split": "character", "max_tokens": 10},
]:
    layer = L.TextVectorization(**settings)
    layer.adapt(TEXTS)
    vectorizations.append({
        **settings, "standardize": settings.get("standardize", "lower_and_strip_punctuation") or "none",
        "vocabulary": [str(word) for word in layer.get_vocabulary()], "encoded": np.asarray(layer(NEW)).tolist()})

WORDS = ["b", "a", "c", "b", "", "[UNK]", "c", "d", "É", "a", "z"]
NUMBERS = [5, 3, -1, 5, 0, 7, 3, 7, -20, 10**12]
lookups = []
for kind, values, new, mask in [
    (L.StringLookup, WORDS, ["a", "nothing", "", "É", "[UNK]"], ""), (L.IntegerLookup, NUMBERS, [3, 4, 0, -1, 10**12], 0),
]:
    for settings in [{}, {"max_tokens": 4}, {"mask_token": mask}, {"mask_token": mask, "max_tokens": 4}, {"num_oov_indices": 0}]:
        layer = kind(**settings)
        layer.adapt(np.array(values))
        vocabulary = [word if isinstance(word, str) else int(word) for word in layer.get_vocabulary()]
        known = [value for value in new if value in vocabulary] if settings.get("num_oov_indices") == 0 else new
        lookups.append({**settings, "vocabulary": vocabulary, "new": known, "encoded": np.asarray(layer(np.array(known))).tolist()})

adapted = []
rng = np.random.default_rng(3)
for rows, columns, settings in [
    (6, 1, {"num_bins": 3}), (50, 2, {"num_bins": 4}), (500, 2, {"num_bins": 4}), (1234, 1, {"num_bins": 10}), (999, 3, {"num_bins": 49}),
    (300, 1, {"num_bins": 3, "epsilon": 0.1}), (257, 1, {"num_bins": 5, "epsilon": 0.003}), (40, 1, {"num_bins": 60}),
]:
    x = rng.normal(size=(rows, columns)).round(2).astype("float32")
    layer = L.Discretization(**settings)
    layer.adapt(x)
    adapted.append({**settings, "x": [[float(repr(float(v))) for v in row] for row in x], "bin_boundaries": layer.bin_boundaries})
print(json.dumps({"texts": TEXTS, "new": NEW, "vectorizations": vectorizations, "words": WORDS, "numbers": NUMBERS,
                  "lookups": lookups, "adapted": adapted}))
