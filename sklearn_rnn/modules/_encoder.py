"""From sequences to codes: standardise or embed, convolve, group into patches, recur, pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._cells import RecurrentStack
from ._kernels import RandomKernels
from ._layers import dropout, embedding, in_patches, linear, mask_padding
from ._pooling import Pooling

AUTO_STEPS, AUTO_TOKEN_STEPS = 24, 48  # recurrent steps that patch_size="auto" aims at
FAR = 1e6  # limit of standardised values; a training value can exceed it only in data of more than 1e12 steps


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

    @property
    def n_outputs(self) -> int:
        """Width of a decoded step: of its values, or of a logit for each token and for the unknown one."""
        return self.n_tokens + 1 if self.n_tokens else self.n_features


def auto_patch_size(median_length: float, tokens: bool = False) -> int:
    """Steps in a patch so that a typical sequence makes about `AUTO_STEPS` recurrent steps, or `AUTO_TOKEN_STEPS`."""
    return max(1, round(median_length / (AUTO_TOKEN_STEPS if tokens else AUTO_STEPS)))


class Encoder(nn.Module):
    """Sequences (n, T, F) or token ids (n, T) to codes (n, out_features).

    Numbers are relative to the `origin`, which is subtracted before they are rounded to float32. Standardised, they
    are clamped to `FAR` deviations, so that all that follows stays finite.
    """

    mean: Tensor
    scale: Tensor
    change: Tensor
    origin_parts: Tensor
    frequency: Tensor

    def __init__(self, architecture: Architecture):
        super().__init__()
        a = self.architecture = architecture
        self.embedding, self.kernels, self.frozen = None, None, False
        n_inputs = 2 * a.n_features * a.patch_size
        if a.n_tokens:
            self.embedding = embedding(a.n_tokens + 1, a.embedding_size)  # the last is unknown
            self.register_buffer("frequency", torch.full((a.n_tokens + 1,), 1 / (a.n_tokens + 1)))
            n_inputs = a.embedding_size * a.patch_size
        elif a.n_kernels:
            self.kernels = RandomKernels(2 * a.n_features, a.n_kernels, a.patch_size, AUTO_STEPS * a.patch_size)
            n_inputs += self.kernels.out_features
        self.register_buffer("origin_parts", torch.zeros(2, a.n_features))  # in float32: some devices have no float64
        self.register_buffer("mean", torch.zeros(a.n_features))
        self.register_buffer("scale", torch.ones(a.n_features))
        self.register_buffer("change", torch.ones(a.n_features))
        self.patches = linear(n_inputs, a.hidden_size)
        self.norm = nn.LayerNorm(a.hidden_size)
        self.recurrence = RecurrentStack(a.cell, a.hidden_size, a.hidden_size, a.num_layers, a.bidirectional, a.dropout)
        self.pooling = Pooling(a.pooling, self.recurrence.out_features, a.hidden_size)
        self.out_features = self.pooling.out_features

    @property
    def origin(self) -> Tensor:
        """What is to be subtracted from numbers (n, T, F) before the encoder sees them: (F,), float64."""
        return self.origin_parts.cpu().double().sum(0)

    def standardise(self, mean: Tensor, deviation: Tensor, change: Tensor, origin: Tensor | None = None) -> None:
        """Bring each feature to mean 0 and deviation 1 from now on, and its changes to size 1; constant ones to 0.

        The mean is relative to the `origin` (F,), float64, a sum of two float32; 0 by default.
        """
        if origin is not None:
            self.origin_parts[0].copy_(origin)
            self.origin_parts[1].copy_(origin - origin.float())
        noise = 1e-6 * mean.abs() + 1e-30  # what rounding leaves of a constant
        constant = deviation <= noise
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(deviation == 0, torch.ones_like(deviation), deviation.maximum(noise)))
        self.change.copy_(torch.where(constant | (change == 0), torch.ones_like(change), change / self.scale))

    def scale_kernels(self, values: Tensor, lengths: Tensor | None) -> None:
        """Bring what the kernels answer to these numbers (n, T, F) to one scale, from now on."""
        assert self.kernels is not None
        self.kernels.scale(self.embed(values), lengths)

    def set_vectors(self, vectors: Tensor | None, frequency: Tensor) -> None:
        """Start from the `vectors` (n_tokens + 1, E) of tokens, where given; these are their frequencies."""
        assert self.embedding is not None
        with torch.no_grad():
            self.frequency.copy_(frequency)
            if vectors is not None:
                self.embedding.weight.copy_(vectors)

    def freeze(self, frozen: bool) -> None:
        """Leave the vectors of tokens as they are from now on, or train them."""
        assert self.embedding is not None
        if frozen and not self.frozen:
            with torch.no_grad():
                self.embedding.weight.copy_(self._normalised(self.embedding.weight))
        self.frozen = frozen
        self.embedding.requires_grad_(not frozen)

    def layers(self) -> list[list[nn.Parameter]]:
        """Weights that are trained, layer by layer, the last first: each recurrent one, and what embeds the steps."""
        stack, n = self.recurrence, len(self.recurrence.forwards)
        modules = [[recurrent[i] for recurrent in (stack.forwards, stack.backwards) if recurrent] for i in range(n)]
        modules[-1].append(self.pooling)
        first = [self.embedding, self.patches, self.norm]
        modules.insert(0, [module for module in first if module is not None])
        return [[w for m in layer for w in m.parameters() if w.requires_grad] for layer in reversed(modules)]

    def set_dropout(self, p: float) -> None:
        """Drop values with probability `p` from now on."""
        self.architecture = replace(self.architecture, dropout=p)
        self.recurrence.dropout = p

    def standardised(self, values: Tensor) -> Tensor:
        """Standardised numbers (n, T, F), clamped to `FAR`."""
        return ((values - self.mean) / self.scale).clamp(-FAR, FAR)

    def embed(self, values: Tensor) -> Tensor:
        """Embedded steps (n, T, E): the vectors of ids; of numbers, standardised, these and their last change.

        Instead of ids there may be ones among zeros (n, T, n_tokens + 1), which have a gradient.
        """
        if self.embedding is not None:
            vectors = self.embedding(values) if values.dim() == 2 else values @ self.embedding.weight
            return vectors if self.frozen else self._normalised(vectors)
        return self.with_changes(self.standardised(values))

    def with_changes(self, x: Tensor) -> Tensor:
        """Embedded steps (n, T, 2 F) of standardised numbers (n, T, F)."""
        change = ((x[:, 1:] - x[:, :-1]) / self.change).clamp(-FAR, FAR)
        return torch.cat([x, pad(change, (0, 0, 1, 0))], dim=2)

    def _normalised(self, vectors: Tensor) -> Tensor:
        """Bring vectors to mean 0 and variance 1 over the tokens of the data (Miyato, Dai and Goodfellow 2017).

        The variance is that of all features together, so that strong ones stay stronger than weak ones.
        """
        assert self.embedding is not None
        weight = self.embedding.weight
        mean = self.frequency @ weight
        variance = (self.frequency @ (weight - mean).square()).mean()
        return (vectors - mean) * (variance + 1e-8).rsqrt()

    def forward(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        heard: Tensor | None = None,
    ) -> Tensor:
        """Codes of embedded steps; for which sequences (n,) the kernels are `heard`, all unless given."""
        return self.pooled(*self.states(embedded, lengths, generator, heard), generator)

    def pooled(self, states: Tensor, lengths: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """Codes of states (n, T / patch_size, S)."""
        return dropout(self.pooling(states, lengths), self.architecture.dropout, generator)

    def states(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        heard: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """States (n, T / patch_size, S) of the recurrence, and their lengths."""
        x, lengths = self.patched(embedded, lengths, heard)
        return self.recurrence(x, lengths, generator), lengths

    def patched(
        self, embedded: Tensor, lengths: Tensor | None, heard: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Inputs (n, T / patch_size, H) of the recurrence, and their lengths.

        The kernels see steps beyond a patch; zeros stand for what they see of a sequence that is not `heard`.
        """
        x = mask_padding(embedded, lengths)
        p = self.architecture.patch_size
        patches = in_patches(x, p).flatten(2)
        if self.kernels is not None:
            patches = torch.cat([patches, self.kernels(x, lengths, heard)], dim=2)
        ends = None if lengths is None else (lengths + p - 1).div(p, rounding_mode="floor")
        return self.norm(self.patches(patches)), ends

    def without(self, embedded: Tensor, hidden: Tensor, changes: Tensor) -> Tensor:
        """Zero the `hidden` of embedded steps (n, T, E), and the last change of those that `changes` says."""
        shown = embedded.masked_fill(hidden[..., None], 0)
        if self.embedding is not None:
            return shown
        n_features = self.architecture.n_features
        values, change = shown[:, :, :n_features], shown[:, :, n_features:]
        return torch.cat([values, change.masked_fill(changes[..., None], 0)], dim=2)
