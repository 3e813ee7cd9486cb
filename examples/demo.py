"""Handwritten digits as sequences of 8 rows, 20 labels among 1,200: four ways to learn, side by side.

The first is a floor without a net: logistic regression on all 64 pixels of an image, from the labeled images only.

Each of 3 seeds draws other labels (2 a class) and other weights; the test set stays the same. Two processes fit at a
time. Prints a table and draws ``demo.png``.
"""

from __future__ import annotations

import textwrap

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels

PER_CLASS, SEEDS, OUTPUT = 2, (0, 1, 2), "demo.png"
FLOOR = "logistic regression"
METHODS = {
    "supervised alone": {"objective": "supervised"},
    "pretrained": {"objective": "supervised", "pretraining": "reconstruction"},
    "FixMatch": {"objective": "fixmatch"},
}
COLORS = ("#bbbbbb", "#7f7f7f", "#1f77b4", "#d95f02")


def compare(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> dict[str, np.ndarray]:
    """Return the test accuracy in percent of each method, one for each seed."""
    accuracies: dict[str, list[float]] = {method: [] for method in (FLOOR, *METHODS)}
    fits = [(method, seed) for seed in SEEDS for method in accuracies]
    scores = Parallel(n_jobs=2, return_as="generator")(
        delayed(accuracy)(method, seed, X, y, X_test, y_test) for method, seed in fits
    )
    for (method, _), score in zip(fits, tqdm(scores, total=len(fits), unit="fit"), strict=True):
        accuracies[method].append(100 * score)
    return {method: np.array(values) for method, values in accuracies.items()}


def accuracy(method: str, seed: int, X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> float:
    """Return the test accuracy of a method that learns from the labels that a seed draws."""
    partly = hide_labels(y, PER_CLASS * len(np.unique(y)), random_state=seed)
    if method == FLOOR:
        return floor(X, partly, X_test, y_test)
    clf = SemiSupervisedRNNClassifier(**METHODS[method], random_state=seed)
    return clf.fit(X, partly).score(X_test, y_test)


def floor(X: np.ndarray, partly: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> float:
    """Return the test accuracy of a linear model of all pixels, which learns from the labeled images only."""
    labeled = partly >= 0
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return linear.fit(X[labeled].reshape(-1, 64), partly[labeled]).score(X_test.reshape(-1, 64), y_test)


def conclude(accuracies: dict[str, np.ndarray], n_labels: int, n_train: int) -> str:
    """Say in one sentence what the numbers show."""
    base, *others = METHODS
    means = {method: values.mean() for method, values in accuracies.items()}
    parts = []
    for method in others:
        gains = accuracies[method] - accuracies[base]
        gain, better = gains.mean(), int((gains > 0).sum())
        kind = "gains" if gain >= 0 else "loses"
        parts.append(f"{method} {kind} {abs(gain):.1f} points (better in {better} of {len(gains)} seeds)")
    return (
        f"With {n_labels} labels among {n_train:,} sequences, over {means[base]:.1f}% for {base}, "
        f"{' and '.join(parts)}. {FLOOR.capitalize()}, without a net, reaches {means[FLOOR]:.1f}%."
    )


def draw(accuracies: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray, sentence: str) -> None:
    """Write `OUTPUT`: digits as sequences above, accuracies below."""
    figure = plt.figure(figsize=(8, 5.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 2.8])
    above.suptitle("Digits as sequences: each image row is a step of 8 values", fontsize=10)
    for i, ax in enumerate(above.subplots(1, 10)):
        ax.imshow(X[np.flatnonzero(y == i)[0]], cmap="gray_r")
        ax.set_xticks([])
        ax.set_yticks([0, 7] if i == 0 else [], ["step 1", "step 8"] if i == 0 else [], fontsize=8)
    ax = below.subplots()
    for i, (values, color) in enumerate(zip(accuracies.values(), COLORS, strict=True)):
        mean, deviation = values.mean(), values.std(ddof=1)
        ax.errorbar(mean, i, xerr=deviation, fmt="D", color=color, markersize=9, capsize=5, linewidth=2)
        ax.plot(values, np.full(len(values), i + 0.22), "o", color=color, alpha=0.6, markersize=5)
        ax.text(mean, i - 0.2, f"{mean:.1f} ± {deviation:.1f}", ha="center", va="bottom", color=color)
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.set_ylim(len(accuracies) - 0.5, -0.6)
    ax.set_xlabel(f"test accuracy in % (diamond: mean, bar: sd, dots: {len(SEEDS)} seeds)")
    ax.grid(axis="x", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(textwrap.fill(sentence, 95), fontsize=9.5, loc="left")
    figure.savefig(OUTPUT, dpi=130)


def main() -> None:
    """Compare, print, draw."""
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8).astype(np.float32)
    X, X_test, y, y_test = train_test_split(X, y, train_size=1200, stratify=y, random_state=0)
    accuracies = compare(X, y, X_test, y_test)
    print(f"\n{'method':<21}{'mean':>7}{'sd':>6}   test accuracy in %, {len(X_test)} sequences")
    for method, values in accuracies.items():
        each = " ".join(f"{value:.1f}" for value in values)
        print(f"{method:<21}{values.mean():>7.1f}{values.std(ddof=1):>6.1f}   {each}")
    sentence = conclude(accuracies, PER_CLASS * len(np.unique(y)), len(X))
    print(f"\n{sentence}\nPicture: {OUTPUT}")
    draw(accuracies, X, y, sentence)


if __name__ == "__main__":
    main()
