"""Stacked recurrent layers in one or both directions, for padded input."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ._gru import gru_states, is_faster
from ._layers import blank, dropout, step_mask, trained_on_cpu
from ._mingru import MinGRU
from ._shares import by_rows

CELLS: dict[str, type[nn.Module]] = {"lstm": nn.LSTM, "gru": nn.GRU, "mingru": MinGRU, "rnn": nn.RNN}
MAX_STATES = 1 << 20  # numbers in the states of an LSTM up to which it is trained in one call
STEPS_OF_CALL = 100  # steps of each call, if it has more


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
        for i in range(len(self.forwards)):
            if i > 0:
                x = dropout(x, self.dropout, generator)
            x = by_rows(partial(self._layer_states, i), x, lengths)
        return x

    def draws(self, generator: torch.Generator | None) -> bool:
        """Whether `forward` draws random numbers: if it drops values between layers."""
        return generator is not None and self.dropout > 0 and len(self.forwards) > 1

    def _layer_states(self, i: int, x: Tensor, lengths: Tensor | None) -> Tensor:
        layers = [stack[i] for stack in (self.forwards, self.backwards) if stack]
        states = _states(layers, [x, reverse(x, lengths)] if self.backwards else [x])
        return torch.cat([states[0], reverse(states[1], lengths)], dim=2) if self.backwards else states[0]

    def alone(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator | None, backward: bool) -> Tensor:
        """States (n, T, hidden_size) of one direction; the states of the other direction are zero in all layers."""
        for i, layer in enumerate(self.backwards if backward else self.forwards):
            if i > 0:
                x = dropout(x, self.dropout, generator)
                if self.backwards:
                    zeros = torch.zeros_like(x)
                    x = torch.cat([zeros, x] if backward else [x, zeros], dim=2)
            (states,) = _states([layer], [reverse(x, lengths) if backward else x])
            x = reverse(states, lengths) if backward else states
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


def _states(layers: list[nn.Module], inputs: list[Tensor]) -> list[Tensor]:
    """States (n, T, H) of each layer, for its inputs (n, T, E)."""
    if is_faster(layers[0], len(layers), inputs[0]):
        steps = gru_states(layers, torch.stack([x.transpose(0, 1) for x in inputs]))
        return [states.transpose(0, 1) for states in steps]
    return [_states_of_layer(layer, x) for layer, x in zip(layers, inputs, strict=True)]


def _states_of_layer(layer: Any, x: Tensor) -> Tensor:
    """States (n, T, H) of one layer. Calls of 100 steps train an LSTM on long inputs in .7 to .9 of the time of one."""
    is_lstm = type(layer) is nn.LSTM and trained_on_cpu(x)
    if not is_lstm or len(x) * x.shape[1] * layer.hidden_size <= MAX_STATES:
        return layer(x)[0]
    states, memory = [], None
    for steps in x.split(STEPS_OF_CALL, 1):
        output, memory = layer(steps, memory)
        states.append(output)
    return torch.cat(states, 1)


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse the steps of each sequence (n, T, E); padding stays at the end."""
    if lengths is None:
        return x.flip(1)
    steps = torch.arange(x.shape[1], device=x.device).expand(x.shape[0], -1)
    reversed_steps = torch.where(step_mask(lengths, x.shape[1]), lengths[:, None] - 1 - steps, steps)
    return x.gather(1, reversed_steps[:, :, None].expand_as(x))
