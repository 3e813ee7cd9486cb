"""Ranking the items of a catalogue for predicted vectors, a block of scores at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..modules import Model, best_scores
from ..sequences import Sequences

SCORES = 1 << 23  # held at once: 32 MB
ROWS = 256  # of a block of scores


@dataclass(frozen=True)
class Ranker:
    """Scores some or all items of a catalogue for predicted vectors.

    Attributes
    ----------
    model : Model
        The trained model, with the part `"scores"`.
    ids : ndarray of shape (m,)
        Numbers of the items, ascending.
    """

    model: Model
    ids: NDArray[np.int64]

    def rows(self, n: int) -> Iterator[slice]:
        """Yield the rows of each block of scores."""
        for first in range(0, n, ROWS):
            yield slice(first, min(first + ROWS, n))

    def blocks(self, vectors: NDArray, seen: NDArray | None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield items (b,) and their scores (n, b): minus infinity for those `seen` (n, T), where -1 is padding."""
        scores: Any = self.model.parts["scores"]
        layer = self.model.encoder.input
        predicted = torch.from_numpy(vectors).to(scores.bias.device)
        size = max(1, SCORES // len(vectors))
        table = scores.vectors(layer)
        for first in range(0, len(self.ids), size):
            ids = self.ids[first : first + size]
            items = torch.from_numpy(ids).to(predicted.device)
            block = torch.addmm(scores.bias[items], predicted, table[items].T)
            if seen is not None:
                block[hidden_places(ids, seen, block.device)] = -torch.inf
            yield items, block

    def best(self, vectors: NDArray, k: int, seen: Sequences | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the k best items (n, k), and their scores, without those that a sequence in `seen` has."""
        chosen = np.empty((len(vectors), k), dtype=np.int64)
        values = np.empty((len(vectors), k), dtype=np.float32)
        for rows in self.rows(len(vectors)):
            hidden = None if seen is None else padded(seen, rows)
            top, items = best_scores(self.blocks(vectors[rows], hidden), k)
            chosen[rows], values[rows] = items.cpu().numpy(), top.cpu().numpy()
        return chosen, values

    def all(self, vectors: NDArray) -> NDArray[np.float32]:
        """Return the scores (n, m) of all items, in the order of `ids`."""
        return torch.cat([block for _, block in self.blocks(vectors, None)], dim=1).cpu().numpy()


def padded(sequences: Sequences, rows: slice) -> NDArray[np.int64]:
    """Return the ids (b, T) of some rows; padding is -1."""
    values, lengths = sequences.batch(np.arange(rows.start, rows.stop))
    if lengths is not None:
        values[np.arange(values.shape[1]) >= lengths[:, None]] = -1
    return values


def hidden_places(ids: NDArray, seen: NDArray, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the scores of items `ids` (b,) that were `seen` (n, T)."""
    places = np.searchsorted(ids, seen).clip(max=len(ids) - 1)
    rows, steps = np.nonzero(ids[places] == seen)
    return torch.from_numpy(rows).to(device), torch.from_numpy(places[rows, steps]).to(device)
