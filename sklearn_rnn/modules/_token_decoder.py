"""From codes to token ids, each patch given the one before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._cells import CELLS
from ._encoder import Encoder
from ._layers import blank, embedding, gumbel_like, linear


class TokenDecoder(nn.Module):
    """Codes (n, code_size) to logits of token ids (n, T, n_tokens + 1), each patch given the one before.

    The decoder's input at each patch is the code and the vectors of the patch before; the first sees
    zeros there, as does a step whose token is dropped.
    """

    def __init__(self, encoder: Encoder, code_size: int):
        super().__init__()
        a = encoder.architecture
        self.patch_size = a.patch_size
        self.n_outputs = encoder.input.n_outputs
        self.embedding = embedding(self.n_outputs, a.hidden_size)
        n_inputs = code_size + a.patch_size * a.hidden_size
        self.recurrence = blank(CELLS[a.cell], n_inputs, a.hidden_size, batch_first=True)
        self.output = linear(a.hidden_size, self.n_outputs * a.patch_size)

    def forward(self, code: Tensor, tokens: Tensor, keep: Tensor | None = None) -> Tensor:
        """Logits of each of the `tokens` (n, T) given those before, of which `keep` (n, T) may drop some by 0."""
        n_steps = tokens.shape[1]
        vectors = self.embedding(tokens)  # (n, T, H)
        if keep is not None:
            vectors = vectors * keep[:, :, None]
        vectors = pad(vectors, (0, 0, 0, -n_steps % self.patch_size))
        patches = vectors.reshape(len(code), -(-n_steps // self.patch_size), -1)
        before = pad(patches[:, :-1], (0, 0, 1, 0))
        inputs = torch.cat([code[:, None].expand(-1, before.shape[1], -1), before], dim=2)
        return self._logits(self.recurrence(inputs)[0])[:, :n_steps]

    def write(self, code: Tensor, n_steps: int, generator: torch.Generator | None = None) -> Tensor:
        """Logits (n, n_steps, n_tokens + 1) along what is written: the largest each time.

        With a `generator` they have Gumbel noise added, so that the largest is a draw.
        """
        before = code.new_zeros(len(code), self.patch_size * self.embedding.embedding_dim)
        state, written = None, []
        for _ in range(-(-n_steps // self.patch_size)):
            states, state = self.recurrence(torch.cat([code, before], dim=1)[:, None], state)
            logits = self._logits(states)  # (n, patch_size, n_tokens + 1)
            logits[:, :, -1] = -torch.inf  # nobody writes the unknown token
            if generator is not None:
                logits = logits + gumbel_like(logits, generator)
            written.append(logits)
            before = self.embedding(logits.argmax(2)).flatten(1)
        return torch.cat(written, dim=1)[:, :n_steps]

    def _logits(self, states: Tensor) -> Tensor:
        return self.output(states).reshape(len(states), -1, self.n_outputs)
