"""Whether unlabeled rows are like the labeled ones, or one of the two was transformed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from .._sklearn import _num_samples, _safe_indexing
from ..sequences import is_words, listed, read_sequences

LOOKED_AT = 1000  # rows of each set
FEWEST, FEWEST_OF_BOTH = 5, 20  # rows to judge a scale by
FARTHER, NEARER = 4.0, 0.2  # ratios of typical distances that mean another scale
SEPARATED = 0.95  # probability that a row of one set is farther off than a row of the other


def check_alike(X: Any, X_unlabeled: Any, name: str) -> None:
    """Refuse labeled rows of another form or scale than the unlabeled ones, as a step of a Pipeline makes them."""
    try:
        difference = _difference(_sample(X), _sample(X_unlabeled))
    except (TypeError, ValueError):  # not what this package reads: the estimator says so
        return
    if difference:
        raise ValueError(
            f"X of {name} is not like its X_unlabeled: {difference}. If {name} is a step of a Pipeline, the steps "
            f"before it transform X only; put the Pipeline inside: {name}(make_pipeline(transformer, classifier), "
            "X_unlabeled). Otherwise bring both into one form and scale."
        )


class _Reader(BaseEstimator):
    """Stands for the estimator, which reads X in the same way."""


def _sample(X: Any) -> list[Any]:
    """Rows as given where they are strings or words, else token ids, or floats (T, F); a row of a table is one step."""
    n, values = _num_samples(X), listed(X)
    chosen = np.linspace(0, n - 1, min(n, LOOKED_AT)).astype(int)
    rows = _safe_indexing(X, chosen) if values is None else [values[i] for i in chosen]
    if values is not None and any(isinstance(row, str | bytes) or is_words(row) for row in rows):
        return rows
    with warnings.catch_warnings():  # the estimator warns of what is wrong with X
        warnings.simplefilter("ignore", UserWarning)
        sequences = read_sequences(_Reader(), rows, reset=True, gaps=True, exact=True)
    steps = [sequences.batch(np.array([i]), np.float64)[0][0] for i in range(len(sequences))]
    return [x.T for x in steps] if sequences.kind == "table" and values is None else steps


def _difference(labeled: list[Any], unlabeled: list[Any]) -> str:
    """What differs; an empty string where nothing does."""
    if not (labeled and unlabeled):
        return ""
    forms = [_form(rows) for rows in (labeled, unlabeled)]
    if forms[0] != forms[1]:
        # One feature: rows that came in a list may be those of a table.
        return "" if "1 feature(s)" in forms else f"it has {forms[0]}, and they have {forms[1]}"
    if forms[0] not in ("strings", "tokens") and _is_other_scale(labeled, unlabeled):
        return "nearly all of its rows are on another scale"
    return ""


def _form(rows: list[Any]) -> str:
    if isinstance(rows[0], str | bytes):
        return "strings"
    return "tokens" if np.ndim(rows[0]) == 1 else f"{rows[0].shape[1]} feature(s)"


def _is_other_scale(labeled: list[NDArray], unlabeled: list[NDArray]) -> bool:
    """Whether nearly all labeled rows are several times as far from the unlabeled ones' mean as these, or as near."""
    sides = [[row[np.isfinite(row).all(1)] for row in rows] for rows in (labeled, unlabeled)]
    sides = [[row for row in rows if len(row)] for rows in sides]
    counts = [len(rows) for rows in sides]
    if min(counts) < FEWEST or sum(counts) < FEWEST_OF_BOTH:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        ours, theirs = _distances(*sides)
    farther = np.mean(ours[:, None] > theirs)
    typical = np.median(ours), np.median(theirs)
    return bool(
        (farther > SEPARATED and typical[0] > FARTHER * typical[1])
        or (farther < 1 - SEPARATED and typical[0] < NEARER * typical[1])
    )


def _distances(labeled: list[NDArray], unlabeled: list[NDArray]) -> list[NDArray]:
    """Distances of rows from the unlabeled steps' mean, in their standard deviations, in the median feature."""
    steps = np.concatenate(unlabeled)
    mean, deviation = steps.mean(0), steps.std(0)
    varies = deviation > 1e-9 * np.abs(mean)
    if not varies.any():
        return [np.zeros(1), np.zeros(1)]
    mean, deviation = mean[varies], deviation[varies]
    return [
        np.array([np.median(np.sqrt(np.mean(((row[:, varies] - mean) / deviation) ** 2, axis=0))) for row in rows])
        for rows in (labeled, unlabeled)
    ]
