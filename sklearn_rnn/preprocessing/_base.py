"""The base of the transformers of sequences: reading X to an array of all steps, and back to the form of X."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._set_output import SequenceOutputMixin
from .._sklearn import plain
from .._state import PicklableEstimator, all_or_nothing
from .._warnings import warn
from ..sequences import Sequences, first_steps, float_like, read_sequences


class SequenceTransformer(SequenceOutputMixin, TransformerMixin, PicklableEstimator, ABC):
    """Base of the transformers, which read sequences and return sequences in the same form.

    They compute and return float32, or float64 if float32 would round the input.
    """

    _parameter_constraints: dict[str, list[Any]]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @all_or_nothing
    def fit(self, X: Any, y: Any = None) -> SequenceTransformer:
        """Learn from sequences.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F) or (T_i,) arrays
            Sequences.
        y : None
            Ignored.

        Returns
        -------
        self : SequenceTransformer
        """
        self._validate_params()
        self._learn(self._read(X, reset=True))
        return self

    @abstractmethod
    def transform(self, X: Any) -> Any:
        """Transform sequences."""

    def _learn(self, sequences: Sequences) -> None:
        """Learn from the sequences; by default nothing is learned."""
        return

    def _read(self, X: Any, *, reset: bool, doubt: bool = True) -> Sequences:
        if not reset:
            check_is_fitted(self, "n_features_in_")
        gaps = self.__sklearn_tags__().input_tags.allow_nan
        return read_sequences(self, X, reset=reset, gaps=gaps, exact=True, values=True, doubt=doubt)


def steps_of(sequences: Sequences) -> NDArray:
    """Return all steps (steps, F) of all sequences, one after the other; float64 if float32 would round them."""
    values = sequences.values
    if sequences.starts is not None:
        return values
    dtype = float_like(values.dtype)
    if sequences.lengths.min() == values.shape[1]:
        return values.reshape(-1, sequences.n_features).astype(dtype)
    inside = np.arange(values.shape[1]) < sequences.lengths[:, None]
    return values[inside].astype(dtype, copy=False)


def observed_means(steps: NDArray, estimator: BaseEstimator) -> NDArray:
    """Mean of each feature over the steps (steps, F) in which it is not NaN; 0, with a warning, if it always is."""
    count = (~np.isnan(steps)).sum(0)
    if len(missing := np.flatnonzero(count == 0)):
        names = getattr(estimator, "feature_names_in_", np.arange(steps.shape[1])) if steps.shape[1] > 1 else [0]
        warn(
            f"Features without any observed value in fit: {[plain(names[k]) for k in missing]}. "
            f"{type(estimator).__name__} fills them with 0 in sequences that have no value of them; drop them if they "
            "are not needed."
        )
    count = np.maximum(count, 1)
    return (np.nansum(steps, axis=0, dtype=np.float64) / count).astype(steps.dtype)


def as_sequences(steps: NDArray, lengths: NDArray, sequences: Sequences) -> Any:
    """Cut steps into sequences of these lengths, in the form of the X that was read.

    Parameters
    ----------
    steps : ndarray of shape (steps, k)
        Steps of all sequences, one sequence after the other.
    lengths : ndarray of shape (n,)
        Number of steps of each sequence.
    sequences : Sequences
        The X that was read.

    Returns
    -------
    X : list of (T_i, k) arrays, or ndarray of shape (n, T) or (n, T, k)
        If lengths differ, an array is padded with NaN. If X was a pandas Series, a Series instead of a list.
    """
    if sequences.starts is not None:
        return as_series(np.split(steps, first_steps(lengths)[1:]), sequences.index)
    shape = (len(lengths), int(lengths.max()), steps.shape[1])
    if (lengths == shape[1]).all():
        X = steps.reshape(shape)
    else:
        X = np.full(shape, np.nan, np.result_type(steps, np.float32))
        X[np.arange(shape[1]) < lengths[:, None]] = steps
    return X[:, :, 0] if sequences.kind == "table" and shape[2] == 1 else X


def as_series(arrays: Sequence[NDArray], index: Any) -> Any:
    """Return the arrays as a pandas Series with this index; unchanged, if there is no index."""
    if index is None:
        return arrays
    import pandas as pd

    return pd.Series(list(arrays), index=index, dtype=object)
