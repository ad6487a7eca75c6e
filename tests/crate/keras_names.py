"""Writes every public name of Keras 3.15 that the guide's chapter on Keras must answer: `python keras_names.py > keras_names.txt`."""

import os

os.environ["KERAS_BACKEND"] = "jax"
import keras

FAMILIES = ["layers", "activations", "initializers", "regularizers", "constraints", "losses", "optimizers",
            "optimizers.schedules", "metrics", "callbacks"]
LEAVE_OUT = {"deserialize", "get", "serialize", "legacy", "schedules"}
METHODS = ["add", "add_loss", "add_metric", "build", "compile", "count_params", "evaluate", "export", "fit", "from_config",
           "get_config", "get_layer", "get_weights", "layers", "load_weights", "pop", "predict", "predict_on_batch",
           "quantize", "save", "save_weights", "set_weights", "summary", "test_on_batch", "to_json", "train_on_batch",
           "trainable", "weights"]

for family in FAMILIES:
    module = keras
    for part in family.split("."):
        module = getattr(module, part)
    for name in dir(module):
        # Functions beside classes are the same thing twice; activations are functions.
        wanted = name[0].isupper() if family != "activations" else name[0].islower()
        if wanted and name not in LEAVE_OUT:
            print(f"{family}.{name}")
for name in METHODS:
    assert hasattr(keras.Sequential, name), name
    print(f"Sequential.{name}")
