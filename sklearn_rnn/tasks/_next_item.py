"""Which item of a catalogue comes next."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from ..modules import linear
from ..sequences import Batch
from ._base import Targets, Task


class NextItem(Task):
    """The task of a recommender: the answer for a sequence is a vector, which is compared with those of the items.

    There is no y: each item of a sequence is the target of the items before it.
    """

    name = "next_item"
    method = "transform"
    n_readings = 1

    def read(self, y: Any, n: int, last: Any = None, sample_weight: Any = None) -> Targets:
        """Return targets without labeled rows."""
        return Targets(np.full(n, -1, dtype=np.int64), np.arange(0))

    def head(self, encoder: Any) -> nn.Module:
        """Return a linear layer from states of the recurrence to vectors."""
        return linear(encoder.out_features, encoder.architecture.embedding_size)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return no loss, because no row is labeled."""
        return outputs.new_zeros(0)

    def answers(self, outputs: Tensor) -> Tensor:
        """Return the vectors unchanged."""
        return outputs

    def exported(self, answers: Tensor) -> dict[str, Tensor]:
        """Return the `"vectors"`."""
        return {"vectors": answers}

    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Mean squared difference (n,)."""
        return (answers - targets).square().mean(1)

    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared difference (n,)."""
        return self.distance(outputs, targets)
