"""Codes with a prior, which a discriminator imposes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import COUNT, POSITIVE
from ..modules import Decoder, linear
from ..sequences import Batch
from ._fakes import critic, told_fake, told_real
from ._latent import normal
from ._representation import DecodingObjective, rebuilding_errors


class AdversarialAutoencoder(DecodingObjective):
    r"""Adversarial autoencoder: codes rebuild their sequences, and look as if drawn from a normal prior.

    .. math:: \frac{1}{n} \sum_i \lVert x_i - d(e(x_i)) \rVert^2 - w \log D(e(x_i))

    against a discriminator that minimises :math:`- \log D(z) - \log(1 - D(e(x_i)))`, with
    :math:`z \sim N(0, 1)`. Errors are those of `Reconstruction`; `sample` decodes draws of the prior.

    Parameters
    ----------
    latent_size : int, default=16
        Units of the code.
    weight : float, default=0.1
        Weight :math:`w` of the discriminator's verdict, against 1 for the error.

    References
    ----------
    Makhzani, Shlens, Jaitly, Goodfellow and Frey (2016), "Adversarial autoencoders", ICLR workshop.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.objectives import AdversarialAutoencoder
    >>> X = np.sin(np.linspace(0, 9, 20) + np.arange(30)[:, None])
    >>> autoencoder = RNNAutoencoderTransformer(AdversarialAutoencoder(latent_size=4), max_epochs=2).fit(X)
    >>> autoencoder.transform(X).shape, autoencoder.sample(3).shape
    ((30, 4), (3, 20))
    """

    _parameter_constraints: dict[str, list[Any]] = {"latent_size": COUNT, "weight": POSITIVE}
    opponents = ("discriminator",)

    def __init__(self, latent_size: int = 16, weight: float = 0.1):
        self.latent_size = latent_size
        self.weight = weight

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"projection"` to codes, a `"decoder"`, and a `"discriminator"` of codes."""
        return {
            "projection": linear(encoder.out_features, self.latent_size),
            "decoder": Decoder(encoder, self.latent_size),
            "discriminator": critic(self.latent_size, encoder.architecture.hidden_size),
        }

    def code_size(self, encoder: Any) -> int:
        """Width of the codes."""
        return self.latent_size

    def code(self, model: Any, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Codes (n, latent_size), without noise."""
        return model.parts["projection"](model.code(values, lengths))

    def sample(self, model: Any, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Decode draws of the prior, one for each of the `rows`: standardised steps, or logits, the largest drawn."""
        steps = self.decode(model, normal(model, rows, self.latent_size, generator), n_steps)
        return model.encoder.input.draw(steps, generator)

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return `"reconstruction"` and `"prior"`, the discriminator's verdict."""
        codes = self._codes(model, batch)
        error = rebuilding_errors(model, batch, self.decode(model, codes, batch.values.shape[1]))
        return {"reconstruction": error.mean(), "prior": self.weight * told_real(model.parts["discriminator"](codes))}

    def opponent_terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the discriminator's `"drawn"` and `"coded"`."""
        prior = normal(model, batch, self.latent_size, batch.generator)
        with torch.no_grad():
            codes = self._codes(model, batch)
        discriminator = model.parts["discriminator"]
        return {"drawn": told_real(discriminator(prior)), "coded": told_fake(discriminator(codes))}

    def _codes(self, model: Any, batch: Batch) -> Tensor:
        view = model.view(batch.values, batch.lengths, batch.generator)
        return model.parts["projection"](model.encoder(view, batch.lengths, batch.generator))
