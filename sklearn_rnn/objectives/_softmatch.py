"""FixMatch with a weight for each row instead of a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._documented import documented
from .._sklearn import POSITIVE
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._alignment import Alignment
from ._average import weak_answers
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class SoftMatch(SemiSupervisedObjective):
    r"""SoftMatch: FixMatch in which less confident rows have smaller weights.

    .. math:: \lambda_i = \exp\left( - \frac{\min(\max_k \bar q_{ik} - \mu_t, 0)^2}{2 \sigma_t^2 / s^2} \right), \quad
        \bar q_{ik} \propto q_{ik} \frac{1 / K}{\bar p_k}

    is the weight of the cross-entropy of row i, where :math:`q_i` are the probabilities for the weak view,
    :math:`\bar p` is their running mean, and :math:`\mu_t` and :math:`\sigma_t^2` are the running mean and variance
    of :math:`\max_k \bar q_{ik}`. The labels are the most probable classes by :math:`q_i`.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Chen et al. (2023), "SoftMatch: addressing the quantity-quality trade-off in semi-supervised
    learning", ICLR.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import SoftMatch
    >>> clf = SemiSupervisedRNNClassifier(SoftMatch(n_sigma=3))
    """

    needs = "classes"
    strong = True

    weight: float = shared.weight(1)
    n_sigma: float = shared.number(2, POSITIVE, "Factor s: with a larger one, fewer rows have large weights.")
    momentum: float = shared.momentum()
    alignment: float = shared.alignment()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Start the teacher, the alignment, and the running means: the classes begin at ``1 / K``."""
        super().start(model, n_steps, n_rows)
        uniform = self.alignment_.uniform
        self.even_ = Alignment(uniform, 0, momentum=self.momentum)  # without labels: towards even classes
        self.mean_ = uniform[0].clone()
        self.variance_ = uniform.new_tensor(1.0)

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        weights = self._weights(answers)
        self.observe_classes(weights.mean(), model.task.agreement(answers, outputs))
        return {"matching": (cross_entropy(outputs, answers.argmax(1), reduction="none") * weights).mean()}

    def _weights(self, answers: Tensor) -> Tensor:
        """Update the running means, and return the weights (n,) of the rows."""
        step = 1 - self.momentum
        confidence = self.even_.align(answers).amax(1)
        self.mean_.lerp_(confidence.mean(), step)
        self.variance_.lerp_(confidence.var(correction=min(1, len(confidence) - 1)), step)
        below = (confidence - self.mean_).clamp_max(0)
        return torch.exp(-below.square() * self.n_sigma**2 / (2 * self.variance_.clamp_min(1e-12)))

    def finish(self, model: Model) -> None:
        """Drop the teacher, the alignments and the running means."""
        super().finish(model)
        del self.even_, self.mean_, self.variance_
