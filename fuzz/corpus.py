"""Fills fuzz/corpus/data with the files of tests/fixtures/readers, each after the byte that selects its format."""
from pathlib import Path

KINDS = ["csv", "npy", "npz", "mat", "h5", "parquet", "csv.gz"]
root = Path(__file__).parent
corpus = root / "corpus" / "data"
corpus.mkdir(parents=True, exist_ok=True)
for file in sorted((root.parent / "tests" / "fixtures" / "readers").iterdir()):
    for number, kind in enumerate(KINDS):
        if file.name.endswith("." + kind):
            (corpus / file.name).write_bytes(bytes([number]) + file.read_bytes())
