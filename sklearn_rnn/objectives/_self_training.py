"""Rounds of training on the labels and on the most confident predictions of the last round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._documented import documented
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective, no_row_passed


@documented
@dataclass(repr=False, eq=False)
class SelfTraining(SemiSupervisedObjective):
    """Self-training: train, label the most confident unlabeled rows, train a new net with them, and repeat.

    A row keeps the label that it got. The rounds end early if no row gets a label.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    labeled_iter_ : ndarray of shape (n,)
        Round after which each row got its label: 0 if it had one from the start, -1 if it has none. The meaning is
        that of scikit-learn's `SelfTrainingClassifier`, but the attribute is on ``clf.objective_``, and exists from
        the end of the first of several rounds.

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

    threshold: float = shared.threshold(
        0.95, "An unlabeled row gets its predicted label if the largest probability is at least this."
    )
    k_best: int | None = shared.k_best()
    n_rounds: int = shared.n_rounds("""
        Number of rounds, each of `max_epochs` epochs. The first round uses only the given labels; with 1, the
        objective trains exactly what `Supervised` trains.
        """)

    def relabel(self, targets: Tensor, rows: Tensor, probabilities: Tensor) -> Tensor | None:
        """Label the most confident rows."""
        if not hasattr(self, "labeled_iter_"):
            self.labeled_iter_, self.round_ = torch.where(targets < 0, -1, 0).numpy(), 0
        chosen = most_confident(probabilities, self.threshold, self.k_best)
        if not chosen.any():
            return None
        self.round_ += 1
        self.labeled_iter_[rows[chosen].numpy()] = self.round_
        return targets.index_put((rows[chosen],), probabilities.argmax(1)[chosen])

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if no row ever got a label."""
        if hasattr(self, "labeled_iter_") and not (self.labeled_iter_ > 0).any():
            yield no_row_passed(self)


def most_confident(probabilities: Tensor, threshold: float, k_best: int | None) -> Tensor:
    """Mask (n,) of the rows that pass the threshold or, if given, are among the `k_best` of their class."""
    confidence, labels = probabilities.max(1)
    if k_best is None:
        return confidence >= threshold
    order = confidence.argsort(descending=True, stable=True)
    chosen = torch.zeros_like(confidence, dtype=torch.bool)
    for k in range(probabilities.shape[1]):
        chosen[order[labels[order] == k][:k_best]] = True
    return chosen
