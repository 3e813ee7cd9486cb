"""Speed and memory as ratios, measured alternately in one run; prints a table and writes ``docs/speed.md``.

One torch thread. Each time is what further epochs add to a fit, so set-up and imports do not count.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.modules import Architecture, Encoder, Model, initialise
from sklearn_rnn.tasks import Classification
from sklearn_rnn.text import TokenSequenceVectorizer

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs" / "speed.md"
BATCH, LR, WEIGHT_DECAY, CLIP = 64, 0.008, 0.01, 1.0
PLAIN = {
    "objective": "supervised",
    "cell": "lstm",
    "bidirectional": False,
    "dropout": 0.0,
    "pooling": "last",
    "patch_size": 1,
    "n_kernels": 0,
    "augmentation": None,
    "batch_size": BATCH,
    "lr": LR,
    "random_state": 0,
}


def sequences(n: int, n_steps: int, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = rng.standard_normal((n, n_steps, n_features), dtype=np.float32)
    X[:, :, 0] += 0.3 * y[:, None]
    return X, y


def seconds(function: Callable[[], object]) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started


def ratios(
    one: Callable[[], float], other: Callable[[], float], rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Return times of both, and their ratios, measured in turns; the order changes each round."""
    ones, others = [], []
    for i in range(rounds):
        pair = [(ones, one), (others, other)]
        for times, measure in pair if i % 2 == 0 else pair[::-1]:
            times.append(measure())
    return ones, others, [a / b for a, b in zip(ones, others, strict=True)]


def build_model(X: np.ndarray, hidden_size: int) -> Model:
    names = ("cell", "bidirectional", "dropout", "pooling", "patch_size")
    architecture = Architecture(
        n_features=X.shape[2],
        n_tokens=0,
        hidden_size=hidden_size,
        num_layers=1,
        **{name: PLAIN[name] for name in names},
    )
    task = Classification(-1, None, "speed.py")
    task.read(np.arange(2), 2)
    model = Model(Encoder(architecture), task=task)
    initialise(model, torch.Generator().manual_seed(0))
    change = np.sqrt(np.square(np.diff(X, axis=1)).mean((0, 1)))
    model.encoder.input.standardise(*(torch.from_numpy(m) for m in (X.mean((0, 1)), X.std((0, 1)), change)))
    return model


def train_tuned(X: np.ndarray, y: np.ndarray, hidden_size: int, max_epochs: int) -> None:
    """Train as fast as plain torch can: whole batches by index, fused AdamW, denormals flushed."""
    model = build_model(X, hidden_size)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    values, codes = torch.from_numpy(X), torch.from_numpy(y)
    torch.set_flush_denormal(True)
    for _ in range(max_epochs):
        for rows in torch.randperm(len(values)).split(BATCH):
            optimizer.zero_grad()
            embedded = model.encoder.embed(values.index_select(0, rows))
            loss = cross_entropy(model.train_outputs(embedded, None), codes.index_select(0, rows))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
            loss.item()
    torch.set_flush_denormal(False)


def train_as_users_do(X: np.ndarray, y: np.ndarray, hidden_size: int, max_epochs: int) -> None:
    """Train in the loop of torch's tutorials."""
    model = build_model(X, hidden_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    data = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    for _ in range(max_epochs):
        for values, codes in loader:
            optimizer.zero_grad()
            loss = cross_entropy(model.train_outputs(model.encoder.embed(values), None), codes)
            loss.backward()
            optimizer.step()
            loss.item()


def epochs() -> list[tuple]:
    """Compare the estimator's epoch with two loops."""
    X, y = sequences(2000, 30, 8)

    def fit(max_epochs: int) -> None:
        SemiSupervisedRNNClassifier(**PLAIN, hidden_size=32, max_epochs=max_epochs).fit(X, y)

    def added(train: Callable[[int], None]) -> Callable[[], float]:
        return lambda: (seconds(lambda: train(17)) - seconds(lambda: train(2))) / 15

    ours = added(fit)
    tuned = added(lambda max_epochs: train_tuned(X, y, 32, max_epochs))
    users = added(lambda max_epochs: train_as_users_do(X, y, 32, max_epochs))
    for warm in (lambda: fit(1), lambda: train_tuned(X, y, 32, 1), lambda: train_as_users_do(X, y, 32, 1)):
        warm()
    what = "a training epoch (LSTM, H 32, T 30, F 8, n 2,000, batch 64)"
    return [
        row(f"{what} / a tuned torch loop", "≤ 1.05", *ratios(ours, tuned, 5)),
        row(f"{what} / the loop of torch's tutorials", "< 1", *ratios(ours, users, 5)),
    ]


def last_state() -> list[tuple]:
    """Compare pooling of the last state, whose gradient fades into denormals, with the mean."""
    X, y = sequences(512, 400, 8)

    def epoch(pooling: str) -> Callable[[], float]:
        def measure() -> float:
            params = {**PLAIN, "pooling": pooling}
            clf = SemiSupervisedRNNClassifier(**params, hidden_size=128, max_epochs=1).fit(X, y)
            return clf.history_[-1, "dur"]

        return measure

    what = 'an epoch with pooling="last" / "mean" (LSTM, H 128, T 400)'
    return [row(what, "≤ 1.2", *ratios(epoch("last"), epoch("mean"), 3))]


def search() -> list[tuple]:
    """Compare a grid search on one core with two."""
    X, y = sequences(600, 60, 8)
    clf = SemiSupervisedRNNClassifier(**{**PLAIN, "hidden_size": 32, "max_epochs": 6})
    grid = {"lr": [0.004, 0.008], "optimizer__weight_decay": [0.0, 0.01]}

    def fit(n_jobs: int) -> Callable[[], float]:
        return lambda: seconds(lambda: GridSearchCV(clf, grid, cv=3, n_jobs=n_jobs, refit=False).fit(X, y))

    fit(2)()
    return [row("GridSearchCV, n_jobs=1 / n_jobs=2, warm workers", "≥ 1.6", *ratios(fit(1), fit(2), 3))]


def documents() -> list[tuple]:
    """Compare reading a million short documents as ids with counting their words."""
    rng = np.random.default_rng(0)
    words = np.array(["".join(rng.choice(list("abcdefghijklmnop"), rng.integers(2, 10))) for _ in range(50_000)])
    ends = np.cumsum(rng.integers(3, 15, 1_000_000))
    odds = 1 / np.arange(1, len(words) + 1)  # as words of a language come
    drawn = words[rng.choice(len(words), ends[-1], p=odds / odds.sum())].tolist()
    X = [" ".join(drawn[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    del drawn

    def read(vectorizer: Any) -> Callable[[], float]:
        return lambda: seconds(lambda: vectorizer.fit_transform(X))

    what = "TokenSequenceVectorizer / CountVectorizer, fit_transform of 1,000,000 documents of 3 to 14 words"
    return [row(what, "≤ 1.5", *ratios(read(TokenSequenceVectorizer()), read(CountVectorizer()), 5))]


def imports() -> list[tuple]:
    """Compare importing the package with importing what it needs."""

    def load(modules: str) -> Callable[[], float]:
        return lambda: seconds(lambda: run_python(f"import {modules}"))

    ours, theirs = load("sklearn_rnn"), load("torch, skorch, sklearn")
    ours(), theirs()
    return [row("import sklearn_rnn / import torch, skorch, sklearn", "≤ 1.1", *ratios(ours, theirs, 5))]


MEMORY = """
import sys, numpy as np
from sklearn_rnn import SemiSupervisedRNNClassifier
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
before = peak()
if len(sys.argv) > 1:
    X = np.load(sys.argv[1], mmap_mode="r")
else:
    X = np.empty((250_000, 100, 10), np.float32)
    np.random.default_rng(0).standard_normal(out=X, dtype=np.float32)
y = np.full(len(X), -1)
y[:100] = np.arange(100) % 2
clf = SemiSupervisedRNNClassifier(cell="lstm", hidden_size=16, max_epochs=1, random_state=0).fit(X, y)
clf.predict(X)
print(peak() - before, X.nbytes)
"""


def memory() -> list[tuple]:
    """Measure the peak of fit and predict beyond that of the imports, for 1 GB in memory and in a file.

    It is `VmHWM`: `ru_maxrss` of a child starts at the size of its parent.
    """
    extra, size = (int(v) for v in run_python(MEMORY).split())
    rows = [
        (
            "peak memory of fit and predict beyond the imports / a float32 array of 1 GB",
            f"{extra / size:.2f}",
            "",
            f"{extra / 1e6:,.0f} MB",
            f"{size / 1e6:,.0f} MB",
            "≤ 1.3",
        )
    ]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        path = Path(folder) / "X.npy"
        X = np.lib.format.open_memmap(path, "w+", np.float32, (250_000, 100, 10))
        rng = np.random.default_rng(0)
        for first in range(0, len(X), 10_000):
            X[first : first + 10_000] = rng.standard_normal((10_000, 100, 10), dtype=np.float32)
        X.flush()
        del X
        extra, size = (int(v) for v in run_python(MEMORY, str(path)).split())
    what = "the same for a memory-mapped file of 1 GB"
    rows.append((what, f"{extra / size:.2f}", "", f"{extra / 1e6:,.0f} MB", f"{size / 1e6:,.0f} MB", "≤ 300 MB"))
    return rows


def run_python(code: str, *args: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def row(what: str, target: str, ones: list[float], others: list[float], ratio: list[float]) -> tuple:
    a, b = (f"{1000 * np.median(times):,.0f} ms" for times in (ones, others))
    return what, f"{np.median(ratio):.2f}", f"{min(ratio):.2f} to {max(ratio):.2f}", a, b, target


def table(rows: list[tuple]) -> str:
    head = ("what", "ratio", "range", "this", "that", "aim")
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    torch.set_num_threads(1)
    started, load, rows = perf_counter(), os.getloadavg()[0], []
    chosen = sys.argv[1:]
    parts = {f.__name__: f for f in (memory, imports, epochs, last_state, search, documents)}
    for name, measure in parts.items():
        if not chosen or name in chosen:
            rows += measure()
            print(f"{name}: {perf_counter() - started:.0f} s", file=sys.stderr)
    text = table(rows)
    print(text)
    if chosen:
        return
    machine = (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, torch {torch.__version__}"
    )
    OUTPUT.write_text(
        "# Speed\n\n"
        "Measured by `make speed`, which runs `python benchmarks/speed.py` and writes this file, "
        f"on {machine}, with one torch thread. "
        f"Load of other processes at the start: {load:.1f}; GridSearchCV's ratio needs it near 0. "
        "A ratio compares what stands before the slash (`this`) with what stands after it (`that`). "
        "Both are run in turns; ratio, `this` and `that` are medians over these runs.\n\n"
        f"{text}\n"
        "Both torch loops train the same `sklearn_rnn.modules.Model`. The tuned loop takes batches by `index_select`, "
        "uses a fused AdamW, clips the gradient and flushes denormals, as the estimator does; "
        "the loop of the tutorials uses a `DataLoader` over a `TensorDataset` and a plain AdamW, and does not clip.\n"
    )


if __name__ == "__main__":
    main()
