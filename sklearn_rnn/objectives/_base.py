"""The contract between an objective and the net that trains it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from .._sklearn import plain_parameters
from .._warnings import warn
from ..sequences import Batch

Needs = Literal["sequences", "targets", "classes"]
FITTING: dict[str, set[str]] = {  # what the task of an estimator gives to its objective
    "classification": {"targets", "classes"},
    "regression": {"targets"},
    "representation": {"sequences"},
}
MIN_STEPS = 100  # of the optimiser; after fewer a net is not judged


class Objective(BaseEstimator, ABC):
    """What a net is trained for: one algorithm.

    Objectives are parameters of the estimators, which clone them before use.
    """

    _parameter_constraints: dict[str, list[Any]] = {}
    needs: ClassVar[Needs]  # sequences alone, targets of some, or targets that are classes
    teacher_: Any = None  # a `MovingAverage`, in training, where the objective has one
    n_rounds: int = 1
    rate: float = 1  # of learning, as a share of the estimator's lr
    opponents: tuple[str, ...] = ()  # names of the parts that a second optimiser trains
    keeps_levels: bool = False  # whether sequences are not to be offset: what is learned shall tell their level
    reverse: bool = False  # whether what is decoded has the last step of each sequence first
    tells_views: bool = False  # whether the loss is of views of different noise, and of several sequences

    @property
    def unlabeled_ratio(self) -> float:
        """Unlabeled rows in a step, as a share of `batch_size`; 0 leaves them out."""
        return 0.0

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return what is trained beside the encoder and the head of the `task`, by name.

        The modules are blank; their weights are drawn later.
        """
        return {}

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Prepare to train `model` for at most `n_steps` optimiser steps on `n_rows` sequences."""

    @abstractmethod
    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return weighted loss terms by name, each a scalar; their sum is minimised."""

    def opponent_terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return what the opponents minimise, by name, after each step of the others."""
        return {}

    def after_step(self, model: Any) -> None:
        """Act after each optimiser step: by default a teacher moves towards the model."""
        if self.teacher_ is not None:
            self.teacher_.follow(model)

    def predictor(self, model: Any) -> nn.Module:
        """Return the module whose weights are validated and kept in the end: a teacher, where there is one."""
        return model if self.teacher_ is None else self.teacher_.module

    def finish(self, model: Any) -> None:
        """Drop what is not needed to predict."""
        self.__dict__.pop("teacher_", None)

    def predict(self, model: Any, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the answers for sequences, without noise."""
        return model(values, lengths)

    def validation_loss(self, model: Any, batch: Batch) -> float:
        """Loss of rows that are held out: the task's, of labeled rows, weighted, without noise."""
        outputs = model.predict_outputs(model.encoder.embed(batch.values), batch.lengths)
        return weighted_mean(model.task.loss(outputs, batch), batch, normalised=True).item()

    def relabel(self, targets: Tensor, rows: Tensor, probabilities: Tensor) -> Tensor | None:
        """Act between the `n_rounds` rounds, each of which trains the first weights anew.

        Given are the class numbers (n,) of all rows, -1 where unlabeled, and the probabilities (m, K) of
        the unlabeled `rows` (m,). Returned are the class numbers to go on with, or None to stop here.
        """
        return None

    def validate(self) -> None:
        """Check the parameters of this clone as scikit-learn does, and bring them to Python's numbers."""
        self._validate_params()
        plain_parameters(self)

    def observe(self, **values: Tensor | None) -> None:
        """Show the mean of each value over an epoch's steps in `history_`; of a list, as `name_0`, `name_1`, ...

        None is left out.
        """
        observed = self.__dict__.setdefault("observed_", {})
        for name, value in values.items():
            if value is not None:
                observed.setdefault(name, []).append(value.detach().float())

    def observed(self) -> dict[str, Any]:
        """Return the means since the last call: numbers, or lists of one number for each class."""
        observed = self.__dict__.pop("observed_", {})
        return {name: torch.stack(values).mean(0).tolist() for name, values in observed.items()}

    def diagnose(self, history: Any) -> None:
        """Warn of each trouble, if training was long enough to tell."""
        if sum(history[:, "train_batch_count"]) >= MIN_STEPS:
            for trouble in self.troubles(history):
                warn(trouble, ConvergenceWarning)

    def troubles(self, history: Any) -> Iterable[str]:
        """Say which term trained nothing and what collapsed, and which parameter to change."""
        return ()


def supervised_loss(model: Any, outputs: Tensor, batch: Batch) -> Tensor:
    """Loss of the labeled rows, weighted; `outputs` may cover the unlabeled rows too."""
    return weighted_mean(model.task.loss(outputs, batch), batch)


def weighted_mean(losses: Tensor, batch: Batch, normalised: bool = False) -> Tensor:
    """Mean of the losses (k,) of the batch's first rows, times their weights; divided by these if `normalised`."""
    if batch.weights is None:
        return losses.mean()
    weights = batch.weights[: len(losses)]
    return (losses * weights).sum() / weights.sum() if normalised else (losses * weights).mean()


def ramp_up(progress: float, duration: float) -> float:
    """Sigmoid-shaped ramp from 0 to 1 over the first `duration` of training (Laine and Aila 2017)."""
    if progress >= duration:
        return 1.0
    return float(torch.exp(torch.tensor(-5 * (1 - progress / duration) ** 2)))


def check_terms(objective: Objective, terms: Any, method: str = "terms") -> None:
    """Refuse what is no dictionary of scalar tensors."""
    name = f"{type(objective).__name__}.{method}"
    if not isinstance(terms, dict) or not terms:
        raise TypeError(f"{name} must return a dict of scalar tensors by name, got {_described(terms)}.")
    for key, term in terms.items():
        if not isinstance(term, torch.Tensor) or term.ndim > 0:
            raise TypeError(f"{name} must return scalar tensors, got {_described(term)} as {key!r}.")


def _described(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
