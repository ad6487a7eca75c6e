"""Makes the small Parquet files that the reader is tested on, and `parquet.json`: what pyarrow reads of them.

python -m venv env && env/bin/pip install numpy pandas pyarrow scikit-learn && env/bin/python make_parquet.py
"""
import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.impute import SimpleImputer

rng = np.random.default_rng(18)
expected = {}


def exact(values):
    """As text, which every reader of JSON takes to the last bit."""
    return " ".join(repr(value) for value in values.ravel().tolist())


def told(name, frame, label=None, strategy=None):
    """A frame as cornu is to read it: words as categories, the label as classes."""
    y, classes = None, []
    if label is not None:
        codes = frame[label].astype("category")
        y, classes = codes.cat.codes.to_numpy(float), [str(c) for c in codes.cat.categories]
        frame = frame.drop(columns=label)
    columns = {}
    for column in frame.columns:
        values = frame[column]
        if str(values.dtype) in ("object", "str", "string", "category") and isinstance(values.dropna().iloc[0], str):
            values = values.astype("category").cat.codes.astype(float).where(values.notna())
        columns[column] = np.array([np.nan if v is None or v is pd.NA else float(v) for v in values])
    x = np.column_stack(list(columns.values()))
    if strategy is not None:
        x = SimpleImputer(strategy=strategy).fit_transform(x)
    entry = {"x_shape": list(x.shape), "x": exact(x), "classes": classes, "columns": list(columns)}
    if y is not None:
        entry |= {"y_shape": list(y.shape), "y": exact(y)}
    expected[name] = entry


n = 60
frame = pd.DataFrame({
    "length": np.round(rng.normal(5, 1, n), 3),
    "width": rng.normal(3, 1, n).astype("f4"),
    "count": rng.integers(-9, 9, n),
    "flag": rng.random(n) < 0.5,
    "colour": rng.choice(["red", "green", "blau, grün", "NA", " red"], n),
    "species": rng.choice(["virginica", "setosa", "Versicolor"], n),
})
plain = {"row_group_size": 25, "data_page_size": 64, "write_batch_size": 8}
for name, options in {
    "plain": {},
    "groups": plain,
    "stored": plain | {"compression": "none", "use_dictionary": False},
    "gzip": plain | {"compression": "gzip", "data_page_version": "2.0"},
    "zstd": plain | {"compression": "zstd", "write_page_checksum": True},
    "delta": plain | {"compression": "zstd", "data_page_version": "2.0", "use_dictionary": False, "column_encoding": {
        "length": "BYTE_STREAM_SPLIT", "width": "BYTE_STREAM_SPLIT", "count": "DELTA_BINARY_PACKED", "flag": "RLE",
        "colour": "DELTA_BYTE_ARRAY", "species": "DELTA_LENGTH_BYTE_ARRAY"}},
}.items():
    pq.write_table(pa.Table.from_pandas(frame), f"{name}.parquet", **options)
    told(f"{name}.parquet", pq.read_table(f"{name}.parquet").to_pandas(), "species")

# Missing values of every kind; an index that pandas keeps as a column.
holes = frame.drop(columns="colour").astype({"count": "Int64", "flag": "boolean"})
for row, column in [(2, 0), (3, 0), (3, 1), (7, 2), (20, 1), (41, 3), (42, 3)]:
    holes.iloc[row, column] = pd.NA if column > 1 else np.nan
holes.index = [f"r{i}" for i in range(n)]
for name, options in {"holes": plain, "holes_2": plain | {"data_page_version": "2.0", "compression": "none"}}.items():
    pq.write_table(pa.Table.from_pandas(holes), f"{name}.parquet", **options)
    back = pq.read_table(f"{name}.parquet").to_pandas()
    for strategy in ["mean", "median", "most_frequent"]:
        told(f"{name}.parquet {strategy}", back, "species", strategy)
    told(f"{name}.parquet drop", back.dropna(), "species")

# Every kind of number.
values = rng.integers(0, 100, 12)
kinds = {kind.__name__: pa.array(values - (0 if kind.__name__.startswith("u") else 50), kind())
         for kind in [pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64]}
kinds["uint8"] = pa.array([255, *values[1:]], pa.uint8())
kinds["uint32"] = pa.array([2**32 - 1, *values[1:]], pa.uint32())
kinds["uint64"] = pa.array([2**63 + 2048, *values[1:]], pa.uint64())
kinds["half"] = pa.array((values / 8).astype("f2"))
cents = [decimal.Decimal(int(v) - 50) / 4 for v in values]
kinds["decimal"] = pa.array(cents, pa.decimal128(9, 2))
kinds["long_decimal"] = pa.array(cents, pa.decimal128(30, 2))
kinds["point"] = pa.array([{"x": float(v), "y": None if v % 3 else 1.0} for v in values])
kinds["kept"] = pa.array([bytes([97 + v % 3]) for v in values])
numbers = pa.table(kinds)
pq.write_table(numbers, "numbers.parquet")
flat = numbers.flatten()
told("numbers.parquet", flat.drop_columns(["kept"]).to_pandas().fillna({"point.y": -1.0}).assign(
    kept=[v.as_py().decode() for v in flat["kept"]]))

# More numbers than fit a page, in few bytes.
i = np.arange(200_000)
many = pd.DataFrame({f"c{k}": (i // 500 + k).astype("f8") for k in range(8)} | {"y": i // 70_000})
pq.write_table(pa.Table.from_pandas(many), "many.parquet", row_group_size=50_000, compression="zstd")

# Far more numbers than so few bytes warrant.
pq.write_table(pa.table({"a": np.zeros(20_000_000)}), "bomb.parquet", row_group_size=20_000_000, max_rows_per_page=20_000_000)

# What is refused by name.
for name, column, options in [
    ("list", pa.array([[1.0, 2.0]] * 3), {}),
    ("time", pa.array([0, 1, 2], pa.timestamp("ms")), {}),
    ("brotli", pa.array([1.0] * 3), {"compression": "brotli"}),
    ("lz4", pa.array([1.0] * 3), {"compression": "lz4"}),
]:
    pq.write_table(pa.table({"a": pa.array([1.0, 2.0, 3.0]), name: column}), f"{name}.parquet", **options)

json.dump(expected, open("parquet.json", "w"), indent=None, separators=(",", ":"))
