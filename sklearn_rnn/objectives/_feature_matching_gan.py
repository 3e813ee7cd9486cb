"""A classifier that also separates real sequences from generated ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented
from ..modules import Generator, Model
from ..sequences import Batch
from . import _parameters as shared
from ._discriminator import discriminator_accuracy, fake_loss, generated_view, real_loss
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class FeatureMatchingGAN(SemiSupervisedObjective):
    r"""GAN with K + 1 classes: unlabeled rows belong to one of K classes, generated sequences to a further class.

    .. math:: - \frac{w w(t)}{n} \sum_i \log D(x_i) + \log(1 - D(g_i)), \quad
        D(x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_k \exp(l_k(x))

    over the unlabeled rows :math:`x_i` and generated sequences :math:`g_i`, where :math:`l_k` are the K logits; the
    logit of the class of generated sequences is 0. The generator minimises the distance of the mean embeddings,
    :math:`\lVert \bar e(x) - \bar e(g) \rVert^2`. It helps by generating sequences near the real ones, and is not meant
    to be sampled. In `history_`, `told_apart` is the fraction of unlabeled and generated sequences that are classified
    correctly as real or generated.

    Parameters
    ----------
    %(parameters)s

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
    several_inputs = False
    by_step = False

    weight: float = shared.weight(1)
    n_noise: int = shared.n_noise()
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()

    @property
    def opponents(self) -> tuple[str, ...]:  # type: ignore[override]
        """The generator, if the term has weight."""
        return ("generator",) if self.weight else ()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"generator"`."""
        return {"generator": Generator(encoder, self.n_noise)}

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"real"` and `"fake"`."""
        with torch.no_grad():
            generated = generated_view(model, batch)
        real, fake = outputs.logsumexp(1), model.train_outputs(generated, batch.lengths, batch.generator).logsumexp(1)
        self.observe(told_apart=discriminator_accuracy(real, fake))
        return {"real": real_loss(real), "fake": fake_loss(fake)}

    def opponent_terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the generator's `"feature_matching"`, if the batch has unlabeled rows."""
        if not self.weight or batch.n_labeled == len(batch):
            return {}
        unlabeled = batch.unlabeled
        with torch.no_grad():
            view = model.view(unlabeled.values, unlabeled.lengths, unlabeled.generator, unlabeled.strong)
            real = model.encoder(view, unlabeled.lengths, unlabeled.generator).mean(0)
        fake = model.encoder(generated_view(model, unlabeled), unlabeled.lengths, unlabeled.generator).mean(0)
        return {"feature_matching": (real - fake).square().sum()}
