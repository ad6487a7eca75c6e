"""Reads the files of `tests/pictures/tensorboard.rs` with TensorBoard's EventAccumulator, and compares.

    cargo test --features tensorboard --test pictures tensorboard
    env/bin/python tests/interop/events.py target/tmp/tensorboard
"""
import json
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

folder = Path(sys.argv[1]) / "run"
about = json.loads((folder / "expected.json").read_text())


def read(part):
    accumulator = EventAccumulator(str(folder / part), size_guidance={"tensors": 0})
    accumulator.Reload()
    tags = accumulator.Tags()["tensors"]
    plugins = {tag: accumulator.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags}
    events = {tag: accumulator.Tensors(tag) for tag in tags}
    return plugins, {
        tag: ([e.step for e in all], [tensor_util.make_ndarray(e.tensor_proto) for e in all])
        for tag, all in events.items()
    }


compared = 0
for part, prefix in [("train", ""), ("validation", "val_")]:
    plugins, events = read(part)
    for name, values in about["series"].items():
        if name.startswith("val_") != bool(prefix):
            continue
        tag = f"epoch_{name[len(prefix):]}"
        steps, found = events.pop(tag)
        assert plugins[tag] == "scalars" and steps == list(range(5)), (tag, steps)
        assert np.allclose(np.array(found), values, rtol=1e-6), (tag, found, values)
        assert all(value.shape == () for value in found)
        compared += 1
    if part == "validation":
        assert not events, list(events)
        continue
    steps, text = events.pop("findings")
    assert plugins["findings"] == "text" and steps == [4] and len(text) == 1
    lines = text[0][0].decode().splitlines()
    assert [line[4:] for line in lines] == about["findings"].splitlines()
    for path in about["weights"][0]:
        tag = f"{path}/histogram"
        steps, found = events.pop(tag)
        assert plugins[tag] == "histograms" and steps == [0, 2, 4], (tag, steps)
        for step, rows in zip(steps, found):
            weights = np.array(about["weights"][step][path])
            assert rows[:, 2].sum() == weights.size, tag
            if len(rows) > 1:
                assert np.isclose(rows[0, 0], weights.min()) and np.isclose(rows[-1, 1], weights.max()), tag
                counts, _ = np.histogram(weights, bins=30)
                # A number at an edge may be counted on its other side.
                assert np.abs(rows[:, 2] - counts).sum() <= 2, (tag, rows[:, 2], counts)
            compared += 1
    assert not events, list(events)
print(f"{compared} series and histograms, and the findings, are in TensorBoard's reader as they were written")
