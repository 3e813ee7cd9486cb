"""Consistency with the average of past predictions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .._documented import documented
from .._sklearn import SHARE
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class TemporalEnsembling(SemiSupervisedObjective):
    r"""Temporal ensembling: the answer for an unlabeled row should equal the average of its past answers.

    Each time a row is seen, its average is updated by :math:`Z \leftarrow \alpha Z + (1 - \alpha) p(x)`. The target is
    :math:`\tilde z = Z / (1 - \alpha^t)`, where the row was seen :math:`t` times before:

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p(x_i) - \tilde z_i \rVert^2

    where :math:`m_i` is 1 if the largest probability of the target is at least the threshold, else 0. A row that is
    seen for the first time has no target. The paper takes the mean over classes, also counts labeled rows, and
    updates the averages once per epoch. The memory holds one number per row and class.

    Parameters
    ----------
    %(parameters)s

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

    weight: float = shared.weight(3)
    threshold: float = shared.threshold(
        0.95,
        """
        An unlabeled row counts if the largest probability of its target is at least this (French 2018). With 0
        all rows count, as in the paper. In a regressor all rows count.
        """,
    )
    average: float = shared.number(0.6, SHARE, r"Decay :math:`\alpha` of the average, each time that the row is seen.")
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Forget all predictions."""
        super().start(model, n_steps, n_rows)
        weight = next(model.parameters())
        self.sums_ = weight.new_zeros(n_rows, model.task.n_outputs)
        self.times_ = weight.new_zeros(n_rows)

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"consistency"`, and remember the predictions."""
        task, rows = model.task, batch.rows.to(outputs.device)
        answers, times = task.answers(outputs), self.times_[rows]
        norm = (1 - self.average**times).clamp_min(1e-12)
        targets = self.sums_[rows] / norm[:, None]
        mask = confident(task, targets, self.threshold) * (times > 0)
        self.observe_classes(mask.mean(), task.agreement(targets, outputs))
        self._remember(rows, answers.detach())
        return {"consistency": (task.distance(answers, targets) * mask).mean()}

    def _remember(self, rows: Tensor, answers: Tensor) -> None:
        self.sums_[rows] = torch.lerp(answers, self.sums_[rows], self.average)
        self.times_[rows] += 1

    def finish(self, model: Model) -> None:
        """Drop the memory."""
        super().finish(model)
        del self.sums_, self.times_
