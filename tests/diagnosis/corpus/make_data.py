"""Writes the small scikit-learn sets that tests/diagnosis/corpus/data.rs reads: python make_data.py (needs scikit-learn).

One row a line, the features and then the target. digits has no commas: 64 pixels of 0 to 16 as letters a to q,
then the class.
"""

from pathlib import Path

from sklearn import datasets

folder = Path(__file__).parent / "data"
folder.mkdir(exist_ok=True)


def number(value):
    return f"{float(value):.7g}"


for name in ("iris", "wine", "breast_cancer"):
    bunch = getattr(datasets, f"load_{name}")()
    rows = [",".join(map(number, row)) + f",{target}" for row, target in zip(bunch.data, bunch.target)]
    (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")

bunch = datasets.load_diabetes()
rows = [",".join(map(number, row)) + f",{number(target)}" for row, target in zip(bunch.data, bunch.target)]
(folder / "diabetes.csv").write_text("\n".join(rows) + "\n")

bunch = datasets.load_digits()
rows = ["".join(chr(ord("a") + int(pixel)) for pixel in row) + str(target) for row, target in zip(bunch.data, bunch.target)]
(folder / "digits.txt").write_text("\n".join(rows) + "\n")
