"""Moments of the features, and how much of their changes is noise."""

import numpy as np
import pytest
from scipy.signal import lfilter

from sklearn_rnn import SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor
from sklearn_rnn.sequences._moments import moments_of, signal_share

STEPS = np.arange(400)
NOISE = np.random.default_rng(0).normal(size=(60, 400))
SERIES = {
    "white noise": (NOISE, 0.0),
    "a slow line under noise": (STEPS / 100 + NOISE, 0.0),
    "a random walk": (NOISE.cumsum(1), 1.0),
    "a smooth wave": (np.sin(STEPS / 20 + np.arange(60)[:, None]), 1.0),
    "a wave of three steps": (np.sin(STEPS * 2 * np.pi / 3 + np.arange(60)[:, None]), 1.0),
    "noise that turns back": (lfilter([1], [1, 0.7], NOISE), 1.0),
    # the walk adds 1 to the mean square of the changes, the noise 2
    "a random walk under noise": (NOISE[::-1].cumsum(1) + NOISE, 1 / 3),
}


@pytest.mark.parametrize("name", SERIES)
def test_signal_is_the_share_of_the_changes_that_is_not_white_noise(name):
    values, share = SERIES[name]
    np.testing.assert_allclose(signal_share([(values[:, :, None], None)]), share, atol=0.03)


def test_fast_waves_are_signal_whatever_their_periods():
    values = np.cos(STEPS * 2 * np.pi / np.linspace(2.1, 2.9, 60)[:, None])[:, :, None]
    assert signal_share([(values, None)]) > 0.5  # from which on changes count whole


def test_moments_are_those_of_each_sequence_without_its_padding():
    values, lengths = np.full((4, 9, 2), 1e6), np.array([9, 1, 4, 2])
    rng = np.random.default_rng(1)
    sequences = [rng.normal(size=(length, 2)) * [1, 5] + [0, 3] for length in lengths]
    for row, x in zip(values, sequences, strict=True):
        row[: len(x)] = x
    blocks = [(values[:1], lengths[:1]), (values[1:], lengths[1:])]
    found = moments_of(blocks)
    steps, changes = np.concatenate(sequences), [np.diff(x, axis=0) for x in sequences]
    products = np.concatenate([d[1:] * d[:-1] for d in changes])
    mean_square = (np.concatenate(changes) ** 2).mean(0)
    np.testing.assert_allclose(found.mean, steps.mean(0))
    np.testing.assert_allclose(found.deviation, steps.std(0))
    np.testing.assert_allclose(found.change, np.sqrt(mean_square))
    later = np.concatenate([d[2:] * d[:-2] for d in changes])
    shares = np.abs(1 + 2 * products.mean(0) / mean_square), 2 * np.abs(later.mean(0) / mean_square)
    np.testing.assert_allclose(signal_share(blocks), np.minimum(np.maximum(*shares), 1))


@pytest.mark.parametrize("values", [np.zeros((5, 9, 1)), np.ones((5, 2, 1)), np.float32(3e38) * (-1) ** STEPS[:, None]])
def test_where_nothing_tells_noise_from_signal_all_is_signal(values):
    values = values if values.ndim == 3 else values[None].astype(np.float32)
    assert signal_share([(values, None)]) == 1


def test_changes_that_are_mostly_noise_are_small_in_regressors():
    walk, white = NOISE.cumsum(1)[:, :50], NOISE[:, 50:100]
    X = np.stack([walk, white, walk + NOISE[::-1, :50]], axis=2)
    share = signal_share([(X.astype(np.float32), None)])

    def sizes(estimator):
        layer = estimator.fit(X, np.arange(60) % 2).net_.module_.encoder.input
        return layer.embed(layer.mean.new_tensor(X))[:, 1:, 3:].square().mean((0, 1)).sqrt()

    tiny = {"hidden_size": 4, "n_kernels": 0, "max_epochs": 1, "random_state": 0}
    np.testing.assert_allclose(sizes(SemiSupervisedRNNClassifier("supervised", **tiny)), 1, rtol=1e-3)
    found = sizes(SemiSupervisedRNNRegressor(**tiny))
    np.testing.assert_allclose(found, np.clip(2 * share, 1e-6, 1), rtol=1e-3)
    assert share[1] < 0.1 < share[2] < 0.5 < share[0]
