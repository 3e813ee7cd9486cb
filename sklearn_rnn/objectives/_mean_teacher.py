"""Agreement with a moving average of the own weights."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from ._base import FRACTION, NOT_NEGATIVE, POSITIVE, Batch, Objective, ramp_up, supervised_loss


class MeanTeacher(Objective):
    r"""Mean Teacher: unlabeled rows are classified as a moving average of the net does.

    Student and teacher see the row under different noise; the loss adds

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p_{student}(x_i) - p_{teacher}(x_i') \rVert^2

    over the unlabeled rows, where :math:`m_i` is 1 where the teacher is sure enough, else 0. The
    teacher's weights follow the student's after each optimiser step, and the teacher is what predicts.

    Parameters
    ----------
    weight : float, default=3
        Weight :math:`w` of the consistency term, against 1 for the labels. Zero trains exactly what
        `Supervised` trains.
    threshold : float, default=0.95
        Rows that the teacher gives a smaller largest probability do not count (French 2018); 0 is
        the original. Without it, the term lost to `Supervised` on cricketx and two_patterns.
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

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import MeanTeacher
    >>> clf = SemiSupervisedRNNClassifier(MeanTeacher(weight=8))
    """

    task = "classification"
    _parameter_constraints: dict[str, list[Any]] = {
        "weight": NOT_NEGATIVE,
        "threshold": FRACTION,
        "ramp": FRACTION,
        "memory": FRACTION,
        "ratio": POSITIVE,
    }

    def __init__(
        self,
        weight: float = 3,
        threshold: float = 0.95,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.ramp = ramp
        self.memory = memory
        self.ratio = ratio

    @property
    def unlabeled_ratio(self) -> float:
        """Unlabeled rows in a step; none where they have no weight."""
        return self.ratio if self.weight else 0.0

    def start(self, model: Any, n_steps: int) -> None:
        """Copy the student."""
        self.step_ = 0
        self.decay_ = 1 - 1 / max(self.memory * n_steps, 1)
        if self.weight:
            self.teacher_ = deepcopy(model).requires_grad_(False)

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return `"supervised"`, and `"consistency"` where the batch has unlabeled rows."""
        view = model.view(batch.values, batch.lengths, batch.generator)
        logits = model.logits(view, batch.lengths, batch.generator)
        terms = {}
        if batch.n_labeled:
            terms["supervised"] = supervised_loss(logits, batch)
        if batch.n_labeled < len(batch):
            student = logits[batch.n_labeled :].softmax(1)
            teacher = self._teach(batch.unlabeled)
            sure = teacher.amax(1) >= self.threshold
            distance = ((student - teacher).square().sum(1) * sure).mean()
            terms["consistency"] = self.weight * ramp_up(batch.progress, self.ramp) * distance
        return terms

    @torch.no_grad()
    def _teach(self, batch: Batch) -> Tensor:
        teacher = self.teacher_
        view = teacher.view(batch.values, batch.lengths, batch.generator)
        return teacher.logits(view, batch.lengths).softmax(1)

    @torch.no_grad()
    def after_step(self, model: Any) -> None:
        """Move the teacher towards the student; buffers are copied."""
        self.step_ += 1
        if not self.weight:
            return
        decay = min(self.decay_, 1 - 1 / (self.step_ + 1))
        torch._foreach_lerp_(list(self.teacher_.parameters()), list(model.parameters()), 1 - decay)
        for mine, theirs in zip(self.teacher_.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)

    def predictor(self, model: Any) -> nn.Module:
        """Return the teacher; the model itself where there is none."""
        return self.teacher_ if self.weight else model

    def finish(self, model: Any) -> None:
        """Drop the teacher, whose weights the model now has."""
        if self.weight:
            del self.teacher_
