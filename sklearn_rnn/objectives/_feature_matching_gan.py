"""A classifier that also tells generated sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import COUNT
from ..modules import Generator
from ..sequences import Batch
from ._fakes import fake_view, told_apart, told_fake, told_real
from ._semi_supervised import SemiSupervisedObjective


class FeatureMatchingGAN(SemiSupervisedObjective):
    r"""GAN of K + 1 classes: unlabeled rows are of one of K classes, generated ones are not.

    .. math:: - \frac{w w(t)}{n} \sum_i \log D(x_i) + \log(1 - D(g_i)), \quad
        D(x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_k \exp(l_k(x))

    over unlabeled rows, with the K logits :math:`l_k`; that of the class of fakes is 0. The generator
    minimises the distance of the mean codes of both, :math:`\lVert \bar e(x) - \bar e(g) \rVert^2`. It
    helps by being near the rows without being right, and is not meant to be sampled. In `history_`,
    `told_apart` is the share of unlabeled and generated sequences that are told from each other.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    n_noise : int, default=16
        Values in a draw of noise.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016), "Improved techniques for training
    GANs", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import FeatureMatchingGAN
    >>> clf = SemiSupervisedRNNClassifier(FeatureMatchingGAN(weight=0.3))
    """

    needs = "classes"
    _parameter_constraints: dict[str, list[Any]] = {**SemiSupervisedObjective._parameter_constraints, "n_noise": COUNT}

    def __init__(self, weight: float = 1, n_noise: int = 16, ramp: float = 0.4, ratio: float = 1):
        self.weight = weight
        self.n_noise = n_noise
        self.ramp = ramp
        self.ratio = ratio

    @property
    def opponents(self) -> tuple[str, ...]:  # type: ignore[override]
        """The generator, where it has a say."""
        return ("generator",) if self.weight else ()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"generator"`."""
        return {"generator": Generator(encoder, self.n_noise)}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"real"` and `"fake"`."""
        with torch.no_grad():
            fakes = fake_view(model, batch)
        real, fake = outputs.logsumexp(1), model.train_outputs(fakes, batch.lengths, batch.generator).logsumexp(1)
        self.observe(told_apart=told_apart(real, fake))
        return {"real": told_real(real), "fake": told_fake(fake)}

    def opponent_terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the generator's `"feature_matching"`, where the batch has unlabeled rows."""
        if not self.weight or batch.n_labeled == len(batch):
            return {}
        others = batch.unlabeled
        with torch.no_grad():
            view = model.view(others.values, others.lengths, others.generator, others.strong)
            real = model.encoder(view, others.lengths, others.generator).mean(0)
        fake = model.encoder(fake_view(model, others), others.lengths, others.generator).mean(0)
        return {"feature_matching": (real - fake).square().sum()}
