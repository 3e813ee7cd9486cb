"""Consistency of two noisy views of a sequence."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class PiModel(SemiSupervisedObjective):
    r"""Pi-Model: the answers for two noisy views of an unlabeled row should be equal.

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p(x_i) - p(x_i') \rVert^2

    with a gradient through both answers, where :math:`m_i` is 1 if the largest probability for the second view is at
    least the threshold, else 0. The paper takes the mean over classes and also counts labeled rows; here it is the
    sum over classes, of unlabeled rows.

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
    >>> from sklearn_rnn.objectives import PiModel
    >>> clf = SemiSupervisedRNNClassifier(PiModel(ramp=0.8))
    """

    weight: float = shared.weight(3)
    threshold: float = shared.threshold(
        0.95,
        """
        An unlabeled row counts if its largest probability is at least this (French 2018). With 0 all rows count,
        as in the paper. In a regressor all rows count.
        """,
    )
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"consistency"`."""
        task = model.task
        second = model.view(batch.values, batch.lengths, batch.generator)
        answers = task.answers(model.train_outputs(second, batch.lengths, batch.generator))
        mask = confident(task, answers, self.threshold)
        self.observe_classes(mask.mean(), task.agreement(answers, outputs))
        return {"consistency": (task.distance(task.answers(outputs), answers) * mask).mean()}
