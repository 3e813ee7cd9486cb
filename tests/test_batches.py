"""Which rows make a step."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor
from sklearn_rnn.estimators._build import SCALE_STEPS, sampled_steps
from sklearn_rnn.sequences._batches import MAX_STEPS, TrainingSet
from sklearn_rnn.sequences._reading import read_sequences


def ragged(lengths, n_labeled):
    X = [np.zeros((length, 1), dtype=np.float32) for length in lengths]
    codes = np.where(np.arange(len(X)) < n_labeled, 0, -1)
    sequences = read_sequences(RNNAutoencoderTransformer(), X, reset=True)
    return TrainingSet(sequences, codes, None, np.flatnonzero(codes == 0), np.flatnonzero(codes < 0))


@pytest.mark.parametrize("n_labeled", [50, 1])
def test_one_very_long_sequence_makes_no_huge_batch(n_labeled):
    rows = ragged([20] * 50 + [200_000], n_labeled)
    batches = rows.training_batches(64, 1.0, np.random.default_rng(0))
    for batch in (next(batches) for _ in range(5)):
        assert batch.values.shape[0] * batch.values.shape[1] <= 2 * MAX_STEPS
        assert 0 < batch.n_labeled < len(batch)


def test_each_labeled_row_comes_once_in_a_pass_also_beside_very_long_ones():
    rows = ragged([20] * 40 + [200_000] * 10 + [20] * 80, 40)
    batches = rows.training_batches(16, 1.0, np.random.default_rng(0))
    seen, n_cut = [], 0
    while len(seen) < 40:
        batch = next(batches)
        seen += batch.rows[: batch.n_labeled].tolist()
        n_cut += batch.n_labeled == 1
    assert sorted(seen) == list(range(40))
    assert n_cut > 0


@pytest.mark.parametrize("n_labeled", [0, 64])
def test_an_epoch_is_a_pass_however_long_the_sequences(n_labeled):
    rows = ragged([MAX_STEPS // 2] * 64, n_labeled)
    batches = rows.training_batches(64, 1.0, np.random.default_rng(0))
    seen = torch.cat([next(batches).rows for _ in range(rows.steps_per_epoch(64))])
    assert sorted(seen.tolist()) == list(range(64))


def test_batches_in_order_hold_each_row_once_and_are_small_when_padded():
    rows = ragged([3, 90_000, 5, 90_000, 7, 9], 6)
    parts = rows.in_order(rows.labeled, 64)
    np.testing.assert_array_equal(np.concatenate(parts), rows.labeled)
    assert max(len(part) for part in parts) * 90_000 <= MAX_STEPS


def test_one_very_long_sequence_makes_no_huge_sample_for_the_scale_of_the_kernels():
    values, lengths = sampled_steps(ragged([10] * 1000 + [200_000], 1).sequences)
    assert values.shape == (1001, 40, 1)
    assert sorted(set(lengths.tolist())) == [10, 40]
    values, lengths = sampled_steps(ragged([200_000], 1).sequences)
    assert values.shape == (1, SCALE_STEPS, 1)
    assert lengths is None


@pytest.mark.full_epochs
@pytest.mark.parametrize(
    ("n_labeled", "n_unlabeled", "n_steps"),
    [(10, 100, 12), (50, 800, 12), (80, 100, 20), (10, 1_280, 20), (100, 0, 25), (10, 9_000, 25)],
)
def test_few_rows_of_a_classifier_take_fewer_larger_steps(n_labeled, n_unlabeled, n_steps):
    rows = ragged([4] * (n_labeled + n_unlabeled), n_labeled)
    assert rows.steps_per_epoch(64) == 25
    assert rows.rate_factor() == 1
    few = replace(rows, few_steps=True)
    assert few.steps_per_epoch(64) == n_steps
    assert few.rate_factor() == pytest.approx((25 / n_steps) ** 0.5)


@pytest.mark.full_epochs
def test_rounds_with_more_labels_take_the_steps_of_the_first_round():
    few = replace(ragged([4] * 110, 10), few_steps=True)
    more = few.relabeled(np.where(np.arange(110) < 100, 0, -1))
    assert len(more.labeled) == 100
    assert more.steps_per_epoch(64) == few.steps_per_epoch(64) == 12
    assert more.rate_factor() == few.rate_factor()


@pytest.mark.full_epochs
@pytest.mark.parametrize(
    ("estimator", "n_steps"), [(SemiSupervisedRNNClassifier(), 12), (SemiSupervisedRNNRegressor(), 25)]
)
def test_an_epoch_of_few_rows_of_numbers_is_short_in_classifiers_only(estimator, n_steps):
    X, y = np.random.default_rng(0).normal(size=(20, 6)), np.arange(20) % 2
    estimator.set_params(objective="supervised", max_epochs=1, hidden_size=8).fit(X, y)
    assert estimator.history_[0, "train_batch_count"] == n_steps
