"""The time from the start of a process to its first prediction: cornu, Keras and ONNX Runtime on the same network.

    cargo build --profile small --no-default-features --features keras --example serve
    env/bin/python benches/cold_start.py target/small/examples/serve

Each process loads the network 784-256-128-10 (235,146 parameters, with Adam's state in the `.keras` file) and answers one
sample. It prints the median and the best of eleven interleaved runs, from the start of the process to the prediction, and
for Python also of loading and predicting alone, after all imports.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 11
KERAS = """
import json, os, sys, time
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy as np
x = np.array([json.loads(sys.stdin.readline())], dtype="float32")
start = time.perf_counter()
model = keras.models.load_model(sys.argv[1])
loaded = time.perf_counter()
y = model.predict(x, verbose=0)
print(json.dumps(y[0].tolist()), json.dumps([loaded - start, time.perf_counter() - loaded]))
"""
ONNX = """
import json, sys, time
import numpy as np, onnxruntime
x = np.array([json.loads(sys.stdin.readline())], dtype="float32")
start = time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
loaded = time.perf_counter()
y = session.run(None, {"x": x})[0]
print(json.dumps(y[0].tolist()), json.dumps([loaded - start, time.perf_counter() - loaded]))
"""


def make(folder):
    """The network, as Keras saves it and as ONNX."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    layers = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Input((784,)), layers.Dense(256, activation="relu"), layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    model.train_on_batch(np.zeros((4, 784)), np.eye(10)[:4])
    model.save(folder / "m.keras")
    nodes, weights, name = [], [], "x"
    for i, layer in enumerate(model.layers):
        kernel, bias = layer.get_weights()
        weights += [numpy_helper.from_array(kernel, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes += [helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"z{i}"]), helper.make_node("Relu" if i < 2 else "Softmax", [f"z{i}"], [f"y{i}"])]
        name = f"y{i}"
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "m", [tensor("x", TensorProto.FLOAT, ["N", 784])], [tensor(name, TensorProto.FLOAT, ["N", 10])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "m.onnx")


def run(command, line):
    start = time.perf_counter()
    process = subprocess.run(command, input=line, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    answer, _, inner = process.stdout.strip().partition("] ")
    return seconds, json.loads(answer + "]" if inner else answer), json.loads(inner) if inner else None


def main():
    serve = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make(folder)
        line = json.dumps([round(i % 7 / 7, 3) for i in range(784)]) + "\n"
        commands = {
            "cornu": [serve, str(folder / "m.keras")],
            "Keras": [sys.executable, "-c", KERAS, str(folder / "m.keras")],
            "ONNX Runtime": [sys.executable, "-c", ONNX, str(folder / "m.onnx")],
        }
        times = {name: [] for name in commands}
        inner = {name: [] for name in commands}
        answers = {}
        for _ in range(RUNS):
            for name, command in commands.items():
                seconds, answers[name], own = run(command, line)
                times[name].append(seconds)
                inner[name].append(own)
        for name in commands:
            off = max(abs(a - b) for a, b in zip(answers[name], answers["Keras"]))
            text = f"{name}: median {statistics.median(times[name]) * 1000:.1f} ms, best {min(times[name]) * 1000:.1f} ms, off from Keras by {off:.0e}"
            if inner[name][0]:
                text += "; alone: loading {:.1f} ms, first prediction {:.1f} ms".format(*(statistics.median(values) * 1000 for values in zip(*inner[name])))
            print(text)


main()
