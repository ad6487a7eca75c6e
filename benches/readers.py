"""The time and peak memory of pandas and polars for the tables that `cargo bench --bench readers` reads.

    env/bin/python -m pip install numpy pandas polars pyarrow
    env/bin/python benches/readers.py                 # writes the files, and measures the peers
    cargo bench --features full --bench readers       # cornu, on the same files

200,000 rows of 51 columns of `float32`, as Parquet (62 MB) and as CSV (87 MB). Each time is the best of eleven reads.
"""
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "target" / "tmp" / "readers"
ROWS, COLUMNS, RUNS = 200_000, 51, 11


def write():
    import numpy as np
    import pandas as pd

    FOLDER.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(1).normal(size=(ROWS, COLUMNS)).astype("float32")
    frame = pd.DataFrame(values, columns=[f"c{i}" for i in range(COLUMNS)])
    frame.to_parquet(FOLDER / "table.parquet")
    frame.to_csv(FOLDER / "table.csv", index=False, float_format="%.5f")


def measure(library, kind):
    read = getattr(__import__(library), f"read_{kind}")
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        read(FOLDER / f"table.{kind}")
        times.append(time.perf_counter() - start)
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(f"| {library} | {kind} | {min(times):.3f} s | {int(peak.split()[1]) / 1000:.0f} MB |")


if len(sys.argv) > 1:
    measure(*sys.argv[1:])
else:
    if not (FOLDER / "table.csv").exists():
        write()
    print("| library | file | best time | memory |\n|---|---|---|---|")
    for kind in ["parquet", "csv"]:
        for library in ["pandas", "polars"]:
            subprocess.run([sys.executable, __file__, library, kind], check=True)
