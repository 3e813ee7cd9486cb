"""Law 4: each objective against its paper's formula, written again in plain loops, with its gradient."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import (
    LENGTHS,
    alone,
    assert_terms,
    cross_entropy,
    entropy,
    made_batch,
    made_model,
    mixed,
    moved,
    ramped,
    scaled_at_random,
    supervised,
)

from sklearn_rnn.objectives import (
    VAT,
    AdversarialTraining,
    EntropyMinimization,
    MixUp,
    PiModel,
    PseudoLabel,
    TemporalEnsembling,
)
from sklearn_rnn.objectives._mixup import draw_mixture

KNOWN, UNKNOWN = range(3), range(3, 8)


def case(tokens=False, progress=0.2, weights=None):
    """Model and batch of doubles, of which three rows are labeled; views are scaled at random."""
    model = made_model(PiModel, tokens=tokens, confidence=12).double()
    model.augmentation = scaled_at_random
    batch = made_batch(PiModel, 3, tokens=tokens)
    values = batch.values if tokens else batch.values.double()
    return model, replace(batch, values=values, progress=progress, weights=weights)


def draws(*shape, before=1):
    """Repeat what the batch's generator gives: `before` factors of the views, then normal noise."""
    generator = torch.Generator().manual_seed(2)
    factors = [0.5 + torch.rand((), generator=generator).item() for _ in range(before)]
    return factors, torch.zeros(shape, dtype=torch.float64).normal_(generator=generator)


@pytest.mark.parametrize(("threshold", "n_sure"), [(0.0, {5}), (0.75, {1, 2, 3, 4})])
@pytest.mark.parametrize("progress", [0.0, 0.3, 0.9])
def test_pi_model_is_laine_and_aila_2017_algorithm_1_with_the_mask_of_french_2018(threshold, n_sure, progress):
    model, batch = case(progress=progress)
    (one, two), _ = draws(1, before=2)
    total, n = 0.0, 0
    for i in UNKNOWN:
        z, again = (alone(model, batch, i, lambda x, u=u: u * x) for u in (one, two))
        if again.max() >= threshold:
            total += sum((z[k] - again[k]) ** 2 for k in range(3)) / 5
            n += 1
    assert n in n_sure
    expected = {"supervised": supervised(model, batch, one), "consistency": 2 * ramped(progress, 0.4) * total}
    assert_terms(PiModel(weight=2, threshold=threshold), model, batch, expected)


@pytest.mark.parametrize("threshold", [0.0, 0.75])
def test_temporal_ensembling_is_laine_and_aila_2017_algorithm_2_counted_by_row(threshold):
    model, batch = case()
    objective, alpha = TemporalEnsembling(weight=2, threshold=threshold, average=0.6), 0.6
    objective.start(model, 10, 8)
    Z, t = np.zeros((8, 3)), np.zeros(8)
    masked = []
    for step in range(6):
        some = replace(batch, generator=torch.Generator().manual_seed(2), progress=step / 6)
        if step % 2:  # only some rows come
            some = replace(
                some, values=some.values[:6], lengths=LENGTHS[:6], targets=some.targets[:6], rows=some.rows[:6]
            )
        (u,), _ = draws(1)
        total, m = 0.0, len(some) - 3
        for i in range(3, len(some)):
            z = alone(model, some, i, lambda x, u=u: u * x)
            if t[i]:
                target = Z[i] / (1 - alpha ** t[i])  # startup bias, as in Adam
                assert target.sum() == pytest.approx(1)
                masked.append(target.max() < threshold)
                if not masked[-1]:
                    total = total + sum((z[k] - target[k]) ** 2 for k in range(3)) / m
            Z[i] = alpha * Z[i] + (1 - alpha) * z.detach().numpy()
            t[i] += 1
        expected = {"supervised": supervised(model, some, u), "consistency": 2 * ramped(step / 6, 0.4) * total}
        assert_terms(objective, model, some, expected, started=True)
        moved(model)
    assert not all(masked)
    assert any(masked) == (threshold > 0)


@pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
@pytest.mark.parametrize("n_power", [1, 3])
def test_vat_is_miyato_2018_algorithm_1_with_a_radius_by_length(tokens, n_power):
    model, batch = case(tokens)
    width = 8 if tokens else 4  # values and their changes
    (u,), noise = draws(5, 9, width)
    total = 0.0
    for i in UNKNOWN:
        p = alone(model, batch, i, lambda x: u * x).detach()
        scale = np.sqrt(LENGTHS[i].item() * width)
        d = noise[i - 3, : LENGTHS[i]]
        for _ in range(n_power):
            r = (0.01 * scale * d / d.norm()).requires_grad_()
            (d,) = torch.autograd.grad(cross_entropy(p, alone(model, batch, i, lambda x, r=r: (u * x).detach() + r)), r)
        worst = 0.3 * scale * d / d.norm()  # a constant to the gradient of the loss
        q = alone(model, batch, i, lambda x, worst=worst: u * x + worst)
        total += (cross_entropy(p, q) - entropy(p)) / 5  # KL[p || q]
    expected = {"supervised": supervised(model, batch, u), "vat": 2 * ramped(0.2, 0.4) * total}
    assert_terms(VAT(weight=2, epsilon=0.3, n_power=n_power), model, batch, expected)


@pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 0.5, 1, 1, 1, 1, 1]], ids=["alike", "weighted"])
def test_adversarial_training_is_miyato_2017_section_3_with_a_radius_by_length(tokens, weights):
    model, batch = case(tokens, weights=None if weights is None else torch.tensor(weights, dtype=torch.float64))
    (u,), _ = draws(1)
    total = 0.0
    for i in KNOWN:
        r = torch.zeros(LENGTHS[i], 8 if tokens else 4, dtype=torch.float64, requires_grad=True)
        y = batch.targets[i]
        loss = -alone(model, batch, i, lambda x, r=r: (u * x).detach() + r)[y].log()
        (g,) = torch.autograd.grad(loss, r)
        worst = 0.2 * np.sqrt(g.numel()) * g / g.norm()
        own = 1 if weights is None else weights[i]
        total -= own * alone(model, batch, i, lambda x, worst=worst: u * x + worst)[y].log() / 3
    expected = {"supervised": supervised(model, batch, u), "adversarial": 2 * total}
    assert_terms(AdversarialTraining(weight=2, epsilon=0.2), model, batch, expected)


def test_entropy_minimization_is_grandvalet_and_bengio_2005():
    model, batch = case()
    (u,), _ = draws(1)
    total = sum(entropy(alone(model, batch, i, lambda x: u * x)) for i in UNKNOWN) / 5
    expected = {"supervised": supervised(model, batch, u), "entropy": 2 * ramped(0.2, 0.4) * total}
    assert_terms(EntropyMinimization(weight=2, balance=0), model, batch, expected)


def test_balanced_entropy_minimization_is_the_mutual_information_of_krause_2010():
    model, batch = case()
    (u,), _ = draws(1)
    answers = [alone(model, batch, i, lambda x: u * x) for i in UNKNOWN]
    weight = 2 * ramped(0.2, 0.4)
    expected = {
        "supervised": supervised(model, batch, u),
        "entropy": weight * sum(entropy(p) for p in answers) / 5,
        "balance": -weight * 0.5 * entropy(sum(answers) / 5),
    }
    assert_terms(EntropyMinimization(weight=2, balance=0.5), model, batch, expected)


@pytest.mark.parametrize(("threshold", "n_sure"), [(0.0, {5}), (0.75, {1, 2, 3, 4})])
def test_pseudo_label_is_lee_2013_equation_15_with_a_threshold(threshold, n_sure):
    model, batch = case()
    (u,), _ = draws(1)
    total, n = 0.0, 0
    for i in UNKNOWN:
        f = alone(model, batch, i, lambda x: u * x)
        if f.max() >= threshold:
            total -= f[int(f.argmax())].log() / 5
            n += 1
    assert n in n_sure
    expected = {"supervised": supervised(model, batch, u), "pseudo_label": 2 * ramped(0.2, 0.4) * total}
    assert_terms(PseudoLabel(weight=2, threshold=threshold), model, batch, expected)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 0.5, 1, 1, 1, 1, 1]], ids=["alike", "weighted"])
def test_mixup_is_zhang_2018_equation_1_on_embedded_steps(weights):
    model, batch = case(weights=None if weights is None else torch.tensor(weights, dtype=torch.float64))
    generator = torch.Generator().manual_seed(2)
    u = 0.5 + torch.rand((), generator=generator).item()
    shares, partners = draw_mixture(torch.zeros(3, dtype=torch.float64), 0.7, generator)
    total = 0.0
    for i, (share, j) in enumerate(zip(shares.tolist(), partners.tolist(), strict=True)):
        log_p = mixed(model, batch, i, j, share, u).log()
        for part, row in ((share, i), (1 - share, j)):
            own = 1 if weights is None else weights[row]
            total -= own * part * log_p[batch.targets[row]] / 3
    assert len(set(partners.tolist())) == 3
    expected = {"supervised": supervised(model, batch, u), "mixup": 2 * total}
    assert_terms(MixUp(weight=2, alpha=0.7), model, batch, expected)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_the_shares_of_mixtures_are_beta_distributed_and_partners_a_permutation(alpha):
    share, partner = draw_mixture(torch.zeros(20_000), alpha, torch.Generator().manual_seed(0))
    assert sorted(partner.tolist()) == list(range(20_000))
    assert share.min() >= 0
    assert share.max() <= 1
    assert share.mean() == pytest.approx(0.5, abs=0.02)
    assert share.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)
