"""Learning from the labels alone."""

from __future__ import annotations

from typing import Any

from ._semi_supervised import SemiSupervisedObjective


class Supervised(SemiSupervisedObjective):
    """Cross-entropy on the labeled rows; unlabeled rows are left out.

    The baseline of every semi-supervised objective.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import Supervised
    >>> clf = SemiSupervisedRNNClassifier(Supervised())
    """

    _parameter_constraints: dict[str, list[Any]] = {}
