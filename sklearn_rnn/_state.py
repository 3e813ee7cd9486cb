"""The attributes of an estimator after a fit that failed, and in a pickle."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any

from joblib import wrap_non_picklable_objects
from sklearn.exceptions import InconsistentVersionWarning

from ._links import LinkedEstimator
from ._warnings import warn

VERSION, FORMAT = "_sklearn_rnn_version", "_sklearn_rnn_format"  # names in a pickled state
NEWEST = 1  # format that this version writes, and the newest that it reads


def all_or_nothing(fit: Callable) -> Callable:
    """Decorate `fit`: if it fails, all attributes are as before, unless the new net has finished an epoch.

    In that case the new `net_` is kept, with its best weights so far and the attributes that belong to it. The
    decorator `with_callbacks` must be inside this one, because it needs the attributes of the fit that failed.
    """

    @wraps(fit)
    def fitting(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(estimator))
        try:
            return fit(estimator, *args, **kwargs)
        except BaseException:
            net = vars(estimator).get("net_")
            if net is before.get("net_") or not net.learned_:
                vars(estimator).clear()
                vars(estimator).update(before)
            raise

    return fitting


class PicklableEstimator(LinkedEstimator):
    """Base of the estimators: their pickles contain the version of this package and of the format.

    A function among the parameters that cannot be imported by name (a lambda, or a function that is defined in another
    function or in a script) is pickled by value. It can be read with the same version of Python.
    """

    def __getstate__(self) -> dict[str, Any]:
        from . import __version__

        state = {**super().__getstate__(), VERSION: __version__, FORMAT: NEWEST}
        for name in self._get_param_names():
            value = state.get(name)
            if callable(value) and not isinstance(value, type) and not _found_by_name(value):
                state[name] = _ByValue(value)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from . import __version__

        version, written = state.pop(VERSION, "unknown"), state.pop(FORMAT, 1)
        if written > NEWEST:
            raise ValueError(
                f"{type(self).__name__}: pickle format {written} is newer than this version reads ({NEWEST}). It was "
                f"written by sklearn_rnn {version}; install that version."
            )
        state = {name: value.value if isinstance(value, _ByValue) else value for name, value in state.items()}
        super().__setstate__(state)
        if version != __version__:
            name = f"{type(self).__name__} of sklearn_rnn"
            warn(
                InconsistentVersionWarning(
                    estimator_name=name, current_sklearn_version=__version__, original_sklearn_version=version
                )
            )


class _ByValue:
    """Wraps a callable; a pickle of it contains the code, and unpickling returns the callable."""

    def __init__(self, value: Callable):
        self.value = value

    def __deepcopy__(self, memo: dict) -> _ByValue:
        return _ByValue(deepcopy(self.value, memo))

    def __reduce__(self) -> Any:
        name = getattr(self.value, "__qualname__", type(self.value).__qualname__)
        try:
            _, (code,) = wrap_non_picklable_objects(self.value, keep_wrapper=False).__reduce__()  # by cloudpickle
        except Exception:  # the callable may refer to anything, such as a lock
            code = b""
        return _unpickle_callable, (name, sys.version_info[:2], code)


def _unpickle_callable(name: str, python: tuple[int, int], code: bytes) -> Callable:
    """Return the callable, or `_Unreadable` if this Python cannot read it."""
    if code and python == sys.version_info[:2]:
        try:
            return pickle.loads(code)
        except (ImportError, AttributeError):  # its code needs a package that is not installed
            pass
    return _Unreadable(name, python)


class _Unreadable:
    """Replaces a callable that could not be pickled; a fitted estimator can still predict."""

    def __init__(self, name: str, python: tuple[int, int]):
        self.name, self.python = name, python

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"The function {self.name} was lost when this estimator was pickled (by Python "
            f"{'.'.join(map(str, self.python))}); set the parameter again before fit."
        )


def _found_by_name(value: Any) -> bool:
    """Whether a pickle can contain the name of the callable, and of all that it refers to, instead of its code."""
    try:
        return b"__main__" not in pickle.dumps(value)
    except Exception:  # PicklingError, AttributeError or TypeError, depending on the version of Python
        return False
