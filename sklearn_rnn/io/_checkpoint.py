"""Checkpoints of training, from which a fit that was killed goes on."""

from __future__ import annotations

import os
from copy import copy
from glob import escape, glob
from numbers import Integral, Real
from time import perf_counter
from typing import Any

from .._extras import extra
from .._files import damaged, read_file, write_file
from .._files import versions as made_with
from .._warnings import warn
from ..training import Keeper, finished_state, state_of
from ._classes import Classes
from ._codec import Packer, Unpacker
from ._fingerprint import differences, fingerprint
from ._values import VALUES

STAGES = ("pretraining", "training")


class Checkpoint(Keeper):
    """Callback that writes the state of training to a file, from which a `fit` that was killed goes on.

    ``fit`` on the same data with the same parameters goes on where the file was written, and ends with the bits of a
    fit that was not interrupted. Other data or parameters are an error that names what differs; of objects that are no
    data, such as an open file, only the class is compared. When `fit` has ended, the file is removed; save the
    estimator with `io.save`. A cross-validation, a search or an outlier detector fits several times: use none there.

    Parameters
    ----------
    folder : str or path
        Folder of the file ``training.safetensors``; it is made if it does not exist. Fits that run at the same time
        need different folders.
    every_n_epochs : int, default=1
        Number of epochs after which the file is written anew.
    every_seconds : float, default=None
        The file is written at the end of an epoch if this time has passed; `every_n_epochs` is not used then.

    Raises
    ------
    ValueError
        In `fit`, if the file is damaged, of a newer format, or of other data or parameters.

    Warns
    -----
    UserWarning
        If the file cannot be written, such as on a full disk. Training goes on, and the last file is unchanged. Also if
        another version of this package or of torch wrote it.

    Notes
    -----
    The file holds the weights, the optimizers, the schedule, the random states, the history, what the objective
    remembers (a teacher, class frequencies, earlier predictions), the round and the epoch, and the attributes of other
    callbacks whose names end in an underscore. Pretraining by an objective, inside `fit`, has a file of its own,
    ``pretraining.safetensors``. Augmentations must not have a state. Without a `random_state`, training goes on with
    the seed in the file.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.io import Checkpoint
    >>> X, y = np.random.default_rng(0).normal(size=(20, 8)), np.arange(20) % 2
    >>> folder = tempfile.mkdtemp()
    >>> clf = SemiSupervisedRNNClassifier(hidden_size=4, max_epochs=2, callbacks=[Checkpoint(folder)]).fit(X, y)
    """

    def __init__(self, folder: Any, every_n_epochs: int = 1, every_seconds: float | None = None):
        self.folder = folder
        self.every_n_epochs = every_n_epochs
        self.every_seconds = every_seconds

    stage = "training"
    is_seeded = True

    def initialize(self) -> Checkpoint:
        """Check the parameters, and that files can be written."""
        extra("safetensors", "io")
        n, seconds = self.every_n_epochs, self.every_seconds
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"every_n_epochs of Checkpoint must be an int of at least 1, got {n!r}.")
        if seconds is not None and not (isinstance(seconds, Real) and seconds >= 0):
            raise ValueError(f"every_seconds of Checkpoint must be a number of at least 0 or None, got {seconds!r}.")
        return self

    def resume(self, loop: Any) -> dict[str, Any] | None:
        """Return the state in the file, if there is one and it is of this fit."""
        os.makedirs(self.folder, exist_ok=True)
        self.fingerprint = fingerprint(loop, self.is_seeded)
        self.written = perf_counter()
        path = self._path(self.stage)
        if not os.path.exists(path):
            return None
        content, tensors, versions = read_file(path, "checkpoint")
        try:
            held = Unpacker(VALUES, Classes(), tensors).unpack(content)
            differing, state = differences(held["fingerprint"], self.fingerprint), held["state"]
        except Exception as error:  # a file that someone made may lead to any
            raise damaged(path, str(error)) from error
        if differing:
            raise ValueError(
                f"{path} is a checkpoint of another fit, with {'; '.join(differing)}. Pass the same data and "
                "parameters to go on from it, choose another folder, or delete the file to train anew."
            )
        for name, current in made_with().items():
            if name in ("sklearn_rnn", "torch") and versions.get(name) != current:
                warn(f"{path} was written with {name} {versions.get(name)}, this is {current}: the bits may differ.")
        return state

    def keep(self, loop: Any) -> None:
        """Write the file, if it is time to."""
        now = perf_counter()
        if self.every_seconds is None:
            is_due = loop.n_epochs % self.every_n_epochs == 0
        else:
            is_due = now - self.written >= self.every_seconds
        if is_due:
            state = state_of(loop)
            callbacks = state["callbacks"].items()
            state["callbacks"] = {name: _writable(learned) for name, learned in callbacks}
            state["history"] = [_writable(row) for row in state["history"]]
            self._write(state)
            self.written = now

    def done(self, loop: Any) -> None:
        """Remove the files; that of pretraining is kept until all training is done."""
        if self.stage == "pretraining":
            self._write(finished_state(loop))
            return
        for stage in STAGES:
            for path in (self._path(stage), *glob(os.path.join(escape(str(self.folder)), f".{stage}.*.tmp"))):
                if os.path.exists(path):  # temporary files are left by a kill while a file was written
                    os.unlink(path)

    def of_pretraining(self, is_seeded: bool) -> Checkpoint:
        """Return the callback of the pretraining inside `fit`."""
        inner = copy(self)
        inner.stage, inner.is_seeded = "pretraining", is_seeded
        return inner

    def _path(self, stage: str) -> str:
        return os.path.join(self.folder, f"{stage}.safetensors")

    def _write(self, state: dict[str, Any]) -> None:
        packer = Packer(VALUES, Classes(), "The state of training")
        try:
            content = packer.pack({"fingerprint": self.fingerprint, "state": state}, "")
            write_file(self._path(self.stage), "checkpoint", content, packer.tensors)
        except (OSError, TypeError) as error:  # a full disk, or a state of the user's objective that is no data
            reason = str(error).split(", which is not on the list")[0]
            warn(f"Unable to write {self._path(self.stage)}: {reason}. Training goes on without it.")


def _writable(learned: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a callback, or the values of an epoch, that files can hold; others are left out."""
    return {name: value for name, value in learned.items() if _can_be_written(value)}


def _can_be_written(value: Any) -> bool:
    try:
        Packer(VALUES, Classes(), "").pack(value, "")
    except TypeError:
        return False
    return True
