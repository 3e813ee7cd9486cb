"""
Learn from a file that is larger than memory
============================================

A memory-mapped array, or one of zarr, HDF5 or dask, is read in blocks: the time grows with its rows, the memory does
not. :doc:`/large_data` lists what is read in this way. The files here are small, so that the example is quick.
"""

# %%
# Each file has rows of 100 steps of 2 numbers, in random order. 200 rows have a label.
import tempfile
import tracemalloc
from pathlib import Path
from time import process_time

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SemiSupervisedRNNClassifier

folder = Path(tempfile.mkdtemp())
sizes = [4_000, 8_000, 16_000, 32_000]


def written(n):
    """Write a file of n rows of two classes, and return its labels."""
    y = np.arange(n) % 2
    rows = np.lib.format.open_memmap(folder / f"{n}.npy", "w+", np.float32, (n, 100, 2))
    for first in range(0, n, 1000):
        part = slice(first, first + 1000)
        rows[part] = np.random.default_rng(first).standard_normal((len(y[part]), 100, 2))
        rows[part, :, 0] += y[part, None]
    return np.where(np.arange(n) < 200, y, -1)


labels = {n: written(n) for n in sizes}

# %%
# We fit a small net and encode all rows. The codes go into a file as well, by ``out``. Of the memory, ``tracemalloc``
# counts what numpy's arrays take, X included if it is there.
measured = {"X in memory": [], "X in a file": []}
for n, y in labels.items():
    for name, mmap_mode in zip(measured, (None, "r"), strict=True):
        tracemalloc.start()
        started = process_time()
        X = np.load(folder / f"{n}.npy", mmap_mode=mmap_mode)
        clf = SemiSupervisedRNNClassifier("supervised", hidden_size=16, n_kernels=0, max_epochs=2, random_state=0).fit(
            X, y
        )
        codes = np.lib.format.open_memmap(folder / "codes.npy", "w+", np.float32, (n, clf.transform(X[:1]).shape[1]))
        clf.transform(X, out=codes)
        measured[name].append((process_time() - started, tracemalloc.get_traced_memory()[1] / 1e6))
        tracemalloc.stop()

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for (name, values), color in zip(measured.items(), ("#7f7f7f", "#1f77b4"), strict=True):
    for ax, column in zip(axes, zip(*values, strict=True), strict=True):
        ax.plot(np.divide(sizes, 1000), column, "o-", color=color, label=name)
axes[0].set(xlabel="thousand rows", ylabel="processor seconds of fit, transform", ylim=(0, None))
axes[1].set(xlabel="thousand rows", ylabel="peak memory of arrays, MB", ylim=(0, None))
axes[1].legend()

# %%
# ``history_`` says how many rows an epoch trains in a second, whether they lie in a file or not.
print(f"{clf.history_[-1, 'rows_per_second']:,.0f} rows per second")
