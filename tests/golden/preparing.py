"""Golden values of splits, scaling and windows, of scikit-learn and Keras, for `tests/data/preparing.rs`.

python -m venv env && env/bin/pip install keras jax tensorflow-cpu scikit-learn && env/bin/python preparing.py > preparing.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

rng = np.random.default_rng(5)
golden = {"kfold": [], "windows": []}
for n, k in [(10, 3), (12, 4), (7, 7)]:
    folds = [test.tolist() for _, test in KFold(k).split(np.zeros(n))]
    golden["kfold"].append({"count": n, "folds": k, "test": folds})
golden["stratified"] = []
for n, k, classes in [(30, 3, 3), (41, 5, 4), (17, 2, 2)]:
    y = rng.integers(0, classes, n)
    folds = [test.tolist() for _, test in StratifiedKFold(k).split(np.zeros(n), y)]
    golden["stratified"].append({"y": y.tolist(), "folds": k, "test": folds})
golden["split"] = []
for n, share in [(50, 0.25), (53, 0.3), (20, 0.5)]:
    y = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    train, test = train_test_split(np.arange(n), test_size=share, stratify=y, random_state=0)
    counts = np.bincount(y[test], minlength=3)
    golden["split"].append({"y": y.tolist(), "share": share, "test": len(test), "classes": counts.tolist()})

x = np.column_stack([rng.normal(1e6, 1e-2, 20), rng.normal(size=20), np.full(20, 3.7), rng.integers(0, 3, 20)])
new = x[:5] + 0.5
standard, minmax, signed = StandardScaler().fit(x), MinMaxScaler().fit(x), MinMaxScaler((-1, 1)).fit(x)
one_hot = OneHotEncoder(sparse_output=False).fit(x[:, 3:])
golden["scale"] = {
    # As text, which every reader of JSON takes to the last bit.
    "x": [[repr(v) for v in row] for row in x.tolist()], "new": [[repr(v) for v in row] for row in new.tolist()],
    "mean": standard.mean_.tolist(), "scale": standard.scale_.tolist(), "standard": standard.transform(new).tolist(),
    "minmax": minmax.transform(new).tolist(), "signed": signed.transform(new).tolist(),
    "one_hot": one_hot.transform(x[:, 3:]).tolist(),
}
for steps, features, length, stride, rate, targets in [(20, 1, 4, 1, 1, 16), (25, 2, 3, 2, 3, 25), (30, 1, 5, 4, 2, 12)]:
    series = rng.normal(size=(steps, features)).round(4)
    y = rng.normal(size=targets).round(4)
    batches = list(keras.utils.timeseries_dataset_from_array(
        series, y, length, sequence_stride=stride, sampling_rate=rate, batch_size=None))
    golden["windows"].append({
        "series": series.tolist(), "targets": y.tolist(), "length": length, "stride": stride, "rate": rate,
        "x": [np.asarray(a).tolist() for a, _ in batches], "y": [float(b) for _, b in batches]})
print(json.dumps(golden))
