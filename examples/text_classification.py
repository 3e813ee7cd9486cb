"""Raw documents, few labels: does a net beat tf-idf, do the unlabeled ones help?

Reads 20 newsgroups, or where there is no network, passages of Python's reference manual, by chapter. Each
of 3 seeds draws other labels and other weights; the test documents stay the same. Prints a table, and what
spoke for the classes of a few documents is drawn to ``text_classification.png``. The manual takes two minutes of
processor time, spread over two cores; the posts, which are longer, take several times that.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pydoc_data.topics import topics
from time import perf_counter

import matplotlib

matplotlib.use("Agg")

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import fetch_20newsgroups
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.plotting import TokenAttributionDisplay
from sklearn_rnn.text import TokenSequenceVectorizer

PER_CLASS, SEEDS, OUTPUT = 10, (0, 1, 2), "text_classification.png"  # labels are in the shares of the classes
GROUPS = ["rec.autos", "rec.sport.hockey", "sci.med", "sci.space", "talk.politics.guns"]
CHAPTERS = ["compound", "types", "specialnames", "formatstrings", "comparisons", "execmodel", "assignment", "debugger"]
FLOOR, ALONE, DEFAULT = "tf-idf, labels alone", "net, labels alone", "net, FixMatch"


def newsgroups() -> tuple[list[str], np.ndarray]:
    """Posts of five groups, without what tells the group at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of each try
        posts = fetch_20newsgroups(categories=GROUPS, remove=("headers", "footers", "quotes"), n_retries=1, delay=0.1)
    kept = [i for i, text in enumerate(posts.data) if len(text.split()) >= 5]
    return [posts.data[i] for i in kept], np.array(posts.target_names)[posts.target[kept]]


def manual(n_words: int = 25) -> tuple[list[str], np.ndarray]:
    """Passages of the reference manual; sentences that stand in several chapters are left out."""
    sentences = {name: re.split(r"(?<=[.:]) (?=[A-Z])", " ".join(topics[name].split())) for name in CHAPTERS}
    chapters = Counter(sentence for own in sentences.values() for sentence in set(own))
    X, y = [], []
    for name, own in sentences.items():
        words = " ".join(sentence for sentence in own if chapters[sentence] == 1).split()
        passages = [words[i : i + n_words] for i in range(0, len(words) - n_words, n_words)]
        X += [" ".join(passage) for passage in passages]
        y += [name] * len(passages)
    return X, np.array(y)


def read() -> tuple[str, list[str], np.ndarray]:
    """Return the name of the text, documents and labels."""
    try:
        return "20 newsgroups", *newsgroups()
    except OSError:
        return "Python's reference manual (no network for 20 newsgroups)", *manual()


def methods(seed: int) -> dict[str, Pipeline]:
    """Unfitted pipelines; the first gets the labeled rows alone."""
    net = SemiSupervisedRNNClassifier("supervised", missing_label=None, random_state=seed)
    tokens = TokenSequenceVectorizer(max_length=150)
    return {
        FLOOR: make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=100)),
        ALONE: make_pipeline(tokens, net),
        DEFAULT: make_pipeline(tokens, clone(net).set_params(objective="fixmatch")),
    }


def measure(
    seed: int, X: list[str], y: np.ndarray, X_test: list[str], y_test: np.ndarray
) -> tuple[dict[str, float], Pipeline]:
    """Return the test accuracy in percent of each method for one draw of the labels, and the last pipeline."""
    partly = hide_labels(y.astype(object), PER_CLASS * len(set(y)), missing_label=None, random_state=seed)
    labeled = [i for i, label in enumerate(partly) if label is not None]
    accuracies = {}
    for method, pipeline in methods(seed).items():
        if method == FLOOR:
            pipeline.fit([X[i] for i in labeled], y[labeled])
        else:
            pipeline.fit(X, partly)
        accuracies[method] = 100 * np.mean(pipeline.predict(X_test) == y_test)
        print(f"seed {seed}: {method:<20}{accuracies[method]:6.1f}", flush=True)
    return accuracies, pipeline


def conclude(accuracies: dict[str, np.ndarray]) -> str:
    """Say what the numbers show, ties too."""
    sentences = []
    for method, base in ((DEFAULT, FLOOR), (DEFAULT, ALONE)):
        gains = accuracies[method] - accuracies[base]
        gain, spread = gains.mean(), gains.std(ddof=1)
        verdict = "ties with" if abs(gain) <= max(1, spread) else "beats" if gain > 0 else "loses to"
        sentences.append(
            f"'{method}' {verdict} '{base}': {gain:+.1f} points (sd {spread:.1f} over {len(gains)} seeds)."
        )
    return "\n".join(sentences)


def main() -> None:
    """Compare, print, draw."""
    started = perf_counter()
    name, X, y = read()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    n_classes = len(set(y))
    print(f"{name}: {len(X)} documents, {PER_CLASS * n_classes} labels of {n_classes} classes, {len(X_test)} to test")
    measured = Parallel(n_jobs=2)(delayed(measure)(seed, X, y, X_test, y_test) for seed in SEEDS)
    accuracies = {method: np.array([each[method] for each, _ in measured]) for method in (FLOOR, ALONE, DEFAULT)}
    pipeline = measured[0][1]
    print(f"\n{'test accuracy in %':<22}{'mean':>6}{'sd':>6}")
    for method, values in accuracies.items():
        print(f"{method:<22}{values.mean():>6.1f}{values.std(ddof=1):>6.1f}")
    print(f"\n{conclude(accuracies)}")
    TokenAttributionDisplay.from_estimator(pipeline, X_test[:6]).figure_.savefig(OUTPUT, dpi=120)
    print(f"What spoke for the predicted classes: {OUTPUT} ({perf_counter() - started:.0f} s)")


if __name__ == "__main__":
    main()
