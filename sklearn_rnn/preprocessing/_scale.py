"""Scaling each sequence by its own moments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sequences import first_steps
from ._base import SequenceTransformer, as_sequences, steps_of


class PerSequenceScaler(SequenceTransformer):
    """Scale each feature of each sequence to mean 0 and standard deviation 1 over the steps of that sequence.

    This removes differences of level and amplitude between recordings, and keeps the shape. A constant feature becomes
    0. NaN inside a sequence does not count and stays NaN.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.

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
    >>> from sklearn_rnn.preprocessing import PerSequenceScaler
    >>> PerSequenceScaler().fit_transform([[1.0, 3.0], [10.0, 90.0]])
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"with_mean": ["boolean"], "with_std": ["boolean"]}

    def __init__(self, *, with_mean: bool = True, with_std: bool = True):
        self.with_mean = with_mean
        self.with_std = with_std

    def transform(self, X: Any) -> Any:
        """Scale sequences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, F), or list of (T_i, F) arrays
            Sequences in the form of X.
        """
        sequences = self._read(X, reset=False)
        original, lengths = steps_of(sequences), sequences.lengths
        steps = original.astype(np.float64, copy=False)
        firsts, owner = first_steps(lengths), np.repeat(np.arange(len(lengths)), lengths)
        count = np.maximum(np.add.reduceat(~np.isnan(steps), firsts, axis=0, dtype=np.int64), 1)  # (n, F)
        mean = np.add.reduceat(np.nan_to_num(steps), firsts, axis=0) / count
        centred = steps - mean[owner]
        deviation = np.sqrt(np.add.reduceat(np.nan_to_num(centred) ** 2, firsts, axis=0) / count)
        constant = deviation <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        if self.with_std:
            scale = np.where(constant, 1, deviation)[owner]
            steps, centred = steps / scale, centred / scale
        return as_sequences((centred if self.with_mean else steps).astype(original.dtype), lengths, sequences)
