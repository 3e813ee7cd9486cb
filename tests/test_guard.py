"""Unlabeled rows count less where their predicted classes are doubtful."""

import warnings

import numpy as np
import pytest
import torch
from objective_cases import TINY
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import FixMatch
from sklearn_rnn.objectives._guard import Guard


def test_the_guard_is_open_at_first_and_closes_where_teacher_and_student_disagree():
    guard = Guard()
    assert guard.factor == 1
    factors = []
    for agreement in (0.75, 0.55, 0.3):
        for _ in range(300):
            guard.follow(torch.tensor(agreement))
        factors.append(guard.factor)
    assert factors == pytest.approx([1, 0.5, 0], abs=0.01)


@pytest.mark.slow
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
