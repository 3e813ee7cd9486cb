"""Time and memory of `fit` and `predict` with the number of steps, without patches.

    python benchmarks/long_series.py     # run what is missing, and write docs/long_series.md
    python benchmarks/long_series.py CELL STEPS ROWS PATCH    # one run, which prints its measures

Each run is a process of its own, on one thread. Runs are kept in docs/long_series.csv and not repeated.
"""

import subprocess
import sys
import time

import numpy as np
from runs import DOCS, Runs, peak_memory

RUNS = Runs("long_series", ("cell", "steps", "rows", "patch_size"), ("trained", "fit", "predict", "memory"))
SIZES = ((1_000, 32), (10_000, 32), (100_000, 8))
CELLS = ("gru", "lstm", "mingru")
BATCHES = 25  # of an epoch of few rows


def main(*one):
    """Make one run, or all that are missing."""
    if one:
        measure(one[0], *map(int, one[1:3]), one[3])
        return
    for cell in CELLS:
        for n_steps, n in SIZES:
            for patch_size in ("1", "auto") if cell == "gru" else ("1",):
                key = (cell, str(n_steps), str(n), patch_size)
                if key not in RUNS.read():
                    output = subprocess.run(
                        [sys.executable, __file__, *key], capture_output=True, text=True, check=True
                    )
                    RUNS.keep(*key, *output.stdout.split())
    write(RUNS.read())


def measure(cell, n_steps, n, patch_size):
    """Print the rows of all batches of a fit, its processor time, that of predicting all rows, and the added memory."""
    import torch

    from sklearn_rnn import SemiSupervisedRNNClassifier

    torch.set_num_threads(1)
    X = np.random.default_rng(0).normal(size=(n, n_steps, 2)).astype(np.float32)
    y = np.arange(n) % 2
    options = {"max_epochs": 1, "batch_size": n, "random_state": 0}
    size = patch_size if patch_size == "auto" else int(patch_size)
    SemiSupervisedRNNClassifier("supervised", **options).fit(X[:, :100], y)  # imports and warms up
    before = peak_memory()
    clf = SemiSupervisedRNNClassifier("supervised", cell=cell, patch_size=size, **options)
    started = time.process_time()
    clf.fit(X, y)
    fitted = time.process_time()
    clf.predict(X)
    ended = time.process_time()
    epoch = clf.history_[-1]
    trained = epoch["rows_per_second"] * epoch["dur"]
    print(f"{trained:.0f} {fitted - started:.2f} {ended - fitted:.2f} {peak_memory() - before:.0f}")


def write(runs):
    """Write docs/long_series.md."""
    lines = [
        "# Long series",
        "",
        "Made by `python benchmarks/long_series.py`: one epoch of `SemiSupervisedRNNClassifier`, all rows",
        "labeled, two values a step, on one core. An epoch has 25 batches, of at most 262,144 steps together: a",
        "batch of long series has few rows, so that a recurrent step does little work. `fit` is processor time",
        "divided by the rows and steps of all batches, `predict` by those of X; memory is what both added to the",
        "process, without X. `patch_size=1` is one recurrent step for each step of the series; the default,",
        '`"auto"`, makes about 24 patches.',
        "",
        "| cell | `patch_size` | steps | rows | rows of a batch | `fit`, µs | `predict`, µs | memory, MB |",
        "| --- " * 8 + "|",
    ]
    for (cell, n_steps, n, patch_size), (trained, fit, predict, mb) in runs.items():
        steps = int(n_steps)
        times = f"{1e6 * fit / (steps * trained):.1f} | {1e6 * predict / (steps * int(n)):.1f}"
        lines.append(f"| {cell} | {patch_size} | {steps:,} | {n} | {trained / BATCHES:.0f} | {times} | {mb:.0f} |")
    (DOCS / "long_series.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
