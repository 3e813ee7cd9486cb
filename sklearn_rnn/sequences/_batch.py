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
    targets : Tensor of shape (n,) or (n, k)
        Targets, as the task reads them from y: class numbers, or standardised numbers. Only those of the first
        `n_labeled` rows are known.
    rows : Tensor of shape (n,)
        Positions in the training set.
    weights : Tensor of shape (n,) or None
        Weights of the rows, with a mean of 1 over the labeled rows; None if all are equal.
    n_labeled : int
        Number of labeled rows.
    generator : torch.Generator or None
        Source of all noise; with None there is no noise.
    progress : float
        Fraction of training that is done, from 0 to 1.
    strong : bool
        Whether the student sees strong views of the unlabeled rows.
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

    def __len__(self) -> int:
        return len(self.values)

    @property
    def labeled(self) -> Batch:
        """The labeled rows."""
        return self._part(slice(None, self.n_labeled), self.n_labeled)

    @property
    def unlabeled(self) -> Batch:
        """The unlabeled rows."""
        return self._part(slice(self.n_labeled, None), 0)

    def _part(self, part: slice, n_labeled: int) -> Batch:
        return replace(
            self,
            values=self.values[part],
            lengths=None if self.lengths is None else self.lengths[part],
            targets=self.targets[part],
            rows=self.rows[part],
            weights=None if self.weights is None else self.weights[part],
            n_labeled=n_labeled,
        )
