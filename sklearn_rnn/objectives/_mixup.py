"""Straight lines between labeled sequences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .._sklearn import NOT_NEGATIVE, POSITIVE
from ..modules import mask_padding
from ..sequences import Batch
from ._semi_supervised import SemiSupervisedObjective


class MixUp(SemiSupervisedObjective):
    r"""MixUp: the label of a mixture of two sequences is the mixture of their labels.

    .. math:: L(x) + w L(\lambda x + (1 - \lambda) x', \lambda y + (1 - \lambda) y'), \quad
        \lambda \sim Beta(\alpha, \alpha)

    on embedded steps of pairs of labeled rows, the shorter one followed by zeros; one :math:`\lambda`
    for each pair. The paper trains on the mixtures alone. Unlabeled rows are left out; `ICT` mixes those.

    Parameters
    ----------
    weight : float, default=0.3
        Weight :math:`w` of the mixtures' loss. Zero trains exactly what `Supervised` trains.
    alpha : float, default=1
        Parameter of the Beta distribution: small values mix little, 1 is uniform.

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

    _parameter_constraints: dict[str, list[Any]] = {"weight": NOT_NEGATIVE, "alpha": POSITIVE}

    def __init__(self, weight: float = 0.3, alpha: float = 1):
        self.weight = weight
        self.alpha = alpha

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"mixup"`."""
        share, partner = draw_mixture(view, self.alpha, batch.generator)
        x, lengths = mixture(view, batch.lengths, share, partner)
        outputs = model.train_outputs(x, lengths, batch.generator, batch.n_labeled)
        weights = share.new_ones(len(share)) if batch.weights is None else batch.weights
        own = model.task.loss(outputs, batch) * weights
        partners = model.task.loss(outputs, replace(batch, targets=batch.targets[partner])) * weights[partner]
        return {"mixup": torch.lerp(partners, own, share).mean()}


def draw_mixture(x: Tensor, alpha: float, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw for each of n rows a share (n,) from Beta(alpha, alpha) and a partner (n,); no noise: halves, in order."""
    n = len(x)
    if generator is None:
        return x.new_full((n,), 0.5), torch.arange(n, device=x.device).roll(1)
    gamma = torch._standard_gamma(x.new_full((2, n), alpha), generator=generator)
    share = gamma[0] / gamma.sum(0).clamp_min(torch.finfo(gamma.dtype).tiny)
    return share, torch.randperm(n, generator=generator, device=x.device)


def mixture(x: Tensor, lengths: Tensor | None, share: Tensor, partner: Tensor) -> tuple[Tensor, Tensor | None]:
    """Mix embedded steps (n, T, E) with their partners', as long as the longer of both."""
    x = mask_padding(x, lengths)
    mixed = torch.lerp(x[partner], x, share[:, None, None])
    return mixed, None if lengths is None else torch.maximum(lengths, lengths[partner])
