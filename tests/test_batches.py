"""Which rows make a step."""

import numpy as np
import pytest
import torch

from sklearn_rnn import RNNAutoencoderTransformer
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
