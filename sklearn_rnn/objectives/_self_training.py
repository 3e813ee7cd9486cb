"""Rounds of training on the labels and on the own surest answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .._sklearn import COUNT, FRACTION
from ._semi_supervised import SemiSupervisedObjective, nothing_passed


class SelfTraining(SemiSupervisedObjective):
    """Self-training: train, label the surest unlabeled rows, train anew with them, and so on.

    A row once labeled keeps its label. The rounds end early where no row is added.

    Parameters
    ----------
    threshold : float, default=0.95
        Rows are labeled whose largest probability is at least this.
    k_best : int, default=None
        Instead, so many rows of each predicted class are labeled in each round: the surest.
    n_rounds : int, default=3
        Rounds of `max_epochs`; the first is on the given labels alone, and 1 trains exactly what
        `Supervised` trains.

    Attributes
    ----------
    labeled_iter_ : ndarray of shape (n,)
        Round after which each row got its label: 0 where it had one, -1 where it has none. As
        scikit-learn's, but on ``clf.objective_``, and there from the end of the first of several rounds.

    References
    ----------
    Yarowsky (1995), "Unsupervised word sense disambiguation rivaling supervised methods", ACL.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import SelfTraining
    >>> clf = SemiSupervisedRNNClassifier(SelfTraining(k_best=20))
    """

    needs = "classes"
    _parameter_constraints: dict[str, list[Any]] = {
        "threshold": FRACTION,
        "k_best": [*COUNT, None],
        "n_rounds": COUNT,
    }

    def __init__(self, threshold: float = 0.95, k_best: int | None = None, n_rounds: int = 3):
        self.threshold = threshold
        self.k_best = k_best
        self.n_rounds = n_rounds

    def relabel(self, targets: Tensor, rows: Tensor, probabilities: Tensor) -> Tensor | None:
        """Label the surest rows."""
        if not hasattr(self, "labeled_iter_"):
            self.labeled_iter_, self.round_ = torch.where(targets < 0, -1, 0).numpy(), 0
        chosen = surest(probabilities, self.threshold, self.k_best)
        if not chosen.any():
            return None
        self.round_ += 1
        self.labeled_iter_[rows[chosen].numpy()] = self.round_
        return targets.index_put((rows[chosen],), probabilities.argmax(1)[chosen])

    def troubles(self, history: Any) -> Iterator[str]:
        """Say whether no row was ever labeled."""
        if hasattr(self, "labeled_iter_") and not (self.labeled_iter_ > 0).any():
            yield nothing_passed(self)


def surest(probabilities: Tensor, threshold: float, k_best: int | None) -> Tensor:
    """Which rows of (n, K) are sure enough, or among the `k_best` of their class; shape (n,)."""
    largest, label = probabilities.max(1)
    if k_best is None:
        return largest >= threshold
    order = largest.argsort(descending=True, stable=True)
    chosen = torch.zeros_like(largest, dtype=torch.bool)
    for k in range(probabilities.shape[1]):
        chosen[order[label[order] == k][:k_best]] = True
    return chosen
