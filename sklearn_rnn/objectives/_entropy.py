"""Sure answers for unlabeled rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import NOT_NEGATIVE
from ..sequences import Batch
from ._semi_supervised import SemiSupervisedObjective

TINY = 1e-8


class EntropyMinimization(SemiSupervisedObjective):
    r"""Entropy minimisation: the border between classes runs where few sequences are.

    .. math:: w(t) \left( \frac{1}{n} \sum_i H(p(x_i)) - \beta H(\bar p) \right), \quad
        H(p) = - \sum_k p_k \log p_k

    where :math:`\bar p` is the mean of the n answers. With :math:`\beta = 1` sequences and classes get
    the largest mutual information (Krause 2010), so that no class takes them all; Grandvalet and Bengio
    have 0.

    Parameters
    ----------
    weight : float, default=0.06
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.
    balance : float, default=1
        Weight :math:`\beta` of even classes: lower it where they are far from even.

    References
    ----------
    Grandvalet and Bengio (2005), "Semi-supervised learning by entropy minimization", NeurIPS.

    Krause, Perona and Gomes (2010), "Discriminative clustering by regularized information
    maximization", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import EntropyMinimization
    >>> clf = SemiSupervisedRNNClassifier(EntropyMinimization(weight=0.1))
    """

    needs = "classes"
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "balance": NOT_NEGATIVE,
    }

    def __init__(self, weight: float = 0.06, ramp: float = 0.4, ratio: float = 1, balance: float = 1):
        self.weight = weight
        self.ramp = ramp
        self.ratio = ratio
        self.balance = balance

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"entropy"`, of single answers, and `"balance"`, minus that of their mean."""
        log_p = outputs.log_softmax(1)
        p = log_p.exp()
        terms = {"entropy": -(p * log_p).sum(1).mean()}
        if self.balance:
            mean = p.mean(0)
            terms["balance"] = self.balance * torch.xlogy(mean, mean.clamp_min(TINY)).sum()
        return terms
