"""From embeddings to sequences, with the previous patch or nothing as the input at each patch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._cells import CELLS
from ._encoder import Encoder
from ._layers import blank, embedding, linear


class FeedingDecoder(nn.Module):
    """Decode embeddings (n, width) to steps (n, T, n_outputs); the embedding is the first state of the recurrence.

    The input at each patch is the previous patch, true or decoded; if `reads` is False, it is zero. Outputs are those
    of `Decoder`.
    """

    def __init__(self, encoder: Encoder, width: int, reads: bool):
        super().__init__()
        a = encoder.architecture
        self.patch_size = a.patch_size
        self.n_outputs = encoder.input.n_outputs
        self.embedding = embedding(self.n_outputs, a.hidden_size) if a.n_tokens and reads else None
        self.n_inputs = a.patch_size * (a.hidden_size if a.n_tokens else a.n_features) if reads else 1
        self.reads = reads
        self.start = linear(width, a.hidden_size)
        self.recurrence = blank(CELLS[a.cell], self.n_inputs, a.hidden_size, batch_first=True)
        self.output = linear(a.hidden_size, self.n_outputs * a.patch_size)

    def forward(
        self, embeddings: Tensor, n_steps: int, true_steps: Tensor | None = None, decoded_mask: Tensor | None = None
    ) -> Tensor:
        """Decode to steps (n, n_steps, n_outputs).

        The decoder reads the patches that it decoded or, if given, the `true_steps` (n, n_steps, F) or (n, n_steps);
        with a `decoded_mask` (n, n_steps / patch_size), it reads the decoded ones of the patches in the mask.
        """
        n_patches = -(-n_steps // self.patch_size)
        patches = None
        n = len(embeddings)
        if true_steps is not None and self.reads:
            true_steps = pad(true_steps, (0, 0) * (true_steps.dim() - 2) + (0, n_patches * self.patch_size - n_steps))
            patches = self._vectors(true_steps).reshape(n, n_patches, self.n_inputs)
        if not self.reads or (patches is not None and decoded_mask is None):
            before = embeddings.new_zeros(n, n_patches, 1) if patches is None else pad(patches[:, :-1], (0, 0, 1, 0))
            return self._steps(self.recurrence(before, self._first_state(embeddings))[0])[:, :n_steps]
        return self._one_by_one(embeddings, n_patches, patches, decoded_mask)[:, :n_steps]

    def _one_by_one(
        self, embeddings: Tensor, n_patches: int, patches: Tensor | None, decoded_mask: Tensor | None
    ) -> Tensor:
        state, decoded = self._first_state(embeddings), []
        before = embeddings.new_zeros(len(embeddings), self.n_inputs)
        for k in range(n_patches):
            states, state = self.recurrence(before[:, None], state)
            decoded.append(self._steps(states))  # (n, patch_size, n_outputs)
            steps = decoded[-1].detach()
            before = self._vectors(steps if self.embedding is None else steps.argmax(2)).flatten(1)
            if patches is not None and decoded_mask is not None:
                before = before.where(decoded_mask[:, k, None], patches[:, k])
        return torch.cat(decoded, dim=1)

    def _first_state(self, embeddings: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        state = torch.tanh(self.start(embeddings))[None]
        return (state, torch.zeros_like(state)) if isinstance(self.recurrence, nn.LSTM) else state

    def _vectors(self, steps: Tensor) -> Tensor:
        return steps if self.embedding is None else self.embedding(steps)

    def _steps(self, states: Tensor) -> Tensor:
        return self.output(states).reshape(len(states), -1, self.n_outputs)
