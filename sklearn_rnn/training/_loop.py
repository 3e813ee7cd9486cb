"""The training loop: rounds of epochs of optimiser steps. It keeps the best weights."""

from __future__ import annotations

import math
from copy import deepcopy
from time import perf_counter
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping
from skorch.exceptions import SkorchException
from skorch.history import History
from torch import nn

from ..objectives import Objective
from ..sequences import Batch, TrainingSet
from ._optimizers import Freezing
from ._resume import Keeper, State, restore, restore_round
from ._sklearn_callbacks import FitWatch, asks_to_stop
from ._skorch_callbacks import Shown, as_numbers
from ._step import Stepper, not_finite

Weights = dict[str, torch.Tensor]
HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class Loop:
    """Trains the rounds of an objective, each for the `max_epochs` of the net.

    However training ends, the module then has the best weights so far. If a later round is interrupted, it has the
    weights of the previous round.

    Parameters
    ----------
    net : RecurrentNet
        The initialised net, with the module, the objective and the callbacks.
    training : TrainingSet
        Rows to train on.
    validation : TrainingSet or None
        Rows held out; all are labeled, or none is.
    patience : int or None
        Number of epochs without a better loss after which a round stops; with None it trains all epochs.
    watch : FitWatch
        Calls scikit-learn's callbacks in each epoch.
    """

    def __init__(
        self, net: Any, training: TrainingSet, validation: TrainingSet | None, patience: int | None, watch: FitWatch
    ):
        self.net, self.training, self.validation, self.patience, self.watch = net, training, validation, patience, watch
        self.module: Any = net.module_
        self.objective: Objective = net.objective
        self.hooks = {name: overriding(net, name) for name in HOOKS}
        self.freezing = Freezing(self.module.encoder, net.freeze, net.gradual_unfreezing)
        self.keepers = [callback for _, callback in net.callbacks_ if isinstance(callback, Keeper)]
        self.rounds_left = self.objective.n_rounds - 1
        self.first: Weights = copied_weights(self.module) if self.rounds_left else {}
        self.last: Weights | None = None  # of the round before

    def run(self) -> None:
        """Train all rounds, from the state that a callback has kept, if there is one."""
        state = next((state for keeper in self.keepers if (state := keeper.resume(self)) is not None), None)
        if state is not None:
            restore(self, state)
        self.watch.begin(self.net.max_epochs * self.objective.n_rounds)
        if state is None or not state["finished"]:
            self._train_rounds(state)
        self.watch.end()
        for keeper in self.keepers:
            keeper.done(self)

    def _train_rounds(self, state: State | None) -> None:
        try:
            for rounds_left in reversed(range(self.rounds_left + 1)):
                self.rounds_left = rounds_left
                self._begin_round()
                self._train_round(state)
                state = None
                self.net.notify("on_train_end", X=self.training, y=None)
                self.last = None
                targets = self._relabel() if rounds_left else None
                if targets is None:
                    break
                self.last, self.training = copied_weights(self.module), self.training.relabeled(targets)
                self.module.load_state_dict(self.first)
                self.net.initialize_optimizer()
        finally:
            if self.last is not None:
                self.module.load_state_dict(self.last)
            self.freezing.apply(1.0)

    def _begin_round(self) -> None:
        """Call `on_train_begin` of the callbacks with an empty history.

        They would take the epochs of former rounds for a training that is resumed. If a callback loads the history
        of a training to resume, that history is kept.
        """
        epochs: Any = self.net.history
        self.net.history_ = fresh = History()
        self.net.notify("on_train_begin", X=self.training, y=None)
        if self.net.history_ is fresh:
            self.net.history_ = epochs

    def _train_round(self, state: State | None) -> None:
        net, training = self.net, self.training
        n_epoch = training.steps_per_epoch(net.batch_size)
        self.stepper = Stepper(net, self.freezing, self.hooks["on_grad_computed"], net.max_epochs * n_epoch)
        self.objective.start(self.module, self.stepper.n_steps, len(training.targets))
        self.best, self.best_loss = copied_weights(self.objective.predictor(self.module)), math.inf
        self.n_epochs = self.waited = 0
        if state is not None:
            restore_round(self, state)
        random, n_taken = np.random.default_rng(net.seed), self.stepper.n_taken
        stream = training.training_batches(net.batch_size, self.objective.unlabeled_ratio, random, n_taken)
        data = self._shown(n_epoch)
        try:
            for n_epochs in range(self.n_epochs + 1, net.max_epochs + 1):
                net.notify("on_epoch_begin", **data)
                self.watch.begin_epoch()
                self._train_epoch(stream, n_epoch)
                self._swap()
                try:
                    if self.validation is not None:
                        self._validate_epoch(self.validation)
                    self.waited = 0 if self._keep_best() else self.waited + 1
                    if self._stops(data) or (self.patience is not None and self.waited >= self.patience):
                        break
                finally:
                    self._swap()
                self.n_epochs = n_epochs
                for keeper in self.keepers:
                    keeper.keep(self)
        finally:
            self.module.load_state_dict(self.best)
            self.objective.finish(self.module)
            self.objective.observed()  # drops the values of an interrupted epoch
            del self.best, self.stepper

    def _shown(self, n_epoch: int) -> dict[str, Any]:
        """Return the data sets that callbacks get."""
        size, validation, task = self.net.batch_size, self.validation, self.module.task
        return {
            "dataset_train": Shown(self.training, size, task, n_epoch * size),
            "dataset_valid": None if validation is None else Shown(validation, size, task, len(validation)),
        }

    def _relabel(self) -> np.ndarray | None:
        """Return the objective's targets for the next round, or None if there is no next round."""
        training, net = self.training, self.net
        rows = training.unlabeled[np.argsort(training.sequences.lengths[training.unlabeled], kind="stable")]
        parts = training.in_order(rows, net.batch_size) if len(rows) else []
        answers = [net.infer(net.on_device(training.batch(part, 0))) for part in parts]
        if not answers:
            return None
        targets, probabilities = torch.from_numpy(training.targets), torch.cat(answers).cpu()
        places = torch.from_numpy(np.concatenate([training.places(part) for part in parts]))
        if training.by_step:  # some steps of these rows have a label
            unknown = targets[places] < 0
            places, probabilities = places[unknown], probabilities[unknown]
        labels = self.objective.relabel(targets, places, probabilities)
        return None if labels is None else labels.numpy()

    def _train_epoch(self, stream: Any, n_steps: int) -> None:
        self.module.train()  # cuDNN computes no gradient otherwise
        started = perf_counter()
        totals: dict[str, float] = {}
        for _ in range(n_steps):
            batch = self.stepper.prepare(next(stream))
            self._begin_batch(batch)
            terms = self.stepper.step(batch)
            for name, value in terms.items():
                totals[name] = totals.get(name, 0.0) + value
            self._end_batch(batch, sum(terms.values()))
        self._record_epoch({name: total / n_steps for name, total in totals.items()}, n_steps)
        self.net.history.record("dur", perf_counter() - started)

    def _begin_batch(self, batch: Batch) -> None:
        if self.hooks["on_batch_begin"] or self.hooks["on_batch_end"]:
            self.net.history.new_batch()
        for cb in self.hooks["on_batch_begin"]:
            cb.on_batch_begin(self.net, batch=(batch, batch.targets), training=True)

    def _end_batch(self, batch: Batch, loss: float) -> None:
        if not self.hooks["on_batch_end"]:
            return
        self.net.history.record_batch("train_loss", loss)
        self.net.history.record_batch("train_batch_size", len(batch))
        for cb in self.hooks["on_batch_end"]:
            scores = getattr(cb, "on_train", False)  # whether it compares predictions with labels
            shown = batch.labeled if scores and batch.n_labeled else batch
            y_pred = shown.of_known(self.net.infer(shown)) if scores else None
            y = self.module.task.shown(shown.of_known(shown.targets))
            cb.on_batch_end(self.net, batch=(shown, y), training=True, y_pred=y_pred, loss=None)

    def _record_epoch(self, terms: dict[str, float], n_steps: int) -> None:
        history = self.net.history
        if not history[-1]["batches"]:
            history.new_batch()  # skorch's Checkpoint reads the last batch
        for name, value in terms.items():
            history.record(name, value)
        for name, value in self.objective.observed().items():
            values = dict(as_numbers(name, value))
            self.net.list_keys_ |= values.keys() - {name}
            for key, number in values.items():
                history.record(key, number)
        history.record("train_loss", sum(terms.values()))
        history.record("train_batch_count", n_steps)
        history.record("lr", self.net.optimizer_.param_groups[0]["lr"])

    def _validate_epoch(self, validation: TrainingSet) -> None:
        total, weight, n_batches, net = 0.0, 0.0, 0, self.net
        for batch, targets in net.get_iterator(validation):
            batch_weight = _weight(batch)
            with torch.no_grad():
                y_pred = batch.of_known(net.infer(batch)) if self.hooks["on_batch_end"] else None
                loss = self.objective.validation_loss(self.module, batch)
            total, weight, n_batches = total + loss * batch_weight, weight + batch_weight, n_batches + 1
            if self.hooks["on_batch_end"]:
                net.history.new_batch()
                net.history.record_batch("valid_loss", loss)
                net.history.record_batch("valid_batch_size", len(batch))
                y = self.module.task.shown(batch.of_known(targets))
                for cb in self.hooks["on_batch_end"]:
                    cb.on_batch_end(net, batch=(batch, y), training=False, y_pred=y_pred, loss=loss)
        net.history.record("valid_loss", total / weight)
        net.history.record("valid_batch_count", n_batches)
        net.history.record("valid_loss_best", total / weight < self.best_loss)

    def _keep_best(self) -> bool:
        """Keep the weights if their validation loss is the lowest; without early stopping, keep the newest."""
        loss = self.net.history[-1].get("valid_loss", math.nan)
        better = loss < self.best_loss
        if better:
            self.best_loss = loss
        if better or self.patience is None or not self.net.learned_:
            weights = copied_weights(self.module)
            if not all(bool(w.isfinite().all()) for w in weights.values()):
                raise not_finite("weights are", self.net, self.stepper.n_taken)
            self.best, self.net.learned_ = weights, True
        return better

    def _stops(self, data: dict[str, Any]) -> bool:
        """Call `on_epoch_end` of the callbacks; return whether one of them stops training.

        skorch's `EarlyStopping` does so by raising KeyboardInterrupt.
        """
        self.net.on_epoch_end(self.net, **data)
        stop = self.watch.end_epoch()
        for _, cb in self.net.callbacks_:
            try:
                cb.on_epoch_end(self.net, **data)
            except KeyboardInterrupt as interrupt:
                if not isinstance(cb, EarlyStopping) or not asks_to_stop(cb, interrupt):
                    raise
                stop = True
            except (KeyError, SkorchException) as error:
                if data["dataset_valid"] is None and "valid_" in str(error):
                    raise ValueError(
                        f"callbacks: {type(cb).__name__} needs a value that is recorded only with early_stopping=True "
                        f"({error.args[0]}). Set early_stopping=True, or remove the callback."
                    ) from error
                raise
        return stop

    def _swap(self) -> None:
        """Exchange the weights of student and teacher, if the objective has a teacher."""
        predictor = self.objective.predictor(self.module)
        if predictor is not self.module:
            for student, teacher in zip(self.module.parameters(), predictor.parameters(), strict=True):
                student.data, teacher.data = teacher.data, student.data


def overriding(net: Any, hook: str) -> list[Callback]:
    """Return the callbacks of a net that define this hook."""
    return [cb for _, cb in net.callbacks_ if getattr(type(cb), hook) is not getattr(Callback, hook)]


def copied_weights(module: nn.Module) -> Weights:
    """Return a copy of the weights and buffers of a module."""
    return deepcopy(module.state_dict())


def _weight(batch: Batch) -> float:
    """Sum of the weights of the targets of a batch that are known or, if none is, of all."""
    if batch.by_step and batch.n_labeled:
        known = batch.targets >= 0
        return float(known.sum() if batch.weights is None else batch.weights[known].sum())
    return float(len(batch)) if batch.weights is None else batch.weights.sum().item()
