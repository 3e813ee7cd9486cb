"""Answers whose classes are as frequent, on average, as among the labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import FRACTION
from ..sequences import Batch
from ._average import AveragedMixin

MOMENTUM = 0.97


class Alignment:
    """Distribution alignment: answers are multiplied by how much too rare their class is.

    Parameters
    ----------
    uniform : Tensor of shape (K,)
        ``1 / K`` for each class.
    n_rows : int
        How many sequences there are.
    momentum : float
        Decay of the running mean, at each call.

    Attributes
    ----------
    counts : Tensor of shape (K,)
        Labeled rows of each class so far; those without weight do not count.
    answered : Tensor of shape (K,)
        Running mean of the answers.

    References
    ----------
    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Hausser and Strimmer (2009), "Entropy inference and the James-Stein estimator, with application to
    nonlinear gene association networks", JMLR 10.
    """

    def __init__(self, uniform: Tensor, n_rows: int, momentum: float = MOMENTUM):
        self.uniform, self.counts, self.answered = uniform, torch.zeros_like(uniform), uniform.clone()
        self.momentum = momentum
        self.counted = torch.zeros(n_rows, dtype=torch.bool)

    def count(self, batch: Batch) -> None:
        """Count the classes of those labeled rows that did not come before."""
        new = ~self.counted[batch.rows]
        if new.any():
            self.counted[batch.rows] = True
            own = new.to(self.counts) if batch.weights is None else new.to(self.counts) * (batch.weights > 0)
            self.counts.index_add_(0, batch.codes, own)

    def class_prior(self) -> Tensor:
        """Share of each class (K,): of the labels, shrunk to uniform ones as far as chance explains the difference.

        A few labels say little of how frequent the classes are, and never that there is none of one.
        """
        n = self.counts.sum().clamp_min(1)
        share = self.counts / n
        apart = (n - 1) * (share - self.uniform).square().sum()
        chance = 1 - share.square().sum()
        intensity = (chance / apart.clamp_min(1e-12)).clamp_max(1).maximum(1 / n)
        return share.lerp(self.uniform, intensity)

    @torch.no_grad()
    def align(self, answers: Tensor, power: float) -> Tensor:
        """Return the probabilities (n, K) of unlabeled rows, brought nearer to the prior; moves the running mean."""
        self.answered.lerp_(answers.mean(0), 1 - self.momentum)
        aligned = answers * (self.class_prior() / self.answered.clamp_min(1e-6)) ** power
        return aligned / aligned.sum(1, keepdim=True)


class AlignedMixin(AveragedMixin):
    """Mixin of objectives whose teacher's answers for unlabeled rows are aligned with the labels.

    Besides those of `AveragedMixin` an objective has the parameter

    alignment : float
        Exponent of the `Alignment`; with 0 answers stay as they are.
    """

    alignment: float = 0
    _parameter_constraints: dict[str, list[Any]] = {**AveragedMixin._parameter_constraints, "alignment": FRACTION}

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student, and begin to count the labels."""
        super().start(model, n_steps, n_rows)
        n_classes = len(model.head.weight)
        self.alignment_ = Alignment(model.head.weight.new_full((n_classes,), 1 / n_classes), n_rows)

    def added_terms(self, model: Any, batch: Batch, view: Tensor, logits: Tensor) -> dict[str, Tensor]:
        """Count the labels, and return the terms times their weights."""
        if self.weight and batch.n_labeled:
            self.alignment_.count(batch.labeled)
        return super().added_terms(model, batch, view, logits)

    def teach(self, model: Any, batch: Batch) -> Tensor:
        """Return the teacher's probabilities (n, K), aligned, of weak views of its own."""
        return self.align(super().teach(model, batch))

    def align(self, answers: Tensor) -> Tensor:
        """Return the teacher's answers (n, K), aligned."""
        return self.alignment_.align(answers, self.alignment) if self.alignment else answers

    def finish(self, model: Any) -> None:
        """Drop the teacher and the counts."""
        super().finish(model)
        del self.alignment_
