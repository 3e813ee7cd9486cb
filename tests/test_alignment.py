"""How often each class is expected, and how answers are brought nearer to that."""

import pytest
import torch

from sklearn_rnn.objectives import Batch
from sklearn_rnn.objectives._alignment import Alignment


def labeled(codes, weights=None, first=0):
    n = len(codes)
    weights = None if weights is None else torch.tensor(weights)
    rows = torch.arange(first, first + n)
    return Batch(torch.zeros(n, 2, 1), None, torch.tensor(codes), rows, weights, n, None, 0.5)


def even(n_classes=3):
    return torch.full((n_classes,), 1 / n_classes)


def expected(*batches):
    alignment = Alignment(even(), 100)
    for batch in batches:
        alignment.count(batch)
    return alignment.expected()


def test_before_any_label_and_after_one_all_classes_are_expected_alike():
    assert torch.equal(expected(), even())
    assert torch.equal(expected(labeled([2])), even())


def test_what_chance_explains_is_taken_for_even():
    assert torch.equal(expected(labeled([0, 0, 0, 1, 2, 2])), even())


def test_many_labels_say_how_frequent_the_classes_are():
    shares = expected(labeled([0] * 70 + [1] * 20 + [2] * 10))
    torch.testing.assert_close(shares, torch.tensor([0.7, 0.2, 0.1]), rtol=0, atol=0.02)
    assert shares[0] < 0.7


def test_rows_that_come_again_are_counted_once():
    many = labeled([0] * 12 + [1] * 4)
    assert torch.equal(
        expected(many, many, labeled([2] * 4, first=16)), expected(labeled([0] * 12 + [1] * 4 + [2] * 4))
    )


def test_rows_count_as_they_weigh():
    codes = [0] * 12 + [1] * 4 + [2] * 4
    weighted = expected(labeled(codes, [1.0] * 12 + [3.0] * 8))
    torch.testing.assert_close(weighted, even())
    assert torch.equal(expected(labeled([*codes, 1, 1], [1.0] * 20 + [0.0] * 2)), expected(labeled(codes)))


def skewed(n=200):
    drawn = torch.rand(n, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([3, 1, 0.5])
    return drawn / drawn.sum(1, keepdim=True)


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_rare_classes_are_answered_more_often_the_greater_the_power(power):
    alignment = Alignment(even(), 1)
    for _ in range(300):
        aligned = alignment.align(skewed(), power)
    torch.testing.assert_close(aligned.sum(1), torch.ones(200))
    ratio = alignment.expected() / skewed().mean(0)
    ideal = skewed() * ratio**power
    torch.testing.assert_close(aligned, ideal / ideal.sum(1, keepdim=True), rtol=0, atol=1e-3)
    apart = (aligned.mean(0) - even()).abs().max()
    assert apart < {0: 0.4, 0.5: 0.2, 1: 0.06}[power]


def test_a_class_that_is_never_answered_harms_nothing():
    alignment = Alignment(even(), 1)
    for _ in range(500):
        aligned = alignment.align(torch.tensor([[1.0, 0, 0]]), 1)
    assert torch.equal(aligned, torch.tensor([[1.0, 0, 0]]))
