"""Raw documents, 10 labels a class among unlabeled ones: does a recurrent net beat tf-idf, and do the unlabeled rows help?

Reads 20 newsgroups, or where there is no network, passages of Python's reference manual, by chapter. Each
of 3 seeds draws other labels and other weights; the test documents stay the same. Prints a table, and what
spoke for the classes of a few documents is drawn to ``text_classification.png``.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pydoc_data.topics import topics
from time import perf_counter
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import fetch_20newsgroups
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.plotting import TokenAttributionDisplay
from sklearn_rnn.text import TokenSequenceVectorizer

PER_CLASS, SEEDS, OUTPUT = 10, (0, 1, 2), "text_classification.png"
GROUPS = ["rec.autos", "rec.sport.hockey", "sci.med", "sci.space", "talk.politics.guns"]
CHAPTERS = ["compound", "types", "specialnames", "formatstrings", "comparisons", "execmodel", "assignment", "debugger"]
FLOOR, ALONE, TEACHER = "tf-idf, labels alone", "net, labels alone", "net, Mean Teacher"


def newsgroups() -> tuple[list[str], np.ndarray]:
    """Posts of five groups, without what tells the group at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of each try
        posts = fetch_20newsgroups(categories=GROUPS, remove=("headers", "footers", "quotes"), n_retries=1, delay=0)
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
