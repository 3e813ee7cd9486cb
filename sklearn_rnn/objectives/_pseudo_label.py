"""The own answers as labels."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from .._sklearn import FRACTION
from ..sequences import Batch
from ._semi_supervised import SemiSupervisedObjective, confident


class PseudoLabel(SemiSupervisedObjective):
    r"""Pseudo-labels: cross-entropy of unlabeled rows against their most probable class.

    .. math:: w(t) \frac{1}{n} \sum_i m_i \left( - \log p_{\hat y_i}(x_i) \right), \quad
        \hat y_i = \arg\max_k p_k(x_i)

    where :math:`m_i` is 1 where the largest probability is enough, else 0. The paper's ramp is linear.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    threshold : float, default=0.95
        Rows with a smaller largest probability do not count; 0 is the original.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Lee (2013), "Pseudo-label: the simple and efficient semi-supervised learning method for deep
    neural networks", ICML workshop.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import PseudoLabel
    >>> clf = SemiSupervisedRNNClassifier(PseudoLabel(threshold=0.9))
    """

    needs = "classes"
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "threshold": FRACTION,
    }

    def __init__(self, weight: float = 1, threshold: float = 0.95, ramp: float = 0.4, ratio: float = 1):
        self.weight = weight
        self.threshold = threshold
        self.ramp = ramp
        self.ratio = ratio

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"pseudo_label"`."""
        sure = confident(model.task, outputs.softmax(1), self.threshold)
        self.observe(confident=sure.mean())
        return {"pseudo_label": (cross_entropy(outputs, outputs.argmax(1), reduction="none") * sure).mean()}
