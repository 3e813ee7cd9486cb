"""Strong views follow the labeled rows, and doubtful classes of unlabeled rows count less."""

import warnings

import numpy as np
import pytest
import torch
from objective_cases import TINY
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import FixMatch, FlexMatch, MeanTeacher
from sklearn_rnn.objectives._guard import Guard
from sklearn_rnn.perturbations import Light, Strong
from sklearn_rnn.perturbations._presets import KINDS

FIT = TINY | {"max_epochs": 6, "batch_size": 32}


def steps(few=True, n=64):
    """Two classes of noise, that differ in their last step alone or in all steps."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = 0.3 * rng.normal(size=(n, 20, 1))
    X[:, -2 if few else 0 :, 0] += 3 * (2 * y[:, None] - 1)
    return X.astype(np.float32), y


def strengths(X, y, objective="fixmatch", **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf = SemiSupervisedRNNClassifier(objective, **FIT | params).fit(X, np.where(np.arange(len(y)) < 32, y, -1))
    return clf, getattr(clf, "strengths_", None)


@pytest.mark.full_epochs
@pytest.mark.parametrize("objective", [FixMatch(), pytest.param(FlexMatch(), marks=pytest.mark.slow)])
def test_hiding_is_weaker_where_the_class_shows_in_few_steps(objective):
    views = Strong(hide=0.9, trim=0.9, adapt=True)
    weak, strong = (strengths(*steps(few), objective, strong_augmentation=views)[1] for few in (True, False))
    assert weak.keys() == strong.keys() == set(KINDS)
    assert weak["hiding"] < 0.6 < 0.9 < strong["hiding"]
    assert weak["time"] > weak["hiding"] < weak["magnitude"]


def test_history_and_an_attribute_say_what_was_chosen():
    clf, chosen = strengths(*steps())
    assert {kind: clf.history_[-1][f"strength_{kind}"] for kind in KINDS} == chosen
    assert all(0 <= value <= 1 for value in chosen.values())
    assert strengths(*steps(), objective=MeanTeacher())[1] is None


def test_given_strong_views_do_not_adapt_unless_asked_to():
    given = strengths(*steps(), strong_augmentation=Strong())[1]
    asked = strengths(*steps(), strong_augmentation=Strong(adapt=True, offset=2, channel_offset=0.2))
    assert given is None
    assert asked[1] == strengths(*steps())[1]
    assert strengths(*steps(), strong_augmentation=None)[1] is None


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_kind_at_strength_0_is_that_of_light_views_and_at_1_that_of_strong_ones(kind):
    x = torch.randn(8, 30, 2, generator=torch.Generator().manual_seed(0))
    named = Light().get_params()
    none = dict.fromkeys(("hide", "trim", "warp", "magnitude"), 0.0)
    full = {name: getattr(Strong(), name) for name in (KINDS[kind] if kind else ())}
    changed, expected = (
        view(x, None, torch.Generator().manual_seed(1)) for view in (Strong().only(kind), Strong(**named | none | full))
    )
    assert torch.equal(changed, expected)


def test_with_all_kinds_at_strength_1_nothing_changes():
    x = torch.randn(8, 30, 2, generator=torch.Generator().manual_seed(0))
    full = Strong()
    full.strengths_ = dict.fromkeys(KINDS, 1.0)
    views = [view(x, None, torch.Generator().manual_seed(1)) for view in (Strong(), full)]
    torch.testing.assert_close(*views)


def test_the_guard_is_open_at_first_and_closes_where_teacher_and_student_disagree():
    guard = Guard()
    assert guard.factor == 1
    factors = []
    for agreement in (0.75, 0.55, 0.3):
        for _ in range(300):
            guard.follow(torch.tensor(agreement))
        factors.append(guard.factor)
    assert factors == pytest.approx([1, 0.5, 0], abs=0.01)


@pytest.mark.full_epochs
def test_rows_without_any_structure_get_little_weight_and_a_warning():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 20, 1)), rng.integers(8, size=80)
    partly = np.where(np.arange(80) < 24, y, -1)
    fit = TINY | {"max_epochs": 6, "batch_size": 24, "hidden_size": 16}
    with pytest.warns(ConvergenceWarning, match=r"FixMatch gave the unlabeled rows \d+% of their weight .*guard=False"):
        clf = SemiSupervisedRNNClassifier(FixMatch(threshold=0.3), **fit).fit(X, partly)
    assert clf.history_[-1]["guard"] < 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        free = SemiSupervisedRNNClassifier(FixMatch(guard=False, threshold=0.3), **fit).fit(X, partly)
    assert "guard" not in free.history_[-1]
