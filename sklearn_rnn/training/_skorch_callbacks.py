"""The user's skorch callbacks, and the data that they get in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import copy, deepcopy
from typing import Any

import numpy as np
from skorch.callbacks import BatchScoring, Callback, Checkpoint, EpochScoring, LRScheduler, PrintLog, WandbLogger
from skorch.dataset import Dataset

from .._warnings import warn
from ..sequences import TrainingSet

ACCEPTED = "instances and subclasses of skorch.callbacks.Callback, alone or as (name, callback)"


def named_callbacks(callbacks: Any) -> dict[str, Any]:
    """Return the callbacks by name: the given name or the name of the class, numbered if it is not unique."""
    pairs = [_name_and_callback(i, item) for i, item in enumerate(callbacks or [])]
    names = [
        given or (callback if isinstance(callback, type) else type(callback)).__name__ for given, callback in pairs
    ]
    count, unique = Counter(names), []
    for i, (name, (given, _)) in enumerate(zip(names, pairs, strict=True)):
        unique.append(name if given or count[name] == 1 else f"{name}_{names[: i + 1].count(name)}")
    twice = [name for name, n in Counter(unique).items() if n > 1]
    if twice:
        raise ValueError(f"callbacks must have different names, but two of them have the name {twice[0]!r}.")
    return {name: callback for name, (_, callback) in zip(unique, pairs, strict=True)}


def _name_and_callback(i: int, item: Any) -> tuple[str | None, Any]:
    """Return the name, if one is given, and the callback; with a name, None stands for a default callback to remove."""
    name, callback = item if isinstance(item, (tuple, list)) and len(item) == 2 else (None, item)
    if not (name is None or isinstance(name, str)) or not (is_callback(callback) or (name and callback is None)):
        more = " Pass callbacks of scikit-learn to set_callbacks." if hasattr(callback, "on_fit_task_begin") else ""
        raise TypeError(f"callbacks[{i}] must be a callback, got {item!r}. Accepted are {ACCEPTED}.{more}")
    if name is not None and (not name or "__" in name):
        raise ValueError(f"callbacks[{i}] must have a name without '__', got {name!r}.")
    return name, callback


def is_callback(value: Any) -> bool:
    """Whether a value is a callback of skorch or a class of callbacks."""
    return issubclass(value if isinstance(value, type) else type(value), Callback)


def made_callbacks(callbacks: Any) -> list[tuple[str, Callback]]:
    """Return names and callbacks: the user's objects, and instances of classes; without those that are None."""
    made = []
    for name, callback in named_callbacks(callbacks).items():
        if isinstance(callback, type):
            try:
                callback = callback()
            except TypeError as error:
                kind = callback.__name__
                raise TypeError(
                    f"callbacks has the class {kind}, which needs arguments ({error}); pass an instance, {kind}(...)."
                ) from error
        if callback is not None:
            made.append((name, callback))
    return made


def check_callbacks(made: list[Callback], *, validated: bool, labels: bool, estimator: str) -> None:
    """Raise an error for callbacks that need values which training does not record.

    Parameters
    ----------
    made : list of Callback
        The callbacks, as `made_callbacks` returns them.
    validated : bool
        Whether rows are held out for validation.
    labels : bool
        Whether the net predicts labels.
    estimator : str
        Name of the estimator.
    """
    unseen = set() if validated else {"valid_loss"}
    for callback in made:
        if not isinstance(callback, (BatchScoring, EpochScoring)):
            continue
        kind, scoring = type(callback).__name__, callback.scoring
        if not labels and (isinstance(scoring, str | None) or _of_scikit_learn(scoring)):
            raise ValueError(
                f"callbacks: {kind} cannot compute {scoring!r}, because {estimator} predicts no labels. Watch its loss "
                "('valid_loss', recorded with early_stopping=True), or set scoring to a function of net, X and y."
            )
        if not validated and not callback.on_train:
            name = str(callback.name or getattr(scoring, "__name__", scoring))
            unseen.add(name)
            warn(
                f"callbacks: {kind} will not record {name!r}, because no rows are held out. Set early_stopping=True, "
                "or on_train=True to score the training rows."
            )
    for callback in made:
        for watched in _watched(callback):
            if watched.removesuffix("_best") in unseen:
                raise ValueError(
                    f"callbacks: {type(callback).__name__} watches {watched!r}, which is recorded only with "
                    f"early_stopping=True. Set early_stopping=True, or {_instead(callback)}."
                )


def _of_scikit_learn(scoring: Any) -> bool:
    """Whether a scoring is a scorer or a metric of scikit-learn."""
    return str(getattr(scoring, "__module__", "")).startswith("sklearn.metrics")


def _watched(callback: Callback) -> Iterator[str]:
    """Names in the history that a callback needs."""
    if isinstance(callback, WandbLogger) and callback.save_model:
        yield "valid_loss_best"
    if isinstance(callback, LRScheduler) and "ReduceLROnPlateau" not in (
        callback.policy,
        getattr(callback.policy, "__name__", ""),
    ):
        return  # other schedulers have a monitor, but do not use it
    for name in ("monitor", "_monitor"):  # the second is the name in optuna's callback
        if isinstance(value := getattr(callback, name, None), str):
            yield value


def _instead(callback: Callback) -> str:
    """Alternative to early_stopping=True, as a part of a sentence."""
    if isinstance(callback, WandbLogger):
        return "save_model=False"
    return "monitor=None to save each epoch" if isinstance(callback, Checkpoint) else "monitor='train_loss'"


def callback_params(callbacks: Any) -> dict[str, Any]:
    """Return the callbacks and their parameters, as ``callbacks__name`` and ``callbacks__name__parameter``."""
    try:
        named = named_callbacks(callbacks)
    except (TypeError, ValueError):  # `fit` will raise them
        return {}
    params = {}
    for name, callback in named.items():
        params[f"callbacks__{name}"] = callback
        if isinstance(callback, Callback):
            params |= {f"callbacks__{name}__{key}": value for key, value in callback.get_params().items()}
    return params


def set_callback_params(callbacks: Any, params: dict[str, Any]) -> Any:
    """Set parameters of callbacks, as ``name__parameter``, or whole callbacks, as ``name``.

    Returns
    -------
    callbacks : list or None
        The given object, or a new list if a callback was replaced.
    """
    named = named_callbacks(callbacks)
    for key in params:
        if (name := key.partition("__")[0]) not in named:
            raise ValueError(
                f"callbacks__{key} names no callback; there are {list(named)}. To add one, put ({name!r}, callback) "
                "into callbacks."
            )
    replaced = False
    for key in sorted(params, key=lambda key: "__" in key):  # whole callbacks first
        name, _, rest = key.partition("__")
        if rest and named[name] is None:
            raise ValueError(f"callbacks__{key} cannot be set, because callbacks__{name} is None.")
        if rest and not isinstance(named[name], type):
            named[name].set_params(**{rest: params[key]})
            continue
        named[name], replaced = named[name](**{rest: params[key]}) if rest else params[key], True
    return list(named.items()) if replaced else callbacks


def copied_callbacks(callbacks: Any) -> Any:
    """Copy callbacks for a clone of their estimator.

    An attribute that cannot be copied (the run of a logger, an open file, a lock) is shared with the original. If one
    callback holds another, as `LoadInitState` holds a checkpoint, its copy holds the copy of the other.
    """
    if not isinstance(callbacks, (list, tuple)):
        return callbacks
    pairs = [item if isinstance(item, (list, tuple)) and item else (item,) for item in callbacks]
    copies: dict[int, Any] = {id(pair[-1]): copy(pair[-1]) for pair in pairs if isinstance(pair[-1], Callback)}
    memo: dict[int, Any] = dict(copies)
    for callback in copies.values():
        for name, value in list(vars(callback).items()):
            attempt = dict(memo)
            try:
                vars(callback)[name] = deepcopy(value, attempt)
            except Exception:  # copying a foreign object may raise anything
                continue
            memo = attempt
    copied = [(*pair[:-1], copies.get(id(pair[-1]), pair[-1])) for pair in pairs]
    return type(callbacks)(pair if len(pair) > 1 else pair[0] for pair in copied)


class Table(PrintLog):
    """Prints a line for each epoch, and the column names in each round, because the loss terms may differ."""

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self.first_iteration_ = True

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        self.keys_ignored_ |= net.list_keys_  # they have one column for each class or unit, which is too wide
        super().on_epoch_end(net, **kwargs)


class Shown(Dataset):
    """The data set that callbacks get.

    Parameters
    ----------
    rows : TrainingSet
        Its labeled rows are scored or, if there are none, all rows.
    batch_size : int
        Batch size of the net.
    task : Task
        Brings targets into the form in which scorers compare them.
    length : int
        Number of rows in an epoch: skorch's progress bar divides it by the batch size.
    """

    def __init__(self, rows: TrainingSet, batch_size: int, task: Any, length: int):
        self.X, self.batch_size, self.task, self.length = rows, batch_size, task, length

    def __len__(self) -> int:
        return self.length

    @property
    def y(self) -> np.ndarray:
        """Targets, in the order in which the net predicts them."""
        rows = np.concatenate(self.X.validation_batches(self.batch_size))
        targets = self.X.targets[self.X.places(rows)]
        return self.task.shown(targets[targets >= 0] if self.X.by_step else targets)


def as_numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Yield a number with its name; for a list, each number with its place added to the name."""
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from as_numbers(f"{name}_{i}", part)
    else:
        yield name, value
