"""The rows of one optimiser step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Rows of one optimiser step, the labeled rows first.

    Attributes
    ----------
    values : Tensor of shape (n, T, F), or (n, T) of token ids
        Values, padded with zeros.
    lengths : Tensor of shape (n,) or None
        Lengths of the sequences; None if all are T long.
    targets : Tensor of shape (m,) or (m, k)
        Targets, as the task reads them from y: class numbers, or standardised numbers. There is one for each row, so
        that m is n; or one for each step that is no padding, those of the first row first. Only those of the first
        `n_labeled` rows are known, of steps not even all of these.
    rows : Tensor of shape (m,)
        Positions of the targets in the training set.
    weights : Tensor of shape (m,) or None
        Weights of the targets, with a mean of 1 over the known ones; None if all are equal.
    n_labeled : int
        Number of labeled rows.
    generator : torch.Generator or None
        Source of all noise; with None there is no noise.
    progress : float
        Fraction of training that is done, from 0 to 1.
    strong : bool
        Whether the student sees strong views of the unlabeled rows.
    by_step : bool
        Whether there is a target for each step.
    """

    values: Tensor
    lengths: Tensor | None
    targets: Tensor
    rows: Tensor
    weights: Tensor | None
    n_labeled: int
    generator: torch.Generator | None
    progress: float
    strong: bool = False
    by_step: bool = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_answers(self) -> int:
        """Number of answers for the labeled rows: one for each row, or for each of their steps."""
        if not self.by_step:
            return self.n_labeled
        if self.lengths is None:
            return self.n_labeled * self.values.shape[1]
        return int(self.lengths[: self.n_labeled].sum())

    @property
    def known(self) -> Tensor | None:
        """Mask of the answers for the labeled rows whose targets are known; None if all are."""
        return self.targets[: self.n_answers] >= 0 if self.by_step else None

    def of_known(self, values: Tensor) -> Tensor:
        """Return the answers, or the targets, without steps that have no label, if all rows are labeled; else all."""
        return values[self.known] if self.by_step and self.n_labeled == len(self) else values

    @property
    def labeled(self) -> Batch:
        """The labeled rows."""
        return self._part(slice(None, self.n_labeled), slice(None, self.n_answers), self.n_labeled)

    @property
    def unlabeled(self) -> Batch:
        """The unlabeled rows."""
        return self._part(slice(self.n_labeled, None), slice(self.n_answers, None), 0)

    @property
    def by_row(self) -> Batch:
        """The batch with one weight for each row: the mean of the weights of its steps."""
        if not self.by_step or self.weights is None:
            return replace(self, by_step=False)
        n, n_steps = self.values.shape[:2]
        lengths = torch.full((n,), n_steps, device=self.weights.device) if self.lengths is None else self.lengths
        owners = torch.arange(n, device=lengths.device).repeat_interleave(lengths)
        sums = self.weights.new_zeros(n).index_add_(0, owners, self.weights)
        return replace(self, weights=sums / lengths, by_step=False)

    def _part(self, part: slice, answers: slice, n_labeled: int) -> Batch:
        return replace(
            self,
            values=self.values[part],
            lengths=None if self.lengths is None else self.lengths[part],
            targets=self.targets[answers],
            rows=self.rows[answers],
            weights=None if self.weights is None else self.weights[answers],
            n_labeled=n_labeled,
        )
