"""From sequences to codes: standardise or embed, convolve, group into patches, recur, pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ._cells import RecurrentStack
from ._input import InputLayer
from ._layers import dropout, linear, mask_padding
from ._number_input import NumberInput
from ._pooling import Pooling
from ._token_input import TokenInput


@dataclass(frozen=True)
class Architecture:
    """All that decides the shapes of an encoder's weights; see the estimators for the meaning."""

    n_features: int
    n_tokens: int  # 0 for numbers
    cell: str
    hidden_size: int
    num_layers: int
    bidirectional: bool
    dropout: float
    pooling: str
    patch_size: int
    embedding_size: int = 64  # of the vectors of tokens
    n_kernels: int = 0  # of numbers


def auto_patch_size(median_length: float, tokens: bool = False) -> int:
    """Steps in a patch so that a typical sequence makes about `auto_steps` recurrent steps of its input layer."""
    return max(1, round(median_length / (TokenInput if tokens else NumberInput).auto_steps))


def input_layer(a: Architecture) -> InputLayer:
    """Make the input layer for the kind of values that an encoder gets."""
    if a.n_tokens:
        return TokenInput(a.n_tokens, a.embedding_size, a.patch_size)
    return NumberInput(a.n_features, a.n_kernels, a.patch_size)


class Encoder(nn.Module):
    """Sequences (n, T, F) or token ids (n, T) to codes (n, out_features)."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        a = self.architecture = architecture
        self.input = input_layer(a)
        self.patches = linear(self.input.patch_width, a.hidden_size)
        self.norm = nn.LayerNorm(a.hidden_size)
        self.recurrence = RecurrentStack(a.cell, a.hidden_size, a.hidden_size, a.num_layers, a.bidirectional, a.dropout)
        self.pooling = Pooling(a.pooling, self.recurrence.out_features, a.hidden_size)
        self.out_features = self.pooling.out_features

    def layers(self) -> list[list[nn.Parameter]]:
        """Weights that are trained, layer by layer, the last first: each recurrent one, and what embeds the steps."""
        stack, n = self.recurrence, len(self.recurrence.forwards)
        modules = [[recurrent[i] for recurrent in (stack.forwards, stack.backwards) if recurrent] for i in range(n)]
        modules[-1].append(self.pooling)
        modules.insert(0, [self.input, self.patches, self.norm])
        return [[w for m in layer for w in m.parameters() if w.requires_grad] for layer in reversed(modules)]

    def set_dropout(self, p: float) -> None:
        """Drop values with probability `p` from now on."""
        self.architecture = replace(self.architecture, dropout=p)
        self.recurrence.dropout = p

    def embed(self, values: Tensor) -> Tensor:
        """Embedded steps (n, T, E) of values."""
        return self.input.embed(values)

    def without(self, embedded: Tensor, hidden: Tensor, changes: Tensor) -> Tensor:
        """Zero the `hidden` of embedded steps (n, T, E), and the last change of those where `changes` is True."""
        return self.input.without(embedded, hidden, changes)

    def forward(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> Tensor:
        """Codes of embedded steps; kernel features are zero where `kernel_mask` (n,) is False."""
        return self.pooled(*self.states(embedded, lengths, generator, kernel_mask), generator)

    def pooled(self, states: Tensor, lengths: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """Codes of states (n, T / patch_size, S)."""
        return dropout(self.pooling(states, lengths), self.architecture.dropout, generator)

    def states(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """States (n, T / patch_size, S) of the recurrence, and their lengths."""
        x, lengths = self.patched(embedded, lengths, kernel_mask)
        return self.recurrence(x, lengths, generator), lengths

    def patched(
        self, embedded: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Inputs (n, T / patch_size, H) of the recurrence, and their lengths.

        The random kernels look beyond a patch. Where `kernel_mask` (n,) is False, their features are zero.
        """
        x = mask_padding(embedded, lengths)
        p = self.architecture.patch_size
        ends = None if lengths is None else (lengths + p - 1).div(p, rounding_mode="floor")
        return self.norm(self.patches(self.input.group(x, lengths, kernel_mask))), ends
