"""Gaps filled by an autoencoder at default parameters, by interpolation and by the mean, on held-out sequences.

    python benchmarks/imputation.py DATA_FOLDER   # run what is missing
    python benchmarks/imputation.py               # the table again, from the runs kept

DATA_FOLDER holds `load.py` with the sets "japanese_vowels" and "etth1"; the digits are scikit-learn's.
Writes docs/imputation.md. Runs are kept in docs/imputation.csv and not repeated.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from runs import DOCS, Runs
from sklearn.datasets import load_digits

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.preprocessing import SequenceImputer, cut_windows

RUNS = Runs("imputation", ("set", "hidden", "seed"), ("mean", "linear", "autoencoder", "seconds"))
SETS = ("japanese_vowels", "etth1", "digits")
HIDDEN = {"all features, 40% of the steps": (0.4, False), "single features, 15% of the steps": (0.15, True)}
SEEDS = range(2)


def main(folder=None):
    """Run what is missing, then write the table."""
    torch.set_num_threads(1)
    for seed in SEEDS if folder is not None else ():
        for name in SETS:
            train, test = read(Path(folder), name)
            for hidden in HIDDEN:
                if (name, hidden, str(seed)) not in RUNS.read():
                    run(name, hidden, seed, train, test)
    write(RUNS.read())


def read(folder, name):
    """Return training and test sequences; of the hourly series, windows of two days."""
    if name == "digits":
        images = load_digits().images.astype(np.float32)
        return list(images[597:]), list(images[:597])
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    data = import_module("load").load(name)
    if name == "etth1":
        return [list(cut_windows(data["X"][data[part]], 48, stride=24)) for part in ("train", "test")]
    return [[data["X"][i] for i in data[part]] for part in ("train", "test")]


def hide(X, share, single, seed):
    """Hide a span of steps: of all features, or another one of each second feature; the first and last step stay."""
    random = np.random.default_rng(seed)
    hidden = []
    for x in X:
        x = x.copy()
        width = max(1, round(share * len(x)))
        features = np.flatnonzero(random.random(x.shape[1]) < 0.5) if single else [slice(None)]
        for k in features:
            first = random.integers(1, max(2, len(x) - width))
            x[first : min(first + width, len(x) - 1), k] = np.nan
        hidden.append(x)
    return hidden


def run(name, hidden, seed, train, test):
    """Fit on training sequences with gaps, fill those of the test sequences, and keep the errors."""
    started = time.perf_counter()
    gappy, X = hide(train, *HIDDEN[hidden], seed), hide(test, *HIDDEN[hidden], seed + 1000)
    plain = SequenceImputer().fit(gappy)
    imputer = SequenceImputer(RNNAutoencoderTransformer(random_state=seed)).fit(gappy)
    filled = [[np.where(np.isnan(x), plain.mean_, x) for x in X], plain.transform(X), imputer.transform(X)]
    scale = np.concatenate(train).std(0) + 1e-9
    true, gaps = np.concatenate(test), np.isnan(np.concatenate(X))
    errors = [np.sqrt(np.mean((((np.concatenate(each) - true) / scale)[gaps]) ** 2)) for each in filled]
    cells = (f"{error:.4f}" for error in errors)
    RUNS.keep(name, hidden, seed, *cells, f"{time.perf_counter() - started:.1f}")


def write(runs):
    """Write the table of docs/imputation.md."""
    page = DOCS / "imputation.md"
    lines = [page.read_text().partition("<!-- table -->")[0] + "<!-- table -->", ""]
    lines += ["| set | hidden | mean | linear | autoencoder |", "| --- " * 5 + "|"]
    for name, hidden in dict.fromkeys(key[:2] for key in runs):
        errors = np.array([run[:3] for key, run in runs.items() if key[:2] == (name, hidden)])
        cells = [f"{e.mean():.3f} ({', '.join(f'{each:.3f}' for each in e)})" for e in errors.T]
        lines.append(f"| {name} | {hidden} | " + " | ".join(cells) + " |")
    page.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
