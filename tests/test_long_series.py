"""Series of many steps: layers called in parts and rows encoded again give the same states and gradients."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.modules import RecurrentStack, _cells, _encoder, initialise
from sklearn_rnn.sequences import batches_by_length


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4, 1])])
@pytest.mark.parametrize("n_steps", [2, 3, 9])
def test_an_lstm_called_in_parts_has_the_states_and_gradients_of_one_call(lengths, n_steps, monkeypatch):
    stack = RecurrentStack("lstm", 3, 4, 2, True, 0.0).double()
    initialise(stack, seeded(0))
    x = torch.randn(3, 9, 3, generator=seeded(1), dtype=torch.float64, requires_grad=True)

    def states_and_gradients():
        states = stack(x, lengths)
        return [states, *torch.autograd.grad(states.square().sum(), [x, *stack.parameters()])]

    whole = states_and_gradients()
    calls = []
    monkeypatch.setattr(_cells, "MANY", 0)
    monkeypatch.setattr(_cells, "STEPS", n_steps)
    forward = nn.LSTM.forward
    monkeypatch.setattr(nn.LSTM, "forward", lambda *args: calls.append(args[1].shape[1]) or forward(*args))
    for part, one in zip(states_and_gradients(), whole, strict=True):
        torch.testing.assert_close(part, one)
    assert max(calls) == n_steps


@pytest.mark.parametrize("pooling", ["mean_max", "attention", "last"])
@pytest.mark.parametrize("objective", ["supervised", "fixmatch"])
def test_rows_encoded_again_give_the_same_fit(objective, pooling, monkeypatch):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)).astype(np.float32) for length in (30, 41, 25, 8) * 5]
    y = np.where(np.arange(20) < 10, np.arange(20) % 2, -1)
    clf = SemiSupervisedRNNClassifier(objective, pooling=pooling, hidden_size=8, max_epochs=2, random_state=0)
    once = clf.fit(X, y).predict_proba(X)
    encoded = []
    pooled = _encoder.Encoder._pooled_rows
    monkeypatch.setattr(_encoder, "MOST", 1)
    monkeypatch.setattr(_encoder.Encoder, "_pooled_rows", lambda *args: encoded.append(len(args[1])) or pooled(*args))
    assert np.allclose(clf.fit(X, y).predict_proba(X), once, atol=1e-3)
    assert encoded.count(1) > 50


def test_one_long_sequence_does_not_pad_all_others():
    lengths = np.array([*np.sort(np.random.default_rng(0).integers(900, 1300, 21)), 9400])
    batches = batches_by_length(np.arange(22), lengths, 64, 1 << 18)
    assert sorted(np.concatenate(batches).tolist()) == list(range(22))
    assert sum(len(rows) * lengths[rows].max() for rows in batches) < 2 * lengths.sum()
    alike = batches_by_length(np.arange(21), lengths[:21], 64, 1 << 18)
    assert [len(rows) for rows in alike] == [21]
