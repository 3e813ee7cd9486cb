"""How often each class is expected, and how answers are brought nearer to that."""

import numpy as np
import pytest
import torch

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import ICT, Batch
from sklearn_rnn.objectives._alignment import Alignment


def labeled(codes, weights=None, first=0):
    n = len(codes)
    weights = None if weights is None else torch.tensor(weights)
    rows = torch.arange(first, first + n)
    return Batch(torch.zeros(n, 2, 1), None, torch.tensor(codes), rows, weights, n, None, 0.5)


def uniform(n_classes=3):
    return torch.full((n_classes,), 1 / n_classes)


def prior(*batches):
    alignment = Alignment(uniform(), 100)
    for batch in batches:
        alignment.count(batch)
    return alignment.class_prior()


def test_before_any_label_and_after_one_all_classes_are_expected_alike():
    assert torch.equal(prior(), uniform())
    assert torch.equal(prior(labeled([2])), uniform())


def test_what_chance_explains_is_taken_for_uniform():
    assert torch.equal(prior(labeled([0, 0, 0, 1, 2, 2])), uniform())


def test_many_labels_say_how_frequent_the_classes_are():
    shares = prior(labeled([0] * 70 + [1] * 20 + [2] * 10))
    torch.testing.assert_close(shares, torch.tensor([0.7, 0.2, 0.1]), rtol=0, atol=0.02)
    assert shares[0] < 0.7


def test_rows_that_come_again_are_counted_once():
    many = labeled([0] * 12 + [1] * 4)
    assert torch.equal(prior(many, many, labeled([2] * 4, first=16)), prior(labeled([0] * 12 + [1] * 4 + [2] * 4)))


def test_rows_without_weight_do_not_count_and_others_do_once():
    codes = [0] * 12 + [1] * 4 + [2] * 4
    weights = [0.5] * 12 + [3.0] * 8
    assert torch.equal(prior(labeled(codes, weights)), prior(labeled(codes)))
    assert torch.equal(prior(labeled([*codes, 1, 1], [*weights, 0.0, 0.0])), prior(labeled(codes)))


def test_class_weights_do_not_make_a_class_more_frequent():
    class Watched(ICT):
        def finish(self, model):
            priors.append(self.alignment_.class_prior())
            super().finish(model)

    priors = []
    X, y = np.random.default_rng(0).normal(size=(60, 5)), np.r_[[0] * 40, [1] * 8, [-1] * 12]
    for class_weight in (None, "balanced"):
        options = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0, "class_weight": class_weight}
        SemiSupervisedRNNClassifier(Watched(), **options).fit(X, y)
    assert torch.equal(*priors)
    assert priors[0][0] > 0.8


def test_labels_of_one_class_do_not_rule_out_the_others():
    alignment = Alignment(uniform(), 100, power=1)
    alignment.count(labeled([0, 0]))
    assert (alignment.class_prior() > 0.1).all()
    aligned = alignment.align(torch.tensor([[0.0, 0, 1], [0.1, 0.1, 0.8]]))
    assert aligned[0].tolist() == [0, 0, 1]
    assert aligned[1, 2] > 0.3


def skewed(n=200):
    drawn = torch.rand(n, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([3, 1, 0.5])
    return drawn / drawn.sum(1, keepdim=True)


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_rare_classes_are_answered_more_often_the_greater_the_power(power):
    alignment = Alignment(uniform(), 1, power)
    for _ in range(300):
        aligned = alignment.align(skewed())
    torch.testing.assert_close(aligned.sum(1), torch.ones(200))
    ratio = alignment.class_prior() / skewed().mean(0)
    ideal = skewed() * ratio**power
    torch.testing.assert_close(aligned, ideal / ideal.sum(1, keepdim=True), rtol=0, atol=1e-3)
    apart = (aligned.mean(0) - uniform()).abs().max()
    low, high = {0: (0.2, 0.4), 0.5: (0.06, 0.2), 1: (0, 0.06)}[power]
    assert low <= apart < high


def test_answers_stay_finite_where_a_class_was_never_answered():
    alignment = Alignment(uniform(), 1)
    alignment.answered.copy_(torch.tensor([1.0, 0, 0]))
    aligned = alignment.align(torch.tensor([[1.0, 0, 0], [1 - 1e-30, 1e-30, 0]]))
    assert aligned.isfinite().all()
    torch.testing.assert_close(aligned[0], torch.tensor([1.0, 0, 0]))


def counted(*counts):
    alignment = Alignment(uniform(len(counts)), sum(counts))
    alignment.count(labeled([k for k, count in enumerate(counts) for _ in range(count)]))
    return alignment


@pytest.mark.parametrize(
    ("counts", "chance"),
    [((5, 5), 252 / 2**10), ((4, 4, 4), 34650 / 3**12), ((2, 1, 1), 3 * 12 / 3**4), ((1, 1, 1), 6 / 27)],
)
def test_equal_numbers_of_labels_look_chosen_the_rarer_they_are_by_chance(counts, chance):
    assert counted(*counts).chosen() == pytest.approx(1 / (1 + chance), rel=1e-4)


@pytest.mark.parametrize("counts", [(6, 4), (9, 1), (3, 1, 1), (0, 0)])
def test_other_numbers_of_labels_look_drawn(counts):
    assert counted(*counts).chosen() == 0


def test_the_answers_move_the_prior_only_where_the_labels_look_chosen():
    answers = torch.tensor([[0.99, 0.01]] * 9 + [[0.01, 0.99]])
    priors = {}
    for counts in ((8, 8), (9, 7)):
        alignment = counted(*counts)
        for _ in range(300):
            alignment.align(answers)
        priors[counts] = alignment.class_prior()[0].item()
    assert priors[8, 8] > 0.6
    assert priors[9, 7] == pytest.approx(0.5, abs=0.01)
