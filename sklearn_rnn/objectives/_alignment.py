"""Distribution alignment: answers whose classes are, on average, as frequent as among the labels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..modules import Model
from ..sequences import Batch

MOMENTUM = 0.97
TRUST = 0.6  # weight of the answers in the prior where the numbers of labels tell nothing


class Alignment:
    """Distribution alignment: multiply the probability of each class by its prior over its mean so far.

    Parameters
    ----------
    uniform : Tensor of shape (K,)
        ``1 / K`` for each class, as `uniform_classes` returns it. Without classes, answers are not changed.
    n_rows : int
        Number of sequences.
    power : float, default=1
        Exponent of the correction; with 0, answers are not changed.
    momentum : float, default=0.97
        Decay of the running mean, at each call.

    Attributes
    ----------
    counts : Tensor of shape (K,)
        Number of labeled rows of each class so far, without rows of weight 0.
    answered : Tensor of shape (K,)
        Running mean of the answers.
    aligned : Tensor of shape (K,)
        Running mean of the aligned answers.

    References
    ----------
    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Hausser and Strimmer (2009), "Entropy inference and the James-Stein estimator, with application to
    nonlinear gene association networks", JMLR 10.

    Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori probabilities: a
    simple procedure", Neural Computation 14.
    """

    def __init__(self, uniform: Tensor, n_rows: int, power: float = 1, momentum: float = MOMENTUM):
        self.power = power if len(uniform) else 0
        self.uniform, self.counts = uniform, torch.zeros_like(uniform)
        self.answered, self.aligned = uniform.clone(), uniform.clone()
        self.momentum = momentum
        self.counted = torch.zeros(n_rows, dtype=torch.bool)

    def state_dict(self) -> dict[str, Tensor]:
        """Return what has been counted, and the mean of the answers."""
        names = ("counts", "answered", "aligned", "counted")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Set what had been counted, and the mean of the answers."""
        for name, value in state.items():
            getattr(self, name).copy_(value)

    def count(self, batch: Batch) -> None:
        """Count the classes of the labeled rows, or of their labeled steps, that are seen for the first time."""
        new = ~self.counted[batch.rows]
        if self.power and new.any():
            self.counted[batch.rows] = True
            counted = new.to(self.counts) * (batch.targets >= 0)
            counted = counted if batch.weights is None else counted * (batch.weights > 0)
            self.counts.index_add_(0, batch.targets.clamp_min(0), counted)

    def class_prior(self) -> Tensor:
        """Expected fraction (K,) of rows of each class.

        It is the fraction among the labels, shrunk towards 1 / K by the James-Stein estimator: a few labels
        tell little about how frequent the classes are, and never that a class does not occur. As far as the labels
        look chosen to be equal in number, it moves on towards the mean of the aligned answers, as in the EM algorithm.
        """
        n = self.counts.sum().clamp_min(1)
        fractions = self.counts / n
        distance = (n - 1) * (fractions - self.uniform).square().sum()
        variance = 1 - fractions.square().sum()
        intensity = (variance / distance.clamp_min(1e-12)).clamp_max(1).maximum(1 / n)
        prior = fractions.lerp(self.uniform, intensity)
        return prior.lerp(self.aligned, TRUST * self.chosen())

    def chosen(self) -> float:
        """Probability that the labels were chosen to be equal in number for each class, and not drawn at random.

        It is 0 if they are not as equal as their sum allows. Else it is by Bayes' rule, with one half before they are
        seen, and for labels drawn from classes of equal frequency: from others, equal numbers are rarer.
        """
        counts, n_classes = self.counts, len(self.counts)
        n, n_larger = counts.sum(), (counts > counts.min()).sum()
        if counts.max() - counts.min() > 1 or not n:
            return 0.0
        orders = torch.lgamma(n + 1) - torch.lgamma(counts + 1).sum()
        sets = math.log(math.comb(n_classes, int(n_larger)))
        return 1 / (1 + math.exp(float(orders) + sets - float(n) * math.log(n_classes)))

    @torch.no_grad()
    def align(self, answers: Tensor) -> Tensor:
        """Return aligned probabilities (n, K) of unlabeled rows, and update the running mean."""
        if not self.power:
            return answers
        self.answered.lerp_(answers.mean(0), 1 - self.momentum)
        aligned = answers * (self.class_prior() / self.answered.clamp_min(1e-6)) ** self.power
        aligned = aligned / aligned.sum(1, keepdim=True)
        self.aligned.lerp_(aligned.mean(0), 1 - self.momentum)
        return aligned


def uniform_classes(model: Model) -> Tensor:
    """Return ``1 / K`` for each class of the model's task, (K,), on the model's device."""
    n_classes = model.task.n_classes
    return next(model.parameters()).new_full((n_classes,), 1 / max(1, n_classes))
