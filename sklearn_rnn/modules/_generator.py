"""From noise to sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._cells import RecurrentStack
from ._encoder import Encoder
from ._layers import linear


class Generator(nn.Module):
    """Generate steps (n, T, n_outputs) from noise: standardised values, or one logit for each token id.

    The recurrence has no patches, because values would jump between patches. Its inputs are noise for the whole
    sequence (n, n_noise) and noise for each step (n, T, n_noise).
    """

    def __init__(self, encoder: Encoder, n_noise: int):
        super().__init__()
        a = encoder.architecture
        self.n_noise = n_noise
        self.recurrence = RecurrentStack(a.cell, 2 * n_noise, a.hidden_size, 1, False, 0.0)
        self.gain = nn.Parameter(torch.full((n_noise,), 0.1))  # of the noise of steps; smooth sequences need little
        self.output = linear(a.hidden_size, encoder.input.n_outputs)

    def forward(self, n: int, n_steps: int, generator: torch.Generator | None) -> Tensor:
        """Draw `n` sequences of `n_steps`; without a generator the noise is zero."""
        noise = self.gain.new_zeros(1 + n_steps, n, self.n_noise)  # step by step, so that padding does not change draws
        if generator is not None:
            noise.uniform_(-(3**0.5), 3**0.5, generator=generator)  # variance 1
        of_sequence, of_steps = noise[0][:, None].expand(-1, n_steps, -1), noise[1:].transpose(0, 1)
        return self.output(self.recurrence(torch.cat([of_sequence, self.gain * of_steps], dim=2), None))
