"""The contract between an objective and the net that trains it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar, Literal

import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .._sklearn import Interval

Task = Literal["classification", "representation"]
NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]
POSITIVE = [Interval(Real, 0, None, closed="neither")]
FRACTION = [Interval(Real, 0, 1, closed="both")]


@dataclass
class Batch:
    """Rows of one optimiser step, labeled ones first.

    Attributes
    ----------
    values : Tensor of shape (n, T, F), or (n, T) of token ids
        Padded with zeros.
    lengths : Tensor of shape (n,) or None
        None where all rows are T long.
    codes : Tensor of shape (n,)
        Class numbers, -1 where unlabeled.
    rows : Tensor of shape (n,)
        Positions in the training set.
    weights : Tensor of shape (n,) or None
        Weights of the rows, 1 on average.
    n_labeled : int
        Rows with a label.
    generator : torch.Generator or None
        Source of all noise; None asks for none.
    progress : float
        Share of training done, from 0 to 1.
    """

    values: Tensor
    lengths: Tensor | None
    codes: Tensor
    rows: Tensor
    weights: Tensor | None
    n_labeled: int
    generator: torch.Generator | None
    progress: float

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def unlabeled(self) -> Batch:
        """The unlabeled rows alone."""
        k = self.n_labeled
        return replace(
            self,
            values=self.values[k:],
            lengths=None if self.lengths is None else self.lengths[k:],
            codes=self.codes[k:],
            rows=self.rows[k:],
            weights=None if self.weights is None else self.weights[k:],
            n_labeled=0,
        )


class Objective(BaseEstimator, ABC):
    """What a net is trained for: one algorithm.

    Objectives are parameters of the estimators, which clone them before use.
    """

    task: ClassVar[Task]
    needs_decoder: ClassVar[bool] = False

    @property
    def unlabeled_ratio(self) -> float:
        """Unlabeled rows in a step, as a share of `batch_size`; 0 leaves them out."""
        return 0.0

    def start(self, model: Any, n_steps: int) -> None:
        """Prepare to train `model` for at most `n_steps` optimiser steps."""

    @abstractmethod
    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Weighted loss terms by name, each a scalar; their sum is minimised."""

    def after_step(self, model: Any) -> None:
        """Act after each optimiser step, say to update a moving average."""

    def predictor(self, model: Any) -> nn.Module:
        """Return the module whose weights are validated and kept in the end."""
        return model

    def finish(self, model: Any) -> None:
        """Drop what is not needed to predict."""

    def validate(self) -> None:
        """Check the parameters as scikit-learn does."""
        self._validate_params()


def supervised_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of the labeled rows, weighted; `logits` (n, K) may cover the unlabeled rows too."""
    k = batch.n_labeled
    if batch.weights is None:
        return cross_entropy(logits[:k], batch.codes[:k])
    losses = cross_entropy(logits[:k], batch.codes[:k], reduction="none")
    return (losses * batch.weights[:k]).mean()


def ramp_up(progress: float, duration: float) -> float:
    """Sigmoid-shaped ramp from 0 to 1 over the first `duration` of training (Laine and Aila 2017)."""
    if progress >= duration:
        return 1.0
    return float(torch.exp(torch.tensor(-5 * (1 - progress / duration) ** 2)))
