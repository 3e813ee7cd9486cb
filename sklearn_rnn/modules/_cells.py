"""Stacked recurrent layers in one or both directions, for padded input."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ._layers import blank, dropout, step_mask
from ._mingru import MinGRU

CELLS: dict[str, type[nn.Module]] = {"lstm": nn.LSTM, "gru": nn.GRU, "mingru": MinGRU, "rnn": nn.RNN}


class RecurrentStack(nn.Module):
    """Recurrent layers, (n, T, E) -> (n, T, directions * hidden_size).

    The backward direction starts at the last step of each sequence, so its states do not depend on padding.

    Parameters
    ----------
    cell : str
        A key of `CELLS`.
    input_size, hidden_size, num_layers : int
        Sizes; `hidden_size` is per direction.
    bidirectional : bool
        Whether there is a backward direction.
    dropout : float
        Fraction of values that are dropped between layers.
    """

    def __init__(
        self, cell: str, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool, dropout: float
    ):
        super().__init__()
        self.dropout = dropout
        self.out_features = hidden_size * (1 + bidirectional)
        sizes = [input_size] + [self.out_features] * (num_layers - 1)
        self.forwards = nn.ModuleList(_layer(cell, size, hidden_size) for size in sizes)
        self.backwards = nn.ModuleList(_layer(cell, size, hidden_size) for size in sizes if bidirectional)

    def forward(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """States (n, T, directions * hidden_size) of the last layer at each step."""
        for i, layer in enumerate(self.forwards):
            if i > 0:
                x = dropout(x, self.dropout, generator)
            states = layer(x)[0]
            if self.backwards:
                back = self.backwards[i](reverse(x, lengths))[0]
                states = torch.cat([states, reverse(back, lengths)], dim=2)
            x = states
        return x

    def alone(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator | None, backward: bool) -> Tensor:
        """States (n, T, hidden_size) of one direction; the states of the other direction are zero in all layers."""
        for i, layer in enumerate(self.backwards if backward else self.forwards):
            if i > 0:
                x = dropout(x, self.dropout, generator)
                if self.backwards:
                    zeros = torch.zeros_like(x)
                    x = torch.cat([zeros, x] if backward else [x, zeros], dim=2)
            x = reverse(layer(reverse(x, lengths))[0], lengths) if backward else layer(x)[0]
        return x

    def step(self, x: Tensor, memory: list[Any] | None) -> tuple[Tensor, list[Any]]:
        """States (n, T, hidden_size) of the forward direction, given what it remembers, and what it remembers then."""
        kept = []
        for layer, last in zip(self.forwards, memory or [None] * len(self.forwards), strict=True):
            x, new = layer(x, last)
            kept.append(new)
        return x, kept


def _layer(cell: str, input_size: int, hidden_size: int) -> nn.Module:
    return blank(CELLS[cell], input_size, hidden_size, batch_first=True)


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse the steps of each sequence (n, T, E); padding stays at the end."""
    if lengths is None:
        return x.flip(1)
    steps = torch.arange(x.shape[1], device=x.device).expand(x.shape[0], -1)
    reversed_steps = torch.where(step_mask(lengths, x.shape[1]), lengths[:, None] - 1 - steps, steps)
    return x.gather(1, reversed_steps[:, :, None].expand_as(x))
