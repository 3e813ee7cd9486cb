"""Agreement of two noisy looks at a sequence."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._sklearn import FRACTION
from ..sequences import Batch
from ._semi_supervised import SemiSupervisedObjective, confident


class PiModel(SemiSupervisedObjective):
    r"""Pi-Model: each unlabeled row is classified alike under two draws of the noise.

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p(x_i) - p(x_i') \rVert^2

    with a gradient through both, where :math:`m_i` is 1 where the second look is sure enough, else 0. The
    paper takes the mean over classes, here it is the sum, and counts labeled rows too.

    Parameters
    ----------
    weight : float, default=3
        Weight :math:`w` of the consistency term, against 1 for the labels. Zero trains exactly what
        `Supervised` trains.
    threshold : float, default=0.95
        Rows with a smaller largest probability do not count (French 2018); 0 is the original.
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
    >>> from sklearn_rnn.objectives import PiModel
    >>> clf = SemiSupervisedRNNClassifier(PiModel(ramp=0.8))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "threshold": FRACTION,
    }

    def __init__(self, weight: float = 3, threshold: float = 0.95, ramp: float = 0.4, ratio: float = 1):
        self.weight = weight
        self.threshold = threshold
        self.ramp = ramp
        self.ratio = ratio

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"consistency"`."""
        again = model.view(batch.values, batch.lengths, batch.generator)
        task = model.task
        other = task.answers(model.train_outputs(again, batch.lengths, batch.generator))
        sure = confident(task, other, self.threshold)
        self.observe(confident=sure.mean(), agreement=task.agreement(other, outputs))
        return {"consistency": (task.distance(task.answers(outputs), other) * sure).mean()}
