"""Law 4 for the objectives with pseudo-labels of weak views, with soft labels and with teachers."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import (
    alone,
    assert_terms,
    classes,
    cross_entropy,
    made_batch,
    made_model,
    mixed,
    moved,
    ramped,
    supervised,
)

from sklearn_rnn.objectives import ICT, UDA, FixMatch, FlexMatch, FreeMatch, NoisyStudent, SoftMatch
from sklearn_rnn.objectives._alignment import TRUST
from sklearn_rnn.objectives._mixup import draw_mixture

STEPS = [(3, 8), (3, 6), (5, 8), (3, 8), (4, 7)]  # unlabeled rows that come, first to last


def weak(x, *_):
    return 0.9 * x


def strong(x, *_):
    return 0.6 * x + 0.2


def case(cls, confidence=12):
    """Model and batch of doubles with a weak and a strong view that need no luck."""
    model = made_model(cls, confidence=confidence).double()
    model.augmentation, model.strong_augmentation = weak, strong
    batch = made_batch(cls, 3)
    return model, replace(batch, values=batch.values.double())


def some_rows(batch, first, last, progress):
    """The labeled rows and the unlabeled ones from `first` to `last`."""
    rows = torch.tensor([0, 1, 2, *range(first, last)])
    parts = {name: getattr(batch, name)[rows] for name in ("values", "lengths", "targets", "rows")}
    return replace(batch, progress=progress, **parts)


def steps_of(cls, alignment, **params):
    """Train a little: yields objective, model, batch, the weak answers (n, K), the strong ones, and the rows.

    The weak answers are aligned as Berthelot et al. (2020) do it; of each class there is one label, which random draws
    have 6 times in 27. So the prior moves towards the mean of the aligned answers, as in Saerens et al. (2002).
    """
    model, batch = case(cls)
    objective = cls(weight=2, memory=0.3, alignment=alignment, **params)
    objective.start(model, 10, 8)
    means, aligned, trust = np.array([0.6, 0.3, 0.1]), np.full(3, 1 / 3), TRUST / (1 + 6 / 27)
    objective.alignment_.answered.copy_(torch.from_numpy(means))  # as if of former batches
    for step, (first, last) in enumerate(STEPS):
        part, rows, teacher = some_rows(batch, first, last, step / 5), range(first, last), objective.predictor(model)
        with torch.no_grad():
            q = np.stack([alone(teacher, batch, i, weak).numpy() for i in rows])
        means = 0.97 * means + 0.03 * q.mean(0)
        prior = (1 - trust) / 3 + trust * aligned
        q = np.stack([(one := q_b * (prior / means) ** alignment) / one.sum() for q_b in q])
        aligned = 0.97 * aligned + 0.03 * q.mean(0)
        yield objective, model, part, q, [alone(model, batch, i, strong) for i in rows], list(rows)
        moved(model)
        objective.after_step(model)


def assert_matching(objective, model, part, total, **others):
    """Compare the terms, of which `"matching"` has the sum `total` over the unlabeled rows."""
    w, n = 2 * ramped(part.progress, 0.4), len(part) - 3
    known = supervised(model, part.labeled, 0.9)
    expected = {"supervised": known, "matching": w * total / n}
    assert_terms(objective, model, part, expected | {name: w * term for name, term in others.items()}, started=True)


def test_fixmatch_is_sohn_2020_equation_4():
    threshold, passed = 0.7, {0.0: [], 1.0: []}
    for alignment in passed:
        for objective, model, part, q, p, _ in steps_of(FixMatch, alignment, threshold=threshold):
            total = 0.0
            for q_b, p_b in zip(q, p, strict=True):
                passed[alignment].append(q_b.max() >= threshold)
                if passed[alignment][-1]:
                    total = total - p_b[int(q_b.argmax())].log()
            assert_matching(objective, model, part, total)
        assert 0 < sum(passed[alignment]) < 19
    assert passed[0.0] != passed[1.0]


@pytest.mark.parametrize("alignment", [0.0, 1.0])
def test_uda_is_xie_2020_with_confidence_masking_and_sharpening(alignment):
    threshold, n = 0.7, 0
    for objective, model, part, q, p, _ in steps_of(UDA, alignment, threshold=threshold, temperature=0.4):
        total = 0.0
        for q_b, p_b in zip(q, p, strict=True):
            logits = np.log(q_b)  # but for a constant
            sharp = np.exp(logits / 0.4) / np.exp(logits / 0.4).sum()
            if q_b.max() > threshold:
                total = total + cross_entropy(sharp, p_b)
                n += 1
        assert_matching(objective, model, part, total)
    assert 0 < n < 19


@pytest.mark.parametrize("alignment", [0.0, 1.0])
def test_flexmatch_is_zhang_2021_algorithm_1_of_the_rows_that_came(alignment):
    tau, u = 0.65, {}  # u: the paper's, of the rows that came
    kinds = Counter()
    for objective, model, part, q, p, rows in steps_of(FlexMatch, alignment, threshold=tau):
        counts = Counter(u.values())
        sigma = [counts[c] for c in range(3)]
        largest = max([*sigma, counts[-1], 1])  # with warm-up, equation 11
        beta = [s / largest for s in sigma]
        total = 0.0
        for q_b, p_b, i in zip(q, p, rows, strict=True):
            label = int(q_b.argmax())
            passes = q_b.max() >= beta[label] / (2 - beta[label]) * tau  # equations 7 and 12
            if passes:
                total = total - p_b[label].log()
            u[i] = label if q_b.max() >= tau else u.get(i, -1)
            kinds[bool(passes), bool(q_b.max() >= tau), beta[label] > 0] += 1
        assert_matching(objective, model, part, total)
    assert kinds[True, False, True] > 0  # lets in what FixMatch does not
    assert kinds[False, False, True] > 0


class Answering:
    """Stand for a model that gives the probabilities `q`, whatever it sees."""

    task = classes(3)

    def parameters(self):
        return iter([torch.zeros(3, dtype=torch.float64)])

    def view(self, values, lengths, generator):
        return values

    def train_outputs(self, embedded, lengths):
        return torch.from_numpy(self.q).log()


def test_flexmatch_over_many_steps_has_thresholds_between_none_and_all():
    rng, tau, u = np.random.default_rng(0), 0.8, {}
    objective, model = FlexMatch(threshold=tau, memory=0, alignment=0), Answering()
    objective.start(model, 10, 40)
    betas = []
    for _ in range(60):
        rows = rng.choice(30, 8, replace=False)
        q = rng.dirichlet([0.9, 0.5, 0.25], 8)
        batch = replace(made_batch(FlexMatch, 0), rows=torch.from_numpy(rows))
        counts = Counter(u.values())
        beta = [counts[c] / max([*counts.values(), 1]) for c in range(3)]
        betas += beta
        labels = [int(q_b.argmax()) for q_b in q]
        passes = [q_b.max() >= beta[c] / (2 - beta[c]) * tau for q_b, c in zip(q, labels, strict=True)]
        p = rng.dirichlet([1, 1, 1], 8)
        model.q = q
        term = objective.unlabeled_terms(model, batch, batch.values, torch.from_numpy(p).log())["matching"]
        assert term.item() == pytest.approx(-np.log(p[range(8), labels]) @ passes / 8)
        u |= {i: c if q_b.max() >= tau else u.get(i, -1) for i, q_b, c in zip(rows.tolist(), q, labels, strict=True)}
    assert len({round(beta, 2) for beta in betas}) > 20


@pytest.mark.parametrize("alignment", [0.0, 1.0])
def test_freematch_is_wang_2023_equations_5_to_12(alignment):
    m, K = 0.3, 3
    tau, p_tilde, h_tilde = 1 / K, np.full(K, 1 / K), np.full(K, 1 / K)
    outcomes = []
    for objective, model, part, q, p, _ in steps_of(FreeMatch, alignment, momentum=m, fairness=0.3):
        n = len(q)
        tau = m * tau + (1 - m) * sum(q_b.max() for q_b in q) / n
        for c in range(K):
            p_tilde[c] = m * p_tilde[c] + (1 - m) * sum(q_b[c] for q_b in q) / n
            h_tilde[c] = m * h_tilde[c] + (1 - m) * sum(q_b.argmax() == c for q_b in q) / n
        total, passed = 0.0, []
        for q_b, p_b in zip(q, p, strict=True):
            label = int(q_b.argmax())
            outcomes.append(bool(q_b.max() >= p_tilde[label] / p_tilde.max() * tau))
            if outcomes[-1]:
                total = total - p_b[label].log()
                passed.append(p_b)
        h_bar = [sum(int(p_b.argmax()) == c for p_b in passed) / len(passed) for c in range(K)]
        p_bar = [sum(p_b[c] for p_b in passed) / len(passed) for c in range(K)]
        now = [p_bar[c] / h_bar[c] if h_bar[c] else torch.tensor(0.0) for c in range(K)]
        before = p_tilde / h_tilde
        minus_entropy = sum(before[c] / before.sum() * (now[c] / sum(now) + 1e-12).log() for c in range(K))
        assert_matching(objective, model, part, total, fairness=0.3 * minus_entropy)
    assert set(outcomes) == {False, True}


@pytest.mark.parametrize("alignment", [0.0, 1.0])
def test_softmatch_is_chen_2023_equations_6_to_10_with_uniform_alignment_of_the_weights(alignment):
    m, K, s = 0.3, 3, 2
    mu, variance, mean = 1 / K, 1.0, np.full(K, 1 / K)
    lambdas, flipped = [], 0
    for objective, model, part, q, p, _ in steps_of(SoftMatch, alignment, momentum=m, n_sigma=s):
        n = len(q)
        mean = m * mean + (1 - m) * sum(q) / n
        aligned = [q_b / mean / (q_b / mean).sum() for q_b in q]  # UA with a uniform target
        largest = [a.max() for a in aligned]
        mu_b = sum(largest) / n
        variance_b = sum((x - mu_b) ** 2 for x in largest) / n
        mu = m * mu + (1 - m) * mu_b
        variance = m * variance + (1 - m) * n / (n - 1) * variance_b
        total = 0.0
        for q_b, p_b, a in zip(q, p, aligned, strict=True):
            weight = np.exp(-((a.max() - mu) ** 2) / (2 * variance / s**2)) if a.max() < mu else 1.0
            total = total - weight * p_b[int(q_b.argmax())].log()
            lambdas.append(weight)
            flipped += q_b.argmax() != a.argmax()
        assert_matching(objective, model, part, total)
    assert min(lambdas) < 0.95
    assert max(lambdas) == 1
    assert flipped > 0


@pytest.mark.parametrize("alignment", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 0.75])
def test_ict_is_verma_2019_equation_2_with_a_mask_and_the_alignment_of_berthelot_2020(threshold, alignment):
    model, batch = case(ICT)
    objective = ICT(weight=2, threshold=threshold, alignment=alignment, memory=0.3, alpha=0.7)
    objective.start(model, 10, 8)
    objective.alignment_.counts += torch.tensor([50, 10, 3])  # as if of former batches
    counts, n = np.array([51, 11, 4]), 66
    shares = counts / n
    intensity = (1 - sum(shares**2)) / ((n - 1) * sum((1 / 3 - shares) ** 2))  # Hausser and Strimmer's equation 6
    prior = intensity / 3 + (1 - intensity) * shares
    n_masked, means = 0, np.full(3, 1 / 3)
    for progress in (0.2, 0.9):
        part = replace(batch, progress=progress, generator=torch.Generator().manual_seed(2))
        drawn = draw_mixture(torch.zeros(5, dtype=torch.float64), 0.7, torch.Generator().manual_seed(2))
        with torch.no_grad():
            q = [alone(objective.predictor(model), batch, 3 + i, weak).numpy() for i in range(5)]
        means = 0.97 * means + 0.03 * sum(q) / 5
        q = [(one := q_i * (prior / means) ** alignment) / one.sum() for q_i in q]
        total = 0.0
        for i, (share, j) in enumerate(zip(*(d.tolist() for d in drawn), strict=True)):
            target = share * q[i] + (1 - share) * q[j]
            p = mixed(model, batch, 3 + i, 3 + j, share, 0.9)
            if min(q[i].max(), q[j].max()) >= threshold:
                total = total + sum((p[k] - target[k]) ** 2 for k in range(3)) / 5
            else:
                n_masked += 1
        known = supervised(model, batch, 0.9)
        expected = {"supervised": known, "interpolation": 2 * ramped(progress, 0.4) * total}
        assert_terms(objective, model, part, expected, started=True)
        moved(model)
        objective.after_step(model)
    assert (0 < n_masked < 10) == (threshold > 0)


@pytest.mark.parametrize(("params", "sure"), [({"threshold": 0.6}, {3, 5, 6}), ({"k_best": 1}, {3, 4, 5})])
def test_noisy_student_is_xie_2020_equation_2_with_soft_labels_of_the_last_round(params, sure):
    model, batch = case(NoisyStudent)
    objective = NoisyStudent(weight=2, **params)
    objective.start(model, 10, 8)
    assert_terms(objective, model, batch, {"supervised": supervised(model, batch, 0.9)}, started=True)
    soft = torch.tensor([[0.9, 0.1, 0], [0.3, 0.5, 0.2], [0, 0, 1.0], [0.7, 0.2, 0.1], [0.1, 0.45, 0.45]]).double()
    objective.relabel(batch.targets, torch.arange(3, 8), soft)
    objective.start(model, 10, 8)
    total = sum(cross_entropy(soft[i - 3], alone(model, batch, i, strong)) for i in sure) / 5
    expected = {"supervised": supervised(model, batch, 0.9), "student": 2 * total}
    assert_terms(objective, model, batch, expected, started=True)
