"""Makes the small files that the readers are tested on, and `expected.json`: what pandas, scipy and h5py read of them.

python -m venv env && env/bin/pip install numpy scipy pandas scikit-learn h5py && env/bin/python make.py
"""
import gzip
import json

import h5py
import numpy as np
import pandas as pd
import scipy.io as sio
import scipy.sparse
from sklearn.impute import SimpleImputer

rng = np.random.default_rng(8)
expected = {}


def read_csv(name, **options):
    return pd.read_csv(name, float_precision="round_trip", **options)


def exact(values):
    """As text, which every reader of JSON takes to the last bit."""
    return " ".join(repr(value) for value in values.ravel().tolist())


def told(name, x, y=None, classes=None, columns=None):
    x = np.asarray(x, dtype=float)
    entry = {"x_shape": list(x.shape), "x": exact(x)}
    if y is not None:
        y = np.asarray(y, dtype=float)
        entry |= {"y_shape": list(y.shape), "y": exact(y)}
    entry["classes"] = [] if classes is None else [str(c) for c in classes]
    entry["columns"] = [] if columns is None else list(columns)
    expected[name] = entry


def table(name, frame, label=None, strategy=None):
    """A frame as cornu is to read it: words as categories, the label as classes."""
    y, classes = None, None
    if label is not None:
        codes = frame[label].astype("category")
        y, classes = codes.cat.codes, list(codes.cat.categories)
    x = frame.drop(columns=[] if label is None else [label])
    names = [c for c in x.columns]
    for column in names:
        if x[column].dtype == object or str(x[column].dtype) in ("str", "string"):
            codes = x[column].astype("category").cat.codes.astype(float)
            x[column] = codes.where(codes >= 0)
    x = x.to_numpy(dtype=float)
    if strategy is not None:
        x = SimpleImputer(strategy=strategy).fit_transform(x)
    told(name, x, y, classes, [str(n) for n in names] if isinstance(names[0], str) else None)


# CSV: quotes, commas and a line break within them, CRLF, missing values, categories.
n = 24
frame = pd.DataFrame({
    "length, cm": np.round(rng.normal(5, 1, n), 3),
    "width": np.round(rng.normal(3, 1, n), 3),
    "count": rng.integers(0, 9, n),
    "colour": rng.choice(["red", "green", "blue\nish"], n),
    "species": rng.choice(["virginica", "setosa", "Versicolor"], n),
})
frame.to_csv("plain.csv", index=False)
table("plain.csv", read_csv("plain.csv"), "species")
frame.to_csv("crlf.csv", index=False, lineterminator="\r\n", encoding="utf-8-sig")
table("crlf.csv", read_csv("crlf.csv"), "species")
frame.to_csv("semicolon.csv", index=False, sep=";")
table("semicolon.csv", read_csv("semicolon.csv", sep=";"), "species")
frame.to_csv("plain.tsv", index=False, sep="\t")
table("plain.tsv", read_csv("plain.tsv", sep="\t"), "species")
with gzip.GzipFile("plain.csv.gz", "wb", mtime=0) as packed:
    packed.write(open("plain.csv", "rb").read())
table("plain.csv.gz", read_csv("plain.csv.gz"), "species")

holes = frame.drop(columns="colour").astype({"count": float})
for row, column in [(2, 0), (3, 0), (3, 1), (7, 2), (20, 1)]:
    holes.iloc[row, column] = np.nan
holes.to_csv("holes.csv", index=False, na_rep="NA")
for strategy in ["mean", "median", "most_frequent"]:
    table(f"holes.csv {strategy}", read_csv("holes.csv"), "species", strategy)
table("holes.csv drop", read_csv("holes.csv").dropna(), "species")

np.savetxt("numbers.csv", np.column_stack([rng.integers(1, 4, 12), rng.normal(size=(12, 5))]), delimiter=",")
numbers = read_csv("numbers.csv", header=None)
table("numbers.csv", numbers.astype({0: int}), 0)

# NumPy.
x = rng.normal(size=(6, 4, 2))
labels = np.array([3, 1, 1, 2, 3, 3])
kinds = {"f4": "<f4", "f8": "<f8", "big": ">f8", "f2": "<f2", "i1": "i1", "i2": "<i2", "i4": ">i4", "i8": "<i8",
         "u1": "u1", "u2": "<u2", "u4": "<u4", "u8": "<u8", "bool": "?"}
for name, kind in kinds.items():
    values = np.abs(x * 10).astype(kind)
    np.save(f"{name}.npy", values)
    told(f"{name}.npy", values)
np.save("fortran.npy", np.asfortranarray(x))
told("fortran.npy", x)
np.savez("stored.npz", x=x, y=labels)
np.savez_compressed("packed.npz", x=np.asfortranarray(x.astype("f4")), y=labels.astype("u1"))
told("stored.npz", x, labels - 1, [1, 2, 3])
told("packed.npz", x.astype("f4"), labels - 1, [1, 2, 3])

# MATLAB 5 to 7: samples in rows, and in columns as recordings often are.
rows = rng.normal(size=(6, 5))
for name, options in {"rows": {}, "packed": {"do_compression": True}}.items():
    sio.savemat(f"{name}.mat", {"data": rows, "labels": labels[:, None].astype(float), "about": "a text"}, **options)
    told(f"{name}.mat", sio.loadmat(f"{name}.mat")["data"], labels - 1, [1, 2, 3])
sio.savemat("columns.mat", {"data": rows.T.astype("f4"), "labels": labels[None].astype("u1")})
told("columns.mat", sio.loadmat("columns.mat")["data"].T, labels - 1, [1, 2, 3])
sio.savemat("cube.mat", {"data": x.astype("i2"), "labels": np.eye(3)[labels - 1]})
told("cube.mat", sio.loadmat("cube.mat")["data"], np.eye(3)[labels - 1])
sio.savemat("struct.mat", {"s": {"data": rows, "labels": labels[:, None]}}, do_compression=True)
told("struct.mat", rows, labels - 1, [1, 2, 3])

# MATLAB 4, and arrays that are mostly 0.
sio.savemat("old.mat", {"data": rows, "labels": labels[:, None], "about": "a text"}, format="4")
told("old.mat", rows, labels - 1, [1, 2, 3])
few = np.where(rows > 0.5, rows, 0.0)
sio.savemat("sparse.mat", {"data": scipy.sparse.csc_matrix(few), "labels": labels[:, None]}, do_compression=True)
sio.savemat("old_sparse.mat", {"data": scipy.sparse.csc_matrix(few), "labels": labels[:, None]}, format="4")
sio.savemat("complex.mat", {"data": rows + 1j, "labels": labels[:, None]})
told("sparse.mat", few, labels - 1, [1, 2, 3])
told("old_sparse.mat", few, labels - 1, [1, 2, 3])

# MATLAB 7.3: HDF5 behind a block of 512 bytes, axes in reverse, chunks packed by deflate.
def matlab_73(name, arrays, **options):
    with h5py.File(name, "w", userblock_size=512) as file:
        for key, value in arrays.items():
            data = file.create_dataset(key, data=np.ascontiguousarray(value.T), **options)
            data.attrs["MATLAB_class"] = np.bytes_({"f8": "double", "f4": "single"}.get(value.dtype.str[1:], value.dtype.name))
    with open(name, "r+b") as file:
        head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970 HDF5 schema 1.00 ."
        file.write(head.ljust(116) + bytes(8) + b"\x00\x02IM")

wide = {"data": rows, "labels": labels[:, None].astype("f8")}
matlab_73("new.mat", wide)
matlab_73("new_packed.mat", {"data": rows.astype("f4"), "labels": labels[:, None].astype("u1")}, chunks=True, compression="gzip", shuffle=True)
told("new.mat", rows, labels - 1, [1, 2, 3])
told("new_packed.mat", rows.astype("f4"), labels - 1, [1, 2, 3])
with h5py.File("plain.h5", "w", libver="latest") as file:
    file.create_dataset("train/x", data=x.astype("f4"), chunks=(2, 4, 2), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("train/y", data=labels.astype("i8"))
told("plain.h5", x.astype("f4"), labels - 1, [1, 2, 3])

matlab_73("cube_73.mat", {"data": x, "labels": np.eye(3)[labels - 1]})
told("cube_73.mat", x, np.eye(3)[labels - 1])
with h5py.File("big.h5", "w") as file:
    file.create_dataset("x", data=x.astype(">f4"))
    file.create_dataset("y", data=rows)
told("big.h5", x.astype("f4"), rows)

json.dump(expected, open("expected.json", "w"), indent=None, separators=(",", ":"))
