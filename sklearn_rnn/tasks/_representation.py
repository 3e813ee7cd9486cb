"""Embeddings of sequences, learned without targets."""

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
    n_readings = 1  # a decoder needs patches that begin at the first step

    def read(self, y: Any, n: int, last: Any = None, sample_weight: Any = None) -> Targets:
        """Return targets without labeled rows."""
        return Targets(np.full(n, -1, dtype=np.int64), np.arange(0))

    def head(self, encoder: Any) -> nn.Module:
        """Return the identity: the outputs are the embeddings."""
        return nn.Identity()

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return no loss, because no row is labeled."""
        return outputs.new_zeros(0)

    def answers(self, outputs: Tensor) -> Tensor:
        """Return the embeddings unchanged."""
        return outputs

    def exported(self, answers: Tensor) -> dict[str, Tensor]:
        """Return the `"embeddings"`."""
        return {"embeddings": answers}

    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Mean squared difference (n,)."""
        return (answers - targets).square().mean(1)

    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared difference (n,)."""
        return self.distance(outputs, targets)
