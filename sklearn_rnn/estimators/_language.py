"""Drawing sequences of items, one item after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..modules import Model, gumbel_like
from ..sequences import Sequences


class Writer:
    """Draws items from the softmax of their scores.

    Parameters
    ----------
    model : Model
        The trained model, with the part `"scores"`.
    temperature : float
        The scores are divided by it; with 0, the item with the largest score is taken.
    top_k : int or None
        Number of items with the largest scores to draw from; None for all.
    generator : torch.Generator
        Source of randomness, on the model's device.
    """

    def __init__(self, model: Model, temperature: float, top_k: int | None, generator: torch.Generator):
        self.model, self.temperature, self.top_k, self.generator = model, temperature, top_k, generator

    def write(self, n: int, n_steps: int) -> NDArray[np.int64]:
        """Draw n sequences (n, n_steps) from nothing."""
        width = self.model.encoder.out_features
        state = torch.zeros(n, width, device=self.generator.device)
        return self._drawn(state, None, n_steps)

    def go_on(self, sequences: Sequences, n_steps: int) -> NDArray[np.int64]:
        """Draw the next items (n, n_steps) of sequences; those of one length are read together."""
        output = np.empty((len(sequences), n_steps), dtype=np.int64)
        for length in np.unique(sequences.lengths):
            rows = np.flatnonzero(sequences.lengths == length)
            values, _ = sequences.batch(rows)
            states, memory = self._read(torch.from_numpy(values).to(self.generator.device), None)
            output[rows] = self._drawn(states[:, -1], memory, n_steps)
        return output

    def _read(self, ids: Tensor, memory: Any) -> tuple[Tensor, Any]:
        encoder = self.model.encoder
        x, _ = encoder.patched(encoder.embed(ids), None)
        return encoder.recurrence.step(x, memory)

    def _drawn(self, state: Tensor, memory: Any, n_steps: int) -> NDArray[np.int64]:
        """Draw items, the first of them after a `state` (n, H) of the recurrence."""
        scores, layer, drawn = self.model.parts["scores"], self.model.encoder.input, []
        for _ in range(n_steps):
            drawn.append(self._draw(scores(self.model.head(state), layer)))
            states, memory = self._read(drawn[-1][:, None], memory)
            state = states[:, -1]
        return torch.stack(drawn, dim=1).cpu().numpy()

    def _draw(self, scores: Tensor) -> Tensor:
        """Draw an item (n,) for each row of scores (n, n_items)."""
        if self.top_k is not None and self.top_k < scores.shape[1]:
            least = scores.topk(self.top_k, dim=1).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        if self.temperature == 0:
            return scores.argmax(1)
        return (scores / self.temperature + gumbel_like(scores, self.generator)).argmax(1)
