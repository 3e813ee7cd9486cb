"""The state of training between two epochs, from which it goes on with the same bits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from inspect import unwrap
from typing import Any

from skorch.callbacks import Callback
from skorch.history import History
from torch.optim import Optimizer

from ..objectives._remembered import remember, remembered
from ..sequences import Futures, TrainingSet

State = dict[str, Any]


class Keeper(Callback, ABC):
    """Base of the callbacks that keep the state of training, so that a later `fit` goes on from it."""

    @abstractmethod
    def resume(self, loop: Any) -> State | None:
        """Return the state to go on from, or None to start anew; called once, before training."""

    @abstractmethod
    def keep(self, loop: Any) -> None:
        """Keep `state_of(loop)`, if it is time to; called at the end of each epoch, after all other callbacks."""

    @abstractmethod
    def done(self, loop: Any) -> None:
        """Called when all rounds are trained."""

    @abstractmethod
    def of_pretraining(self, is_seeded: bool) -> Keeper:
        """Return the keeper of the pretraining inside `fit`; `is_seeded` is whether the estimator has a seed."""


def keepers_among(callbacks: Any) -> list[Keeper]:
    """Return the keepers among the callbacks of an estimator, which may be pairs of a name and a callback."""
    last = [item[-1] if isinstance(item, list | tuple) and item else item for item in callbacks or ()]
    return [callback for callback in last if isinstance(callback, Keeper)]


def state_of(loop: Any) -> State:
    """Return the state of a loop at the end of an epoch."""
    net, stepper = loop.net, loop.stepper
    held_out = loop.validation
    return {
        "finished": False,
        "rounds_left": loop.rounds_left,
        "n_epochs": loop.n_epochs,
        "n_steps": stepper.n_taken,
        "seed": net.seed,
        "weights": loop.module.state_dict(),
        "first": loop.first,
        "last": loop.last,
        "best": loop.best,
        "best_loss": loop.best_loss,
        "waited": loop.waited,
        "generator": stepper.generator.get_state(),
        "optimizers": [state_of_optimizer(optimizer) for optimizer in (net.optimizer_, net.opponent_optimizer_)],
        "objective": loop.objective.state(),
        "rows": _rows_of(loop.training),
        "held_out": None if held_out is None else {"labeled": held_out.labeled, "unlabeled": held_out.unlabeled},
        "history": list(net.history),
        "list_keys": net.list_keys_,
        "callbacks": {name: remembered(cb) for name, cb in net.callbacks_ if not isinstance(cb, Keeper)},
    }


def _rows_of(training: TrainingSet) -> State:
    """Return the targets, weights and positions of rows, without targets that are a part of the sequences."""
    rows = {name: getattr(training, name) for name in ("targets", "weights", "labeled", "unlabeled")}
    return {name: value for name, value in rows.items() if not isinstance(value, Futures)}


def finished_state(loop: Any) -> State:
    """Return the state of a loop after all rounds."""
    return {
        "finished": True,
        "weights": loop.module.state_dict(),
        "objective": loop.objective.state(),
        "history": list(loop.net.history),
        "list_keys": loop.net.list_keys_,
    }


def restore(loop: Any, state: State) -> None:
    """Bring a loop that has not begun to the state that is the same in all epochs of a round."""
    net = loop.net
    net.history_ = History()
    net.history_.extend(state["history"])
    net.list_keys_, net.learned_ = state["list_keys"], True
    loop.module.load_state_dict(state["weights"])
    if state["finished"]:
        loop.objective.load_state(state["objective"])
        return
    net.seed = state["seed"]
    loop.rounds_left, loop.first, loop.last = state["rounds_left"], state["first"], state["last"]
    loop.training = replace(loop.training, **state["rows"])
    if loop.validation is not None:
        loop.validation = replace(loop.validation, **state["held_out"])


def restore_round(loop: Any, state: State) -> None:
    """Bring a round that has begun to the state at the end of an epoch."""
    net = loop.net
    loop.n_epochs, loop.stepper.n_taken = state["n_epochs"], state["n_steps"]
    loop.best, loop.best_loss, loop.waited = state["best"], state["best_loss"], state["waited"]
    loop.stepper.generator.set_state(state["generator"])
    loop.objective.load_state(state["objective"])
    for optimizer, kept in zip((net.optimizer_, net.opponent_optimizer_), state["optimizers"], strict=True):
        if optimizer is not None:
            unwrap(type(optimizer).load_state_dict)(optimizer, kept)
    for name, callback in net.callbacks_:
        remember(callback, state["callbacks"].get(name, {}))


def state_of_optimizer(optimizer: Optimizer | None) -> State | None:
    """Return the state of an optimizer, without importing torch's compiler."""
    return None if optimizer is None else unwrap(type(optimizer).state_dict)(optimizer)
