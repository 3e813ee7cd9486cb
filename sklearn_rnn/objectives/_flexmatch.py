"""FixMatch with a threshold for each class, lower where little is learned."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._sklearn import FRACTION
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage, weak_answers
from ._semi_supervised import SemiSupervisedObjective

UNSURE, UNSEEN = -1, -2


class FlexMatch(SemiSupervisedObjective):
    r"""FlexMatch: FixMatch with a threshold for each class, lower for classes that lag.

    Each row's last sure label is remembered. With :math:`\sigma_c` the rows of class c and
    :math:`\sigma_0` those that came but were never sure,

    .. math:: \beta_c = \frac{\sigma_c}{\max(\max_{c'} \sigma_{c'}, \sigma_0)}, \quad
        \tau_c = \tau \frac{\beta_c}{2 - \beta_c}

    is the threshold of rows that are answered c. In the paper :math:`\sigma_0` counts all other rows;
    here those that have not come yet do not count, as training may end before all have. The memory
    holds a number for each row.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    threshold : float, default=0.95
        Threshold :math:`\tau` of the class that is learned best; what is sure enough to be remembered.
    alignment : float, default=1
        Exponent of distribution alignment, as in `FixMatch`: 1 expects each class as often among the unlabeled
        rows as among the labels; lower it where the rows to label were not drawn at random. 0 is the original.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    memory : float, default=0.1
        Time constant of a moving average of the weights, as a share of training, that answers for the
        weak views and predicts. With 0 the student answers for itself, as in the paper.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Zhang et al. (2021), "FlexMatch: boosting semi-supervised learning with curriculum pseudo
    labeling", NeurIPS.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import FlexMatch
    >>> clf = SemiSupervisedRNNClassifier(FlexMatch(threshold=0.9))
    """

    needs = "classes"
    strong = True
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "threshold": FRACTION,
    }

    def __init__(
        self,
        weight: float = 1,
        threshold: float = 0.95,
        alignment: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.alignment = alignment
        self.ramp = ramp
        self.memory = memory
        self.ratio = ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student, and forget all labels."""
        if self.weight:
            self.teacher_ = MovingAverage.of(model, self.memory, n_steps)
        self.alignment_ = Alignment(even_classes(model), n_rows, self.alignment)
        self.labels_ = torch.full((n_rows,), UNSEEN, device=self.alignment_.uniform.device)

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Count the labels; return no term."""
        self.alignment_.count(batch)
        return {}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`, of rows that pass the threshold of their class, and remember the sure ones."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        largest, label = answers.max(1)
        passes = (largest >= self.thresholds(answers.shape[1])[label]).float()
        self._remember(batch.rows.to(label.device), label, largest >= self.threshold)
        self.observe(confident=passes.mean(), agreement=model.task.agreement(answers, outputs))
        return {"matching": (cross_entropy(outputs, label, reduction="none") * passes).mean()}

    def thresholds(self, n_classes: int) -> Tensor:
        """Thresholds (n_classes,) by what is remembered."""
        seen = self.labels_[self.labels_ != UNSEEN]
        counts = torch.bincount(seen - UNSURE, minlength=n_classes + 1)
        beta = counts[1:] / counts.max().clamp_min(1)
        return self.threshold * beta / (2 - beta)

    def _remember(self, rows: Tensor, label: Tensor, sure: Tensor) -> None:
        before = self.labels_[rows].clamp_min(UNSURE)
        self.labels_[rows] = torch.where(sure, label, before)

    def finish(self, model: Any) -> None:
        """Drop the memory and the average."""
        super().finish(model)
        del self.alignment_, self.labels_
