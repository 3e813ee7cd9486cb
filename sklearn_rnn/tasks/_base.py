"""The base of the tasks: what a net is trained to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import Tags
from torch import Tensor, nn

from ..modules import linear
from ..sequences import Batch, any_of_row


@dataclass(frozen=True)
class Targets:
    """Targets of all rows, and the rows that have one.

    Attributes
    ----------
    values : ndarray of shape (m,) or (m, k)
        Class numbers, -1 where there is no label; or float32 numbers, NaN for unlabeled rows. There is a target for
        each of n rows, or for each of their steps.
    labeled : ndarray of shape (n_labeled,)
        Positions of the labeled rows, ascending: those with a label of at least one step.
    given : ndarray or None
        The numbers (n, k) of y, float64.
    lengths : ndarray of shape (n,) or None
        Number of steps of each row, if each step has a target.
    """

    values: NDArray
    labeled: NDArray
    given: NDArray | None = None
    lengths: NDArray | None = None

    @property
    def known(self) -> NDArray:
        """Positions of the targets that are known, ascending."""
        return self.labeled if self.lengths is None else np.flatnonzero(self.values >= 0)

    @property
    def unlabeled(self) -> NDArray:
        """Positions of the unlabeled rows, ascending: those with at least one step without a label."""
        if self.lengths is not None:
            return np.flatnonzero(any_of_row(self.values < 0, self.lengths))
        return np.setdiff1d(np.arange(len(self.values)), self.labeled)


class Task(ABC):
    """What a net is trained to answer: how y is read, the head, the loss of a labeled row, and the answers.

    A model holds its task, so that neither the net nor an objective depends on the kind of head. The head returns
    `outputs`, such as logits; `answers` are their meaning, such as the probabilities of classes. Answers of several
    views or nets can be averaged and mixed.

    With ``by_step = True`` there is an output, a target and an answer for each step. They are those of all steps that
    are no padding, one row after the other, (m, ...); what is said of n rows then holds for these m steps.

    With ``by_patch = True`` the head gets the state of each patch of steps. Outputs and answers are then those of all
    patches, (n, T / patch_size, ...), with padding; targets, losses and distances are still those of rows.
    """

    name: ClassVar[str]
    method: ClassVar[str]  # the estimator's method that returns the answers
    by_step: ClassVar[bool] = False  # whether there is an answer for each step, not for each row
    by_patch: ClassVar[bool] = False  # whether the answer for a row consists of one for each patch of steps
    n_readings: ClassVar[int] = 3  # number of shifts of the patches, over which embeddings are averaged
    n_outputs: int = 0  # width of the head
    class_weights: NDArray | None = None  # (K,), for rows that get their label during training
    n_classes: int = 0  # 0 if the answer is not a class

    @abstractmethod
    def read(self, y: Any, n: Any, last: Any = None, sample_weight: Any = None) -> Targets:
        """Read the y of `fit`, for n sequences, and learn from it what the task needs (classes, units).

        Parameters
        ----------
        y : array-like or None
            Targets.
        n : int, or ndarray of shape (n,)
            Number of sequences; with ``by_step = True``, the lengths of the sequences.
        last : Task or None
            With ``warm_start=True``, the task of the last fit. It is an error if y does not match it.

        Returns
        -------
        targets : Targets
        """

    def head(self, encoder: Any) -> nn.Module:
        """Return the module that maps embeddings (n, C) to outputs, blank: its weights are drawn later."""
        return linear(encoder.out_features, self.n_outputs)

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Loss (n_labeled,) of each labeled row; outputs of further rows may follow."""

    @abstractmethod
    def answers(self, outputs: Tensor) -> Tensor:
        """Return the answers (n, ...) that outputs stand for."""

    @abstractmethod
    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Distance (n,) of two answers for each row, which consistency objectives minimise."""

    @abstractmethod
    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Divergence (n,) of outputs from `targets`, which are outputs too; `VAT` minimises it."""

    def confidence(self, answers: Tensor) -> Tensor:
        """Confidence (n,) of each answer, from 0 to 1, which is compared with a threshold."""
        return answers.new_ones(len(answers))

    def agreement(self, answers: Tensor, targets: Tensor) -> Tensor | None:
        """Fraction of rows for which both answers lead to the same decision; None if answers are not decisions."""
        return None

    def monitored(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return values that are recorded in training, by name, given the outputs for unlabeled rows."""
        return {}

    def decide(self, answers: NDArray) -> NDArray:
        """Return the decisions that scorers compare with targets."""
        return answers

    def shown(self, targets: Any) -> Any:
        """Return targets, an array or a tensor, as scorers compare them with what `decide` returns."""
        return targets

    def exported(self, answers: Tensor) -> dict[str, Tensor]:
        """Return the outputs of an exported graph by name, given the answers."""
        return {"answers": answers}

    def score(self, decisions: NDArray, targets: NDArray) -> float:
        """Return the score of decisions: the fraction that are right."""
        return float(np.mean(decisions == targets))

    def row_weights(self, targets: Targets) -> NDArray | None:
        """Weights (n_labeled,) of the labeled rows, or None if all are equal."""
        return None

    def strata(self, targets: NDArray) -> NDArray[np.int64]:
        """Stratum (n,) of each row, for drawing the rows that are held out."""
        return np.zeros(len(targets), dtype=np.int64)

    def tags(self, tags: Tags) -> Tags:
        """Return scikit-learn's tags of an estimator for this task, given default tags."""
        return tags
