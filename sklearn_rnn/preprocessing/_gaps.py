"""Gaps as features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sequences import Sequences, first_steps
from ._base import SequenceTransformer, give_back, seen_means, steps_of


class SequenceMissingIndicator(SequenceTransformer):
    """Fill gaps (NaN) with the value last seen, and tell where they were and for how long.

    The steps get three times as many features: values, masks and ages. Before a feature was ever seen
    its value is its mean in `fit`. Trailing steps of a 3-D array in which all features are NaN are
    padding and stay so.

    Attributes
    ----------
    mean_ : ndarray of shape (F,)
        Mean of each feature over all steps of `fit` in which it was seen; 0, with a warning, where it never was.
    n_features_in_ : int
        Features per step; steps for 2-D input.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.

    Raises
    ------
    ValueError
        X is not what it should be.

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
            Sequences, as in `fit`; NaN where a value is missing.

        Returns
        -------
        X : ndarray of shape (n, T, 3 * F), or list of (T_i, 3 * F) arrays
            Values, masks (1 where missing) and ages (steps since the feature was last seen, 0 where
            it is seen; steps since before the start where it never was).
        """
        sequences = self._read(X, reset=False)
        steps, lengths = steps_of(sequences), sequences.lengths
        missing, firsts = np.isnan(steps), np.repeat(first_steps(lengths), lengths)[:, None]
        here = np.arange(len(steps))[:, None]
        last = np.maximum.accumulate(np.where(missing, -1, here), axis=0)  # row last seen, maybe another's
        own = last >= firsts
        values = np.where(own, np.take_along_axis(steps, np.maximum(last, 0), axis=0), self.mean_)
        ages = here - np.where(own, last, firsts - 1)
        output: NDArray = np.concatenate([values, missing, ages], axis=1, dtype=steps.dtype)
        return give_back(output, lengths, sequences)

    def _learn(self, sequences: Sequences) -> None:
        self.mean_ = seen_means(steps_of(sequences), self)
