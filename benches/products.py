"""The products of `cargo bench --bench products` in NumPy, in GFLOP/s, the best of thirty rounds.

    env/bin/python -m pip install numpy
    OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=2 env/bin/python benches/products.py

`OPENBLAS_CORETYPE` chooses the instruction set: `Haswell` for AVX2, `SkylakeX` for AVX-512.
"""
import time

import numpy as np

SIZES = [(256, 2048, 2048), (128, 784, 512), (128, 512, 512), (1024, 1024, 1024), (50, 6000, 40), (32, 64, 256)]

for dtype in ("float32", "float64"):
    for rows, inputs, units in SIZES:
        rng = np.random.default_rng(1)
        x, w = (rng.normal(size=size).astype(dtype) for size in ((rows, inputs), (inputs, units)))
        y = np.empty((rows, units), dtype)
        operations = 2 * rows * inputs * units
        times, best = max(1, int(2e8 / operations)), float("inf")
        for _ in range(30):
            start = time.perf_counter()
            for _ in range(times):
                np.matmul(x, w, out=y)
            best = min(best, (time.perf_counter() - start) / times)
        print(f"{dtype} {rows}x{inputs}x{units}: {operations / best / 1e9:.0f}")
