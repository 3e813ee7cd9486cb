"""The callbacks of scikit-learn 1.9 (`sklearn.callback`), which are called in each epoch."""

from __future__ import annotations

import dis
from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Empty base class for versions of scikit-learn without callbacks."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method unchanged."""
        return method


__all__ = ["CallbackSupportMixin", "FitWatch", "asks_to_stop", "with_callbacks"]


def asks_to_stop(callback: Any, interrupt: KeyboardInterrupt) -> bool:
    """Whether the callback's `on_epoch_end` raised the interrupt, as skorch's `EarlyStopping` does, not Ctrl-C.

    Ctrl-C never interrupts at a `raise` statement.
    """
    last: Any = interrupt.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    hooks = [getattr(vars(cls).get("on_epoch_end"), "__code__", None) for cls in type(callback).__mro__]
    return code in hooks and dis.opname[code.co_code[last.tb_lasti]] == "RAISE_VARARGS"


class FitWatch:
    """Calls the callbacks of an estimator at the begin and end of its fit and of each epoch.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        The estimator that is fitted; at the end of an epoch it predicts with the weights of that epoch.
    X, y, sample_weight : object, default=None
        The arguments of `fit`.
    """

    def __init__(self, estimator: Any, X: Any, y: Any = None, sample_weight: Any = None):
        self.estimator = estimator
        self.has_callbacks = bool(getattr(estimator, "_skl_callbacks", None))
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}

    def begin(self, n_epochs: int) -> None:
        """Begin a fit of at most `n_epochs` epochs."""
        if self.has_callbacks:
            self.fit = self.estimator._init_callback_context(max_subtasks=n_epochs)
            self.fit.call_on_fit_task_begin(**self.data)

    def begin_epoch(self) -> None:
        """Begin an epoch."""
        if self.has_callbacks:
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(**self.data)

    def end_epoch(self) -> bool:
        """End the epoch, and return whether a callback asks to stop."""
        return self.has_callbacks and self.epoch.call_on_fit_task_end(**self.data, reconstruction_attributes={})

    def end(self) -> None:
        """End the fit."""
        if self.has_callbacks:
            self.fit.call_on_fit_task_end(**self.data, reconstruction_attributes={})
