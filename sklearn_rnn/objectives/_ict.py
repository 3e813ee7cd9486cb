"""The answer for a mixture is the mixture of the answers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import FRACTION, POSITIVE
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage
from ._mixup import draw_mixture, mixture
from ._semi_supervised import SemiSupervisedObjective, confident


class ICT(SemiSupervisedObjective):
    r"""Interpolation consistency training: a mixture is answered by the mixture of a teacher's answers.

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p(\lambda x_i + (1 - \lambda) x_j)
        - \lambda q(x_i) - (1 - \lambda) q(x_j) \rVert^2, \quad \lambda \sim Beta(\alpha, \alpha)

    over unlabeled rows and partners drawn among them, on embedded steps, the shorter one followed by
    zeros. The teacher's weights are a moving average of the student's, and the teacher predicts.
    :math:`m_i` is 1 where it is sure enough of both, else 0. Each pair has its own :math:`\lambda`.

    Added to the original is distribution alignment: the teacher's answers :math:`t` count as
    :math:`q_k \propto t_k (\pi_k / \bar t_k)^\beta`, with :math:`\bar t` their mean over the last 30 steps or
    so, and :math:`\pi` the share of each class among the labels, shrunk to uniform ones as far as chance
    explains the difference.

    Parameters
    ----------
    weight : float, default=3
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    threshold : float, default=0.95
        Mixtures of rows with a smaller largest probability do not count; 0 is the original.
    alignment : float, default=1
        Exponent :math:`\beta`: 1 expects each class as often among the unlabeled rows as among the labels, as
        where the rows to label were drawn at random; lower it where they were not. 0 is the original.
    alpha : float, default=1
        Parameter of the Beta distribution: small values mix little, 1 is uniform.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    memory : float, default=0.1
        Time constant of the moving average, as a share of training.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Verma et al. (2019), "Interpolation consistency training for semi-supervised learning", IJCAI.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Hausser and Strimmer (2009), "Entropy inference and the James-Stein estimator, with application to
    nonlinear gene association networks", JMLR 10.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import ICT
    >>> clf = SemiSupervisedRNNClassifier(ICT(alpha=0.5))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "threshold": FRACTION,
        "alpha": POSITIVE,
    }

    def __init__(
        self,
        weight: float = 3,
        threshold: float = 0.95,
        alignment: float = 1,
        alpha: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.alignment = alignment
        self.alpha = alpha
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
        """Return `"interpolation"`."""
        task = model.task
        share, partner = draw_mixture(view, self.alpha, batch.generator)
        with torch.no_grad():
            teacher: Any = self.predictor(model)
            answers = self.alignment_.align(task.answers(teacher.train_outputs(view, batch.lengths)))
        sure = confident(task, answers, self.threshold)
        sure = sure * sure[partner]
        self.observe(confident=sure.mean(), agreement=task.agreement(answers, outputs))
        x, lengths = mixture(view, batch.lengths, share, partner)
        p = task.answers(model.train_outputs(x, lengths, batch.generator))
        target = torch.lerp(answers[partner], answers, share[:, None])
        return {"interpolation": (task.distance(p, target) * sure).mean()}

    def finish(self, model: Any) -> None:
        """Drop the teacher and the counts."""
        super().finish(model)
        del self.alignment_
