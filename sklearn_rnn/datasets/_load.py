"""Real data sets from aeon."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import extra
from .._sklearn import StrOptions, validate_params
from ._convert import from_aeon

SPLIT = {"split": [StrOptions({"train", "test"}), None]}


@validate_params(SPLIT, prefer_skip_nested_validation=True)
def load_japanese_vowels(split: str | None = None) -> tuple[Any, NDArray]:
    """Load speech: 640 utterances of two vowels, 12 features, 7 to 29 steps; the class is one of 9 speakers.

    Parameters
    ----------
    split : {"train", "test"} or None, default=None
        Part of the published split, with 270 and 370 sequences; by default both parts.

    Returns
    -------
    X : list of ndarray of shape (T_i, 12), float64
    y : ndarray of shape (n,), int

    Raises
    ------
    ImportError
        If aeon is not installed.

    References
    ----------
    Kudo, Toyama and Shimbo (1999), "Multidimensional curve classification using passing-through
    regions", Pattern Recognition Letters.
    """
    return _load("load_japanese_vowels", split)


@validate_params(SPLIT, prefer_skip_nested_validation=True)
def load_basic_motions(split: str | None = None) -> tuple[Any, NDArray]:
    """Load movements: 80 recordings of a watch, 6 features, 100 steps; the class is one of 4 activities.

    Parameters
    ----------
    split : {"train", "test"} or None, default=None
        Part of the published split, with 40 and 40 sequences; by default both parts.

    Returns
    -------
    X : ndarray of shape (n, 100, 6), float64
    y : ndarray of shape (n,), str

    Raises
    ------
    ImportError
        If aeon is not installed.
    """
    return _load("load_basic_motions", split)


@validate_params(SPLIT, prefer_skip_nested_validation=True)
def load_italy_power_demand(split: str | None = None) -> tuple[Any, NDArray]:
    """Load power demand: 1,096 days of 24 hours; the class is the half of the year.

    Parameters
    ----------
    split : {"train", "test"} or None, default=None
        Part of the published split, with 67 and 1,029 sequences; by default both parts.

    Returns
    -------
    X : ndarray of shape (n, 24, 1), float64
    y : ndarray of shape (n,), int

    Raises
    ------
    ImportError
        If aeon is not installed.
    """
    return _load("load_italy_power_demand", split)


def _load(name: str, split: str | None) -> tuple[Any, NDArray]:
    X, y = getattr(extra("aeon.datasets", "datasets"), name)(split=split)
    y = np.asarray(y)
    return from_aeon(X), y.astype(int) if all(label.isdecimal() for label in y) else y
