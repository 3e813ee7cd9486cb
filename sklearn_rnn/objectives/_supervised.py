"""Learning from the labels alone."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._base import Batch, Objective, supervised_loss


class Supervised(Objective):
    """Cross-entropy on the labeled rows; unlabeled rows are left out.

    The baseline of every semi-supervised objective.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import Supervised
    >>> clf = SemiSupervisedRNNClassifier(Supervised())
    """

    task = "classification"
    _parameter_constraints: dict[str, list[Any]] = {}

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropy as `"supervised"`."""
        view = model.view(batch.values, batch.lengths, batch.generator)
        logits = model.logits(view, batch.lengths, batch.generator)
        return {"supervised": supervised_loss(logits, batch)}
