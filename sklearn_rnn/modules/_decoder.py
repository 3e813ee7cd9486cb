"""From embeddings to sequences."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .._inputs import Inputs
from ._cells import RecurrentStack
from ._encoder import Encoder
from ._layers import linear, n_patches
from ._static import StaticEncoder


class Decoder(nn.Module):
    """Decode embeddings (n, width) to steps (n, T, n_outputs), in one call of the recurrence.

    The embedding is the decoder's input at each patch (Cho 2014). Outputs are standardised values, or one logit for
    each token id.
    """

    def __init__(self, encoder: Encoder, width: int):
        super().__init__()
        a = encoder.architecture
        self.patch_size = a.patch_size
        self.n_outputs = encoder.input.n_outputs
        self.recurrence = RecurrentStack(a.cell, width, a.hidden_size, 1, False, 0.0)
        self.output = linear(a.hidden_size, self.n_outputs * a.patch_size)

    def forward(self, embeddings: Tensor, n_steps: int) -> Tensor:
        """Steps (n, n_steps, n_outputs)."""
        n = n_patches(n_steps, self.patch_size)
        states = self.recurrence(embeddings[:, None].expand(-1, n, -1), None)
        steps = self.output(states).reshape(embeddings.shape[0], n * self.patch_size, self.n_outputs)
        return steps[:, :n_steps]


class StaticDecoder(nn.Module):
    """Decode embeddings (n, width) to the features (n, 1, D) of static columns."""

    def __init__(self, encoder: StaticEncoder, width: int):
        super().__init__()
        self.output = linear(width, encoder.input.n_outputs)

    def forward(self, embeddings: Tensor, n_steps: int) -> Tensor:
        """Features (n, 1, D)."""
        return self.output(embeddings)[:, None]


class Decoders(nn.Module):
    """Decode the embedding of a row to the steps of each of its inputs."""

    def __init__(self, encoder: Any, width: int):
        super().__init__()
        self.parts = nn.ModuleList(decoder_of(part, width) for part in encoder.each)

    def forward(self, embeddings: Tensor, n_steps: tuple[int, ...]) -> Inputs:
        """Decoded steps, `n_steps` of each input."""
        return Inputs(decoder(embeddings, n) for decoder, n in zip(self.parts, n_steps, strict=True))


def decoder_of(encoder: Any, width: int) -> nn.Module:
    """Return the module that decodes embeddings (n, width) to what an encoder reads, blank."""
    if isinstance(encoder, StaticEncoder):
        return StaticDecoder(encoder, width)
    return Decoder(encoder, width) if isinstance(encoder, Encoder) else Decoders(encoder, width)
