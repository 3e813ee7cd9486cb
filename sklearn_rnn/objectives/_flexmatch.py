"""FixMatch with a threshold for each class, lower for classes that are learned less well."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._average import weak_answers
from ._semi_supervised import SemiSupervisedObjective

UNSURE, UNSEEN = -1, -2


@documented
@dataclass(repr=False, eq=False)
class FlexMatch(SemiSupervisedObjective):
    r"""FlexMatch: FixMatch with a threshold for each class, lower for classes that are learned less well.

    For each row, the last confident label is remembered. Let :math:`\sigma_c` be the number of rows whose
    remembered label is c, and :math:`\sigma_0` the number of rows that were seen but never confident. The threshold
    of rows whose most probable class is c is

    .. math:: \beta_c = \frac{\sigma_c}{\max(\max_{c'} \sigma_{c'}, \sigma_0)}, \quad
        \tau_c = \tau \frac{\beta_c}{2 - \beta_c}

    In the paper, :math:`\sigma_0` counts all other rows. Here rows that were not yet seen do not count, because
    training may end before all were seen. The memory holds one number per row.

    Parameters
    ----------
    %(parameters)s

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

    weight: float = shared.weight(1)
    threshold: float = shared.threshold(
        0.95,
        r"""
        Threshold :math:`\tau` of the class that is learned best. A label is remembered if its probability is at
        least this.
        """,
    )
    alignment: float = shared.alignment()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Start the teacher and the alignment, and forget all labels."""
        super().start(model, n_steps, n_rows)
        self.labels_ = torch.full((n_rows,), UNSEEN, device=self.alignment_.uniform.device)

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"` of the rows that pass the threshold of their class, and remember confident labels."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        confidence, labels = answers.max(1)
        mask = (confidence >= self.thresholds(answers.shape[1])[labels]).float()
        self._remember(batch.rows.to(labels.device), labels, confidence >= self.threshold)
        self.observe_classes(mask.mean(), model.task.agreement(answers, outputs))
        return {"matching": (cross_entropy(outputs, labels, reduction="none") * mask).mean()}

    def thresholds(self, n_classes: int) -> Tensor:
        """Threshold of each class, (n_classes,), computed from the remembered labels."""
        seen = self.labels_[self.labels_ != UNSEEN]
        counts = torch.bincount(seen - UNSURE, minlength=n_classes + 1)
        beta = counts[1:] / counts.max().clamp_min(1)
        return self.threshold * beta / (2 - beta)

    def _remember(self, rows: Tensor, labels: Tensor, mask: Tensor) -> None:
        before = self.labels_[rows].clamp_min(UNSURE)
        self.labels_[rows] = torch.where(mask, labels, before)

    def finish(self, model: Model) -> None:
        """Drop the teacher, the alignment and the remembered labels."""
        super().finish(model)
        del self.labels_
