"""Learning a distribution of codes from which sequences can be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import COUNT, FRACTION, NOT_NEGATIVE
from ..modules import linear
from ..sequences import Batch
from ._base import ramp_up
from ._latent import gaussian_kl, generative_parts, kept_words, log_likelihood, normal, sizes, write
from ._representation import UnsupervisedObjective

ACTIVE = 0.01  # variance of a unit's posterior mean over the data (Burda 2016)
N_DRAWS = 16  # of codes, for a score


class Variational(UnsupervisedObjective):
    r"""Variational autoencoder: codes are drawn from a posterior that is kept near a normal prior.

    .. math:: \frac{1}{\bar s} \sum_i - \log p(x_i | z_i)
        + \beta w(t) \max\left(\lambda, KL(q(z | x_i) \| N(0, 1))\right), \quad z_i \sim q(z | x_i)

    as means over the rows, the maximum for each unit of the code; :math:`\bar s` is the mean number of
    values in a sequence. Numbers are Gaussian around what is decoded, with a deviation learned for each
    feature (Rybkin 2021); token ids are written one after another, each given the code and the one
    before.

    `transform` gives the posterior's mean, `sample` decodes draws of the prior: the mean of numbers,
    without their noise, and drawn tokens. `score_samples` is the evidence lower bound of each sequence's
    log-likelihood, in nats of the whole sequence and in the units of X; divide by the lengths to compare
    sequences of different ones.

    In `history_`, `active_units` counts the code units whose mean has a variance over the data above .01
    (Burda 2016), and `kl_of_units_0`, `kl_of_units_1`, ... have the divergence of each, in nats.

    Parameters
    ----------
    latent_size : int, default=16
        Units of the code.
    beta : float, default=1
        Weight of the divergence; 1 is the bound itself (Higgins 2017).
    ramp : float, default=0.4
        Share of training over which that weight rises from near 0 (Bowman 2016).
    free_bits : float, default=0.05
        Divergence of a unit that costs nothing less, in nats, as a mean over a batch (Kingma 2016).
    word_dropout : float, default=0.25
        Share of the tokens before that the decoder does not see in training (Bowman 2016).

    Warns
    -----
    ConvergenceWarning
        No unit of the code is active: the posterior has collapsed to the prior.

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
    >>> vae = RNNAutoencoderTransformer(Variational(latent_size=4), hidden_size=8, max_epochs=2, random_state=0).fit(X)
    >>> vae.transform(X).shape, vae.sample(3, random_state=0).shape
    ((30, 4), (3, 20))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "latent_size": COUNT,
        "beta": NOT_NEGATIVE,
        "ramp": FRACTION,
        "free_bits": NOT_NEGATIVE,
        "word_dropout": FRACTION,
    }

    def __init__(
        self,
        latent_size: int = 16,
        beta: float = 1,
        ramp: float = 0.4,
        free_bits: float = 0.05,
        word_dropout: float = 0.25,
    ):
        self.latent_size = latent_size
        self.beta = beta
        self.ramp = ramp
        self.free_bits = free_bits
        self.word_dropout = word_dropout

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"posterior"` on top of the encoder, a `"decoder"`, and for numbers their `"noise"`."""
        posterior = linear(encoder.out_features, 2 * self.latent_size)
        return {"posterior": posterior, **generative_parts(encoder, self.latent_size)}

    def code_size(self, encoder: Any) -> int:
        """Width of the codes."""
        return self.latent_size

    def code(self, model: Any, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Means (n, latent_size) of the posterior."""
        return model.parts["posterior"](model.code(values, lengths)).chunk(2, dim=1)[0]

    def decode(self, model: Any, codes: Tensor, n_steps: int) -> Tensor:
        """Steps (n, n_steps, F), standardised, or logits (n, n_steps, tokens)."""
        return write(model, codes, n_steps)

    def sample(self, model: Any, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Decode draws of the prior, one for each of the `rows`, as `decode` does, but for drawn tokens."""
        return write(model, normal(model, rows, self.latent_size, generator), n_steps, generator)

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return `"reconstruction"`, minus the log-likelihood, and `"kl"`, both for each value."""
        noise = normal(model, batch, self.latent_size, batch.generator)
        keep = kept_words(batch, self.word_dropout)
        view = model.view(batch.values, batch.lengths, batch.generator)
        coded = model.encoder(view, batch.lengths, batch.generator)
        mean, log_variance = model.parts["posterior"](coded).chunk(2, dim=1)
        codes = mean + noise * (log_variance / 2).exp()
        kl = gaussian_kl(mean, log_variance).mean(0)
        if batch.generator is not None:
            self.observe(kl_of_units=kl, code_mean=mean.mean(0), code_square=mean.square().mean(0))
        size = sizes(batch.values, batch.lengths).mean()
        weight = self.beta * ramp_up(batch.progress, self.ramp)
        return {
            "reconstruction": -log_likelihood(model, batch.values, batch.lengths, codes, keep).mean() / size,
            "kl": weight * kl.clamp_min(self.free_bits).sum() / size,
        }

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Minus the evidence lower bound (n,) of each sequence in nats, in the units of the values.

        The expectation is a mean over `N_DRAWS` draws, the same for each sequence.
        """
        coded = model.code(batch.values, batch.lengths)
        mean, log_variance = model.parts["posterior"](coded).chunk(2, dim=1)
        draws = torch.randn(N_DRAWS, self.latent_size, generator=torch.Generator().manual_seed(0)).to(mean)
        total = torch.zeros_like(mean[:, 0])
        for noise in draws:
            codes = mean + noise * (log_variance / 2).exp()
            total = total + log_likelihood(model, batch.values, batch.lengths, codes)
        if batch.values.dim() == 3:
            total = total - N_DRAWS * sizes(batch.values, batch.lengths) * model.encoder.input.scale.log().mean()
        return gaussian_kl(mean, log_variance).sum(1) - total / N_DRAWS

    def observed(self) -> dict[str, Any]:
        """Return the means since the last call, and how many units were active."""
        observed = super().observed()
        if "code_mean" in observed:
            moments = zip(observed.pop("code_mean"), observed.pop("code_square"), strict=True)
            observed["active_units"] = sum(square - mean**2 > ACTIVE for mean, square in moments)
        return observed

    def troubles(self, history: Any) -> Iterator[str]:
        """Say whether the code holds nothing."""
        if history[-1]["active_units"] == 0:
            yield (
                f"The posterior of Variational collapsed: none of its {self.latent_size} code units is active. "
                f"Raise free_bits (now {self.free_bits}), lower beta (now {self.beta}), or raise max_epochs."
            )
