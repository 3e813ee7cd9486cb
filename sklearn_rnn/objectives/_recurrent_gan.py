"""A recurrent generator against a recurrent discriminator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented
from .._sklearn import NOT_NEGATIVE
from ..modules import Generator, Model, linear
from ..sequences import Batch
from . import _parameters as shared
from ._discriminator import discriminator_accuracy, fake_loss, generated_view, real_loss
from ._unsupervised import UnsupervisedObjective
from ._vat import random_like, sphere

XI = 0.05  # root mean square of the step that measures a gradient
LOST = 3  # nats: generated sequences get a probability of one in twenty to be real


@documented
@dataclass(repr=False, eq=False)
class RecurrentGAN(UnsupervisedObjective):
    r"""Recurrent generative adversarial net: the encoder learns to separate real sequences from generated ones.

    .. math:: - \frac{1}{n} \sum_i \left(\log D(x_i) + \log(1 - D(g_i))\right)
        + \frac{\gamma}{2 n} \sum_i \left(\lVert \nabla l(x_i) \rVert^2 + \lVert \nabla l(g_i) \rVert^2\right)

    The generator minimises

    .. math:: - \frac{1}{n} \sum_i \log D(g_i)
        + m \left\lVert \frac{1}{n} \sum_i e(x_i) - e(g_i) \right\rVert^2 / E

    The discriminator's logit :math:`l` is a linear function of the E features of the embedding e. Real and generated
    sequences are seen in perturbed views, so that the discriminator does not memorise the rows (Zhao 2020), and
    without dropout. The squared gradients, with respect to embedded steps, keep the discriminator from becoming
    certain too early (Mescheder 2018); they are estimated from one small step in a random direction. The generator
    reads one draw of noise for the whole sequence and one for each step.

    `transform` returns the encoder's embeddings, ``pretraining="recurrent_gan"`` uses them in a classifier, and
    `sample` generates sequences. Discriminator and generator are trained with a quarter of the estimator's `lr`; with
    all of it, the discriminator became certain. In `history_`, `told_apart` is the fraction of real and generated
    sequences that the discriminator classifies correctly.

    Parameters
    ----------
    %(parameters)s

    Warns
    -----
    ConvergenceWarning
        In the end the discriminator is certain about generated sequences, so the generator can learn little.

    References
    ----------
    Esteban, Hyland and Rätsch (2017), "Real-valued (medical) time series generation with recurrent
    conditional GANs", arXiv 1706.02633.

    Mescheder, Geiger and Nowozin (2018), "Which training methods for GANs do actually converge?", ICML.

    Salimans et al. (2016), "Improved techniques for training GANs", NeurIPS.

    Zhao, Liu, Lin, Zhu and Han (2020), "Differentiable augmentation for data-efficient GAN training", NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> X = np.sin(np.linspace(0, 9, 12) + np.arange(30)[:, None])
    >>> gan = RNNAutoencoderTransformer("recurrent_gan", hidden_size=8, max_epochs=1, random_state=0).fit(X)
    >>> gan.sample(3, random_state=0).shape
    (3, 12)
    """

    opponents = ("generator",)
    rate = 0.25

    n_noise: int = shared.n_noise()
    matching: float = shared.number(
        10,
        NOT_NEGATIVE,
        "Weight :math:`m` of feature matching (Salimans 2016); the discriminator's loss has weight 1.",
    )
    penalty: float = shared.number(10, NOT_NEGATIVE, r"Weight :math:`\gamma` of the squared gradients.")

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"score"` of embeddings, and the `"generator"`."""
        return {
            "score": linear(encoder.out_features, 1),
            "generator": Generator(encoder, self.n_noise),
        }

    def sample(self, model: Model, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Generate a sequence for each of the `rows`: standardised steps, or logits whose largest is drawn."""
        steps = model.parts["generator"](len(rows), n_steps, generator)
        return model.encoder.input.draw(steps, generator)

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the discriminator's `"real"`, `"fake"` and `"steepness"`."""
        with torch.no_grad():
            generated = generated_view(model, batch)
        views = torch.cat([model.view(batch.values, batch.lengths, batch.generator), generated])
        lengths = None if batch.lengths is None else batch.lengths.repeat(2)
        scores = self._score(model, model.encoder(views, lengths))
        step = sphere(random_like(views, batch.generator), lengths, XI)
        moved = self._score(model, model.encoder(views + step, lengths))
        real, fake = scores.chunk(2)
        if batch.generator is not None:
            self.observe(told_apart=discriminator_accuracy(real, fake))
        steepness = ((moved - scores) / XI).square().mean()
        return {"real": real_loss(real), "fake": fake_loss(fake), "steepness": self.penalty * steepness}

    def opponent_terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the generator's `"generated"` and `"feature_matching"`."""
        generated = model.encoder(generated_view(model, batch), batch.lengths)
        with torch.no_grad():
            view = model.view(batch.values, batch.lengths, batch.generator)
            real = model.encoder(view, batch.lengths)
        distance = (real.mean(0) - generated.mean(0)).square().mean()
        return {"generated": real_loss(self._score(model, generated)), "feature_matching": self.matching * distance}

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if the discriminator is certain about generated sequences."""
        if history[-1]["generated"] > LOST:
            yield (
                "The generator of RecurrentGAN lost: the discriminator is certain that generated sequences are not "
                f"real (the generator's loss is {history[-1]['generated']:.1f}). Raise penalty (now {self.penalty}), "
                "or lower lr."
            )

    def _score(self, model: Model, embeddings: Tensor) -> Tensor:
        return model.parts["score"](embeddings)[:, 0]
