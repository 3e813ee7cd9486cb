"""Scores of items, given predicted vectors."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from ._layers import embedding
from ._token_input import TokenInput


class ItemScores(nn.Module):
    """Scores of items: the products of predicted vectors (m, E) with the vectors of the items, plus their biases.

    Parameters
    ----------
    n_items : int
        Number of items; the unknown item has no score.
    width : int
        Width of the vectors.
    tied : bool
        Whether the vectors are those of the input layer.
    """

    def __init__(self, n_items: int, width: int, tied: bool):
        super().__init__()
        self.n_items, self.tied = n_items, tied
        self.bias = nn.Parameter(torch.zeros(n_items, device="cpu"))
        self.embedding = None if tied else embedding(n_items, width)

    def vectors(self, layer: TokenInput) -> Tensor:
        """Vectors (n_items, E) of all items."""
        return (layer.vectors() if self.embedding is None else self.embedding.weight)[: self.n_items]

    def forward(self, predicted: Tensor, layer: TokenInput, items: Tensor | None = None) -> Tensor:
        """Scores (m, n_items) of all items, or (m, k) of some `items` (k,)."""
        vectors = self.vectors(layer)
        if items is None:
            return linear(predicted, vectors, self.bias)
        return linear(predicted, vectors[items], self.bias[items])


def best_scores(blocks: Iterator[tuple[Tensor, Tensor]], k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest scores (n, k) of each row, in descending order, and their items.

    Parameters
    ----------
    blocks : iterator of (items, scores)
        Items (b,) and their scores (n, b), in blocks, so that the scores of all items never exist together.
    k : int
        Number of scores; there must be at least as many items.
    """
    best: tuple[Tensor, Tensor] | None = None
    for items, scores in blocks:
        top, places = scores.topk(min(k, scores.shape[1]), dim=1)
        chosen = items[places]
        if best is not None:
            top, chosen = torch.cat([best[0], top], dim=1), torch.cat([best[1], chosen], dim=1)
            top, places = top.topk(min(k, top.shape[1]), dim=1)
            chosen = chosen.gather(1, places)
        best = top, chosen
    assert best is not None
    return best
