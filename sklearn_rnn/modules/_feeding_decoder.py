"""From codes back to sequences, each patch given the one before or nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._cells import CELLS
from ._encoder import Encoder
from ._layers import blank, embedding, linear


class FeedingDecoder(nn.Module):
    """Codes (n, code_size) to steps (n, T, n_outputs): the code is the first state of the recurrence.

    The input at each patch is the patch before, true or as decoded, or nothing where `reads` is False.
    Outputs are as `Decoder`'s.
    """

    def __init__(self, encoder: Encoder, code_size: int, reads: bool):
        super().__init__()
        a = encoder.architecture
        self.patch_size = a.patch_size
        self.n_outputs = encoder.input.n_outputs
        self.embedding = embedding(self.n_outputs, a.hidden_size) if a.n_tokens and reads else None
        self.n_inputs = a.patch_size * (a.hidden_size if a.n_tokens else a.n_features) if reads else 1
        self.reads = reads
        self.start = linear(code_size, a.hidden_size)
        self.recurrence = blank(CELLS[a.cell], self.n_inputs, a.hidden_size, batch_first=True)
        self.output = linear(a.hidden_size, self.n_outputs * a.patch_size)

    def forward(self, code: Tensor, n_steps: int, known: Tensor | None = None, own: Tensor | None = None) -> Tensor:
        """Steps (n, n_steps, n_outputs).

        Read is what was decoded before or, where given, what is `known` (n, n_steps, F) or (n, n_steps), but
        for the patches that `own` (n, n_steps / patch_size) says.
        """
        n_patches = -(-n_steps // self.patch_size)
        patches = None
        if known is not None and self.reads:
            known = pad(known, (0, 0) * (known.dim() - 2) + (0, n_patches * self.patch_size - n_steps))
            patches = self._vectors(known).reshape(len(code), n_patches, self.n_inputs)
        if not self.reads or (patches is not None and own is None):
            before = code.new_zeros(len(code), n_patches, 1) if patches is None else pad(patches[:, :-1], (0, 0, 1, 0))
            return self._steps(self.recurrence(before, self._first(code))[0])[:, :n_steps]
        return self._one_by_one(code, n_patches, patches, own)[:, :n_steps]

    def _one_by_one(self, code: Tensor, n_patches: int, patches: Tensor | None, own: Tensor | None) -> Tensor:
        state, before, decoded = self._first(code), code.new_zeros(len(code), self.n_inputs), []
        for k in range(n_patches):
            states, state = self.recurrence(before[:, None], state)
            decoded.append(self._steps(states))  # (n, patch_size, n_outputs)
            answer = decoded[-1].detach()
            before = self._vectors(answer if self.embedding is None else answer.argmax(2)).flatten(1)
            if patches is not None and own is not None:
                before = before.where(own[:, k, None], patches[:, k])
        return torch.cat(decoded, dim=1)

    def _first(self, code: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        state = torch.tanh(self.start(code))[None]
        return (state, torch.zeros_like(state)) if isinstance(self.recurrence, nn.LSTM) else state

    def _vectors(self, steps: Tensor) -> Tensor:
        return steps if self.embedding is None else self.embedding(steps)

    def _steps(self, states: Tensor) -> Tensor:
        return self.output(states).reshape(len(states), -1, self.n_outputs)
