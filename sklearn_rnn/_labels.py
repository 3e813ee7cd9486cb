"""A target with missing labels, read into classes and codes."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ._sklearn import is_pandas_na
from ._warnings import warn


@dataclass(frozen=True)
class Labels:
    """Classes in sorted order, and for each row the number of its class, -1 where unlabeled."""

    classes: NDArray
    codes: NDArray[np.int64]

    @property
    def labeled(self) -> NDArray:
        """Numbers of the labeled rows."""
        return np.flatnonzero(self.codes >= 0)


def read_labels(y: Any, missing_label: Any, name: str) -> Labels:
    """Read y; rows that hold `missing_label` are unlabeled.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    missing_label : int, float, str, None or nan
        Marks an unlabeled row.
    name : str
        The estimator's, for messages.
    """
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    missing = is_missing(y, missing_label)
    known = known_labels(y, ~missing)
    if len(known) == 0:
        raise ValueError(
            f"y has no labeled sample; every row is marked with missing_label={missing_label!r}. "
            f"{name} needs at least one label."
        )
    _check_known(known, missing_label)
    classes, inverse = np.unique(known, return_inverse=True)
    if len(classes) == 1:
        warn(f"y has only one class among its labeled samples: {classes.tolist()[0]!r}.")
    codes = np.full(len(y), -1, dtype=np.int64)
    codes[~missing] = inverse
    return Labels(classes, codes)


def class_codes(y: Any, classes: NDArray, name: str = "y") -> NDArray[np.int64]:
    """Numbers of the classes y, all of which must be known; `name` is the argument's, for the error."""
    y = column_or_1d(y)
    if len(unknown := np.setdiff1d(y, classes)):
        raise ValueError(
            f"{name} has the class {unknown.tolist()[0]!r}, which was not in fit; choose from {classes.tolist()}."
        )
    return np.searchsorted(classes, y)


def known_labels(y: NDArray, labeled: NDArray) -> NDArray:
    """Labels of the labeled rows; objects get the dtype that they have without the marker."""
    known = y[labeled]
    if known.dtype != object:
        return known
    if len({isinstance(label, str) for label in known}) > 1:
        hint = "Use one type."
        if any(_is_none_or_nan(label) for label in known):
            hint = "If None or NaN marks the unlabeled rows, pass missing_label=None, to a splitter or scorer too."
        raise TypeError(f"y mixes strings and other labels: {list(dict.fromkeys(known))[:5]}. {hint}")
    return np.asarray(known.tolist())


def is_missing(y: NDArray, missing_label: Any) -> NDArray[np.bool_]:
    """Which rows of y hold `missing_label`; None, NaN and `pandas.NA` are the same, as pandas keeps any of them."""
    if _is_none_or_nan(missing_label):
        return np.array([_is_none_or_nan(label) for label in y], bool) if y.dtype == object else y != y
    if isinstance(missing_label, Real) and y.dtype.kind in "US":
        if str(missing_label) in y.tolist():
            raise ValueError(
                f"y has a string dtype and contains '{missing_label}'; use dtype object with {missing_label}, "
                f"or missing_label='{missing_label}'."
            )
        return np.zeros(len(y), bool)
    if isinstance(missing_label, str) and y.dtype.kind not in "USO":
        return np.zeros(len(y), bool)
    return np.asarray(y == missing_label, dtype=bool)


def _is_none_or_nan(label: Any) -> bool:
    return label is None or is_pandas_na(label) or (isinstance(label, float) and label != label)


def _check_known(known: NDArray, missing_label: Any) -> None:
    if known.dtype.kind == "f" and np.isnan(known).any():
        raise ValueError(
            f"Input y contains NaN. Mark unlabeled rows with missing_label ({missing_label!r}), or set missing_label."
        )
    check_classification_targets(known)
