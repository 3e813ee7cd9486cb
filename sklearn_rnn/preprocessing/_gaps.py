"""Gaps as features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sequences import Sequences, first_steps, last_seen
from ._base import SequenceTransformer, as_sequences, observed_means, steps_of


class SequenceMissingIndicator(SequenceTransformer):
    """Fill gaps (NaN) with the last observed value, and add features that mark the gaps and their ages.

    There are three times as many features: values, masks and ages. Before the first observation of a feature, its
    value is its mean in `fit`. Trailing steps of a 3-D array in which all features are NaN are padding and stay NaN.

    Attributes
    ----------
    mean_ : ndarray of shape (F,)
        Mean of each feature over all steps of `fit` in which it was observed; 0, with a warning, if it never was.
    n_features_in_ : int
        Number of features per step; number of steps for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid.

    References
    ----------
    Che, Purushotham, Cho, Sontag and Liu (2018), "Recurrent neural networks for multivariate time
    series with missing values", Scientific Reports 8.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import SequenceMissingIndicator
    >>> X = [np.array([2.0, np.nan, np.nan, 4.0])]
    >>> SequenceMissingIndicator().fit_transform(X)[0]
    array([[2., 0., 0.],
           [2., 1., 1.],
           [2., 1., 2.],
           [4., 0., 0.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {}

    def transform(self, X: Any) -> Any:
        """Fill gaps and mark them.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`; missing values are NaN.

        Returns
        -------
        X : ndarray of shape (n, T, 3 * F), or list of (T_i, 3 * F) arrays
            Values, masks (1 for missing values) and ages (number of steps since the last observation; 0 for observed
            values; before the first observation, counted from the step before the start).
        """
        sequences = self._read(X, reset=False)
        steps, lengths = steps_of(sequences), sequences.lengths
        missing, firsts = np.isnan(steps), np.repeat(first_steps(lengths), lengths)[:, None]
        place = np.arange(len(steps))[:, None]
        last = last_seen(missing)  # perhaps in another sequence
        inside = last >= firsts
        values = np.where(inside, np.take_along_axis(steps, np.maximum(last, 0), axis=0), self.mean_)
        ages = place - np.where(inside, last, firsts - 1)
        output: NDArray = np.concatenate([values, missing, ages], axis=1, dtype=steps.dtype)
        return as_sequences(output, lengths, sequences)

    def _learn(self, sequences: Sequences) -> None:
        self.mean_ = observed_means(steps_of(sequences), self)
