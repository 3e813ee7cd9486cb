"""What the tasks whose answers are classes share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, one_hot

from ..sequences import Batch
from ._base import Targets, Task
from ._labels import Labels, read_labels


class ClassTask(Task):
    """Base of tasks whose outputs are logits (m, K), and whose answers are probabilities (m, K).

    Parameters
    ----------
    missing_label : int, float, str, None or nan
        Marks what is unlabeled in y.
    class_weight : dict, "balanced" or None
        Weights of the classes in the loss.
    estimator : str
        Name of the estimator, for messages.
    """

    method = "predict_proba"

    def __init__(self, missing_label: Any, class_weight: Any, estimator: str):
        self.missing_label, self.class_weight, self.estimator = missing_label, class_weight, estimator

    def read_classes(self, y: Any, last: Any) -> Labels:
        """Learn the classes, and return the labels; with a `last` task, the classes must be the same."""
        labels = read_labels(y, self.missing_label, self.estimator)
        self.classes, self.n_classes = labels.classes, len(labels.classes)
        self.n_outputs = self.n_classes
        if last is not None and not np.array_equal(last.classes, self.classes):
            raise ValueError(f"warm_start=True needs the classes of the last fit, {last.classes}, got {self.classes}.")
        self.class_weights = self._weights_of_classes(labels.numbers[labels.labeled])
        return labels

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of each answer for the labeled rows; 0 for steps without a label."""
        m = batch.n_answers
        return cross_entropy(outputs[:m], batch.targets[:m], reduction="none", ignore_index=-1)

    def answers(self, outputs: Tensor) -> Tensor:
        """Probabilities (m, K)."""
        return outputs.softmax(1)

    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Squared Euclidean distance (m,) of probabilities."""
        return (answers - targets).square().sum(1)

    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Kullback-Leibler divergence (m,) of the probabilities from those of the targets."""
        log_p = outputs.log_softmax(1)
        return kl_div(log_p, targets.log_softmax(1), log_target=True, reduction="none").sum(1)

    def confidence(self, answers: Tensor) -> Tensor:
        """Largest probability (m,)."""
        return answers.amax(1)

    def agreement(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Fraction of answers whose most probable classes are equal."""
        return (answers.argmax(1) == targets.argmax(1)).float().mean()

    def monitored(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"class_share"`, the fraction (K,) of answers that are predicted to be of each class."""
        return {"class_share": one_hot(outputs.argmax(1), outputs.shape[1]).float().mean(0)}

    def decide(self, answers: NDArray) -> NDArray:
        """Class numbers (m,)."""
        return answers.argmax(1)

    def row_weights(self, targets: Targets) -> NDArray | None:
        """Weights of the known targets: those of their classes."""
        weights = self.class_weights
        return None if weights is None else weights[targets.values[targets.known]]

    def _weights_of_classes(self, numbers: NDArray) -> NDArray | None:
        if self.class_weight is None:
            return None
        weights = compute_class_weight(self.class_weight, classes=self.classes, y=self.classes[numbers])
        for label, weight in zip(self.classes.tolist(), weights.tolist(), strict=True):
            if not 0 <= weight < np.inf:
                raise ValueError(
                    f"class_weight must be finite and not negative, but is {weight} for the class {label!r}."
                )
        return weights
