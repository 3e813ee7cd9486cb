"""Embeddings with a prior distribution, which a discriminator imposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented
from .._sklearn import POSITIVE
from ..modules import Decoder, Model, linear
from ..sequences import Batch
from . import _parameters as shared
from ._discriminator import discriminator, fake_loss, real_loss
from ._latent import normal
from ._step_errors import mean_over_steps, sequence_errors, step_errors
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class AdversarialAutoencoder(UnsupervisedObjective):
    r"""Adversarial autoencoder: embeddings reconstruct their sequences, and look as if drawn from a normal prior.

    .. math:: \frac{1}{n} \sum_i \lVert x_i - d(e(x_i)) \rVert^2 - w \log D(e(x_i))

    where e is the encoder, d the decoder, and D a discriminator that minimises
    :math:`- \log D(z) - \log(1 - D(e(x_i)))` with :math:`z \sim N(0, 1)`. The errors are those of `Reconstruction`.
    `sample` decodes draws of the prior.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Makhzani, Shlens, Jaitly, Goodfellow and Frey (2016), "Adversarial autoencoders", ICLR workshop.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.objectives import AdversarialAutoencoder
    >>> X = np.sin(np.linspace(0, 9, 12) + np.arange(30)[:, None])
    >>> objective = AdversarialAutoencoder(latent_size=4)
    >>> autoencoder = RNNAutoencoderTransformer(objective, hidden_size=8, max_epochs=1).fit(X)
    >>> autoencoder.transform(X).shape, autoencoder.sample(3).shape
    ((30, 4), (3, 12))
    """

    opponents = ("discriminator",)

    latent_size: int = shared.latent_size()
    weight: float = shared.number(
        0.1, POSITIVE, "Weight :math:`w` of the discriminator's loss; the error has weight 1."
    )

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"projection"` to embeddings, a `"decoder"`, and a `"discriminator"` of embeddings."""
        return {
            "projection": linear(encoder.out_features, self.latent_size),
            "decoder": Decoder(encoder, self.latent_size),
            "discriminator": discriminator(self.latent_size, encoder.architecture.hidden_size),
        }

    def out_features(self, encoder: Any) -> int:
        """Width of the embeddings."""
        return self.latent_size

    def embed_sequences(self, model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (n, latent_size), without noise."""
        return model.parts["projection"](model.embed_sequences(values, lengths))

    def decode(self, model: Model, embeddings: Tensor, n_steps: int) -> Tensor:
        """Standardised steps (n, n_steps, F), or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](embeddings, n_steps)

    def sample(self, model: Model, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Decode a draw of the prior for each of the `rows`: standardised steps, or logits whose largest is drawn."""
        steps = self.decode(model, normal(model, rows, self.latent_size, generator), n_steps)
        return model.encoder.input.draw(steps, generator)

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return `"reconstruction"`, and the discriminator's loss as `"prior"`."""
        embeddings = self._embeddings_of_view(model, batch)
        errors = sequence_errors(model, batch, self.decode(model, embeddings, batch.values.shape[1]))
        scores = model.parts["discriminator"](embeddings)
        return {"reconstruction": errors.mean(), "prior": self.weight * real_loss(scores)}

    def opponent_terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the discriminator's losses of draws, `"drawn"`, and of embeddings, `"coded"`."""
        draws = normal(model, batch, self.latent_size, batch.generator)
        with torch.no_grad():
            embeddings = self._embeddings_of_view(model, batch)
        scores = model.parts["discriminator"]
        return {"drawn": real_loss(scores(draws)), "coded": fake_loss(scores(embeddings))}

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Error (n,) of each sequence, averaged over its steps and features."""
        return mean_over_steps(model, batch, self.errors_by_step(model, batch))

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Error (n, T) of each step, reconstructed without noise."""
        embeddings = self.embed_sequences(model, batch.values, batch.lengths)
        return step_errors(model, batch, self.decode(model, embeddings, batch.values.shape[1]))

    def _embeddings_of_view(self, model: Model, batch: Batch) -> Tensor:
        view = model.view(batch.values, batch.lengths, batch.generator)
        return model.parts["projection"](model.encoder(view, batch.lengths, batch.generator))
