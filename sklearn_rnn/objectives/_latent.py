"""What generative objectives share: draws of embeddings, divergences, likelihoods of sequences."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..modules import Decoder, Model, TokenDecoder, TokenInput, mask_padding
from ..sequences import Batch

MIN_SCALE = 0.01  # of the noise in standardised values; for a constant feature the likelihood has no other bound


class StepNoise(nn.Module):
    """Standard deviation (F,) of the Gaussian noise of each standardised feature; learned (Rybkin 2021)."""

    def __init__(self, n_features: int):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(n_features))

    def forward(self) -> Tensor:
        """Logarithms (F,) of the standard deviations."""
        return self.log_scale.clamp_min(math.log(MIN_SCALE))


def generative_parts(encoder: Any, width: int) -> dict[str, nn.Module]:
    """Return a `"decoder"` of embeddings of this width, and for numbers the `"noise"` of decoded steps."""
    if isinstance(encoder.input, TokenInput):
        return {"decoder": TokenDecoder(encoder, width)}
    return {"decoder": Decoder(encoder, width), "noise": StepNoise(encoder.input.n_features)}


def decoded_steps(model: Model, embeddings: Tensor, n_steps: int, generator: torch.Generator | None = None) -> Tensor:
    """Decode embeddings (n, C): means of standardised steps (n, n_steps, F), or logits of tokens.

    With a generator, tokens are drawn; without one, each is the most probable.
    """
    decoder = model.parts["decoder"]
    if isinstance(decoder, TokenDecoder):
        return decoder.decode(embeddings, n_steps, generator)
    return decoder(embeddings, n_steps)


def log_likelihood(
    model: Model, values: Tensor, lengths: Tensor | None, embeddings: Tensor, keep: Tensor | None = None
) -> Tensor:
    """Log-likelihood (n,) of whole sequences given embeddings (n, C), in nats; of numbers, in standardised units.

    `keep` is the mask (n, T) of the tokens that the decoder reads, or None for all.
    """
    decoder = model.parts["decoder"]
    if values.dim() == 2:
        logits = decoder(embeddings, values, keep)
        logs = -cross_entropy(logits.transpose(1, 2), values, reduction="none")
    else:
        log_scale = model.parts["noise"]()
        error = (model.encoder.input.target(values) - decoder(embeddings, values.shape[1])) / log_scale.exp()
        logs = -(error.square() / 2 + log_scale + math.log(2 * math.pi) / 2)
        seen = model.encoder.input.seen(values)
        logs = (logs if seen is None else logs * seen).sum(2)
    return mask_padding(logs[:, :, None], lengths).sum((1, 2))


def sizes(model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
    """Number of values (n,) in each sequence: its steps times the features, or those that were seen, at least 1."""
    if model.encoder.input.seen(values) is not None:
        return sizes_of_features(model, values, lengths).sum(1).clamp_min(1)
    n_features = values.shape[2] if values.dim() == 3 else 1
    if lengths is None:
        return torch.full((len(values),), float(values.shape[1] * n_features), device=values.device)
    return lengths * float(n_features)


def sizes_of_features(model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
    """Number of values (n, F) of each feature in each sequence; of those that were seen, if some may be missing."""
    seen = model.encoder.input.seen(values)
    mask = torch.ones_like(values) if seen is None else seen.float()
    return mask_padding(mask, lengths).sum(1)


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of the Gaussian of each unit of an embedding from the standard normal one, in nats."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def normal(model: Model, rows: Batch | Tensor, latent_size: int, generator: torch.Generator | None) -> Tensor:
    """Standard normal draws (n, latent_size), one for each of the `rows`; zeros without a generator."""
    draws = model.encoder.patches.weight.new_zeros(len(rows), latent_size)
    return draws if generator is None else draws.normal_(generator=generator)


def kept_words(batch: Batch, dropped: float) -> Tensor | None:
    """Mask (n, T) of the tokens that a decoder reads, 1 or 0; None if it reads all.

    Drawn step by step, so that padding does not change the draws.
    """
    if batch.values.dim() == 3 or dropped == 0 or batch.generator is None:
        return None
    draws = torch.rand(batch.values.t().shape, generator=batch.generator, device=batch.values.device)
    return (draws >= dropped).float().t()
