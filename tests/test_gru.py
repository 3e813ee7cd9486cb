"""The gated recurrent unit for narrow nets against that of torch."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import make_two_patterns
from sklearn_rnn.modules import RecurrentStack, _gru, _layers, initialise


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random(*shape, seed=1):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def stack(bidirectional, num_layers=2):
    made = RecurrentStack("gru", 3, 4, num_layers, bidirectional, 0.0).double()
    initialise(made, seeded())
    return made


def states_and_gradients(made, x, lengths, alone=None):
    x = x.clone().requires_grad_()
    states = made(x, lengths) if alone is None else made.alone(x, lengths, None, alone)
    weights = random(*states.shape, seed=2)
    if lengths is not None:
        weights = _layers.mask_padding(weights, lengths)
    used = [
        w
        for w in made.parameters()
        if alone is None or w in set((made.backwards if alone else made.forwards).parameters())
    ]
    return [states, *torch.autograd.grad((states * weights).sum(), [x, *used])]


@pytest.mark.parametrize("alone", [None, False, True])
@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4, 1])])
@pytest.mark.parametrize("chunk", [1, 50, 1 << 18])
def test_states_and_gradients_are_those_of_torch(alone, lengths, chunk, monkeypatch):
    monkeypatch.setattr(_layers, "CHUNK", chunk)
    made, x = stack(True), random(3, 9, 3)
    got = states_and_gradients(made, x, lengths, alone)
    monkeypatch.setattr(_gru, "MOST", 0)
    for own, torchs in zip(got, states_and_gradients(made, x, lengths, alone), strict=True):
        torch.testing.assert_close(own, torchs)


def test_one_direction_is_that_of_torch(monkeypatch):
    made, x = stack(False), random(3, 9, 3)
    got = states_and_gradients(made, x, None)
    monkeypatch.setattr(_gru, "MOST", 0)
    for own, torchs in zip(got, states_and_gradients(made, x, None), strict=True):
        torch.testing.assert_close(own, torchs)


@pytest.mark.parametrize("chunk", [1, 20, 1 << 18])
def test_the_gradient_is_that_of_finite_differences(chunk, monkeypatch):
    monkeypatch.setattr(_layers, "CHUNK", chunk)
    shapes = (2, 5, 2, 3), (2, 12, 3), (2, 12), (2, 12, 4), (2, 12)
    leaves = [random(*shape, seed=i).requires_grad_() for i, shape in enumerate(shapes)]
    assert gradcheck(_gru._Recurrence.apply, leaves)


def test_wide_nets_predictions_and_other_cells_are_left_to_torch():
    layer, x = nn.GRU(3, 4), torch.zeros(8, 5, 3)
    assert _gru.is_faster(layer, 2, x)
    assert not _gru.is_faster(layer, 2, torch.zeros(1 << 15, 1, 3))
    assert not _gru.is_faster(nn.LSTM(3, 4), 2, x)
    with torch.no_grad():
        assert not _gru.is_faster(layer, 2, x)
    with torch.autocast("cpu", torch.bfloat16):
        assert not _gru.is_faster(layer, 2, x)


@pytest.mark.full_epochs
def test_a_fit_is_the_same_but_for_rounding(monkeypatch):
    X, y = make_two_patterns(60, random_state=0)
    y[20:] = -1
    clf = SemiSupervisedRNNClassifier("supervised", n_kernels=0, max_epochs=1, random_state=0)
    own = clf.fit(X, y).predict_proba(X)
    monkeypatch.setattr(_gru, "MOST", 0)
    torch.testing.assert_close(torch.tensor(own), torch.tensor(clf.fit(X, y).predict_proba(X)), atol=1e-3, rtol=0)
