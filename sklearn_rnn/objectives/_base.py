"""The contract between an objective and the net that trains it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from .._links import LinkedEstimator
from .._sklearn import plain_parameters
from .._warnings import warn
from ..modules import Model
from ..sequences import Batch
from ._remembered import remember, remembered

Needs = Literal["sequences", "targets", "classes", "steps", "items", "transcripts"]
FITTING: dict[str, set[str]] = {  # what a task provides, as the objective's `needs`
    "classification": {"targets", "classes"},
    "regression": {"targets"},
    "tagging": {"targets", "classes", "steps"},
    "representation": {"sequences"},
    "next_item": {"items"},
    "transcription": {"transcripts"},
}
BY_STEP = {"tagging"}  # tasks with an answer for each step
MIN_STEPS = 100  # of the optimiser; after fewer steps there are no warnings about convergence


class Objective(LinkedEstimator, ABC):
    """Base of the objectives: what a net is trained for, one algorithm per class.

    An objective is a parameter of an estimator, which clones it before use.
    """

    _folder = "objectives"
    _parameter_constraints: dict[str, list[Any]] = {}
    needs: ClassVar[Needs]  # sequences alone, or targets of some, perhaps classes, steps, items or transcripts
    by_step: bool = True  # whether it also serves a task with an answer for each step, if it needs targets
    loss_only: ClassVar[bool] = False  # whether it needs no more of a task than the loss of labeled rows
    teacher_: Any = None  # a `MovingAverage`, in training, if the objective has a teacher
    n_rounds: int = 1
    rate: float = 1  # the learning rate, as a fraction of the estimator's lr
    opponents: tuple[str, ...] = ()  # names of the parts that a second optimiser trains
    keeps_levels: bool = False  # whether augmentations must not shift sequences, because their level is learned
    reverse: bool = False  # whether the last step of a sequence is decoded first
    several_inputs: bool = False  # whether it can train a net that reads several inputs
    by_input: bool = False  # whether it trains the encoder of each input on its own, if there are several
    compares_views: bool = False  # whether the loss needs several sequences, in views of different noise

    @classmethod
    def fits(cls, task: str) -> bool:
        """Whether it can train a net for the task of this name."""
        if task in BY_STEP and not cls.by_step:
            return False
        return cls.needs in FITTING[task] or (cls.loss_only and "transcripts" in FITTING[task])

    @property
    def unlabeled_ratio(self) -> float:
        """Number of unlabeled rows in a step, as a fraction of `batch_size`; with 0 they are not used."""
        return 0.0

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the modules that are trained beside the encoder and the head of the `task`, by name.

        They are blank: their weights are drawn later.
        """
        return {}

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Prepare to train `model` for at most `n_steps` optimiser steps on `n_rows` sequences."""

    @abstractmethod
    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted loss terms by name, each a scalar; their sum is minimised."""

    def opponent_terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the loss terms of the opponents by name; they take a step after each step of the other weights."""
        return {}

    def after_step(self, model: Model) -> None:
        """Called after each optimiser step; by default a teacher moves towards the model."""
        if self.teacher_ is not None:
            self.teacher_.follow(model)

    def predictor(self, model: Model) -> nn.Module:
        """Return the module that is validated and kept in the end: the teacher if there is one, else the model."""
        return model if self.teacher_ is None else self.teacher_.module

    def state(self) -> dict[str, Any]:
        """Return what the objective remembers in training, for checkpoints: its attributes that end in an underscore.

        Of an attribute that has a method `state_dict`, the result of that method is returned.
        """
        return remembered(self)

    def load_state(self, state: dict[str, Any]) -> None:
        """Remember again what `state` returned; called after `start`."""
        remember(self, state)

    def finish(self, model: Model) -> None:
        """Called at the end of training: drop what is not needed to predict."""
        self.__dict__.pop("teacher_", None)

    def predict(self, model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the answers for sequences, without noise."""
        return model(values, lengths)

    def validation_loss(self, model: Model, batch: Batch) -> float:
        """Loss of rows that are held out: the weighted mean of the task's loss of labeled rows, without noise."""
        outputs = model.predict_outputs(model.encoder.embed(batch.values), batch.lengths)
        return weighted_mean(model.task.loss(outputs, batch), batch, normalised=True).item()

    def relabel(self, targets: Tensor, rows: Tensor, probabilities: Tensor) -> Tensor | None:
        """Called between the `n_rounds` rounds of training; each round starts from the same first weights.

        Parameters
        ----------
        targets : Tensor of shape (n,)
            Class numbers of all rows, -1 for unlabeled ones.
        rows : Tensor of shape (m,)
            The unlabeled rows.
        probabilities : Tensor of shape (m, K)
            Predictions for the unlabeled rows.

        Returns
        -------
        targets : Tensor of shape (n,) or None
            Class numbers for the next round; None if there is none.
        """
        return None

    def validate(self) -> None:
        """Check the parameters of this clone as scikit-learn does, and convert numpy's numbers to Python's."""
        self._validate_params()
        plain_parameters(self)

    def observe(self, **values: Tensor | None) -> None:
        """Record each value; `history_` gets its mean over the steps of the epoch.

        The means of a vector are recorded as `name_0`, `name_1`, ... Values that are None are not recorded.
        """
        observed = self.__dict__.setdefault("observed_", {})
        for name, value in values.items():
            if value is not None:
                observed.setdefault(name, []).append(value.detach().float())

    def observed(self) -> dict[str, Any]:
        """Return the means since the last call: a number, or for a vector a list of numbers."""
        observed = self.__dict__.pop("observed_", {})
        return {name: torch.stack(values).mean(0).tolist() for name, values in observed.items()}

    def diagnose(self, history: Any) -> None:
        """Warn with the texts of `troubles`, if training was long enough to judge it."""
        if sum(history[:, "train_batch_count"]) >= MIN_STEPS:
            for trouble in self.troubles(history):
                warn(trouble, ConvergenceWarning)

    def troubles(self, history: Any) -> Iterable[str]:
        """Yield texts of warnings: which term trained nothing or what collapsed, and which parameter to change."""
        return ()


def supervised_loss(model: Model, outputs: Tensor, batch: Batch) -> Tensor:
    """Weighted mean of the loss of the labeled rows; outputs of unlabeled rows may follow."""
    return weighted_mean(model.task.loss(outputs, batch), batch)


def weighted_mean(losses: Tensor, batch: Batch, normalised: bool = False) -> Tensor:
    """Mean of the losses (k,) of the first k answers whose targets are known, times their weights.

    If `normalised`, divided by the sum of the weights instead of their number.
    """
    weights, known = batch.weights, batch.known
    weights = None if weights is None else weights[: len(losses)]
    if known is not None:
        losses, weights = losses[known], None if weights is None else weights[known]
    if weights is None:
        return losses.mean()
    return (losses * weights).sum() / weights.sum() if normalised else (losses * weights).mean()


def ramp_up(progress: float, duration: float) -> float:
    """Sigmoid-shaped ramp from 0 to 1 over the first `duration` of training (Laine and Aila 2017)."""
    if progress >= duration:
        return 1.0
    return float(torch.exp(torch.tensor(-5 * (1 - progress / duration) ** 2)))


def check_terms(objective: Objective, terms: Any, method: str = "terms") -> None:
    """Raise a TypeError if the terms are not a dictionary of scalar tensors."""
    name = f"{type(objective).__name__}.{method}"
    if not isinstance(terms, dict) or not terms:
        raise TypeError(f"{name} must return a dict of scalar tensors by name, got {_described(terms)}.")
    for key, term in terms.items():
        if not isinstance(term, torch.Tensor) or term.ndim > 0:
            raise TypeError(f"{name} must return scalar tensors, got {_described(term)} as {key!r}.")


def _described(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
