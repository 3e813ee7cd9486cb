"""The objective of recommenders: its formulas, and the laws that all objectives keep."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import LENGTHS, assert_encoder_is_trained, made_batch, made_model, moved

from sklearn_rnn.objectives import NextItem
from sklearn_rnn.objectives._item_losses import bpr_max, sampled_cross_entropy, top1_max
from sklearn_rnn.tasks import NextItem as NextItemTask

N_ITEMS = 6
LOSSES = ("cross_entropy", "bpr_max", "top1_max")
every = pytest.mark.parametrize("loss", LOSSES)


def made(loss="cross_entropy", dropout=0.0, **params):
    """Objective and an untrained model of it, whose scores differ."""
    objective = NextItem(loss, **{"item_dropout": 0, "memory": 0} | params)
    options = {"bidirectional": False, "pooling": "last", "n_kernels": 0, "dropout": dropout}
    model = made_model(NextItem, tokens=True, objective=objective, task=NextItemTask(), **options)
    moved(model)
    objective.start(model, 10, len(LENGTHS))
    return objective, model


def logistic(x):
    return 1 / (1 + math.exp(-x))


def softmax(scores):
    weights = [math.exp(score) for score in scores]
    return [weight / sum(weights) for weight in weights]


def hidasi_bpr_max(r_i, r, penalty):
    """Hidasi and Karatzoglou 2018, equation 10."""
    s = softmax(r)
    ranking = -math.log(sum(s_j * logistic(r_i - r_j) for s_j, r_j in zip(s, r, strict=True)))
    return ranking + penalty * sum(s_j * r_j**2 for s_j, r_j in zip(s, r, strict=True))


def hidasi_top1_max(r_i, r):
    """Hidasi and Karatzoglou 2018, equation 8."""
    s = softmax(r)
    return sum(s_j * (logistic(r_j - r_i) + logistic(r_j**2)) for s_j, r_j in zip(s, r, strict=True))


def test_bpr_max_is_hidasis_formula():
    own, others = torch.tensor([0.3, -2.0]), torch.tensor([[0.1, -1.0, 2.0], [0.5, 0.4, -0.3]])
    expected = [hidasi_bpr_max(r_i, r, 0.7) for r_i, r in zip(own.tolist(), others.tolist(), strict=True)]
    np.testing.assert_allclose(bpr_max(own, others, 0.7), expected, rtol=1e-5)


def test_top1_max_is_hidasis_formula():
    own, others = torch.tensor([0.3, -2.0]), torch.tensor([[0.1, -1.0, 2.0], [0.5, 0.4, -0.3]])
    expected = [hidasi_top1_max(r_i, r) for r_i, r in zip(own.tolist(), others.tolist(), strict=True)]
    np.testing.assert_allclose(top1_max(own, others), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", [lambda own, others: bpr_max(own, others, 1.0), top1_max], ids=["bpr", "top1"])
def test_a_negative_that_is_the_item_itself_is_left_out(loss):
    own = torch.tensor([0.3])
    masked = torch.tensor([[0.1, -torch.inf, 2.0]], requires_grad=True)
    value = loss(own, masked)
    torch.testing.assert_close(value, loss(own, torch.tensor([[0.1, 2.0]])))
    assert torch.autograd.grad(value.sum(), masked)[0].isfinite().all()


def test_ranking_losses_do_not_overflow():
    own, others = torch.tensor([-500.0]), torch.tensor([[500.0, -500.0]])
    assert bpr_max(own, others, 0.0).item() == pytest.approx(1000 - math.log(1.5))
    assert top1_max(own, others).item() == pytest.approx(2)


def test_the_estimated_sum_over_items_is_right_on_average():
    r = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.0])
    q = torch.tensor([0.1, 0.2, 0.3, 0.15, 0.25])
    item = 2
    mean = 0.0
    for j in range(5):  # one negative, item j with probability q_j
        other = r[j] if j != item else torch.tensor(-torch.inf)
        loss = sampled_cross_entropy(r[None, item], other[None, None], q[j : j + 1].log())
        mean += (q[j] * (loss + r[item]).exp()).item()
    assert mean == pytest.approx(r.exp().sum().item(), rel=1e-5)


def scores_of_prefix(model, items):
    """Scores of all items after some, read alone and without padding."""
    layer, scores = model.encoder.input, model.parts["scores"]
    if len(items):
        outputs = model.predict_outputs(model.encoder.embed(items[None]), None)[0]
    else:
        outputs = model.head(torch.zeros(model.encoder.out_features))
    return scores.vectors(layer) @ outputs + scores.bias


def naive_losses(objective, model, batch):
    """Loss of each step, one prefix after the other; steps of a row in a list."""
    drawn, log_expected = objective._draw(model, replace(batch, generator=torch.Generator().manual_seed(2)))
    rows = []
    for row, length in zip(batch.values, LENGTHS.tolist(), strict=True):
        losses = []
        for t in range(length):
            r, i = scores_of_prefix(model, row[:t]), int(row[t])
            others = [(r[j].item(), e) for j, e in zip(drawn.tolist(), log_expected.tolist(), strict=True) if j != i]
            negatives = [r_j for r_j, _ in others]
            if objective.loss == "bpr_max":
                losses.append(hidasi_bpr_max(r[i].item(), negatives, objective.score_penalty))
            elif objective.loss == "top1_max":
                losses.append(hidasi_top1_max(r[i].item(), negatives))
            elif objective.n_negatives < N_ITEMS:
                total = math.exp(r[i].item()) + sum(math.exp(r_j - e) for r_j, e in others)
                losses.append(math.log(total) - r[i].item())
            else:
                losses.append(-math.log(softmax(r.tolist())[i]))
        rows.append(losses)
    return rows


@pytest.mark.parametrize("n_negatives", [5, 50])
@pytest.mark.parametrize("tied", [True, False])
@every
def test_the_term_is_the_mean_of_the_losses_of_all_prefixes(loss, tied, n_negatives):
    objective, model = made(loss, tied=tied, n_negatives=n_negatives, negative_power=0.5)
    model.encoder.input.frequency.copy_(torch.tensor([0.3, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1]))
    batch = made_batch(NextItem, 0, tokens=True)
    expected = [loss for row in naive_losses(objective, model, batch) for loss in row]
    assert objective.terms(model, batch)["next_item"].item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_recency_halves_the_weight_of_older_steps():
    objective, model = made(recency=2.0)
    batch = made_batch(NextItem, 0, tokens=True)
    rows = naive_losses(objective, model, batch)
    weights = [[0.5 ** ((len(row) - 1 - t) / 2) for t in range(len(row))] for row in rows]
    pairs = [(w, loss) for i in range(len(rows)) for w, loss in zip(weights[i], rows[i], strict=True)]
    expected = sum(w * loss for w, loss in pairs) / sum(w for w, _ in pairs)
    assert objective.terms(model, batch)["next_item"].item() == pytest.approx(expected, rel=1e-4)


def test_negatives_are_drawn_by_the_power_of_their_frequency():
    objective, model = made("bpr_max", n_negatives=200_000, negative_power=0.5)
    frequency = torch.tensor([0.5, 0.3, 0.1, 0.05, 0.04, 0.01, 0.1])
    model.encoder.input.frequency.copy_(frequency)
    drawn, log_expected = objective._draw(model, made_batch(NextItem, 0, tokens=True))
    expected = frequency[:-1].sqrt() / frequency[:-1].sqrt().sum()
    torch.testing.assert_close(drawn.bincount() / len(drawn), expected, atol=0.005, rtol=0)
    torch.testing.assert_close(log_expected, (200_000 * expected[drawn]).log())


@every
def test_the_objective_alone_trains_the_encoder(loss):
    objective, model = made(loss, dropout=0.2, item_dropout=0.2, memory=0.1)
    assert_encoder_is_trained(objective, model, made_batch(NextItem, 0, tokens=True))


@every
def test_padding_changes_neither_loss_nor_gradient(loss):
    both = []
    for extra in (0, 7):
        objective, model = made(loss)
        batch = made_batch(NextItem, 0, tokens=True, extra=extra, noise=False)
        term = objective.terms(model, batch)["next_item"]
        both.append([term, *torch.autograd.grad(term, list(model.parameters()))])
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@every
def test_a_sequence_has_the_same_loss_alone_as_beside_others(loss):
    objective, model = made(loss)
    batch = made_batch(NextItem, 0, tokens=True, noise=False)
    together = objective.errors_by_step(model, batch)
    for i, length in enumerate(LENGTHS.tolist()):
        row = slice(i, i + 1)
        alone = replace(batch, values=batch.values[row, :length], lengths=None, rows=batch.rows[row])
        torch.testing.assert_close(objective.errors_by_step(model, alone)[0], together[i, :length])
        assert not together[i, length:].any()


def test_no_step_sees_its_own_item_or_later_ones():
    objective, model = made()
    batch = made_batch(NextItem, 0, lengths=torch.full_like(LENGTHS, 9), tokens=True, noise=False)
    before = objective.predictions(model, batch)
    for t in range(9):
        values = batch.values.clone()
        values[:, t:] = (values[:, t:] + 1) % N_ITEMS
        after = objective.predictions(model, replace(batch, values=values))
        torch.testing.assert_close(after[:, : t + 1], before[:, : t + 1], rtol=0, atol=0)
        assert t == 8 or (after[:, t + 1] != before[:, t + 1]).any(1).all()


def test_unknown_items_are_no_targets():
    objective, model = made()
    batch = made_batch(NextItem, 0, tokens=True, noise=False)
    values = batch.values.clone()
    values[:, 0] = N_ITEMS
    errors = objective.errors_by_step(model, replace(batch, values=values))
    assert not errors[:, 0].any()
    assert (errors[:, 1:][LENGTHS[:, None] > torch.arange(1, 9)] > 0).all()


def test_hidden_items_are_read_as_the_unknown_item_and_stay_targets():
    objective, model = made(item_dropout=1 - 1e-9)
    batch = made_batch(NextItem, 0, tokens=True)
    errors = objective.errors_by_step(model, batch)
    hidden = torch.full_like(batch.values, N_ITEMS)
    for i, t in ((0, 3), (2, 8)):
        r = scores_of_prefix(model, hidden[i, :t])
        assert errors[i, t].item() == pytest.approx(-r.log_softmax(0)[batch.values[i, t]].item(), rel=1e-4)


def test_a_catalogue_of_one_item_has_a_loss():
    objective, model = made("bpr_max")
    batch = made_batch(NextItem, 0, tokens=True)
    model.encoder.input.frequency.copy_(torch.tensor([1.0, 0, 0, 0, 0, 0, 0]))
    values = torch.zeros_like(batch.values)  # all drawn negatives are the item itself
    assert objective.terms(model, replace(batch, values=values))["next_item"].item() == 0
