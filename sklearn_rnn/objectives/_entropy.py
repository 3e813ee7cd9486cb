"""Confident answers for unlabeled rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .._documented import documented
from .._sklearn import NOT_NEGATIVE
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective

TINY = 1e-8


@documented
@dataclass(repr=False, eq=False)
class EntropyMinimization(SemiSupervisedObjective):
    r"""Entropy minimisation: the border between classes is moved to where there are few sequences.

    .. math:: w(t) \left( \frac{1}{n} \sum_i H(p(x_i)) - \beta H(\bar p) \right), \quad
        H(p) = - \sum_k p_k \log p_k

    where :math:`\bar p` is the mean of the n answers. With :math:`\beta = 1` the mutual information of sequences and
    classes is maximised (Krause 2010), so that one class does not get all rows. Grandvalet and Bengio use
    :math:`\beta = 0`.

    Parameters
    ----------
    %(parameters)s

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

    weight: float = shared.weight(0.06)
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()
    balance: float = shared.number(
        1,
        NOT_NEGATIVE,
        r"Weight :math:`\beta` of even classes; lower it if some classes are much more frequent than others.",
    )

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"entropy"` of the answers, and `"balance"`, minus the entropy of their mean."""
        log_p = outputs.log_softmax(1)
        p = log_p.exp()
        terms = {"entropy": -(p * log_p).sum(1).mean()}
        if self.balance:
            mean = p.mean(0)
            terms["balance"] = self.balance * torch.xlogy(mean, mean.clamp_min(TINY)).sum()
        return terms
