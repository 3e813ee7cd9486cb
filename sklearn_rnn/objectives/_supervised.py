"""Learning from the labeled rows alone."""

from __future__ import annotations

from typing import Any

from ._semi_supervised import SemiSupervisedObjective


class Supervised(SemiSupervisedObjective):
    """The task's loss of the labeled rows; unlabeled rows are not used.

    It is the baseline of every semi-supervised objective. The loss of a classifier is the cross-entropy.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import Supervised
    >>> clf = SemiSupervisedRNNClassifier(Supervised())
    """

    loss_only = True

    _parameter_constraints: dict[str, list[Any]] = {}
