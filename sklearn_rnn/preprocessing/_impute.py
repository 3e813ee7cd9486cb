"""Filling gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from .._sklearn import HasMethods
from ..sequences import Sequences, first_steps
from ._base import SequenceTransformer, as_sequences, observed_means, steps_of


class SequenceImputer(SequenceTransformer):
    """Fill gaps (NaN) by linear interpolation, or by the reconstruction of an autoencoder.

    Each feature is interpolated between observed steps, and is constant before the first and after the last of them. If
    it was never observed in a sequence, it gets its mean in `fit`; if it was never observed in `fit`, 0, with a
    warning. An autoencoder then reconstructs these filled sequences. Its error at observed steps is interpolated in the
    same way, and gaps get the reconstruction minus this error, which is continuous with the observed steps at both
    ends. Trailing steps of a 3-D array in which all features are NaN are padding and stay NaN.

    Parameters
    ----------
    autoencoder : transformer with `reconstruct`, default=None
        An autoencoder, such as `RNNAutoencoderTransformer()`, which is cloned in `fit`. None for interpolation only.

    Attributes
    ----------
    autoencoder_ : transformer or None
        The fitted copy of the autoencoder.
    mean_ : ndarray of shape (F,)
        Mean of each feature over all steps of `fit` in which it was observed; 0, with a warning, if it never was.
    n_features_in_ : int
        Number of features per step; number of steps for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid, or the autoencoder shortens sequences.

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
            Sequences, as in `fit`; missing values are NaN.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, F), or list of (T_i, F) arrays
            Sequences without gaps; observed values are not changed.
        """
        sequences = self._read(X, reset=False)
        steps = steps_of(sequences)
        filled = self._interpolated(steps, sequences, self.mean_)
        if self.autoencoder_ is not None:
            decoded = self._reconstructed(filled, sequences).astype(np.float64)
            errors = self._interpolated(decoded - steps, sequences, np.zeros_like(self.mean_))
            largest = np.finfo(steps.dtype).max
            filled = np.where(np.isnan(steps), np.clip(decoded - errors, -largest, largest).astype(steps.dtype), steps)
        return as_sequences(filled, sequences.lengths, sequences)

    def _learn(self, sequences: Sequences) -> None:
        steps = steps_of(sequences)
        self.mean_ = observed_means(steps, self)
        self.autoencoder_: Any = None
        if self.autoencoder is not None:
            filled = self._interpolated(steps, sequences, self.mean_)
            X = as_sequences(filled, sequences.lengths, sequences)
            self.autoencoder_ = clone(self.autoencoder).fit(X, None)  # a FrozenEstimator needs y

    def _reconstructed(self, steps: NDArray, sequences: Sequences) -> NDArray:
        rows = self.autoencoder_.reconstruct(as_sequences(steps, sequences.lengths, sequences))
        decoded = np.concatenate([row.reshape(len(row), -1) for row in rows])
        if len(decoded) != len(steps):
            raise ValueError(
                f"The autoencoder must reconstruct all {len(steps)} steps, got {len(decoded)}; set its max_length to "
                "None."
            )
        return decoded

    def _interpolated(self, steps: NDArray, sequences: Sequences, default: NDArray) -> NDArray:
        """Return steps (steps, F) without gaps; features that were not observed in a sequence get `default` (F,)."""
        filled = steps.copy()
        for row in np.split(filled, first_steps(sequences.lengths)[1:]):
            for k in np.flatnonzero(np.isnan(row).any(0)):
                seen = np.flatnonzero(~np.isnan(row[:, k]))
                row[:, k] = np.interp(np.arange(len(row)), seen, row[seen, k]) if len(seen) else default[k]
        return filled
