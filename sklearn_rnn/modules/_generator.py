"""From noise to sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._cells import RecurrentStack
from ._encoder import Architecture
from ._layers import linear


class Generator(nn.Module):
    """Noise to steps (n, T, n_outputs): standardised values, or one logit for each token id.

    The recurrence sees the noise of the whole sequence (n, n_noise) and that of each patch
    (n, T / patch_size, n_noise).
    """

    def __init__(self, architecture: Architecture, n_noise: int):
        super().__init__()
        a = architecture
        self.n_noise = n_noise
        self.patch_size = a.patch_size
        self.n_outputs = a.n_tokens + 1 if a.n_tokens else a.n_features
        self.recurrence = RecurrentStack(a.cell, 2 * n_noise, a.hidden_size, 1, False, 0.0)
        self.gain = nn.Parameter(torch.full((n_noise,), 0.1))  # of the noise of patches, which smooth sequences lack
        self.output = linear(a.hidden_size, self.n_outputs * a.patch_size)

    def forward(self, n: int, n_steps: int, generator: torch.Generator | None) -> Tensor:
        """Draw `n` sequences of `n_steps`; without a generator the noise is zero."""
        weight = self.output.weight
        n_patches = -(-n_steps // self.patch_size)
        noise = weight.new_zeros(1 + n_patches, n, self.n_noise)  # patch by patch, so that padding shifts no draw
        if generator is not None:
            noise.uniform_(-(3**0.5), 3**0.5, generator=generator)  # variance 1
        whole, each = noise[0][:, None].expand(-1, n_patches, -1), self.gain * noise[1:].transpose(0, 1)
        states = self.recurrence(torch.cat([whole, each], dim=2), None)
        return self.output(states).reshape(n, n_patches * self.patch_size, self.n_outputs)[:, :n_steps]
