"""Which rows of a target are labeled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d

from .._labels import is_missing


def find_labeled(y: Any, missing_label: Any, name: str) -> tuple[NDArray, NDArray]:
    """Read y, and find its labeled rows.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    missing_label : int, float, str, None or nan
        Marks an unlabeled row.
    name : str
        Who asks, for messages.

    Returns
    -------
    y : ndarray of shape (n,)
    labeled : ndarray of shape (n_labeled,)
        Row numbers, ascending.
    """
    if y is None:
        raise ValueError(f"{name} needs y to tell labeled rows from unlabeled ones, but y is None.")
    y = column_or_1d(y)
    labeled = np.flatnonzero(~is_missing(y, missing_label))
    if len(labeled) == 0:
        raise ValueError(f"y has no labeled sample; {name} reads missing_label={missing_label!r} as unlabeled.")
    return y, labeled


def check_marker(estimator: Any, missing_label: Any) -> None:
    """Refuse a marker of unlabeled rows that the estimator, or a part of it, would read as a class."""
    for name, value in estimator.get_params().items():
        if name.split("__")[-1] == "missing_label" and not _same(value, missing_label):
            raise ValueError(
                f"missing_label={missing_label!r}, but {type(estimator).__name__} has {name}={value!r}; set them alike."
            )


def _same(one: Any, other: Any) -> bool:
    return one is other or one == other or (one != one and other != other)
