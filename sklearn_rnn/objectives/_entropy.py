"""Sure answers for unlabeled rows."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._base import Batch, Objective
from ._classification import ClassificationMixin


class EntropyMinimization(ClassificationMixin, Objective):
    r"""Entropy minimisation: the border between classes runs where few sequences are.

    .. math:: - w(t) \frac{1}{n} \sum_i \sum_k p_k(x_i) \log p_k(x_i)

    Parameters
    ----------
    weight : float, default=0.06
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Grandvalet and Bengio (2005), "Semi-supervised learning by entropy minimization", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import EntropyMinimization
    >>> clf = SemiSupervisedRNNClassifier(EntropyMinimization(weight=0.1))
    """

    _parameter_constraints: dict[str, list[Any]] = ClassificationMixin._parameter_constraints

    def __init__(self, weight: float = 0.06, ramp: float = 0.4, ratio: float = 1):
        self.weight = weight
        self.ramp = ramp
        self.ratio = ratio

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, logits: Tensor) -> dict[str, Tensor]:
        """Return `"entropy"`."""
        log_p = logits.log_softmax(1)
        return {"entropy": -(log_p.exp() * log_p).sum(1).mean()}
