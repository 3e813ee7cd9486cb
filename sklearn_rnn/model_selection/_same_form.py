"""Checking that labeled and unlabeled rows have the same form and scale."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from .._sklearn import _num_samples, _safe_indexing
from ..sequences import FrameColumns, evenly_spaced, groups_of, is_empty, is_sequences, is_words, listed, read_sequences

N_SAMPLED = 1000  # rows of each set that are compared
FEWEST, FEWEST_OF_BOTH = 5, 20  # rows of one set, and of both, that are needed to compare scales
FARTHER, NEARER = 4.0, 0.2  # ratios of median distances beyond which scales differ
SEPARATED = 0.95  # fraction of pairs in which the row of one set is farther from the mean than that of the other


def check_same_form(X: Any, X_unlabeled: Any, name: str) -> None:
    """Raise an error if labeled and unlabeled rows differ in form or scale, as after a step of a Pipeline."""
    difference = next(filter(None, (_described(*pair) for pair in _pairs(X, X_unlabeled))), "")
    if difference:
        raise ValueError(
            f"X of {name} is not like its X_unlabeled: {difference}. If {name} is a step of a Pipeline, the steps "
            f"before it transform X only; put the Pipeline inside: {name}(make_pipeline(transformer, classifier), "
            "X_unlabeled). Otherwise convert both to the same form and scale."
        )


def _described(X: Any, X_unlabeled: Any, column: Any = None) -> str:
    """Describe the difference of two sets of rows, and name the column that they are of, if they are of one."""
    try:
        difference = _difference(_sample(X), _sample(X_unlabeled))
    except (TypeError, ValueError):  # this package cannot read them; the estimator will raise an error, if any
        return ""
    return difference if not difference or column is None else f"in the column {column!r}, {difference}"


def _pairs(X: Any, X_unlabeled: Any) -> list[tuple[Any, ...]]:
    """Return labeled and unlabeled rows; of several inputs, those of each column of sequences, with its name."""
    try:
        labeled, unlabeled = FrameColumns.of(X), FrameColumns.of(X_unlabeled)
        if labeled is None or unlabeled is None or groups_of(labeled, None) is None:
            return [(X, X_unlabeled)]
    except (TypeError, ValueError):  # the estimator will raise it
        return []
    shared = [name for name in labeled.values if name in unlabeled.values]
    pairs = [(_present(labeled.values[name]), _present(unlabeled.values[name]), name) for name in shared]
    return [pair for pair in pairs if all(len(rows) for rows in pair[:2])]


def _present(column: Any) -> Any:
    """Return a sample of the sequences of a column; nothing if it holds single values."""
    if not is_sequences(column):
        return []
    rows = listed(column)
    if rows is None:
        return column
    return [rows[i] for i in evenly_spaced(len(rows), N_SAMPLED) if not is_empty(rows[i])]


class _Reader(BaseEstimator):
    """Gets the attributes of an estimator that reads X."""


def _sample(X: Any) -> list[Any]:
    """Return a sample of the rows: strings or words unchanged, token ids, or floats (T, F).

    A row of a table becomes a single step with T features.
    """
    n, values = _num_samples(X), listed(X)
    chosen = evenly_spaced(n, N_SAMPLED)
    rows = _safe_indexing(X, chosen) if values is None else [values[i] for i in chosen]
    if values is not None and any(isinstance(row, str | bytes) or is_words(row) for row in rows):
        return rows
    with warnings.catch_warnings():  # the estimator gives the same warnings
        warnings.simplefilter("ignore", UserWarning)
        sequences = read_sequences(_Reader(), rows, reset=True, gaps=True, exact=True)
    steps = [sequences.batch(np.array([i]), np.float64)[0][0] for i in range(len(sequences))]
    return [x.T for x in steps] if sequences.kind == "table" and values is None else steps


def _difference(labeled: list[Any], unlabeled: list[Any]) -> str:
    """Describe the difference; an empty string if there is none."""
    if not (labeled and unlabeled):
        return ""
    forms = [_form(rows) for rows in (labeled, unlabeled)]
    if forms[0] != forms[1]:
        # With one feature, rows in a list may be rows of a table.
        return "" if "1 feature(s)" in forms else f"it has {forms[0]}, and they have {forms[1]}"
    if forms[0] not in ("strings", "tokens") and _is_other_scale(labeled, unlabeled):
        return "nearly all of its rows are on another scale"
    return ""


def _form(rows: list[Any]) -> str:
    if isinstance(rows[0], str | bytes):
        return "strings"
    return "tokens" if np.ndim(rows[0]) == 1 else f"{rows[0].shape[1]} feature(s)"


def _is_other_scale(labeled: list[NDArray], unlabeled: list[NDArray]) -> bool:
    """Whether nearly all labeled rows are several times farther from the mean of the unlabeled rows, or nearer."""
    sides = [[row[np.isfinite(row).all(1)] for row in rows] for rows in (labeled, unlabeled)]
    sides = [[row for row in rows if len(row)] for rows in sides]
    counts = [len(rows) for rows in sides]
    if min(counts) < FEWEST or sum(counts) < FEWEST_OF_BOTH:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        distances, unlabeled_distances = _distances(*sides)
    farther = np.mean(distances[:, None] > unlabeled_distances)
    typical = np.median(distances), np.median(unlabeled_distances)
    return bool(
        (farther > SEPARATED and typical[0] > FARTHER * typical[1])
        or (farther < 1 - SEPARATED and typical[0] < NEARER * typical[1])
    )


def _distances(labeled: list[NDArray], unlabeled: list[NDArray]) -> list[NDArray]:
    """Median distances over features of both sets of rows from the mean of the unlabeled steps, in deviations."""
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
