"""Consistency with a teacher whose weights are a moving average of the student's."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._average import weak_answers
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class MeanTeacher(SemiSupervisedObjective):
    r"""Mean Teacher: the student's answers for unlabeled rows should equal those of a teacher.

    Student and teacher see a row under different noise. The term is

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p_{student}(x_i) - p_{teacher}(x_i') \rVert^2

    over the unlabeled rows, where :math:`m_i` is 1 if the teacher's largest probability is at least the threshold,
    else 0. The teacher's weights move towards the student's after each optimiser step, and the teacher predicts.
    Distribution alignment of the teacher's answers, as in `FixMatch`, is added to the paper's algorithm.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Tarvainen and Valpola (2017), "Mean teachers are better role models", NeurIPS.

    French, Mackiewicz and Fisher (2018), "Self-ensembling for visual domain adaptation", ICLR.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import MeanTeacher
    >>> clf = SemiSupervisedRNNClassifier(MeanTeacher(weight=8))
    """

    weight: float = shared.weight(3)
    threshold: float = shared.threshold(
        0.95,
        """
        An unlabeled row counts if the teacher's largest probability is at least this (French 2018). With 0 all
        rows count, as in the paper; that was less accurate than `Supervised` on the data set cricketx.
        In a regressor all rows count.
        """,
    )
    alignment: float = shared.alignment()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"consistency"`."""
        task = model.task
        targets = self.alignment_.align(weak_answers(self.predictor(model), batch))
        mask = confident(task, targets, self.threshold)
        self.observe_classes(mask.mean(), task.agreement(targets, outputs))
        return {"consistency": (task.distance(task.answers(outputs), targets) * mask).mean()}
