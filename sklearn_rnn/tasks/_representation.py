"""Embeddings of sequences, which no target is needed for."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from ..sequences import Batch
from ._base import Targets, Task


class Representation(Task):
    """The task of unsupervised objectives: the answer for a sequence is its embedding."""

    name = "representation"
    method = "transform"
    n_readings = 1  # a decoder must know where patches begin

    def read(self, y: Any, n: int, last: Any = None) -> Targets:
        """Return that no row is labeled."""
        return Targets(np.full(n, -1, dtype=np.int64), np.arange(0))

    def head(self, encoder: Any) -> nn.Module:
        """Return the module that changes nothing."""
        return nn.Identity()

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """No row is labeled, so there is no loss."""
        return outputs.new_zeros(0)

    def answers(self, outputs: Tensor) -> Tensor:
        """Embeddings as they are."""
        return outputs

    def distance(self, answers: Tensor, others: Tensor) -> Tensor:
        """Mean squared difference (n,)."""
        return (answers - others).square().mean(1)

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """Mean squared difference (n,)."""
        return self.distance(outputs, others)
