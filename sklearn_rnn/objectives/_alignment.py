"""Answers whose classes are as frequent, on average, as among the labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..sequences import Batch

MOMENTUM = 0.97


class Alignment:
    """Distribution alignment: answers are multiplied by how much too rare their class is.

    Parameters
    ----------
    uniform : Tensor of shape (K,)
        ``1 / K`` for each class, as `even_classes` makes it. With no classes, answers stay as they are.
    n_rows : int
        Number of sequences.
    power : float, default=1
        Exponent of the correction; with 0 answers stay as they are.
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

    def __init__(self, uniform: Tensor, n_rows: int, power: float = 1, momentum: float = MOMENTUM):
        self.power = power if len(uniform) else 0
        self.uniform, self.counts, self.answered = uniform, torch.zeros_like(uniform), uniform.clone()
        self.momentum = momentum
        self.counted = torch.zeros(n_rows, dtype=torch.bool)

    def count(self, batch: Batch) -> None:
        """Count the classes of those labeled rows that did not come before."""
        new = ~self.counted[batch.rows]
        if self.power and new.any():
            self.counted[batch.rows] = True
            own = new.to(self.counts) if batch.weights is None else new.to(self.counts) * (batch.weights > 0)
            self.counts.index_add_(0, batch.targets, own)

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
    def align(self, answers: Tensor) -> Tensor:
        """Return the probabilities (n, K) of unlabeled rows, brought nearer to the prior; moves the running mean."""
        if not self.power:
            return answers
        self.answered.lerp_(answers.mean(0), 1 - self.momentum)
        aligned = answers * (self.class_prior() / self.answered.clamp_min(1e-6)) ** self.power
        return aligned / aligned.sum(1, keepdim=True)


def even_classes(model: Any) -> Tensor:
    """Return the same share for each class of the model's task, (K,), on its device."""
    n_classes = model.task.n_classes
    return next(model.parameters()).new_full((n_classes,), 1 / max(1, n_classes))
