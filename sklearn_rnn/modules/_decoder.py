"""From embeddings to sequences."""

from __future__ import annotations

from torch import Tensor, nn

from ._cells import RecurrentStack
from ._encoder import Encoder
from ._layers import linear, n_patches


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
