"""What adversarial objectives share: generated sequences, and the losses of a discriminator."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import softplus

from ..modules import Model, linear
from ..sequences import Batch


def generated_view(model: Model, batch: Batch) -> Tensor:
    """Embedded steps (n, T, E) of generated sequences, one for each row, perturbed as the rows are."""
    steps = model.parts["generator"](len(batch), batch.values.shape[1], batch.generator)
    layer = model.encoder.input
    values = layer.like(layer.to_values(layer.draw(steps, batch.generator)), batch.values)
    return model.view(values, batch.lengths, batch.generator, batch.strong)


def real_loss(scores: Tensor) -> Tensor:
    """Mean cross-entropy of rows with these scores (n,) if all are real."""
    return softplus(-scores).mean()


def fake_loss(scores: Tensor) -> Tensor:
    """Mean cross-entropy of rows with these scores (n,) if all are generated."""
    return softplus(scores).mean()


def discriminator_accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Fraction of rows that a discriminator classifies correctly, given the scores (n,) of real and fake rows."""
    return ((real > 0).float().mean() + (fake < 0).float().mean()) / 2


def discriminator(n_inputs: int, n_hidden: int) -> nn.Module:
    """Make a net that scores embeddings (n, n_inputs): high for real ones."""
    return nn.Sequential(linear(n_inputs, n_hidden), nn.LeakyReLU(0.2), linear(n_hidden, 1), nn.Flatten(0))
