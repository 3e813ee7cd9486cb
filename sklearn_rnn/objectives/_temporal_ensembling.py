"""Agreement with the average of the own past predictions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import FRACTION, SHARE
from ..sequences import Batch
from ._semi_supervised import SemiSupervisedObjective, confident


class TemporalEnsembling(SemiSupervisedObjective):
    r"""Temporal ensembling: unlabeled rows are classified as they were, on average, before.

    For each row, :math:`Z \leftarrow \alpha Z + (1 - \alpha) p(x)` each time it comes, and the target is
    :math:`\tilde z = Z / (1 - \alpha^t)` of the :math:`t` times before:

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p(x_i) - \tilde z_i \rVert^2

    where :math:`m_i` is 1 where the target is sure enough, else 0; rows that come for the first time
    have no target. The paper takes the mean over classes, here it is the sum, counts labeled rows too,
    and updates once an epoch. The memory holds a number for each row and class.

    Parameters
    ----------
    weight : float, default=3
        Weight :math:`w` of the consistency term, against 1 for the labels. Zero trains exactly what
        `Supervised` trains.
    threshold : float, default=0.95
        Rows whose target has a smaller largest probability do not count (French 2018); 0 is the
        original.
    average : float, default=0.6
        Decay :math:`\alpha` of the average, each time a row comes.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Laine and Aila (2017), "Temporal ensembling for semi-supervised learning", ICLR.
    French, Mackiewicz and Fisher (2018), "Self-ensembling for visual domain adaptation", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import TemporalEnsembling
    >>> clf = SemiSupervisedRNNClassifier(TemporalEnsembling(average=0.8))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "threshold": FRACTION,
        "average": SHARE,
    }

    def __init__(
        self,
        weight: float = 3,
        threshold: float = 0.95,
        average: float = 0.6,
        ramp: float = 0.4,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.average = average
        self.ramp = ramp
        self.ratio = ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Forget all predictions."""
        weight = next(model.parameters())
        self.sums_ = weight.new_zeros(n_rows, model.task.n_outputs)
        self.times_ = weight.new_zeros(n_rows)

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"consistency"`, and remember the predictions."""
        task, rows = model.task, batch.rows.to(outputs.device)
        answers, times = task.answers(outputs), self.times_[rows]
        norm = (1 - self.average**times).clamp_min(1e-12)
        target = self.sums_[rows] / norm[:, None]
        sure = confident(task, target, self.threshold) * (times > 0)
        self.observe(confident=sure.mean(), agreement=task.agreement(target, outputs))
        self._remember(rows, answers.detach())
        return {"consistency": (task.distance(answers, target) * sure).mean()}

    def _remember(self, rows: Tensor, answers: Tensor) -> None:
        self.sums_[rows] = torch.lerp(answers, self.sums_[rows], self.average)
        self.times_[rows] += 1

    def finish(self, model: Any) -> None:
        """Drop the memory."""
        del self.sums_, self.times_
