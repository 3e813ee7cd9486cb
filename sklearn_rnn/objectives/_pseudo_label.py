"""The net's own predictions as labels of unlabeled rows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class PseudoLabel(SemiSupervisedObjective):
    r"""Pseudo-labels: the cross-entropy of unlabeled rows, with their most probable class as the label.

    .. math:: w(t) \frac{1}{n} \sum_i m_i \left( - \log p_{\hat y_i}(x_i) \right), \quad
        \hat y_i = \arg\max_k p_k(x_i)

    where :math:`m_i` is 1 if the largest probability is at least the threshold, else 0. The paper's ramp is linear.

    Parameters
    ----------
    %(parameters)s

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

    weight: float = shared.weight(1)
    threshold: float = shared.threshold(
        0.95,
        """
        An unlabeled row counts if its largest probability is at least this. With 0 all rows count, as in the paper.
        """,
    )
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"pseudo_label"`."""
        mask = confident(model.task, outputs.softmax(1), self.threshold)
        self.observe(confident=mask.mean())
        return {"pseudo_label": (cross_entropy(outputs, outputs.argmax(1), reduction="none") * mask).mean()}
