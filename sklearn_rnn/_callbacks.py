"""The callbacks of scikit-learn 1.9 (`sklearn.callback`), told of each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitWatch", "with_callbacks"]


class FitWatch:
    """Tells the callbacks of an estimator that its fit, and each epoch, begins and ends.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        What is fitted; at the end of an epoch it predicts with the weights of that epoch.
    X, y, sample_weight : object, default=None
        What `fit` got.
    """

    def __init__(self, estimator: Any, X: Any, y: Any = None, sample_weight: Any = None):
        self.estimator = estimator
        self.has_callbacks = bool(getattr(estimator, "_skl_callbacks", None))
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}

    def begin(self, n_epochs: int) -> None:
        """Begin a fit of so many epochs at most."""
        if self.has_callbacks:
            self.fit = self.estimator._init_callback_context(max_subtasks=n_epochs)
            self.fit.call_on_fit_task_begin(**self.data)

    def begin_epoch(self) -> None:
        """Begin an epoch."""
        if self.has_callbacks:
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(**self.data)

    def end_epoch(self) -> bool:
        """End the epoch, and say whether a callback asks to stop."""
        return self.has_callbacks and self.epoch.call_on_fit_task_end(**self.data, reconstruction_attributes={})

    def end(self) -> None:
        """End the fit."""
        if self.has_callbacks:
            self.fit.call_on_fit_task_end(**self.data, reconstruction_attributes={})
