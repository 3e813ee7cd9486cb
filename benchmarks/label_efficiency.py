"""Accuracy against the number of labels for three methods, on the speakers of JapaneseVowels.

    python benchmarks/label_efficiency.py [FOLDER]

FOLDER holds `load.py` with a set "japanese_vowels"; ../shared/data by default, or else the copy that
comes with aeon. Writes docs/label_efficiency.png and docs/label_efficiency.md. Each of the five draws
has other test rows (a fifth of all), other labels and the same weights for all budgets. Finished runs
are kept in docs/label_efficiency.csv and not repeated.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from runs import DOCS, Runs, shown
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.model_selection import LabelBudget
from sklearn_rnn.plotting import LabelEfficiencyDisplay

RUNS = Runs("label_efficiency", ("method", "labels", "draw"), ("accuracy", "seconds"))
BUDGETS = (18, 36, 72, 144)
DRAWS = 5


METHODS = {
    "labels alone": SemiSupervisedRNNClassifier("supervised", random_state=0),
    "FixMatch": SemiSupervisedRNNClassifier(random_state=0),
    # max_iter=0: the linear model sees the labeled rows only
    "autoencoder + linear": make_pipeline(
        StandardScaler(), SelfTrainingClassifier(LogisticRegression(max_iter=2000), max_iter=0)
    ),
}


def read(folder):
    """Return all sequences, and their speakers."""
    if not (folder / "load.py").exists():
        return load_japanese_vowels()
    sys.path.insert(0, str(folder))
    data = import_module("load").load("japanese_vowels")
    return data["X"], data["y"]


def measure(X, y):
    """Return the test accuracies of each method, of shape (budgets, draws); run what is missing."""
    done = RUNS.first()
    splits = list(StratifiedShuffleSplit(DRAWS, test_size=0.2, random_state=0).split(y, y))
    for k, (train, test) in enumerate(splits):
        wanted = [(name, n) for n in BUDGETS for name in METHODS if (name, str(n), str(k)) not in done]
        data = [X[i] for i in train], [X[i] for i in test]
        codes = encode(*data) if any(name.startswith("autoencoder") for name, _ in wanted) else ()
        for name, n in wanted:
            start = time.perf_counter()
            X_train, X_test = codes if name.startswith("autoencoder") else data
            accuracy = LabelBudget(METHODS[name], n, random_state=k).fit(X_train, y[train]).score(X_test, y[test])
            done[name, str(n), str(k)] = accuracy
            RUNS.keep(name, n, k, f"{accuracy:.4f}", f"{time.perf_counter() - start:.1f}")
    return {name: np.array([[done[name, str(n), str(k)] for k in range(DRAWS)] for n in BUDGETS]) for name in METHODS}


def encode(X_train, X_test):
    """Return codes of both; labels play no part, so that all budgets share them."""
    encoder = RNNAutoencoderTransformer(random_state=0).fit(X_train)
    return encoder.transform(X_train), encoder.transform(X_test)


def draw(scores, n_train):
    """Write the picture."""
    figure, ax = plt.subplots(figsize=(7, 4.3), layout="constrained")
    percent = {name: 100 * values for name, values in scores.items()}
    LabelEfficiencyDisplay(BUDGETS, percent, score_name="test accuracy in %").plot(ax)
    ax.set_xlabel(f"labels among {n_train} utterances of 9 speakers")
    ax.set_title("JapaneseVowels: what unlabeled sequences are worth", loc="left", fontsize=11)
    figure.savefig(DOCS / "label_efficiency.png", dpi=130)


def write(scores, n_train):
    """Write the table: means and deviations, and the paired gains over the labels alone."""
    base, *others = scores
    lines = ["# Accuracy (%) against the number of labels", ""]
    lines += [
        f"Made by `python benchmarks/label_efficiency.py`: JapaneseVowels, {n_train} training sequences of 9 speakers,",
        f"a fifth of all rows to test on, default parameters, {DRAWS} draws of test rows and labels; mean ± standard",
        "deviation, gains over the labels alone paired by draw.",
        "",
        "![Accuracy against the number of labels](label_efficiency.png)",
        "",
    ]
    lines += ["| labels | " + " | ".join([*scores, *(f"gain of {name}" for name in others)]) + " |"]
    lines += ["| --- " * (len(scores) + len(others) + 1) + "|"]
    for k, n in enumerate(BUDGETS):
        rows = {name: 100 * values[k] for name, values in scores.items()}
        gains = [rows[name] - rows[base] for name in others]
        cells = [*map(shown, rows.values()), *(shown(gain, "+") for gain in gains)]
        lines += [f"| {n} | " + " | ".join(cells) + " |"]
    (DOCS / "label_efficiency.md").write_text("\n".join(lines) + "\n")


def main(folder):
    """Measure, draw, write."""
    torch.set_num_threads(1)
    X, y = read(Path(folder))
    scores = measure(X, y)
    n_train = len(y) - round(0.2 * len(y))
    draw(scores, n_train)
    write(scores, n_train)


if __name__ == "__main__":
    main(*sys.argv[1:] or [DOCS.parent.parent / "shared" / "data"])
