"""Growth with the number of rows, in memory and from files; prints tables and writes ``benchmarks/scale.md``.

``python benchmarks/scale.py FOLDER [LARGEST]`` needs room for the largest files in FOLDER. Times are those of the
processor, so that other work on the machine counts little; each fit runs in a process of its own. A row has 50 steps of
5 numbers in float32, 1 kB; a tenth of the rows, at most 1,000, has a label.
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
from skorch.callbacks import Callback

from sklearn_rnn import SemiSupervisedRNNClassifier

OUTPUT = Path(__file__).resolve().parent / "scale.md"
T, F, CHUNK, MOST_LABELED = 50, 5, 1000, 1_000
STORES = ("memory", "memmap", "zarr")


class Clock(Callback):
    """Measures the processor time of each epoch, with that of the thread that reads."""

    def on_train_begin(self, net, **kwargs):
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.started_ = process_time()

    def on_epoch_end(self, net, **kwargs):
        self.seconds_.append(process_time() - self.started_)


def rows(first: int, end: int) -> np.ndarray:
    """Make rows of two classes, which alternate."""
    X = np.random.default_rng(first).standard_normal((end - first, T, F), dtype=np.float32)
    X[:, :, 0] += 0.5 * (np.arange(first, end) % 2)[:, None]
    return X


def made(folder: Path, store: str, n: int):
    """Return an array of n rows; files are written first if they are not there."""
    if store == "memory":
        return np.concatenate([rows(first, min(first + CHUNK, n)) for first in range(0, n, CHUNK)])
    path = folder / f"{n}.{store}"
    if not path.exists():
        if store == "memmap":
            array = np.lib.format.open_memmap(path, "w+", np.float32, (n, T, F))
        else:
            import zarr

            array = zarr.create_array(str(path), shape=(n, T, F), chunks=(CHUNK, T, F), dtype=np.float32)
        for first in range(0, n, CHUNK):
            array[first : first + CHUNK] = rows(first, min(first + CHUNK, n))
        del array
    if store == "memmap":
        return np.load(path, mmap_mode="r")
    import zarr

    return zarr.open_array(str(path), mode="r")


def peak() -> float:
    """Peak of the process's memory so far, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measured(folder: Path, store: str, n: int) -> dict:
    """Fit and predict, and return times and the peak of memory."""
    before, clock = peak(), Clock()
    X = made(folder, store, n)
    number, step = np.arange(n), max(10, n // MOST_LABELED)
    y = np.where(np.isin(number % (2 * step), (0, step + 1)), number % 2, -1)
    started = process_time()
    clf = SemiSupervisedRNNClassifier(max_epochs=1, random_state=0, callbacks=[clock]).fit(X, y)
    fitted = process_time()
    out = np.lib.format.open_memmap(folder / f"{os.getpid()}.npy", "w+", np.float32, (n, clf._n_features_out))
    clf.transform(X, out=out)
    transformed = process_time()
    clf.predict(X)
    predicted = process_time()
    Path(out.filename).unlink()
    n_trained = clf.history_[-1, "rows_per_second"] * clf.history_[-1, "dur"]
    return {
        "store": store,
        "rows": n,
        "fit": fitted - started,
        "transform": transformed - fitted,
        "predict": predicted - transformed,
        "trained rows per second": n_trained / clock.seconds_[-1],
        "predicted rows per second": n / (predicted - transformed),
        "peak MB": peak(),
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
    sizes, results = [n for n in (10**4, 10**5, 10**6, 10**7) if n <= largest], []
    for n in sizes:
        for store in STORES:
            if store == "memory" and n > 10**5:
                continue
            command = [sys.executable, __file__, str(folder), store, str(n)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results.append(json.loads(done.stdout.splitlines()[-1]))
            print(results[-1], flush=True)
            OUTPUT.write_text(
                "# Growth with the number of rows\n\n"
                "`python benchmarks/scale.py FOLDER`: the default classifier with one epoch; seconds of processor "
                f"time, one thread; torch {torch.__version__}. A row is 1 kB. `transform` writes into a memory-mapped "
                f"array.\n\n{table(results)}\n",
                encoding="utf8",
            )


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(measured(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10**6)
