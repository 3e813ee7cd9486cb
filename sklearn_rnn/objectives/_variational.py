"""Learning a distribution of embeddings from which sequences can be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented
from .._sklearn import FRACTION, NOT_NEGATIVE
from ..modules import Model, linear
from ..sequences import Batch
from . import _parameters as shared
from ._base import ramp_up
from ._latent import (
    decoded_steps,
    gaussian_kl,
    generative_parts,
    kept_words,
    log_likelihood,
    normal,
    sizes,
    sizes_of_features,
)
from ._unsupervised import UnsupervisedObjective

ACTIVE = 0.01  # variance of a unit's posterior mean over the data (Burda 2016)
N_DRAWS = 16  # of embeddings, for a score


@documented
@dataclass(repr=False, eq=False)
class Variational(UnsupervisedObjective):
    r"""Variational autoencoder: embeddings are drawn from a posterior that is kept near a normal prior.

    .. math:: \frac{1}{\bar s} \sum_i - \log p(x_i | z_i)
        + \beta w(t) \max\left(\lambda, KL(q(z | x_i) \| N(0, 1))\right), \quad z_i \sim q(z | x_i)

    as means over the rows, where the maximum is taken for each unit of the embedding, and :math:`\bar s` is the mean
    number of values in a sequence. Numbers have a Gaussian distribution around the decoded steps, with a standard
    deviation learned for each feature (Rybkin 2021). Token ids are decoded one after another, each given the embedding
    and the previous token.

    `transform` returns the mean of the posterior. `sample` decodes draws of the prior: the mean of numbers, without
    their noise, and drawn tokens. `score_samples` is the evidence lower bound of the log-likelihood of each sequence,
    in nats for the whole sequence and in the units of X; divide by the lengths to compare sequences of different
    lengths.

    In `history_`, `active_units` is the number of units whose mean has a variance over the data above .01
    (Burda 2016), and `kl_of_units_0`, `kl_of_units_1`, ... are the divergences of the units, in nats.

    Parameters
    ----------
    %(parameters)s

    Warns
    -----
    ConvergenceWarning
        No unit of the embedding is active: the posterior has collapsed to the prior.

    References
    ----------
    Kingma and Welling (2014), "Auto-encoding variational Bayes", ICLR.

    Bowman et al. (2016), "Generating sentences from a continuous space", CoNLL.

    Higgins et al. (2017), "beta-VAE: learning basic visual concepts with a constrained variational framework", ICLR.

    Kingma et al. (2016), "Improving variational inference with inverse autoregressive flow", NeurIPS.

    Burda, Grosse and Salakhutdinov (2016), "Importance weighted autoencoders", ICLR.

    Rybkin, Daniilidis and Levine (2021), "Simple and effective VAE training with calibrated decoders", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.objectives import Variational
    >>> X = np.sin(np.linspace(0, 9, 20) + np.arange(30)[:, None])
    >>> vae = RNNAutoencoderTransformer(Variational(latent_size=4), hidden_size=8, max_epochs=1, random_state=0).fit(X)
    >>> vae.transform(X).shape, vae.sample(3, random_state=0).shape
    ((30, 4), (3, 20))
    """

    latent_size: int = shared.latent_size()
    beta: float = shared.number(
        1, NOT_NEGATIVE, r"Weight :math:`\beta` of the divergence; with 1 the loss is the bound itself (Higgins 2017)."
    )
    ramp: float = shared.number(
        0.4, FRACTION, "Fraction of training over which the weight of the divergence rises from near 0 (Bowman 2016)."
    )
    free_bits: float = shared.number(
        0.05,
        NOT_NEGATIVE,
        r"""
        Smallest divergence :math:`\lambda` of a unit that is penalised, in nats, as a mean over a batch
        (Kingma 2016).
        """,
    )
    word_dropout: float = shared.word_dropout()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"posterior"` on top of the encoder, a `"decoder"`, and for numbers their `"noise"`."""
        posterior = linear(encoder.out_features, 2 * self.latent_size)
        return {"posterior": posterior, **generative_parts(encoder, self.latent_size)}

    def out_features(self, encoder: Any) -> int:
        """Width of the embeddings."""
        return self.latent_size

    def embed_sequences(self, model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Means (n, latent_size) of the posterior."""
        return model.parts["posterior"](model.embed_sequences(values, lengths)).chunk(2, dim=1)[0]

    def decode(self, model: Model, embeddings: Tensor, n_steps: int) -> Tensor:
        """Standardised steps (n, n_steps, F), or logits (n, n_steps, tokens)."""
        return decoded_steps(model, embeddings, n_steps)

    def sample(self, model: Model, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Decode a draw of the prior for each of the `rows`, as `decode` does, but with drawn tokens."""
        return decoded_steps(model, normal(model, rows, self.latent_size, generator), n_steps, generator)

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return `"reconstruction"`, minus the log-likelihood, and `"kl"`, both per value."""
        noise = normal(model, batch, self.latent_size, batch.generator)
        keep = kept_words(batch, self.word_dropout)
        view = model.view(batch.values, batch.lengths, batch.generator)
        encoded = model.encoder(view, batch.lengths, batch.generator)
        mean, log_variance = model.parts["posterior"](encoded).chunk(2, dim=1)
        embeddings = mean + noise * (log_variance / 2).exp()
        kl = gaussian_kl(mean, log_variance).mean(0)
        if batch.generator is not None:
            self.observe(kl_of_units=kl, code_mean=mean.mean(0), code_square=mean.square().mean(0))
        size = sizes(model, batch.values, batch.lengths).mean()
        weight = self.beta * ramp_up(batch.progress, self.ramp)
        return {
            "reconstruction": -log_likelihood(model, batch.values, batch.lengths, embeddings, keep).mean() / size,
            "kl": weight * kl.clamp_min(self.free_bits).sum() / size,
        }

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Minus the evidence lower bound (n,) of each sequence in nats, in the units of the values.

        The expectation is a mean over `N_DRAWS` draws, which are the same for all sequences.
        """
        encoded = model.embed_sequences(batch.values, batch.lengths)
        mean, log_variance = model.parts["posterior"](encoded).chunk(2, dim=1)
        draws = torch.randn(N_DRAWS, self.latent_size, generator=torch.Generator().manual_seed(0)).to(mean)
        total = torch.zeros_like(mean[:, 0])
        for noise in draws:
            embeddings = mean + noise * (log_variance / 2).exp()
            total = total + log_likelihood(model, batch.values, batch.lengths, embeddings)
        if batch.values.dim() == 3:
            scale: Any = model.encoder.input.scale
            n_values = sizes_of_features(model, batch.values, batch.lengths)
            total = total - N_DRAWS * (n_values * scale.log()).sum(1)
        return gaussian_kl(mean, log_variance).sum(1) - total / N_DRAWS

    def observed(self) -> dict[str, Any]:
        """Return the means since the last call, and the number of active units."""
        observed = super().observed()
        if "code_mean" in observed:
            moments = zip(observed.pop("code_mean"), observed.pop("code_square"), strict=True)
            observed["active_units"] = sum(square - mean**2 > ACTIVE for mean, square in moments)
        return observed

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if no unit of the embedding is active."""
        if history[-1]["active_units"] == 0:
            yield (
                f"The posterior of Variational collapsed: none of its {self.latent_size} code units is active. "
                f"Raise free_bits (now {self.free_bits}), lower beta (now {self.beta}), or raise max_epochs."
            )
