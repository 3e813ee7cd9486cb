"""Agreement with a moving average of the own weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._sklearn import FRACTION
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage, weak_answers
from ._semi_supervised import SemiSupervisedObjective, confident


class MeanTeacher(SemiSupervisedObjective):
    r"""Mean Teacher: unlabeled rows are classified as a moving average of the net does.

    Student and teacher see the row under different noise; the loss adds

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p_{student}(x_i) - p_{teacher}(x_i') \rVert^2

    over the unlabeled rows, where :math:`m_i` is 1 where the teacher is sure enough, else 0. Added to the
    original is distribution alignment of the teacher's answers, as in `FixMatch`. The
    teacher's weights follow the student's after each optimiser step, and the teacher is what predicts.

    Parameters
    ----------
    weight : float, default=3
        Weight :math:`w` of the consistency term, against 1 for the labels. Zero trains exactly what
        `Supervised` trains.
    threshold : float, default=0.95
        Rows that the teacher gives a smaller largest probability do not count (French 2018); 0 is
        the original. Without it, the term lost to `Supervised` on cricketx.
    alignment : float, default=1
        Exponent of distribution alignment: 1 expects each class as often among the unlabeled rows as among
        the labels; lower it where the rows to label were not drawn at random. 0 is the original.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    memory : float, default=0.1
        Time constant of the moving average, as a share of training: the decay is
        ``1 - 1 / (memory * n_steps)`` per optimiser step, less in the first steps, where the average
        is over all steps so far.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

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

    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "threshold": FRACTION,
    }

    def __init__(
        self,
        weight: float = 3,
        threshold: float = 0.95,
        alignment: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.alignment = alignment
        self.ramp = ramp
        self.memory = memory
        self.ratio = ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student, and begin to count the labels."""
        if self.weight:
            self.teacher_ = MovingAverage.of(model, self.memory, n_steps)
        self.alignment_ = Alignment(even_classes(model), n_rows, self.alignment)

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Count the labels; return no term."""
        self.alignment_.count(batch)
        return {}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"consistency"`."""
        task = model.task
        teacher = self.alignment_.align(weak_answers(self.predictor(model), batch))
        sure = confident(task, teacher, self.threshold)
        self.observe(confident=sure.mean(), agreement=task.agreement(teacher, outputs))
        return {"consistency": (task.distance(task.answers(outputs), teacher) * sure).mean()}

    def finish(self, model: Any) -> None:
        """Drop the teacher and the counts."""
        super().finish(model)
        del self.alignment_
