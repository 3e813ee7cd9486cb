"""Linear interpolation between labeled sequences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .._documented import documented
from .._inputs import each_input
from ..modules import Model, mask_padding
from ..sequences import Batch
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class MixUp(SemiSupervisedObjective):
    r"""MixUp: the label of a mixture of two sequences is the mixture of their labels.

    .. math:: L(x) + w L(\lambda x + (1 - \lambda) x', \lambda y + (1 - \lambda) y'), \quad
        \lambda \sim Beta(\alpha, \alpha)

    where pairs of labeled rows are mixed. Embedded steps are mixed, and the shorter sequence is continued with zeros.
    Each pair has its own :math:`\lambda`. The paper trains on the mixtures alone. Unlabeled rows are not used; `ICT`
    mixes those.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Zhang, Cisse, Dauphin and Lopez-Paz (2018), "mixup: beyond empirical risk minimization", ICLR.

    Guo, Mao and Zhang (2019), "Augmenting data with mixup for sentence classification", arXiv:1905.08941.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import MixUp
    >>> clf = SemiSupervisedRNNClassifier(MixUp(alpha=0.2))
    """

    by_step = False

    weight: float = shared.weight(0.3, "Weight :math:`w` of the loss of the mixtures.")
    alpha: float = shared.alpha()

    def labeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"mixup"`."""
        fraction, partner = draw_mixture(view, self.alpha, batch.generator)
        x, lengths = mixture(view, batch.lengths, fraction, partner)
        outputs = model.train_outputs(x, lengths, batch.generator, batch.n_labeled)
        weights = fraction.new_ones(len(fraction)) if batch.weights is None else batch.weights
        losses = model.task.loss(outputs, batch) * weights
        partners = model.task.loss(outputs, replace(batch, targets=batch.targets[partner])) * weights[partner]
        return {"mixup": torch.lerp(partners, losses, fraction).mean()}


def draw_mixture(x: Tensor, alpha: float, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw for each of n rows a fraction (n,) from Beta(alpha, alpha) and a partner (n,).

    Without a generator, each fraction is one half, and the partner is the previous row.
    """
    n = len(x)
    if generator is None:
        return x.new_full((n,), 0.5), torch.arange(n, device=x.device).roll(1)
    gamma = torch._standard_gamma(x.new_full((2, n), alpha), generator=generator)
    fraction = gamma[0] / gamma.sum(0).clamp_min(torch.finfo(gamma.dtype).tiny)
    return fraction, torch.randperm(n, generator=generator, device=x.device)


@each_input
def mixture(x: Tensor, lengths: Tensor | None, fraction: Tensor, partner: Tensor) -> tuple[Tensor, Tensor | None]:
    """Mix embedded steps (n, T, E) with those of the partners; returns the mixtures and their lengths."""
    x = mask_padding(x, lengths)
    mixed = torch.lerp(x[partner], x, fraction[:, None, None])
    return mixed, None if lengths is None else torch.maximum(lengths, lengths[partner])
