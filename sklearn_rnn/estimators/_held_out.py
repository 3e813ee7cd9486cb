"""Scores of sequences by estimators that were not fitted on them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import KFold, check_cv

from .._sklearn import _num_samples, _safe_indexing
from ..sequences import Sequences, SeveralInputs, float_like, is_frame, listed, read_inputs

KNOWN = (
    "_kind",
    "n_features_in_",
    "feature_names_in_",
    "inputs_",
    "_inputs",
    "_column",
    "_columns",
    "_members",
)  # attributes that describe the input of an estimator


@dataclass(frozen=True)
class Samples:
    """Rows of X, which is read once: each row has a key, and estimators get subsets of the rows.

    Attributes
    ----------
    X : object
        The user's X.
    sequences : Sequences, SeveralInputs or None
        The sequences in X; None if only the estimator can read them, such as documents.
    reads : bool
        Whether the estimator also accepts `Sequences`.
    """

    X: Any
    sequences: Any
    reads: bool = False

    def __len__(self) -> int:
        return _num_samples(self.X) if self.sequences is None else len(self.sequences)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Lengths of the sequences; empty if they could not be read, or if rows have several inputs."""
        if self.sequences is None or isinstance(self.sequences, SeveralInputs):
            return np.zeros(0, np.int64)
        return self.sequences.lengths

    def keys(self) -> list[Any]:
        """Return a key for each row: equal if all values are equal, whatever their dtype and container."""
        if self.sequences is None:
            return [_key(row) for row in (np.asarray(self.X) if is_frame(self.X) else self.X)]
        if isinstance(self.sequences, SeveralInputs):
            return _keys_of_inputs(self.sequences)
        return _keys_of(self.sequences)

    def take(self, rows: NDArray) -> Any:
        """Return these rows, in a container that is read in the same way as X."""
        sequences = self.sequences
        if isinstance(sequences, SeveralInputs):
            if isinstance(self.X, Mapping):
                return {name: _safe_indexing(column, rows) for name, column in self.X.items()}
            return _safe_indexing(self.X, rows)
        named = sequences is not None and sequences.starts is not None and is_frame(first_of(self.X))
        if named and not self.reads:  # with the name of the column of times
            return _safe_indexing(self.X, rows)
        if sequences is None or (sequences.starts is None and (is_frame(self.X) or isinstance(self.X, np.ndarray))):
            if self.reads and sequences is not None and sequences.pages and sequences.values.flags.c_contiguous:
                return _of_map(sequences, rows)
            return _safe_indexing(self.X, rows)
        if sequences.starts is None:
            return sequences.values[rows, :, 0] if sequences.kind == "table" else sequences.values[rows]
        ends = zip(sequences.starts[rows], sequences.lengths[rows], strict=True)
        series = [sequences.values[first : first + length] for first, length in ends]
        is_flat = sequences.kind == "series" and sequences.n_features == 1 and not is_frame(self.X)
        return [x[:, 0] for x in series] if is_flat and np.ndim((listed(self.X) or [0])[0]) == 1 else series


def first_of(X: Any) -> Any:
    """Return a frame of sequences, or else the first element of a list of frames."""
    return X if is_frame(X) else (listed(X) or [None])[0]


def read_samples(detector: BaseEstimator, X: Any, known: Any = None, reads: bool = False) -> Samples:
    """Read X as the estimator in a detector does, and set or check the attributes that describe the input.

    Parameters
    ----------
    detector : BaseEstimator
        Gets `_kind`, `n_features_in_` and `feature_names_in_`; `_kind` is None if only the estimator can read X.
    X : object
        The user's X.
    known : estimator, default=None
        In `fit`, the estimator, which may be fitted.
    reads : bool, default=False
        Whether the estimator is one of this package, so that it is an error if this package cannot read X.
    """
    if known is not None:
        _forget(detector)
        if hasattr(known, "_kind"):
            vars(detector).update({name: getattr(known, name) for name in KNOWN if hasattr(known, name)})
    reset = not hasattr(detector, "_kind")
    sequences, groups = None, getattr(known, "inputs", None)
    if reset or detector._kind is not None:
        try:
            with warnings.catch_warnings():  # the estimator gives the same warnings
                warnings.simplefilter("ignore", UserWarning)
                sequences = read_inputs(detector, X, reset=reset, gaps=True, exact=True, groups=groups)
        except ValueError:
            if reads or not reset:
                raise
            _forget(detector)
            detector._kind = None
    if sequences is None:
        X = X if isinstance(X, list | tuple | np.ndarray) or is_frame(X) else listed(X) or np.asarray(X)
    return Samples(X, sequences, reads)


def held_out_scores(estimator: Any, samples: Samples, keys: list[Any], y: Any, cv: Any) -> dict[Any, float]:
    """Score rows by clones of `estimator` that were fitted on other rows.

    Parameters
    ----------
    estimator : estimator with `score_samples`
        Cloned for each fold.
    samples : Samples
        The rows.
    keys : list
        Their keys.
    y : array-like, list or None
        Targets, for an estimator that needs them.
    cv : int, splitter or iterable
        The folds.

    Returns
    -------
    scores : dict
        Scores by the key of the row; the mean if a row was held out more than once.
    """
    scores: dict[Any, list[float]] = {}
    y = y if y is None or isinstance(y, list | tuple) or is_frame(y) else np.asarray(y)
    for train, test in _folds(cv, len(keys)):
        part = clone(estimator)
        with warnings.catch_warnings():  # the fit on all rows gives the same warnings
            warnings.simplefilter("ignore", UserWarning)
            part.fit(samples.take(train), None if y is None else _safe_indexing(y, train))
            for i, score in zip(test, part.score_samples(samples.take(test)), strict=True):
                scores.setdefault(keys[i], []).append(float(score))
    return {key: sum(values) / len(values) for key, values in scores.items()}


def known_scores(scores: dict[Any, float], keys: list[Any]) -> NDArray[np.float64]:
    """Return the score of each row by its key; NaN if there is none."""
    return np.array([scores.get(key, np.nan) for key in keys])


def _folds(cv: Any, n: int) -> Iterator[tuple[NDArray, NDArray]]:
    if isinstance(cv, int | np.integer):
        cv = KFold(min(int(cv), n), shuffle=True, random_state=0)
    for train, test in check_cv(cv).split(np.zeros(n)):
        yield np.arange(n)[train], np.arange(n)[test]


def _of_map(sequences: Sequences, rows: NDArray) -> Sequences:
    """Return these rows of a memory map without reading their values."""
    n_steps, n_features = sequences.values.shape[1:]
    values, lengths = sequences.values.reshape(-1, n_features), sequences.lengths[rows]
    source = None if float_like(values.dtype) == np.float32 else values
    return replace(sequences, values=values, lengths=lengths, starts=rows * n_steps, source=source)


def _keys_of(sequences: Sequences) -> list[Any]:
    keys, sizes = [], sequences.lengths * sequences.n_features
    for rows in sequences.blocks():
        values, _ = sequences.batch(rows, np.float64)
        if values.dtype == np.float64:
            values[values == 0], values[np.isnan(values)] = 0, np.nan  # -0.0 equals 0.0, and all NaN are equal
        flat = values.reshape(len(rows), -1)
        pairs = zip(flat, sizes[rows].tolist(), strict=True)
        keys += [blake2b(row[:size].data, digest_size=16).digest() for row, size in pairs]
    return keys


def _keys_of_inputs(sequences: SeveralInputs) -> list[Any]:
    """Return for each row the keys of its inputs; a missing one has the key None."""
    by_input = []
    for part in sequences.inputs.values():
        keys = [*_keys_of(part.sequences), None]
        by_input.append([keys[place] for place in part.places])
    return list(zip(*by_input, strict=True))


def _key(row: Any) -> Any:
    if isinstance(row, str):
        return str(row)
    return joblib.hash(list(row) if isinstance(row, tuple) else row.tolist() if hasattr(row, "tolist") else row)


def _forget(detector: BaseEstimator) -> None:
    for name in KNOWN:
        vars(detector).pop(name, None)
