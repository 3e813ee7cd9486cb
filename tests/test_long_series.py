"""Series of many steps: layers called in parts and rows encoded again give the same states and gradients."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from torch import nn

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.modules import RecurrentStack, _cells, _encoder, initialise
from sklearn_rnn.sequences import batches_by_length, read_sequences
from sklearn_rnn.training._inference import in_batches


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4, 1])])
@pytest.mark.parametrize("n_steps", [2, 3, 5])
def test_an_lstm_called_in_parts_has_the_states_and_gradients_of_one_call(lengths, n_steps, monkeypatch):
    stack = RecurrentStack("lstm", 3, 4, 2, True, 0.0).double()
    initialise(stack, seeded(0))
    x = torch.randn(3, 9, 3, generator=seeded(1), dtype=torch.float64, requires_grad=True)

    def states_and_gradients():
        states = stack(x, lengths)
        return [states, *torch.autograd.grad(states.square().sum(), [x, *stack.parameters()])]

    whole = states_and_gradients()
    calls = []
    monkeypatch.setattr(_cells, "MAX_STATES", 0)
    monkeypatch.setattr(_cells, "STEPS_OF_CALL", n_steps)
    forward = nn.LSTM.forward
    monkeypatch.setattr(nn.LSTM, "forward", lambda *args: calls.append(args[1].shape[1]) or forward(*args))
    for part, one in zip(states_and_gradients(), whole, strict=True):
        torch.testing.assert_close(part, one)
    assert max(calls) == n_steps


@pytest.mark.parametrize("most", [1, 1 << 15])
@pytest.mark.parametrize(("objective", "pooling"), [("supervised", "last"), ("fixmatch", "mean_max")])
def test_rows_encoded_again_give_the_same_fit(objective, pooling, most, monkeypatch):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)).astype(np.float32) for length in (30, 41, 25, 8) * 5]
    y = np.where(np.arange(20) < 10, np.arange(20) % 2, -1)
    clf = SemiSupervisedRNNClassifier(
        objective, pooling=pooling, patch_size=1, hidden_size=8, max_epochs=2, random_state=0
    )
    once = clf.fit(X, y).predict_proba(X)
    sizes = []
    pooled = _encoder.Encoder._pooled_rows
    monkeypatch.setattr(_encoder, "MAX_KEPT", most)
    monkeypatch.setattr(_encoder.Encoder, "_pooled_rows", lambda *args: sizes.append(len(args[1])) or pooled(*args))
    assert np.allclose(clf.fit(X, y).predict_proba(X), once, atol=1e-3)
    assert (sizes.count(1) > 20) == (most == 1)
    assert len(sizes) > 30


@pytest.mark.parametrize(("n_steps", "largest"), [(100, 64), (50_000, 5)])
def test_few_long_rows_are_predicted_together(n_steps, largest):
    rng = np.random.default_rng(0)
    y = np.arange(64) % 2
    X = rng.normal(size=(64, 20, 1)).astype(np.float32)
    clf = SemiSupervisedRNNClassifier("supervised", hidden_size=4, n_kernels=0, patch_size=1, max_epochs=1)
    model = clf.fit(X, y).net_.module_
    long = read_sequences(BaseEstimator(), np.zeros((64, n_steps, 1), np.float32), reset=True)
    sizes = [len(values) for _, values, _ in in_batches(model, long, np.arange(64))]
    assert max(sizes) == largest


def test_one_long_sequence_does_not_pad_all_others():
    lengths = np.array([*np.sort(np.random.default_rng(0).integers(900, 1300, 21)), 9400])
    batches = batches_by_length(np.arange(22), lengths, 64, 1 << 18)
    assert sorted(np.concatenate(batches).tolist()) == list(range(22))
    assert [len(rows) for rows in batches] == [2, 20]
    alike = batches_by_length(np.arange(21), lengths[:21], 64, 1 << 18)
    assert [len(rows) for rows in alike] == [21]
