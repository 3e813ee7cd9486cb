"""From embeddings to token ids, with the previous patch as an input at each patch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._cells import CELLS
from ._encoder import Encoder
from ._layers import blank, embedding, gumbel_like, linear


class TokenDecoder(nn.Module):
    """Decode embeddings (n, width) to logits of token ids (n, T, n_tokens + 1).

    The decoder's inputs at each patch are the embedding and the vectors of the previous patch. These are zero for the
    first patch, and for tokens that are dropped.
    """

    def __init__(self, encoder: Encoder, width: int):
        super().__init__()
        a = encoder.architecture
        self.patch_size = a.patch_size
        self.n_outputs = encoder.input.n_outputs
        self.embedding = embedding(self.n_outputs, a.hidden_size)
        n_inputs = width + a.patch_size * a.hidden_size
        self.recurrence = blank(CELLS[a.cell], n_inputs, a.hidden_size, batch_first=True)
        self.output = linear(a.hidden_size, self.n_outputs * a.patch_size)

    def forward(self, embeddings: Tensor, tokens: Tensor, keep: Tensor | None = None) -> Tensor:
        """Logits for each of the `tokens` (n, T), given the previous tokens without those whose `keep` (n, T) is 0."""
        n_steps = tokens.shape[1]
        vectors = self.embedding(tokens)  # (n, T, H)
        if keep is not None:
            vectors = vectors * keep[:, :, None]
        vectors = pad(vectors, (0, 0, 0, -n_steps % self.patch_size))
        patches = vectors.reshape(len(embeddings), -(-n_steps // self.patch_size), -1)
        before = pad(patches[:, :-1], (0, 0, 1, 0))
        inputs = torch.cat([embeddings[:, None].expand(-1, before.shape[1], -1), before], dim=2)
        return self._logits(self.recurrence(inputs)[0])[:, :n_steps]

    def decode(self, embeddings: Tensor, n_steps: int, generator: torch.Generator | None = None) -> Tensor:
        """Logits (n, n_steps, n_tokens + 1), given the tokens with the largest logits of the previous patches.

        With a `generator`, Gumbel noise is added to the logits, so that the largest is a draw.
        """
        before = embeddings.new_zeros(len(embeddings), self.patch_size * self.embedding.embedding_dim)
        state, decoded = None, []
        for _ in range(-(-n_steps // self.patch_size)):
            states, state = self.recurrence(torch.cat([embeddings, before], dim=1)[:, None], state)
            logits = self._logits(states)  # (n, patch_size, n_tokens + 1)
            logits[:, :, -1] = -torch.inf  # the unknown token is never decoded
            if generator is not None:
                logits = logits + gumbel_like(logits, generator)
            decoded.append(logits)
            before = self.embedding(logits.argmax(2)).flatten(1)
        return torch.cat(decoded, dim=1)[:, :n_steps]

    def _logits(self, states: Tensor) -> Tensor:
        return self.output(states).reshape(len(states), -1, self.n_outputs)
