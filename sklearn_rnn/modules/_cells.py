"""Stacked recurrent layers in one or both directions, right on padded input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._layers import blank, dropout, step_mask

CELLS: dict[str, type[nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentStack(nn.Module):
    """Recurrent layers, (n, T, E) -> (n, T, directions * hidden_size).

    The backward direction reads each sequence from its own end, so padding never reaches its state.

    Parameters
    ----------
    cell : str
        A key of `CELLS`.
    input_size, hidden_size, num_layers : int
        Sizes; `hidden_size` is per direction.
    bidirectional : bool
        Whether to read backwards too.
    dropout : float
        Share of values dropped between layers.
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
        """States of the last layer at each step."""
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
        """States (n, T, hidden_size) of one direction that has seen nothing of the other, which reads as zeros."""
        for i, layer in enumerate(self.backwards if backward else self.forwards):
            if i > 0:
                x = dropout(x, self.dropout, generator)
                if self.backwards:
                    silent = torch.zeros_like(x)
                    x = torch.cat([silent, x] if backward else [x, silent], dim=2)
            x = reverse(layer(reverse(x, lengths))[0], lengths) if backward else layer(x)[0]
        return x


def _layer(cell: str, input_size: int, hidden_size: int) -> nn.RNNBase:
    return blank(CELLS[cell], input_size, hidden_size, batch_first=True)


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Turn each sequence of (n, T, E) round within its own length; padding stays where it is."""
    if lengths is None:
        return x.flip(1)
    steps = torch.arange(x.shape[1], device=x.device).expand(x.shape[0], -1)
    turned = torch.where(step_mask(lengths, x.shape[1]), lengths[:, None] - 1 - steps, steps)
    return x.gather(1, turned[:, :, None].expand_as(x))
