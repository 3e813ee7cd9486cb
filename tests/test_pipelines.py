"""Pipelines of sequences on real data, searched with few labels."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.model_selection import PartiallyLabeledSplit
from sklearn_rnn.objectives import MeanTeacher
from sklearn_rnn.preprocessing import PerTimestep

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TINY = {"hidden_size": 8, "lr": 0.02, "max_epochs": 1, "random_state": 0}
LABELED_ROWS_ONLY = SelfTrainingClassifier(LogisticRegression(max_iter=2000), max_iter=0)


@pytest.fixture(scope="module")
def vowels():
    """Four speakers of JapaneseVowels, 7 to 29 steps, 40 labels."""
    if not (DATA / "load.py").exists():
        pytest.skip(f"no data sets in {DATA}")
    sys.path.insert(0, str(DATA))
    data = import_module("load").load("japanese_vowels")
    sys.path.remove(str(DATA))
    rows = [i for i in data["train"] if data["y"][i] < 4]
    y = data["y"][rows]
    return [data["X"][i] for i in rows], hide_labels(y, 40, random_state=0), y


def test_codes_of_all_rows_and_a_linear_model_of_the_labeled_ones_are_searched(vowels):
    X, y, true = vowels
    assert len({len(x) for x in X}) > 5
    pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNAutoencoderTransformer(**TINY), LABELED_ROWS_ONLY)
    grid = {"selftrainingclassifier__estimator__C": [1e-6, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2), n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_params_["selftrainingclassifier__estimator__C"] == 1
    assert set(search.classes_) == {0, 1, 2, 3}
    assert np.mean(search.predict(X) == true) > 0.7


def test_a_semi_supervised_net_behind_a_scaler_is_searched_in_two_processes_as_in_one(vowels):
    X, y, _ = vowels
    net = SemiSupervisedRNNClassifier(MeanTeacher(threshold=0), **TINY)
    pipeline = make_pipeline(PerTimestep(StandardScaler()), net)
    grid = {"semisupervisedrnnclassifier__objective__weight": [0.0, 3.0]}
    one, two = (
        GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2), n_jobs=n_jobs, error_score="raise").fit(X, y)
        for n_jobs in (1, 2)
    )
    assert np.array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.score(X, y) == two.score(X, y) > 0.6


def test_codes_feed_a_semi_supervised_net_within_a_search(vowels):
    X, y, _ = vowels
    net = SemiSupervisedRNNClassifier(MeanTeacher(threshold=0), **TINY)
    pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNAutoencoderTransformer(**TINY), net)
    grid = {"pertimestep__transformer__with_std": [False, True]}
    search = GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2), error_score="raise").fit(X, y)
    assert search.score(X, y) > 0.6
