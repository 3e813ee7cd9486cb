"""Outliers among sequences, and in time."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_autoencoder import FORMS, LENGTHS, fitted, forms

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
from sklearn_rnn.preprocessing import PerTimestep, cut_windows, join_windows

random = np.random.default_rng(0)
SMALL = RNNAutoencoderTransformer(hidden_size=8, n_kernels=8, lr=0.03, max_epochs=3, random_state=0)
TINY = RNNAutoencoderTransformer(hidden_size=4, n_kernels=8, max_epochs=1, random_state=0)


def waves(n):
    return np.sin(np.linspace(0, 6, 20) + random.uniform(0, 6, size=(n, 1)))


def squares(n):
    return np.sign(np.sin(np.linspace(0, 40, 20) + random.uniform(0, 6, size=(n, 1))))


@pytest.fixture(scope="module")
def detector():
    return RNNOutlierDetector(SMALL, cv=2).fit(waves(150))


def test_new_sequences_unlike_those_of_fit_are_outliers_and_others_are_not(detector):
    assert (detector.predict(squares(20)) == -1).all()
    assert (detector.predict(waves(100)) == 1).mean() > 0.9


def test_outliers_in_the_data_of_fit_are_found_though_nobody_says_how_many():
    X = np.concatenate([squares(3), waves(100)])
    found = np.flatnonzero(RNNOutlierDetector(SMALL).fit_predict(X) == -1)
    assert found[:3].tolist() == [0, 1, 2]
    assert len(found) <= 5


@pytest.mark.parametrize("contamination", [0.02, 0.2, 0.5])
def test_contamination_is_the_share_of_outliers_in_the_data_of_fit(contamination):
    X = waves(100)
    detector = RNNOutlierDetector(TINY, contamination=contamination)
    assert (detector.fit_predict(X) == -1).mean() == pytest.approx(contamination, abs=0.01)


def test_scores_decisions_and_predictions_agree_and_the_autoencoder_gives_the_scores(detector):
    X = np.concatenate([squares(5), waves(5)])
    scores = detector.score_samples(X)
    np.testing.assert_array_equal(scores, detector.autoencoder_.score_samples(X))
    np.testing.assert_allclose(detector.decision_function(X), scores - detector.offset_, rtol=1e-5)
    np.testing.assert_array_equal(detector.predict(X), np.where(scores < detector.offset_, -1, 1))


def test_the_automatic_threshold_is_tukeys_outer_fence():
    X = waves(50)
    detector = RNNOutlierDetector(TINY).fit(X)
    errors = np.sort(-detector.score_samples(X))
    upper, lower = np.percentile(errors, 75), np.percentile(errors, 25)
    assert -detector.offset_ == pytest.approx(upper + 3 * (upper - lower), rel=1e-4)


def test_padding_changes_no_score():
    X = [random.normal(size=(length, 2)) for length in (9, 3, 12, 6)]
    detector = RNNOutlierDetector(TINY).fit(X)
    alone = [detector.decision_function([x])[0] for x in X]
    np.testing.assert_allclose(detector.decision_function(X), alone, atol=1e-5)
    for together, x in zip(detector.score_steps(X), X, strict=True):
        np.testing.assert_allclose(together, detector.score_steps([x])[0], atol=1e-5)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e)), lambda e: clone(e)])
def test_copies_and_clones_give_the_same_bits(copied):
    X = waves(30)
    detector = RNNOutlierDetector(TINY).fit(X)
    again = copied(detector)
    if not hasattr(again, "offset_"):
        again.fit(X)
    assert again.offset_ == detector.offset_
    np.testing.assert_array_equal(again.decision_function(X), detector.decision_function(X))


def test_fit_changes_neither_the_given_autoencoder_nor_global_random_state():
    before = torch.get_rng_state()
    RNNOutlierDetector(TINY).fit(waves(10))
    assert not hasattr(TINY, "net_")
    assert torch.equal(before, torch.get_rng_state())


def test_a_pipeline_may_score_the_sequences():
    X = waves(30)[:, :, None] * [1, 100]
    detector = RNNOutlierDetector(make_pipeline(PerTimestep(StandardScaler()), TINY), contamination=0.1).fit(X)
    assert (detector.predict(X) == -1).sum() == 3
    assert not hasattr(detector, "score_steps")


def test_the_threshold_may_be_set_on_other_sequences_than_those_of_a_fitted_autoencoder():
    fitted, others = clone(TINY).fit(waves(30)), waves(40)
    detector = RNNOutlierDetector(FrozenEstimator(fitted), contamination=0.5).fit(others)
    assert detector.offset_ == pytest.approx(np.median(fitted.score_samples(others)))


def test_parameters_of_the_net_are_searched():
    def mean_score(detector, X):
        return detector.score_samples(X).mean()

    cv = ShuffleSplit(1, random_state=0)
    detector = RNNOutlierDetector(clone(TINY).set_params(max_epochs=4), cv=2)
    search = GridSearchCV(detector, {"autoencoder__lr": [1e-5, 0.03]}, cv=cv, scoring=mean_score)
    assert search.fit(waves(60)).best_params_ == {"autoencoder__lr": 0.03}


@pytest.mark.parametrize(("parameters", "words"), [({"contamination": 0.6}, "0.6"), ({"autoencoder": "gru"}, "'gru'")])
def test_what_cannot_be_is_refused(parameters, words):
    with pytest.raises(ValueError, match=rf"must be.*Got {words}"):
        RNNOutlierDetector(**parameters).fit(waves(5))


@forms
def test_the_scores_of_the_steps_have_the_score_of_the_sequence_as_their_mean(form):
    autoencoder, X = fitted(form), FORMS[form]
    steps = autoencoder.score_steps(X)
    assert [len(s) for s in steps] == (LENGTHS if isinstance(X, list) else [9] * 5)
    np.testing.assert_allclose([s.mean() for s in steps], autoencoder.score_samples(X), rtol=1e-4)


def test_the_step_that_was_spoiled_scores_lowest(detector):
    X = waves(6)
    X[np.arange(6), [1, 4, 7, 10, 13, 16]] += 4
    assert detector.score_steps(X).argmin(1).tolist() == [1, 4, 7, 10, 13, 16]


def test_a_change_in_a_long_series_is_found_where_it_is():
    rng = np.random.default_rng(2)  # not the generator that tests share: their order decides what it draws
    series = np.sin(np.arange(300) / 3) + rng.normal(0, 0.1, 300)
    series[220:250] = rng.normal(0, 1, 30)
    detector = RNNOutlierDetector(SMALL).fit(cut_windows(series[:150], 20, stride=1))
    decisions = detector.decision_function(cut_windows(series, 20, stride=1))
    by_step = join_windows(np.repeat(decisions[:, None], 20, axis=1), 300, stride=1)
    found = np.flatnonzero(by_step < 0)
    assert {*range(230, 240)} <= {*found} <= {*range(201, 269)}  # the steps of the windows that hold it


def test_names_of_the_last_data_are_forgotten():
    X = waves(20)
    detector = RNNOutlierDetector(TINY).fit(pd.DataFrame(X, columns=[f"t{i}" for i in range(20)]))
    assert detector.feature_names_in_[0] == "t0"
    assert not hasattr(detector.fit(X[:, :15]), "feature_names_in_")
    assert detector.n_features_in_ == 15
