"""Answers whose classes are as frequent, on average, as among the labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ._base import Batch

MOMENTUM = 0.97  # of the running mean, per optimiser step


class Alignment:
    """Distribution alignment (Berthelot et al. 2020): answers are multiplied by how much too rare their class is.

    Parameters
    ----------
    even : Tensor of shape (K,)
        ``1 / K`` for each class.
    n_rows : int
        How many sequences there are.

    Attributes
    ----------
    counts : Tensor of shape (K,)
        Weights of the labeled rows so far, summed for each class.
    answered : Tensor of shape (K,)
        Running mean of the answers.
    """

    def __init__(self, even: Tensor, n_rows: int):
        self.even, self.counts, self.answered = even, torch.zeros_like(even), even.clone()
        self.counted = torch.zeros(n_rows, dtype=torch.bool)

    def count(self, batch: Batch) -> None:
        """Count the classes of those labeled rows that were not seen before."""
        new = ~self.counted[batch.rows]
        if new.any():
            self.counted[batch.rows] = True
            members = one_hot(batch.codes, len(self.even)).to(self.even.dtype)
            members = members if batch.weights is None else members * batch.weights[:, None]
            self.counts += members[new.to(members.device)].sum(0)

    def expected(self) -> Tensor:
        """Share of each class (K,): of the labels, shrunk to even ones as far as chance explains the difference.

        By Hausser and Strimmer (2009): a few labels say little of how frequent the classes are.
        """
        n = self.counts.sum()
        share = self.counts / n.clamp_min(1e-12)
        apart = (n - 1) * (share - self.even).square().sum()
        chance = 1 - share.square().sum()
        return self.even if apart <= chance else share.lerp(self.even, chance / apart)

    @torch.no_grad()
    def align(self, answers: Tensor, power: float) -> Tensor:
        """Return the probabilities (n, K) of unlabeled rows, brought nearer to what is expected."""
        self.answered.lerp_(answers.mean(0), 1 - MOMENTUM)
        aligned = answers * (self.expected() / self.answered.clamp_min(1e-6)) ** power
        return aligned / aligned.sum(1, keepdim=True)
