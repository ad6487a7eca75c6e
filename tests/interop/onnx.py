"""Runs exported models in ONNX Runtime, and checks them with the ONNX checker.

    python tests/interop/onnx.py target/tmp/onnx

`cargo test --features onnx --test files onnx` writes the folder: pairs of `name.onnx` and `name.json`, which contains seven
samples and the predictions of cornu.
"""

import json
import pathlib
import sys

# This file has the name of the package, so its folder must not be on the path.
sys.path.pop(0)

import numpy
import onnx
import onnxruntime


def numbers(stored):
    return numpy.array(stored["data"], numpy.float32).reshape(stored["shape"])


def axes(value):
    return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]


def check(path):
    """The largest deviation, relative to values above 1."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.producer_name == "cornu" and model.ir_version == 8, path
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)], path
    (given,), (returned,) = model.graph.input, model.graph.output
    assert (given.name, returned.name) == ("input", "output"), path
    expected = json.loads(path.with_suffix(".json").read_text())
    x, y = numbers(expected["x"]), numbers(expected["y"])
    assert axes(given) == ["N", *x.shape[1:]] and axes(returned) == ["N", *y.shape[1:]], path
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch in (1, 2, 7):
        (found,) = session.run(["output"], {"input": x[:batch]})
        assert found.shape == y[:batch].shape, (path, found.shape, y.shape)
        difference = numpy.abs(found - y[:batch]) / numpy.maximum(1.0, numpy.abs(y[:batch]))
        assert numpy.array_equal(numpy.isnan(found), numpy.isnan(y[:batch])), path
        worst = max(worst, float(difference.max()))
    return worst


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    assert len(paths) > 100, f"{len(paths)} models in {sys.argv[1]}"
    failed, worst = [], 0.0
    for path in paths:
        try:
            difference = check(path)
        except Exception as error:
            failed.append(f"{path.stem}: {str(error)[:500]}")
            continue
        worst = max(worst, difference)
        if not difference <= 1e-5:
            failed.append(f"{path.stem}: off by {difference:.2e}")
    for line in failed:
        print(line)
    versions = f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"
    print(f"{len(paths) - len(failed)} of {len(paths)} models predict alike; at most {worst:.1e} apart ({versions})")
    sys.exit(bool(failed))


main()
