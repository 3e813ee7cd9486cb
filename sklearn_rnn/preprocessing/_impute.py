"""Gaps, filled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from .._sklearn import HasMethods
from ..sequences import Sequences, first_steps
from ._base import SequenceTransformer, give_back, seen_means, steps_of


class SequenceImputer(SequenceTransformer):
    """Fill gaps (NaN) by linear interpolation, or by what an autoencoder makes of it.

    Each feature is interpolated between the steps where it was seen, and constant beyond them; where it
    was never seen in a sequence, it gets its mean in `fit`. A feature that `fit` never saw gets 0, with a
    warning. An autoencoder then rebuilds the sequences that were filled so, and its error on the seen steps
    is interpolated in the same way: in the gaps goes what it rebuilt, less that error, which meets the seen
    steps at both ends. Trailing steps of a 3-D array in which all features are NaN are padding and stay so.

    Parameters
    ----------
    autoencoder : transformer with `reconstruct`, default=None
        Such as `RNNAutoencoderTransformer()`, cloned in `fit`. None stops at the interpolation.

    Attributes
    ----------
    autoencoder_ : transformer or None
        The copy that was fitted.
    mean_ : ndarray of shape (F,)
        Mean of each feature over all steps of `fit` in which it was seen; 0, with a warning, where it never was.
    n_features_in_ : int
        Features per step; steps for 2-D input.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.

    Raises
    ------
    ValueError
        X is not what it should be, or the autoencoder cuts sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import SequenceImputer
    >>> X = [np.array([2.0, np.nan, 4.0, np.nan])]
    >>> SequenceImputer().fit_transform(X)[0].ravel()
    array([2., 3., 4., 4.])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "autoencoder": [HasMethods(["fit", "reconstruct"]), None],
    }

    def __init__(self, autoencoder: Any = None):
        self.autoencoder = autoencoder

    def transform(self, X: Any) -> Any:
        """Fill gaps.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`; NaN where a value is missing.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, F), or list of (T_i, F) arrays
            What was seen is left as it was.
        """
        sequences = self._read(X, reset=False)
        steps = steps_of(sequences)
        filled = self._interpolated(steps, sequences, self.mean_)
        if self.autoencoder_ is not None:
            rebuilt = self._rebuilt(filled, sequences).astype(np.float64)
            errors = self._interpolated(rebuilt - steps, sequences, np.zeros_like(self.mean_))
            largest = np.finfo(steps.dtype).max
            filled = np.where(np.isnan(steps), np.clip(rebuilt - errors, -largest, largest).astype(steps.dtype), steps)
        return give_back(filled, sequences.lengths, sequences)

    def _learn(self, sequences: Sequences) -> None:
        steps = steps_of(sequences)
        self.mean_ = seen_means(steps, self)
        self.autoencoder_: Any = None
        if self.autoencoder is not None:
            filled = self._interpolated(steps, sequences, self.mean_)
            X = give_back(filled, sequences.lengths, sequences)
            self.autoencoder_ = clone(self.autoencoder).fit(X, None)  # a FrozenEstimator asks for y

    def _rebuilt(self, steps: NDArray, sequences: Sequences) -> NDArray:
        rows = self.autoencoder_.reconstruct(give_back(steps, sequences.lengths, sequences))
        rebuilt = np.concatenate([row.reshape(len(row), -1) for row in rows])
        if len(rebuilt) != len(steps):
            raise ValueError(
                f"The autoencoder must rebuild all {len(steps)} steps, got {len(rebuilt)}; set its max_length to None."
            )
        return rebuilt

    def _interpolated(self, steps: NDArray, sequences: Sequences, unseen: NDArray) -> NDArray:
        """Steps (steps, F) without gaps; `unseen` (F,) goes where a feature was never seen in its sequence."""
        filled = steps.copy()
        for row in np.split(filled, first_steps(sequences.lengths)[1:]):
            for k in np.flatnonzero(np.isnan(row).any(0)):
                seen = np.flatnonzero(~np.isnan(row[:, k]))
                row[:, k] = np.interp(np.arange(len(row)), seen, row[seen, k]) if len(seen) else unseen[k]
        return filled
