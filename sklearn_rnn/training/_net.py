"""The skorch net that trains any objective."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import copy, deepcopy
from functools import reduce
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.utils import ClassifierTags
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.exceptions import SkorchException
from skorch.history import History
from skorch.utils import get_map_location
from torch import nn

from .._warnings import warn
from ..objectives import Objective
from ..sequences import Batch, Rows
from ._optimizers import (
    Freezing,
    check_line_search,
    clip_gradient,
    make_optimizer,
    one_cycle,
    parameter_groups,
    set_rate,
)
from ._sklearn_callbacks import FitWatch, asks_to_stop
from ._skorch_callbacks import Shown, Table, as_numbers

OF_TRAINING = {"_hooks", "best_", "drawn_", "freezing_", "generator_", "opponents_", "parameters_", "watch_"}  # alone
Data = tuple[Batch, torch.Tensor]


class RecurrentNet(NeuralNet):
    """Trains a model for an objective, in whole batches, with one cycle of the learning rate.

    The rate rises from 0.04 `lr` to `lr` over the first 30% of training and falls to 0, both along a
    cosine (Smith 2018), unless the user's callbacks hold an `LRScheduler`.
    """

    learned_: bool = False  # whether an epoch ended, so that `module_` has weights to predict with

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        weight_decay: float,
        gradient_clip: float | None,
        seed: int,
        freeze: float = 0.0,
        gradual_unfreezing: bool = False,
        encoder_lr_factor: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(*args, train_split=None, criterion=nn.Identity, **kwargs)
        self.objective = objective
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.seed = seed
        self.freeze = freeze
        self.gradual_unfreezing = gradual_unfreezing
        self.encoder_lr_factor = encoder_lr_factor

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.module_.head is not None:
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags

    @property
    def classes_(self) -> np.ndarray:
        """Class numbers, for scorers."""
        return np.arange(self.module_.head.out_features)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        if not self.verbose or "print_log" in dict(self.callbacks or []):
            return []
        return [("print_log", Table())]

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> RecurrentNet:
        """Build the optimizer, and a second one for the objective's opponents."""
        names = tuple(f"parts.{name}." for name in self.objective.opponents)
        weights = list(self.module_.named_parameters())
        self.opponents_ = [weight for name, weight in weights if name.startswith(names)]
        self.parameters_ = [weight for name, weight in weights if not name.startswith(names)]
        rate, factor = self.lr * self.objective.rate, self.encoder_lr_factor
        check_line_search(self.optimizer, self.objective, factor)
        groups = parameter_groups(self.parameters_, self.module_.encoder, rate=rate, encoder_factor=factor)
        self.optimizer_ = self._optimizer(groups, rate)
        self.opponent_optimizer_ = self._optimizer(self.opponents_, rate) if names else None
        return self

    def _optimizer(self, parameters: list[Any], rate: float) -> Any:
        return make_optimizer(
            self.optimizer, parameters, rate=rate, weight_decay=self.weight_decay, objective=self.objective
        )

    def train_on(self, training: Rows, validation: Rows | None, patience: int | None, watch: FitWatch) -> RecurrentNet:
        """Train the objective's rounds, each for `max_epochs`.

        With `patience`, a round stops after so many epochs without a better loss. Whatever ends it, the
        module has the best weights so far; if a later round is cut short, those of the round before.
        """
        self.freezing_ = Freezing(self.module_.encoder, self.freeze, self.gradual_unfreezing)
        self.scheduled_ = not any(isinstance(cb, LRScheduler) for _, cb in self.callbacks_)
        self._hooks = {name: self._overriding(name) for name in ("on_batch_begin", "on_batch_end", "on_grad_computed")}
        first = _copy(self.module_) if self.objective.n_rounds > 1 else {}
        self.watch_ = watch
        self.list_keys_: set[str] = set()
        watch.begin(self.max_epochs * self.objective.n_rounds)
        last = None
        try:
            for left in reversed(range(self.objective.n_rounds)):
                self._begin_round(training)
                self._train_round(training, validation, patience)
                self.notify("on_train_end", X=training, y=None)
                last = None
                codes = self._relabel(training) if left else None
                if codes is None:
                    break
                last, training = _copy(self.module_), training.relabeled(codes)
                self.module_.load_state_dict(first)
                self.initialize_optimizer()
        finally:
            if last is not None:
                self.module_.load_state_dict(last)
            self._forget_optimizers()
            self.freezing_.apply(1.0)
            self.module_.zero_grad()
            for name in OF_TRAINING:
                self.__dict__.pop(name, None)
        watch.end()
        return self

    def _forget_optimizers(self) -> None:
        """Drop what holds a second copy of the weights, on their device."""
        self.optimizer_ = self.opponent_optimizer_ = None
        for _, cb in self.callbacks_:
            if isinstance(cb, LRScheduler):
                cb.lr_scheduler_ = None

    def _begin_round(self, training: Rows) -> None:
        """Notify the callbacks, which would take the epochs of former rounds for a training to resume.

        Where one of them loads the history of a training to resume, it goes on.
        """
        epochs: Any = self.history
        self.history_ = fresh = History()
        self.notify("on_train_begin", X=training, y=None)
        if self.history_ is fresh:
            self.history_ = epochs

    def _train_round(self, training: Rows, validation: Rows | None, patience: int | None) -> None:
        n_epoch = training.steps_per_epoch(self.batch_size)
        self.n_steps_, self.step_ = self.max_epochs * n_epoch, 0
        self.generator_ = torch.Generator(self.device).manual_seed(self.seed)
        self.objective.start(self.module_, self.n_steps_, len(training.codes))
        self.best_ = _copy(self.objective.predictor(self.module_))
        self.best_loss_, waited = math.inf, 0
        random = np.random.default_rng(self.seed)
        stream = training.training_batches(self.batch_size, self.objective.unlabeled_ratio, random)
        data = {
            "dataset_train": Shown(training, self.batch_size, n_epoch * self.batch_size),
            "dataset_valid": None if validation is None else Shown(validation, self.batch_size, len(validation)),
        }
        try:
            for _ in range(self.max_epochs):
                self.notify("on_epoch_begin", **data)
                self.watch_.begin_epoch()
                self._train_epoch(stream, n_epoch)
                self._swap()
                try:
                    if validation is not None:
                        self._validate_epoch(validation)
                    waited = 0 if self._keep_best(patience is not None) else waited + 1
                    if self._stops(data) or (patience is not None and waited >= patience):
                        break
                finally:
                    self._swap()
        finally:
            self.module_.load_state_dict(self.best_)
            self.objective.finish(self.module_)
            self.objective.observed()  # of an epoch cut short
            del self.best_, self.generator_

    def _relabel(self, training: Rows) -> np.ndarray | None:
        """Ask the objective for labels of the unlabeled rows."""
        rows = training.unlabeled[np.argsort(training.sequences.lengths[training.unlabeled], kind="stable")]
        parts = training.in_order(rows, self.batch_size) if len(rows) else []
        answers = [self.infer(self._prepare(training.batch(part, 0), None)) for part in parts]
        if not answers:
            return None
        codes = torch.from_numpy(training.codes)
        labels = self.objective.relabel(codes, torch.from_numpy(rows), torch.cat(answers).cpu())
        return None if labels is None else labels.numpy()

    def _overriding(self, hook: str) -> list[Callback]:
        return [cb for _, cb in self.callbacks_ if getattr(type(cb), hook) is not getattr(Callback, hook)]

    def _train_epoch(self, stream: Iterator[Batch], n_steps: int) -> None:
        self.module_.train()  # cuDNN asks for it
        started = perf_counter()
        totals: dict[str, float] = {}
        for _ in range(n_steps):
            batch = self._prepare(next(stream), self.generator_)
            data = (batch, batch.codes)
            if self._hooks["on_batch_begin"] or self._hooks["on_batch_end"]:
                self.history.new_batch()
            for cb in self._hooks["on_batch_begin"]:
                cb.on_batch_begin(self, batch=data, training=True)
            terms = self.train_step(data)["terms"]
            for name, value in terms.items():
                totals[name] = totals.get(name, 0.0) + value
            if self._hooks["on_batch_end"]:
                self.history.record_batch("train_loss", sum(terms.values()))
                self.history.record_batch("train_batch_size", len(batch))
                for cb in self._hooks["on_batch_end"]:
                    scores = getattr(cb, "on_train", False)  # what it predicts is compared with labels
                    shown = batch.labeled if scores and batch.n_labeled else batch
                    y_pred = self.infer(shown) if scores else None
                    cb.on_batch_end(self, batch=(shown, shown.codes), training=True, y_pred=y_pred, loss=None)
        if not self.history[-1]["batches"]:
            self.history.new_batch()  # skorch's Checkpoint asks for the last one
        for name, total in totals.items():
            self.history.record(name, total / n_steps)
        for name, value in self.objective.observed().items():
            values = dict(as_numbers(name, value))
            self.list_keys_ |= values.keys() - {name}
            for key, number in values.items():
                self.history.record(key, number)
        self.history.record("train_loss", sum(totals.values()) / n_steps)
        self.history.record("train_batch_count", n_steps)
        self.history.record("lr", self.optimizer_.param_groups[0]["lr"])
        self.history.record("dur", perf_counter() - started)

    def _prepare(self, batch: Batch, generator: torch.Generator | None) -> Batch:
        batch.generator = generator
        batch.progress = self.step_ / self.n_steps_
        if self.device != "cpu":
            for name in ("values", "lengths", "codes", "weights"):
                if getattr(batch, name) is not None:
                    setattr(batch, name, getattr(batch, name).to(self.device, non_blocking=True))
        return batch

    def train_step(self, batch: Data, **fit_params: Any) -> dict[str, Any]:
        """Take one optimiser step; optimisers that need a closure get one."""
        self.freezing_.apply(batch[0].progress)
        if self.scheduled_:
            rate = self.lr * self.objective.rate * one_cycle(batch[0].progress)
            set_rate((self.optimizer_, self.opponent_optimizer_), rate)
        if isinstance(self.optimizer_, torch.optim.LBFGS):
            # along the line it searches, each loss has the same noise, and the objective the same state
            self.drawn_ = self.generator_.get_state(), deepcopy(self.objective.__dict__)
            step = super().train_step(batch)
        else:
            self.optimizer_.zero_grad()
            step = self.train_step_single(batch)
            for cb in self._hooks["on_grad_computed"]:
                cb.on_grad_computed(self, named_parameters=self.module_.named_parameters(), batch=batch, training=True)
            self.optimizer_.step()
        if self.opponent_optimizer_ is not None:
            step["terms"] |= self._oppose(batch[0], self.opponent_optimizer_)
        self.step_ += 1
        self.objective.after_step(self.module_)
        return step

    def train_step_single(self, batch: Data, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss terms and the gradient, clipped."""
        if isinstance(self.optimizer_, torch.optim.LBFGS):
            noise, state = self.drawn_
            self.generator_.set_state(noise)
            self.objective.__dict__.clear()
            self.objective.__dict__.update(deepcopy(state))
        loss, values = self._summed(self.objective.terms(self.module_, batch[0]), batch[0])
        loss.backward()
        if self.gradient_clip is not None:
            clip_gradient(self.parameters_, self.gradient_clip)
        return {"loss": loss, "y_pred": None, "terms": values}

    def _oppose(self, batch: Batch, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Let the objective's opponents take a step of their own; no other weight gets a gradient."""
        terms = self.objective.opponent_terms(self.module_, batch)
        if not terms:
            return {}
        loss, values = self._summed(terms, batch, "opponent_terms")
        for weight, gradient in zip(self.opponents_, torch.autograd.grad(loss, self.opponents_), strict=True):
            weight.grad = gradient
        if self.gradient_clip is not None:
            clip_gradient(self.opponents_, self.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()
        return values

    def _summed(
        self, terms: dict[str, torch.Tensor], batch: Batch, method: str = "terms"
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the sum of loss terms, which must have a gradient, and their values, which must be finite."""
        check_terms(self.objective, terms, method)
        values = {name: term.item() for name, term in terms.items()}
        if not math.isfinite(sum(values.values())):
            self.module_.check_views(batch.values, batch.lengths, batch.generator)
            raise self._not_finite("loss is", self.step_ + 1, f": {values}")
        loss = reduce(torch.add, terms.values())
        if not loss.requires_grad:
            raise ValueError(f"No term of {type(self.objective).__name__}.{method} has a gradient: {values}.")
        return loss, values

    def _not_finite(self, what: str, step: int, values: str = "") -> FloatingPointError:
        where = f"epoch {len(self.history)}, step {step}{values}"
        return FloatingPointError(f"The {what} not finite in {where}. Scale X, or lower lr (now {self.lr}).")

    def _validate_epoch(self, validation: Rows) -> None:
        total, weight, n_batches = 0.0, 0.0, 0
        for batch, codes in self.get_iterator(validation):
            own: Any = torch.ones(len(batch)) if batch.weights is None else batch.weights
            own, y_pred = own.sum().item(), None
            with torch.no_grad():
                if self.module_.head is None:
                    if self._hooks["on_batch_end"]:
                        y_pred = self.infer(batch)
                    terms = self.objective.terms(self.module_, batch)
                    check_terms(self.objective, terms)
                    loss = sum(term.item() for term in terms.values())
                else:
                    y_pred = self.infer(batch)
                    errors = -y_pred.gather(1, codes[:, None]).clamp_min(1e-30).log()[:, 0]
                    loss = (errors if batch.weights is None else errors * batch.weights).sum().item() / own
            total, weight, n_batches = total + loss * own, weight + own, n_batches + 1
            if self._hooks["on_batch_end"]:
                self.history.new_batch()
                self.history.record_batch("valid_loss", loss)
                self.history.record_batch("valid_batch_size", len(batch))
                for cb in self._hooks["on_batch_end"]:
                    cb.on_batch_end(self, batch=(batch, codes), training=False, y_pred=y_pred, loss=loss)
        self.history.record("valid_loss", total / weight)
        self.history.record("valid_batch_count", n_batches)
        self.history.record("valid_loss_best", total / weight < self.best_loss_)

    def _keep_best(self, stopping: bool) -> bool:
        """Keep the weights if they are the best: of the lowest validation loss, or else the newest."""
        loss = self.history[-1].get("valid_loss", math.nan)
        better = loss < self.best_loss_
        if better:
            self.best_loss_ = loss
        if better or not stopping or not self.learned_:
            weights = _copy(self.module_)
            if not all(bool(w.isfinite().all()) for w in weights.values()):
                raise self._not_finite("weights are", self.step_)
            self.best_, self.learned_ = weights, True
        return better

    def save_params(self, *args: Any, **kwargs: Any) -> None:
        """Save as skorch does, and warn where that fails: its `Checkpoint` says nothing and goes on."""
        try:
            super().save_params(*args, **kwargs)
        except Exception as error:
            files = [str(file) for name, file in kwargs.items() if name.startswith("f_") and file is not None]
            warn(f"Unable to save {', '.join(files)}: {type(error).__name__}: {error}")
            raise

    def __getstate__(self) -> dict[str, Any]:
        """Hold the module on the CPU and without augmentations, which each fit sets again.

        skorch would pickle the module by itself, so that no other pickler sees what the user's code puts there.
        """
        state = {name: value for name, value in self.__dict__.items() if name not in OF_TRAINING}
        if self.initialized_:
            state["module"] = state["module_"] = _portable(self.module_)
            state["optimizer_"] = state["opponent_optimizer_"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        device = state["device"]
        state["device"] = self._check_device(device, get_map_location(device))
        self.__dict__.update(state)
        if self.initialized_:
            self.module_.to(self.device)

    def _stops(self, data: dict[str, Any]) -> bool:
        """Let the callbacks end the epoch; skorch's `EarlyStopping` asks to stop by KeyboardInterrupt."""
        self.on_epoch_end(self, **data)
        stop = self.watch_.end_epoch()
        for _, cb in self.callbacks_:
            try:
                cb.on_epoch_end(self, **data)
            except KeyboardInterrupt as interrupt:
                if not isinstance(cb, EarlyStopping) or not asks_to_stop(cb, interrupt):
                    raise
                stop = True
            except (KeyError, SkorchException) as error:
                if data["dataset_valid"] is None and "valid_" in str(error):
                    raise ValueError(
                        f"callbacks: {type(cb).__name__} looks for what is recorded only with early_stopping=True "
                        f"({error.args[0]})."
                    ) from error
                raise
        return stop

    def _swap(self) -> None:
        """Exchange the weights that are trained and those that predict, where they differ."""
        predictor = self.objective.predictor(self.module_)
        if predictor is not self.module_:
            for mine, theirs in zip(self.module_.parameters(), predictor.parameters(), strict=True):
                mine.data, theirs.data = theirs.data, mine.data

    def get_iterator(self, dataset: Rows, training: bool = False) -> Iterator[Data]:
        """Batches of labeled rows, or of all, in order, without noise; with the same each time where views are told."""
        noise = torch.Generator(self.device).manual_seed(self.seed) if self.objective.tells_views else None
        for some in dataset.in_turn(self.batch_size):
            batch = self._prepare(dataset.batch(some, len(some) if len(dataset.labeled) else 0), noise)
            batch.progress = 1.0  # so that losses of all epochs compare
            yield batch, batch.codes

    def infer(self, x: Batch, **fit_params: Any) -> torch.Tensor:
        """Class probabilities, or codes."""
        with torch.no_grad():
            if self.module_.head is None:
                return self.objective.code(self.module_, x.values, x.lengths)
            return self.module_(x.values, x.lengths)

    def forward_iter(self, X: Any, training: bool = False, device: str = "cpu") -> Iterator[torch.Tensor]:
        """Class probabilities, or codes, of the rows that callbacks see, or of what the estimator takes as X."""
        if isinstance(X, Shown | Rows):
            for batch, _ in self.get_iterator(X.X if isinstance(X, Shown) else X):
                yield self.infer(batch).to(device)
        else:
            answer = self._ask("transform" if self.module_.head is None else "predict_proba", X)
            yield torch.from_numpy(answer).to(device)

    def predict(self, X: Any) -> np.ndarray:
        """Class numbers of the rows that callbacks see; classes of what the estimator takes as X."""
        if self.module_.head is None:
            raise ValueError(
                "This net predicts no classes. Its predict_proba gives codes, as the estimator's transform does."
            )
        if isinstance(X, Shown | Rows):
            return self.predict_proba(X).argmax(1)
        return self._ask("predict", X)

    def score(self, X: Any, y: Any) -> float:
        """Accuracy, for `EpochScoring(None)`."""
        return float(np.mean(self.predict(X) == y))

    def _ask(self, method: str, X: Any) -> np.ndarray:
        """Let the estimator that is being fitted answer, with the weights of now; it knows how to read X."""
        if not hasattr(self, "watch_"):
            raise ValueError(f"`net_` reads no X once it is trained; call {method}(X) of the estimator.")
        return getattr(self.watch_.estimator, method)(X)

    def plain_batch(self, values: torch.Tensor, lengths: torch.Tensor | None) -> Batch:
        """Make a batch of unlabeled rows without noise."""
        rows = torch.arange(len(values))
        return Batch(values, lengths, torch.full_like(rows, -1), rows, None, 0, None, 1.0)


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


def _portable(model: Any) -> Any:
    """Return a model without augmentations that shares weights on the CPU; those on a GPU are copied to the CPU."""
    portable = copy(model)
    portable._modules = dict(model._modules)  # where an augmentation may be that is a module itself
    portable.augmentation = portable.strong_augmentation = None
    on_cpu = all(weight.device.type == "cpu" for weight in model.parameters())
    return portable if on_cpu else deepcopy(portable).cpu()


def _copy(module: nn.Module) -> dict[str, torch.Tensor]:
    return deepcopy(module.state_dict())
