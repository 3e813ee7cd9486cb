"""FixMatch with a weight for each row instead of a threshold."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._sklearn import FRACTION, POSITIVE
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage, weak_answers
from ._semi_supervised import SemiSupervisedObjective


class SoftMatch(SemiSupervisedObjective):
    r"""SoftMatch: FixMatch that counts less sure rows less, and aligns the answers to even classes.

    .. math:: \lambda_i = \exp\left( - \frac{\min(\max_k \bar q_{ik} - \mu_t, 0)^2}{2 \sigma_t^2 / s^2} \right), \quad
        \bar q_{ik} \propto q_{ik} \frac{1 / K}{\bar p_k}

    weighs the cross-entropy of row i, where :math:`q_i` are the probabilities of the weak view,
    :math:`\bar p` is their running mean, and :math:`\mu_t, \sigma_t^2` are the running mean and variance
    of :math:`\max_k \bar q_{ik}`. The labels are those of :math:`q_i`.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    n_sigma : float, default=2
        Factor s: larger counts fewer rows.
    momentum : float, default=0.99
        Decay of the running means, per optimiser step; 0.999 in the paper's far longer training.
    alignment : float, default=1
        Exponent of the alignment of :math:`q_i` itself, as in `FixMatch`: 1 expects each class as often among
        the unlabeled rows as among the labels; lower it where the rows to label were not drawn at random. 0 is
        the original.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    memory : float, default=0.1
        Time constant of a moving average of the weights, as a share of training, that answers for the
        weak views and predicts. With 0 the student answers for itself, as in the paper.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Chen et al. (2023), "SoftMatch: addressing the quantity-quality trade-off in semi-supervised
    learning", ICLR.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import SoftMatch
    >>> clf = SemiSupervisedRNNClassifier(SoftMatch(n_sigma=3))
    """

    needs = "classes"
    strong = True
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "n_sigma": POSITIVE,
        "momentum": FRACTION,
    }

    def __init__(
        self,
        weight: float = 1,
        n_sigma: float = 2,
        momentum: float = 0.99,
        alignment: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.n_sigma = n_sigma
        self.momentum = momentum
        self.alignment = alignment
        self.ramp = ramp
        self.memory = memory
        self.ratio = ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student, and start the running means: even classes, chance."""
        if self.weight:
            self.teacher_ = MovingAverage.of(model, self.memory, n_steps)
        self.alignment_ = Alignment(even_classes(model), n_rows, self.alignment)
        uniform = self.alignment_.uniform
        self.even_ = Alignment(uniform, 0, momentum=self.momentum)  # which no label will change
        self.mean_ = uniform[0].clone()
        self.variance_ = uniform.new_tensor(1.0)

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Count the labels; return no term."""
        self.alignment_.count(batch)
        return {}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        trust = self._trust(answers)
        self.observe(confident=trust.mean(), agreement=model.task.agreement(answers, outputs))
        return {"matching": (cross_entropy(outputs, answers.argmax(1), reduction="none") * trust).mean()}

    def _trust(self, answers: Tensor) -> Tensor:
        """Return the weights (n,) of the rows, and move the running means."""
        step = 1 - self.momentum
        largest = self.even_.align(answers).amax(1)
        self.mean_.lerp_(largest.mean(), step)
        self.variance_.lerp_(largest.var(correction=min(1, len(largest) - 1)), step)
        short = (largest - self.mean_).clamp_max(0)
        return torch.exp(-short.square() * self.n_sigma**2 / (2 * self.variance_.clamp_min(1e-12)))

    def finish(self, model: Any) -> None:
        """Drop the running means and the average."""
        super().finish(model)
        del self.alignment_, self.even_, self.mean_, self.variance_
