"""Transformers that change the number of steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._sklearn import COUNT
from ..sequences import Sequences, first_steps
from ._base import SequenceTransformer, as_sequences, as_series, steps_of


class SequenceResampler(SequenceTransformer):
    """Stretch or shrink each sequence to the same number of steps, by linear interpolation.

    Parameters
    ----------
    length : int, default=100
        Number of steps of each resampled sequence.

    Attributes
    ----------
    n_features_in_ : int
        Number of features per step; number of steps for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import SequenceResampler
    >>> X = [np.array([0.0, 1.0]), np.array([0.0, 1.0, 2.0, 3.0])]
    >>> SequenceResampler(3).fit_transform(X)[:, :, 0]
    array([[0. , 0.5, 1. ],
           [0. , 1.5, 3. ]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"length": COUNT}

    def __init__(self, length: int = 100):
        self.length = length

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = False
        return tags

    def transform(self, X: Any) -> Any:
        """Resample sequences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        X : ndarray of shape (n, length) or (n, length, F)
            Resampled sequences, 2-D if X is 2-D. If X is a pandas Series, a Series of arrays.
        """
        sequences = self._read(X, reset=False)
        steps, firsts = steps_of(sequences), first_steps(sequences.lengths)[:, None]
        place = np.linspace(0, 1, self.length) * (sequences.lengths[:, None] - 1)  # (n, length)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, sequences.lengths[:, None] - 1)
        fraction = (place - below).astype(steps.dtype)[:, :, None]
        X = (1 - fraction) * steps[firsts + below] + fraction * steps[firsts + above]
        return X[:, :, 0] if sequences.kind == "table" else as_series(X, sequences.index)


class SequenceDifferencer(SequenceTransformer):
    """Replace each step by its difference from an earlier step, which removes the level and slow drift.

    Parameters
    ----------
    lag : int, default=1
        Number of steps between the two. As many steps are lost at the start.

    Attributes
    ----------
    n_features_in_ : int
        Number of features per step; number of steps for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid, or a sequence has no more than `lag` steps.

    Examples
    --------
    >>> from sklearn_rnn.preprocessing import SequenceDifferencer
    >>> SequenceDifferencer().fit_transform([[1.0, 3.0, 6.0]])
    array([[2., 3.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"lag": COUNT}

    def __init__(self, lag: int = 1):
        self.lag = lag

    def transform(self, X: Any) -> Any:
        """Compute the differences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        X : ndarray of shape (n, T - lag) or (n, T - lag, F), or list of arrays
            Differences in the form of X.
        """
        sequences = self._read(X, reset=False)
        self._check_lengths(sequences)
        steps, lengths = steps_of(sequences), sequences.lengths
        place = np.arange(len(steps)) - np.repeat(first_steps(lengths), lengths)
        later = np.flatnonzero(place >= self.lag)
        return as_sequences(steps[later] - steps[later - self.lag], lengths - self.lag, sequences)

    def _learn(self, sequences: Sequences) -> None:
        self._check_lengths(sequences)

    def _check_lengths(self, sequences: Sequences) -> None:
        i = int(np.argmin(sequences.lengths))
        if sequences.lengths[i] > self.lag:
            return
        length, what = int(sequences.lengths[i]), "feature(s)" if sequences.kind == "table" else "time step(s)"
        raise ValueError(
            f"X[{i}] has {length} {what} while a minimum of {self.lag + 1} is required by "
            f"{type(self).__name__} with lag={self.lag}."
        )
