"""Gaps filled by interpolation, and by an autoencoder."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.datasets import make_sines, to_tslearn
from sklearn_rnn.preprocessing import SequenceImputer

random = np.random.default_rng(0)
nan = np.nan
TINY = RNNAutoencoderTransformer(hidden_size=4, n_kernels=8, max_epochs=1, random_state=0)


def gappy(lengths=(9, 4, 12, 6), n_features=2):
    """Sequences without a third of their values, but for the last steps."""
    X = [random.normal(3, 2, size=(length, n_features)).astype(np.float32) for length in lengths]
    for x in X:
        x[:-1][random.random((len(x) - 1, n_features)) < 0.3] = nan
    return X


def error(imputer, true, X):
    gaps = np.isnan(X)
    return np.sqrt(np.mean((imputer.transform(X) - true)[gaps] ** 2))


def test_gaps_are_interpolated_in_each_feature_and_constant_beyond_the_seen_steps():
    X = [np.array([[nan, 1.0], [2.0, nan], [nan, nan], [4.0, 4.0], [nan, 4.0]]), np.array([[nan, 5.0], [nan, 6.0]])]
    imputer = SequenceImputer().fit(X)
    assert imputer.mean_.tolist() == [3, 4]
    first, second = imputer.transform(X)
    assert first.tolist() == [[2, 1], [2, 2], [3, 3], [4, 4], [4, 4]]
    assert second.tolist() == [[3, 5], [3, 6]]


@pytest.mark.full_epochs
def test_an_autoencoder_fills_long_gaps_better_than_interpolation():
    true, _ = make_sines(200, n_steps=24, n_classes=1, noise=0.05, random_state=0)
    X = true.copy()
    X[:, 8:17] = nan
    autoencoder = RNNAutoencoderTransformer(hidden_size=16, n_kernels=16, lr=0.03, max_epochs=4, random_state=0)
    plain, imputer = (SequenceImputer(a).fit(true[:150]) for a in (None, autoencoder))
    assert error(imputer, true[150:], X[150:]) < 0.85 * error(plain, true[150:], X[150:])


def test_what_is_filled_in_is_rebuilt_less_the_interpolated_error_of_the_seen_steps():
    X = np.array([[0.0, 1.0, nan, nan, 3.0, 1.0]] * 3)
    imputer = SequenceImputer(TINY).fit(X)
    rebuilt = imputer.autoencoder_.reconstruct(np.array([[0, 1, 1 + 2 / 3, 1 + 4 / 3, 3, 1]] * 3))[0]
    left, right = rebuilt[1] - 1, rebuilt[4] - 3
    expected = rebuilt[2:4] - [left * 2 / 3 + right / 3, left / 3 + right * 2 / 3]
    np.testing.assert_allclose(imputer.transform(X)[0, 2:4], expected, rtol=1e-5)


def test_what_was_seen_stays_and_no_gap_does():
    X = gappy()
    for x, filled in zip(X, SequenceImputer(TINY).fit_transform(X), strict=True):
        seen = ~np.isnan(x)
        np.testing.assert_array_equal(filled[seen], x[seen])
        assert np.isfinite(filled).all()


def test_padding_and_neighbours_change_nothing():
    X = gappy()
    imputer = SequenceImputer(TINY).fit(X)
    together, padded = imputer.transform(X), imputer.transform(to_tslearn(X))
    for x, row, filled in zip(X, padded, together, strict=True):
        np.testing.assert_allclose(filled, imputer.transform([x])[0], atol=1e-5)
        np.testing.assert_allclose(filled, row[: len(x)], atol=1e-5)
        assert np.isnan(row[len(x) :]).all()


@pytest.mark.parametrize(
    "copied", [clone, lambda imputer: pickle.loads(pickle.dumps(imputer))], ids=["clone", "pickle"]
)
def test_copies_and_clones_give_the_same_bits(copied):
    X = gappy()
    imputer = SequenceImputer(TINY).fit(X)
    again = copied(imputer)
    again = again if hasattr(again, "autoencoder_") else again.fit(X)
    for one, other in zip(imputer.transform(X), again.transform(X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not hasattr(TINY, "net_")


@pytest.mark.filterwarnings("ignore:.*longer than max_length")
def test_an_autoencoder_that_cuts_sequences_is_refused():
    imputer = SequenceImputer(clone(TINY).set_params(max_length=5)).fit(gappy())
    with pytest.raises(ValueError, match="must reconstruct all 31 steps, got 19; set its max_length to None"):
        imputer.transform(gappy())


def test_a_fitted_autoencoder_may_fill():
    X = gappy()
    imputer = SequenceImputer(TINY).fit(X)
    again = SequenceImputer(FrozenEstimator(imputer.autoencoder_)).fit(X[:1])
    np.testing.assert_array_equal(again.transform(X[:1])[0], imputer.transform(X[:1])[0])


def test_something_that_does_not_rebuild_is_refused():
    with pytest.raises(ValueError, match="'autoencoder' parameter of SequenceImputer must be"):
        SequenceImputer("linear").fit(gappy())
