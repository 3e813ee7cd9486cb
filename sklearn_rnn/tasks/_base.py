"""What a net is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import Tags
from torch import Tensor, nn

from ..modules import linear
from ..sequences import Batch


@dataclass(frozen=True)
class Targets:
    """Targets of all rows, and which rows have one.

    Attributes
    ----------
    values : ndarray of shape (n,) or (n, k)
        Class numbers (-1 where unlabeled), or float32 numbers (NaN where unlabeled).
    labeled : ndarray of shape (n_labeled,)
        Numbers of the labeled rows, ascending.
    given : ndarray or None
        Numbers (n, k) as they were given, float64.
    """

    values: NDArray
    labeled: NDArray
    given: NDArray | None = None

    @property
    def unlabeled(self) -> NDArray:
        """Numbers of the unlabeled rows, ascending."""
        return np.setdiff1d(np.arange(len(self.values)), self.labeled)


class Task(ABC):
    """What a net is asked: how y is read, the head, the loss of a labeled row, the answer.

    A model carries its task, so that neither the net nor an objective asks what kind of head there is. `outputs` are
    what the head returns; `answers` are what they mean, such as probabilities of classes. Answers of several views
    or nets can be averaged and mixed.
    """

    name: ClassVar[str]
    method: ClassVar[str]  # of the estimator, that gives the answers
    n_readings: ClassVar[int] = 3  # places at which patches begin, over which the embeddings are averaged
    n_outputs: int = 0  # width of the head
    n_classes: int = 0  # 0 where the answer is no class

    @abstractmethod
    def read(self, y: Any, n: int, last: Any = None) -> Targets:
        """Read the y of `fit`, of n sequences, and learn from it what the task needs (classes, units).

        `last` is the task of the fit that goes on (`warm_start`); what does not fit to it is an error.
        """

    def head(self, encoder: Any) -> nn.Module:
        """Return the module from embeddings (n, C) to outputs, blank."""
        return linear(encoder.out_features, self.n_outputs)

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Loss (n_labeled,) of each labeled row; outputs of further rows may follow."""

    @abstractmethod
    def answers(self, outputs: Tensor) -> Tensor:
        """Return what outputs mean."""

    @abstractmethod
    def distance(self, answers: Tensor, others: Tensor) -> Tensor:
        """How far two answers for each row lie apart, (n,): what consistency objectives minimise."""

    @abstractmethod
    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """How far outputs lie from `others`, the outputs that are meant to hold, (n,): what `VAT` minimises."""

    def confidence(self, answers: Tensor) -> Tensor:
        """Confidence (n,) in each answer, from 0 to 1, that a threshold is compared with."""
        return answers.new_ones(len(answers))

    def agreement(self, answers: Tensor, others: Tensor) -> Tensor | None:
        """Share of rows for which both answers decide alike; None where answers decide nothing."""
        return None

    def monitored(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return what is observed of the outputs for unlabeled rows in training, by name."""
        return {}

    def decide(self, answers: NDArray) -> NDArray:
        """Return what scorers compare with targets."""
        return answers

    def row_weights(self, targets: Targets) -> NDArray | None:
        """Weights (n_labeled,) of the labeled rows, or None where all weigh the same."""
        return None

    @property
    def class_weights(self) -> NDArray | None:
        """Weights (K,) of classes, for rows that are labeled during training."""
        return None

    def strata(self, targets: NDArray) -> NDArray[np.int64]:
        """Group (n,) of each row, by which rows for validation are drawn."""
        return np.zeros(len(targets), dtype=np.int64)

    def tags(self, tags: Tags) -> Tags:
        """Return scikit-learn's tags of a net for this task."""
        return tags
