"""Reading a y with missing labels: which rows are unlabeled, what the classes are, and the number of each class."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._warnings import warn
from ._arrays import as_array, find_nothing, is_nothing
from ._numbers import read_numbers

LABELS = (str, bool, np.bool_, int, np.integer, float, np.floating)
NOTHING = ("nan", "None", "<NA>", "NaT")  # NaN, None, pandas.NA and NaT as text
ALIKE, ALIKE_FLOATS = 1.1, 1.5  # -1 may be a class if its frequency and that of 1 differ by at most this factor,
ENOUGH = 5  # and if it occurs in at least this number of rows

_own_markers = ContextVar("_own_markers", default=False)


@dataclass(frozen=True)
class Target:
    """A target: all its values, the mask of unlabeled rows, and the labels of the others in the dtype without markers.

    With several numbers per row, `values` is (n, k) and `known` is (n_labeled, k). A row is then labeled if all its
    numbers are known.
    """

    values: NDArray
    missing: NDArray[np.bool_]
    known: NDArray

    @property
    def labeled(self) -> NDArray:
        """Positions of the labeled rows."""
        return np.flatnonzero(~self.missing)

    @property
    def with_labels(self) -> NDArray:
        """Positions of the rows of which something is known: of several numbers, one at least."""
        if self.values.ndim == 1:
            return self.labeled
        return np.flatnonzero(~np.isnan(self.values).all(1))

    @property
    def is_numeric(self) -> bool:
        """Whether the labels are numbers for a regressor, not classes."""
        return type_of_target(self.known).startswith("continuous") or self.known.ndim == 2


@dataclass(frozen=True)
class Labels:
    """Classes in sorted order, and the class number of each row, -1 for unlabeled rows."""

    classes: NDArray
    numbers: NDArray[np.int64]

    @property
    def labeled(self) -> NDArray:
        """Positions of the labeled rows."""
        return np.flatnonzero(self.numbers >= 0)


def read_target(
    y: Any, missing_label: Any, name: str, *, warn_column: bool = False, needs_label: bool = True
) -> Target:
    """Read y from any container; rows whose label is `missing_label` are unlabeled.

    Numbers and booleans get the dtype that they have without the marker. Strings in an object array stay in an object
    array, as in scikit-learn.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, k)
        Labels. With k > 1 columns they must be numbers.
    missing_label : int, float, str, None, nan or NA
        Marks an unlabeled row. None, NaN, NaT and `pandas.NA` are one marker; in a numpy array of strings 'nan' is
        the same, because numpy converts NaN to it.
    name : str
        Name of the estimator or function, for messages.
    warn_column : bool, default=False
        Whether to warn of a y of shape (n, 1).
    needs_label : bool, default=True
        Whether a y without labeled rows is an error.
    """
    if y is None:
        raise ValueError(f"{name} needs y to know which rows are labeled, but y is None.")
    values = as_array(y)
    if values.ndim == 2 and values.shape[1] > 1 and not warn_column:
        numbers = read_numbers(y, missing_label, name, needs_label=needs_label)
        missing = np.logical_not(numbers.known.all(1))
        if needs_label and missing.all():
            raise ValueError(f"y has no row of which all numbers are known, and {name} needs at least one.")
        return Target(numbers.values, missing, numbers.values[~missing])
    values = column_or_1d(values, warn=warn_column)
    missing = _find_missing(values, y, missing_label)
    if needs_label and missing.all():
        raise ValueError(
            f"y has no labeled sample; {name} reads missing_label={missing_label!r} as unlabeled, and needs at least "
            "one label."
        )
    return Target(values, missing, _in_own_dtype(values[~missing], missing_label))


def read_labels(y: Any, missing_label: Any, name: str) -> Labels:
    """Read y, and number its classes; warn if there is only one class, or if -1 looks like a class.

    Parameters
    ----------
    y, missing_label, name
        As for `read_target`.
    """
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    target = read_target(y, missing_label, name, warn_column=True)
    check_classification_targets(target.known)
    classes, inverse = np.unique(target.known, return_inverse=True)
    _warn_of_classes(classes, np.bincount(inverse), int(target.missing.sum()), missing_label)
    numbers = np.full(len(target.missing), -1, dtype=np.int64)
    numbers[target.labeled] = inverse
    return Labels(classes, numbers)


@contextmanager
def own_markers() -> Iterator[None]:
    """Context in which this package itself has put the markers into y, so that -1 cannot be a class of the user."""
    token = _own_markers.set(True)
    try:
        yield
    finally:
        _own_markers.reset(token)


def class_numbers(y: Any, classes: NDArray, name: str = "y") -> NDArray[np.int64]:
    """Class number of each label in y. All must be in `classes`; `name` is the name of the argument, for the error."""
    numbers = {label: number for number, label in enumerate(classes.tolist())}
    labels = column_or_1d(as_array(y)).tolist()
    for label in labels:
        if label not in numbers:
            raise ValueError(f"{name} has the class {label!r}, which was not in fit; choose from {classes.tolist()}.")
    return np.array([numbers[label] for label in labels], dtype=np.int64)


def read_groups(groups: Any) -> NDArray:
    """Read the group of each row; it is an error if one is missing."""
    values = column_or_1d(as_array(groups))
    if (missing := find_nothing(values, groups)).any():
        raise ValueError(f"groups must have a group for each row, but row {np.argmax(missing)} has NaN or None.")
    return values


def _find_missing(values: NDArray, y: Any, missing_label: Any) -> NDArray[np.bool_]:
    """Mask of the values that are the marker; raise an error for values that may be meant as the marker."""
    nothing = find_nothing(values, y)
    _check_types(values, nothing)
    if is_nothing(missing_label):
        _check_text(values[~nothing], NOTHING, "None")
        return nothing
    if isinstance(missing_label, str):
        _check_numbers(values, missing_label)
    else:
        _check_text(values, {str(missing_label), str(float(missing_label))}, missing_label)
        _check_text(values, {"nan"}, "None and missing_label=None (for a splitter or scorer too)")
    missing = np.zeros(len(values), dtype=bool)
    if values.dtype == object:
        missing[~nothing] = values[~nothing] == missing_label
    elif (values.dtype.kind in "US") == isinstance(missing_label, str):
        missing = values == missing_label
    return missing


def _check_types(values: NDArray, nothing: NDArray[np.bool_]) -> None:
    """Raise an error for dates and all other labels that are not numbers, strings or booleans."""
    if values.dtype == object:
        wrong = next((type(label).__name__ for label in values[~nothing] if not isinstance(label, LABELS)), None)
    else:
        wrong = str(values.dtype) if values.dtype.kind in "mMV" else None
    if wrong is not None:
        raise ValueError(f"y has labels of type {wrong}; use integers, strings or booleans.")


def _check_text(values: NDArray, texts: Collection[str], marker: Any) -> None:
    """Raise an error for strings that are the `marker` as text."""
    strings = {label for label in values.tolist() if isinstance(label, str)} if values.dtype.kind in "UO" else set()
    for text in sorted(strings.intersection(texts)):
        raise ValueError(
            f"y has a string dtype and contains {text!r}; use dtype object with {marker}, or missing_label={text!r}. "
            f"If {text!r} is a class, mark unlabeled rows with another string."
        )


def _check_numbers(values: NDArray, missing_label: str) -> None:
    """Raise an error for numbers that equal a marker which is a string."""
    try:
        number = float(missing_label)
    except ValueError:
        return
    if values.dtype.kind in "iufO" and (values == number).any():
        raise ValueError(
            f"y contains the number {missing_label}, but missing_label={missing_label!r} is a string; set "
            f"missing_label={missing_label}."
        )


def _in_own_dtype(known: NDArray, missing_label: Any) -> NDArray:
    """Labels in the dtype that they have without the marker; strings in an object array stay there."""
    if any(is_nothing(label) for label in known) if known.dtype == object else (known != known).any():
        raise ValueError(
            f"Input y contains NaN. Mark unlabeled rows with missing_label ({missing_label!r}); or, if None or NaN "
            "marks them, pass missing_label=None, to a splitter or scorer too."
        )
    if known.dtype != object:
        return known
    if len(kinds := {isinstance(label, str) for label in known}) > 1:
        raise TypeError(f"y mixes strings and other labels: {list(dict.fromkeys(known))[:5]}. Use one type.")
    return known if kinds == {True} else np.asarray(known.tolist())


def _warn_of_classes(classes: NDArray, sizes: NDArray, n_missing: int, missing_label: Any) -> None:
    """Warn if there is only one class, and if -1 looks like a class."""
    numbers = classes.dtype.kind in "iuf" and not is_nothing(missing_label)
    marked = n_missing > 0 and numbers and missing_label == -1 and not _own_markers.get()
    hint = "-1 is read as unlabeled; if it is a class, set missing_label to None or to a value that y does not have."
    if len(classes) == 1:
        warn(f"y has only one class among its labeled samples: {classes.tolist()[0]!r}.{' ' + hint if marked else ''}")
    elif marked and classes[0] < 0:
        warn(f"y has the negative class {classes.tolist()[0]!r}, and -1. {hint}")
    elif marked and classes.tolist() == [0, 1] and _like_signs(n_missing, sizes, classes.dtype.kind == "f"):
        warn(f"y has -1 about as often as 1, {n_missing} and {sizes[1]} times, as if both were classes. {hint}")


def _like_signs(n_missing: int, sizes: NDArray, floats: bool) -> bool:
    """Whether -1, 0 and 1 have the frequencies of signs: -1 that of 1 and, among integers, not more than that of 0.

    Unlabeled rows are nearly always more than the labeled rows of the rarer class. Class numbers are seldom floats.
    """
    factor = ALIKE_FLOATS if floats else ALIKE
    similar = 1 / factor <= n_missing / sizes[1] <= factor
    return n_missing >= ENOUGH and similar and (floats or n_missing <= factor * sizes[0])
