"""What adversarial objectives share: generated sequences as the encoder sees them, and telling them from real ones."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import softplus

from ..modules import linear
from ..sequences import Batch


def fake_view(model: Any, batch: Batch) -> Tensor:
    """Embedded steps (n, T, E) of as many generated sequences as there are rows, perturbed as those are."""
    steps = model.parts["generator"](len(batch), batch.values.shape[1], batch.generator)
    values = model.encoder.input.to_values(model.encoder.input.draw(steps, batch.generator))
    return model.view(values, batch.lengths, batch.generator, batch.strong)


def told_real(scores: Tensor) -> Tensor:
    """Cross-entropy of calling rows with these scores real."""
    return softplus(-scores).mean()


def told_fake(scores: Tensor) -> Tensor:
    """Cross-entropy of calling rows with these scores fake."""
    return softplus(scores).mean()


def told_apart(real: Tensor, fake: Tensor) -> Tensor:
    """Share of rows with these scores (n,) that are called what they are, the mean of real and fake ones."""
    return ((real > 0).float().mean() + (fake < 0).float().mean()) / 2


def critic(n_inputs: int, n_hidden: int) -> nn.Module:
    """Make a net that scores codes (n, n_inputs): high for real ones."""
    return nn.Sequential(linear(n_inputs, n_hidden), nn.LeakyReLU(0.2), linear(n_hidden, 1), nn.Flatten(0))
