"""The minimal gated recurrent unit against its formula."""

import pytest
import torch
from torch.autograd import gradcheck

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.modules import CELLS, _layers, initialise
from sklearn_rnn.modules import _mingru as mingru


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def cell():
    layer = CELLS["mingru"](3, 4)
    initialise(layer, seeded())
    return layer.double()


def inputs(n_steps=9):
    x = torch.randn(2, n_steps, 3, generator=seeded(1), dtype=torch.float64)
    return x, torch.randn(1, 2, 4, generator=seeded(2), dtype=torch.float64)


def formula(cell, x, first):
    """States by the formula of the paper, step by step."""
    state, states = first[0], []
    for step in x.unbind(1):
        z = torch.sigmoid(cell.gate(step))
        state = (1 - z) * state + z * cell.value(step)
        states.append(state)
    return torch.stack(states, 1)


@pytest.mark.parametrize("chunk", [1, 16, 1 << 18])
@pytest.mark.parametrize("n_steps", [1, 2, 9])
def test_states_and_gradients_are_those_of_the_formula(cell, chunk, n_steps, monkeypatch):
    monkeypatch.setattr(_layers, "CHUNK", chunk)
    x, first = inputs(n_steps)
    x.requires_grad_()
    first.requires_grad_()
    states, last = cell(x, first)
    expected = formula(cell, x, first)
    torch.testing.assert_close(states, expected)
    assert torch.equal(last[0], states[:, -1])
    leaves = [x, first, *cell.parameters()]
    weights = torch.randn(states.shape, generator=seeded(3), dtype=torch.float64)
    gradients = torch.autograd.grad((states * weights).sum(), leaves)
    for own, right in zip(gradients, torch.autograd.grad((expected * weights).sum(), leaves), strict=True):
        torch.testing.assert_close(own, right)


def test_the_gradient_of_the_whole_recurrence_is_that_of_finite_differences(cell, monkeypatch):
    monkeypatch.setattr(_layers, "CHUNK", 16)
    x, first = (value.requires_grad_() for value in inputs(5))
    weights = [w for layer in (cell.gate, cell.value) for w in (layer.weight, layer.bias)]
    assert gradcheck(mingru._Recurrence.apply, (x.detach().transpose(0, 1).requires_grad_(), first[0], *weights))


@pytest.mark.parametrize("n_steps", [1, 2, 9])
def test_combining_steps_in_pairs_as_on_other_devices_gives_the_same(cell, n_steps):
    x, first = inputs(n_steps)
    steps = x.transpose(0, 1)
    gates, values = (layer(steps).detach().requires_grad_() for layer in (cell.gate, cell.value))
    state = first[0].requires_grad_()
    torch.testing.assert_close(mingru._Scan.apply(gates, values, state).transpose(0, 1), formula(cell, x, first))
    assert gradcheck(mingru._Scan.apply, (gates, values, state))


def test_all_pairs_of_steps_as_in_a_graph_give_the_same(cell):
    x, first = inputs()
    states = mingru.pairwise(cell.gate(x), cell.value(x), first[0])
    torch.testing.assert_close(states, formula(cell, x, first))


def test_a_sequence_may_be_read_in_parts(cell):
    x, first = inputs()
    whole, last = cell(x, first)
    left, middle = cell(x[:, :4], first)
    right, end = cell(x[:, 4:], middle)
    torch.testing.assert_close(torch.cat([left, right], 1), whole)
    torch.testing.assert_close(end, last)


def test_half_precision_keeps_the_state_in_single_precision(cell):
    x, first = (value.float() for value in inputs())
    expected, _ = cell.float()(x, first)
    with torch.autocast("cpu", torch.bfloat16):
        states, _ = cell(x, first.bfloat16().requires_grad_())
        states.sum().backward()
    assert states.dtype == torch.float32
    torch.testing.assert_close(states, expected, rtol=0, atol=0.05)


def test_ten_thousand_steps_in_single_precision_are_right(cell):
    x = torch.randn(2, 10_000, 3, generator=seeded(1))
    expected = formula(cell, x.double(), torch.zeros(1, 2, 4, dtype=torch.float64))
    states, _ = cell.float()(x)
    torch.testing.assert_close(states.double(), expected, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.full_epochs
def test_it_learns_with_the_estimators():
    X = torch.randn(60, 20, 2, generator=seeded()).numpy()
    y = (X[:, :5, 0].mean(1) > X[:, -5:, 0].mean(1)).astype(int)
    clf = SemiSupervisedRNNClassifier("supervised", cell="mingru", hidden_size=16, max_epochs=12, random_state=0)
    assert clf.fit(X, y).score(X, y) > 0.9
    again = SemiSupervisedRNNClassifier("supervised", cell="mingru", hidden_size=16, max_epochs=12, random_state=0)
    assert (again.fit(X, y).predict_proba(X) == clf.predict_proba(X)).all()
    codes = RNNAutoencoderTransformer("next_step", cell="mingru", hidden_size=8, max_epochs=2, random_state=0)
    assert codes.fit_transform(X).shape[0] == 60


def test_a_graph_is_right_for_two_thousand_steps():
    gates = 2 + 3 * torch.randn(1, 2000, 2, generator=seeded(1))
    values, first = torch.randn(1, 2000, 2, generator=seeded(2)), torch.zeros(1, 2)
    right = mingru._Scan.apply(gates.transpose(0, 1), values.transpose(0, 1), first).transpose(0, 1)
    torch.testing.assert_close(mingru.pairwise(gates, values, first), right, rtol=0, atol=1e-5)
