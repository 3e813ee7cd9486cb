"""What generative objectives share: draws of codes, divergences, likelihoods of sequences."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..modules import Decoder, TokenDecoder, TokenInput, mask_padding
from ..sequences import Batch

MIN_SCALE = 0.01  # of the noise in standardised values; less would be worth ever more for a constant feature


class StepNoise(nn.Module):
    """Deviation (F,) of the Gaussian noise on each standardised feature; learned (Rybkin 2021)."""

    def __init__(self, n_features: int):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(n_features))

    def forward(self) -> Tensor:
        """Log deviations (F,)."""
        return self.log_scale.clamp_min(math.log(MIN_SCALE))


def generative_parts(encoder: Any, code_size: int) -> dict[str, nn.Module]:
    """Return a `"decoder"` of codes, and for numbers the `"noise"` on what it decodes."""
    if isinstance(encoder.input, TokenInput):
        return {"decoder": TokenDecoder(encoder, code_size)}
    return {"decoder": Decoder(encoder, code_size), "noise": StepNoise(encoder.input.n_features)}


def write(model: Any, codes: Tensor, n_steps: int, generator: torch.Generator | None = None) -> Tensor:
    """Decode codes (n, C): means of standardised steps (n, n_steps, F), or logits of tokens, drawn if asked."""
    decoder = model.parts["decoder"]
    return decoder.write(codes, n_steps, generator) if isinstance(decoder, TokenDecoder) else decoder(codes, n_steps)


def log_likelihood(
    model: Any, values: Tensor, lengths: Tensor | None, codes: Tensor, keep: Tensor | None = None
) -> Tensor:
    """Log-likelihood (n,) of whole sequences given codes (n, C), in nats; of numbers, in standardised units."""
    decoder = model.parts["decoder"]
    if values.dim() == 2:
        logits = decoder(codes, values, keep)
        logs = -cross_entropy(logits.transpose(1, 2), values, reduction="none")
    else:
        log_scale = model.parts["noise"]()
        error = (model.encoder.input.standardised(values) - decoder(codes, values.shape[1])) / log_scale.exp()
        logs = -(error.square() / 2 + log_scale + math.log(2 * math.pi) / 2).sum(2)
    return mask_padding(logs[:, :, None], lengths).sum((1, 2))


def sizes(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Values (n,) in each sequence: its steps times the features."""
    n_features = values.shape[2] if values.dim() == 3 else 1
    if lengths is None:
        return torch.full((len(values),), float(values.shape[1] * n_features), device=values.device)
    return lengths * float(n_features)


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of each code unit's Gaussian from the standard normal one, in nats."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def normal(model: Any, rows: Batch | Tensor, latent_size: int, generator: torch.Generator | None) -> Tensor:
    """Standard normal draws (n, latent_size), as many as there are `rows`; zeros without a generator."""
    draws = model.encoder.patches.weight.new_zeros(len(rows), latent_size)
    return draws if generator is None else draws.normal_(generator=generator)


def kept_words(batch: Batch, dropped: float) -> Tensor | None:
    """Which tokens (n, T) a decoder sees, 1 or 0; None where it sees all.

    Drawn step by step, so that padding shifts no draw.
    """
    if batch.values.dim() == 3 or dropped == 0 or batch.generator is None:
        return None
    draws = torch.rand(batch.values.t().shape, generator=batch.generator, device=batch.values.device)
    return (draws >= dropped).float().t()
