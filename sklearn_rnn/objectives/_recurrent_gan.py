"""A recurrent generator against a recurrent discriminator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import COUNT, NOT_NEGATIVE
from ..modules import Generator, linear
from ..sequences import Batch
from ._fakes import fake_view, told_apart, told_fake, told_real
from ._representation import UnsupervisedObjective
from ._vat import random_like, sphere

XI = 0.05  # root mean square of the step that measures a gradient
LOST = 3  # nats that the mean fake is found out by: a twentieth of a chance


class RecurrentGAN(UnsupervisedObjective):
    r"""Recurrent generative adversarial net: the encoder learns to tell sequences from generated ones.

    .. math:: - \frac{1}{n} \sum_i \left(\log D(x_i) + \log(1 - D(g_i))\right)
        + \frac{\gamma}{2 n} \sum_i \left(\lVert \nabla l(x_i) \rVert^2 + \lVert \nabla l(g_i) \rVert^2\right)

    against a generator that minimises

    .. math:: - \frac{1}{n} \sum_i \log D(g_i)
        + m \left\lVert \frac{1}{n} \sum_i e(x_i) - e(g_i) \right\rVert^2 / E

    The discriminator's logit :math:`l` is a linear score of the E features of the encoder e; both see
    views of real and generated sequences perturbed alike, which keeps it from learning the rows by heart
    (Zhao 2020), without dropout. The squared gradients, by embedded steps, keep it from winning at once
    (Mescheder 2018); they are estimated by one small step in a random direction. The generator sees one
    draw of noise for the whole sequence and one for each step.

    `transform` gives the encoder's codes, ``pretraining="recurrent_gan"`` hands it on, `sample` generates.
    Both sides learn at a quarter of the estimator's `lr`: at the whole of it the generator lost. In
    `history_`, `told_apart` is the share of real and generated sequences that the discriminator tells.

    Parameters
    ----------
    n_noise : int, default=16
        Values in a draw of noise.
    matching : float, default=10
        Weight :math:`m` of feature matching (Salimans 2016), against 1 for the verdicts.
    penalty : float, default=10
        Weight :math:`\gamma` of the squared gradients.

    Warns
    -----
    ConvergenceWarning
        The discriminator ends up certain of what is generated, and the generator has little to learn from.

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
    >>> X = np.sin(np.linspace(0, 9, 20) + np.arange(30)[:, None])
    >>> gan = RNNAutoencoderTransformer("recurrent_gan", hidden_size=8, max_epochs=2, random_state=0).fit(X)
    >>> gan.sample(3, random_state=0).shape
    (3, 20)
    """

    _parameter_constraints: dict[str, list[Any]] = {"n_noise": COUNT, "matching": NOT_NEGATIVE, "penalty": NOT_NEGATIVE}
    opponents = ("generator",)
    rate = 0.25

    def __init__(self, n_noise: int = 16, matching: float = 10, penalty: float = 10):
        self.n_noise = n_noise
        self.matching = matching
        self.penalty = penalty

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"score"` of codes, and the `"generator"`."""
        return {
            "score": linear(encoder.out_features, 1),
            "generator": Generator(encoder, self.n_noise),
        }

    def sample(self, model: Any, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Generate a sequence for each of the `rows`: standardised steps, or logits, the largest drawn."""
        steps = model.parts["generator"](len(rows), n_steps, generator)
        return model.encoder.input.draw(steps, generator)

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the discriminator's `"real"`, `"fake"` and `"steepness"`."""
        with torch.no_grad():
            fakes = fake_view(model, batch)
        views = torch.cat([model.view(batch.values, batch.lengths, batch.generator), fakes])
        twice = None if batch.lengths is None else batch.lengths.repeat(2)
        scores = self._score(model, model.encoder(views, twice))
        step = sphere(random_like(views, batch.generator), twice, XI)
        moved = self._score(model, model.encoder(views + step, twice))
        real, fake = scores.chunk(2)
        if batch.generator is not None:
            self.observe(told_apart=told_apart(real, fake))
        steepness = ((moved - scores) / XI).square().mean()
        return {"real": told_real(real), "fake": told_fake(fake), "steepness": self.penalty * steepness}

    def opponent_terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the generator's `"generated"` and `"feature_matching"`."""
        codes = model.encoder(fake_view(model, batch), batch.lengths)
        with torch.no_grad():
            view = model.view(batch.values, batch.lengths, batch.generator)
            real = model.encoder(view, batch.lengths)
        distance = (real.mean(0) - codes.mean(0)).square().mean()
        return {"generated": told_real(self._score(model, codes)), "feature_matching": self.matching * distance}

    def troubles(self, history: Any) -> Iterator[str]:
        """Say whether the generator lost."""
        if history[-1]["generated"] > LOST:
            yield (
                "The generator of RecurrentGAN lost: the discriminator is certain of generated sequences (a loss of "
                f"{history[-1]['generated']:.1f}). Raise penalty (now {self.penalty}), or lower lr."
            )

    def _score(self, model: Any, codes: Tensor) -> Tensor:
        return model.parts["score"](codes)[:, 0]
