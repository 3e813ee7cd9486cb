"""Growth with the number of rows, in memory and from files; prints tables and writes ``benchmarks/scale.md``.

``python benchmarks/scale.py FOLDER [LARGEST]`` needs room for the largest files in FOLDER; LARGEST is in MB. Times are
those of the processor, so that other work on the machine counts little; each fit runs in a process of its own. Short
rows have 50 steps of 5 numbers in float32, 1 kB; long ones 500 steps of 50 numbers, 100 kB. A tenth of the rows, at
most 1,000, has a label. Runs are kept in benchmarks/scale.json and not repeated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from runs import forget_peak, peak_memory
from skorch.callbacks import Callback

from sklearn_rnn import SemiSupervisedRNNClassifier

OUTPUT = Path(__file__).resolve().parent / "scale.md"
KEPT = OUTPUT.with_suffix(".json")
MOST_LABELED = 1_000
CHUNK = 250_000  # numbers that are written, and lie in a chunk of zarr
SHORT, LONG = (50, 5), (500, 50)
SIZES = ((10**4, *SHORT), (10**3, *LONG), (10**5, *SHORT), (10**6, *SHORT), (10**5, *LONG), (10**7, *SHORT))
STORES = ("memory", "memmap", "zarr")


class Clock(Callback):
    """Measures the processor time of each epoch, with that of the thread that reads."""

    def on_train_begin(self, net, **kwargs):
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.started_ = process_time()

    def on_epoch_end(self, net, **kwargs):
        self.seconds_.append(process_time() - self.started_)


def rows(first: int, end: int, n_steps: int, n_features: int) -> np.ndarray:
    """Make rows of two classes, which alternate."""
    X = np.random.default_rng(first).standard_normal((end - first, n_steps, n_features), dtype=np.float32)
    X[:, :, 0] += 0.5 * (np.arange(first, end) % 2)[:, None]
    return X


def made(folder: Path, store: str, n: int, n_steps: int, n_features: int):
    """Return an array of n rows; files are written first if they are not there."""
    chunk = CHUNK // (n_steps * n_features)
    blocks = [(first, min(first + chunk, n)) for first in range(0, n, chunk)]
    if store == "memory":
        return np.concatenate([rows(*block, n_steps, n_features) for block in blocks])
    path = folder / f"{n}_{n_steps}_{n_features}.{store}"
    if not path.exists():
        if store == "memmap":
            array = np.lib.format.open_memmap(path, "w+", np.float32, (n, n_steps, n_features))
        else:
            import zarr

            array = zarr.create_array(
                str(path), shape=(n, n_steps, n_features), chunks=(chunk, n_steps, n_features), dtype=np.float32
            )
        for first, end in blocks:
            array[first:end] = rows(first, end, n_steps, n_features)
        del array
    if store == "memmap":
        return np.load(path, mmap_mode="r")
    import zarr

    return zarr.open_array(str(path), mode="r")


def measured(folder: Path, store: str, n: int, n_steps: int, n_features: int) -> dict:
    """Fit and predict, and return times and the peak of memory."""
    before, clock = peak_memory(), Clock()
    X = made(folder, store, n, n_steps, n_features)
    if store != "memory":
        forget_peak()  # of writing a file
    number, step = np.arange(n), max(10, n // MOST_LABELED)
    y = np.where(np.isin(number % (2 * step), (0, step + 1)), number % 2, -1)
    started = process_time()
    clf = SemiSupervisedRNNClassifier(max_epochs=1, random_state=0, callbacks=[clock]).fit(X, y)
    fitted = process_time()
    print("fit", fitted - started, peak_memory(), file=sys.stderr, flush=True)
    out = np.lib.format.open_memmap(folder / f"{os.getpid()}.npy", "w+", np.float32, (n, clf._n_features_out))
    clf.transform(X, out=out)
    transformed = process_time()
    print("transform", transformed - fitted, peak_memory(), file=sys.stderr, flush=True)
    clf.predict(X)
    predicted = process_time()
    Path(out.filename).unlink()
    n_trained = clf.history_[-1, "rows_per_second"] * clf.history_[-1, "dur"]
    return {
        "store": store,
        "rows": n,
        "steps": n_steps,
        "features": n_features,
        "MB": n * n_steps * n_features * 4 / 1e6,
        "fit": fitted - started,
        "transform": transformed - fitted,
        "predict": predicted - transformed,
        "trained rows per second": n_trained / clock.seconds_[-1],
        "predicted rows per second": n / (predicted - transformed),
        "peak MB": peak_memory(),
        "of it imports": before,
    }


def table(results: list[dict]) -> str:
    """Return a table in Markdown."""
    names = list(results[0])
    lines = ["| " + " | ".join(names) + " |", "| " + " | ".join("---" for _ in names) + " |"]
    for result in results:
        cells = [
            value if isinstance(value, str) else f"{value:,.{1 if value < 100 else 0}f}" for value in result.values()
        ]
        lines.append("| " + " | ".join(cells).replace(".0 |", " |") + " |")
    return "\n".join(lines)


def main(folder: Path, largest: int) -> None:
    results = json.loads(KEPT.read_text()) if KEPT.exists() else []
    done = {(result["store"], result["rows"], result["steps"]) for result in results}
    for n, n_steps, n_features in SIZES:
        size = n * n_steps * n_features * 4 / 1e6
        for store in STORES:
            if size > largest or (store == "memory" and size > 100) or (store, n, n_steps) in done:
                continue
            command = [sys.executable, __file__, str(folder), store, *map(str, (n, n_steps, n_features))]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            results.append(json.loads(run.stdout.splitlines()[-1]))
            print(results[-1], flush=True)
            KEPT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf8")
    OUTPUT.write_text(
        "# Growth with the size of X\n\n"
        "`python benchmarks/scale.py FOLDER`: the default classifier with one epoch; seconds of processor time, one "
        f"thread; torch {torch.__version__}. `transform` writes into a memory-mapped array.\n\n{table(results)}\n",
        encoding="utf8",
    )


if __name__ == "__main__":
    if len(sys.argv) == 6:
        print(json.dumps(measured(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
