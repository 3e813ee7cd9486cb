"""Pipelines of sequences on real data, searched with few labels."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
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

TINY = {"hidden_size": 8, "n_kernels": 32, "lr": 0.02, "max_epochs": 1, "random_state": 0}
LABELED_ROWS_ONLY = SelfTrainingClassifier(LogisticRegression(max_iter=2000), max_iter=0)


@pytest.fixture(scope="module")
def digits():
    """Four of scikit-learn's digits, row by row, cut to six to eight rows; 40 labels."""
    images, y = load_digits(n_class=4, return_X_y=True)
    ends = np.random.default_rng(0).integers(6, 9, len(y))
    X = [image[:end] for image, end in zip(images.reshape(-1, 8, 8), ends, strict=True)]
    return X, hide_labels(y, 40, random_state=0), y


@pytest.mark.full_epochs
def test_codes_of_all_rows_and_a_linear_model_of_the_labeled_ones_are_searched(digits):
    X, y, true = digits
    assert len({len(x) for x in X}) == 3
    pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNAutoencoderTransformer(**TINY), LABELED_ROWS_ONLY)
    grid = {"selftrainingclassifier__estimator": [DummyClassifier(), LogisticRegression(max_iter=2000)]}
    search = GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2), error_score="raise").fit(X, y)
    assert isinstance(search.best_params_["selftrainingclassifier__estimator"], LogisticRegression)
    assert set(search.classes_) == {0, 1, 2, 3}
    assert np.mean(search.predict(X) == true) > 0.7


@pytest.mark.slow
@pytest.mark.full_epochs
def test_a_semi_supervised_net_behind_a_scaler_is_searched_in_two_processes_as_in_one(digits):
    X, y, _ = digits
    net = SemiSupervisedRNNClassifier(MeanTeacher(threshold=0), **TINY)
    pipeline = make_pipeline(PerTimestep(StandardScaler()), net)
    grid = {"semisupervisedrnnclassifier__objective__weight": [0.0, 3.0]}
    one, two = (
        GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2), n_jobs=n_jobs, error_score="raise").fit(X, y)
        for n_jobs in (1, 2)
    )
    assert np.array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.score(X, y) == two.score(X, y) > 0.6


@pytest.mark.slow
@pytest.mark.full_epochs
def test_codes_feed_a_semi_supervised_net_within_a_search(digits):
    X, y, _ = digits
    net = SemiSupervisedRNNClassifier(MeanTeacher(threshold=0), **TINY)
    pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNAutoencoderTransformer(**TINY), net)
    grid = {"pertimestep__transformer__with_std": [False, True]}
    search = GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2), error_score="raise").fit(X, y)
    assert search.score(X, y) > 0.6
