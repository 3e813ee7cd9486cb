"""Transformers of columns, on the steps of sequences."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._sklearn import HasMethods
from ..sequences import Sequences
from ._base import SequenceTransformer, give_back, steps_of


def _inverts(self: Any) -> bool:
    return hasattr(getattr(self, "transformer_", self.transformer), "inverse_transform")


class PerTimestep(SequenceTransformer):
    """Apply a transformer of columns to every time step.

    All steps of all sequences are the rows that the transformer sees, and their features its columns.
    So `StandardScaler` scales each feature by its moments over all steps, `PCA` mixes features,
    `SimpleImputer` fills gaps. Padding is no row.

    Parameters
    ----------
    transformer : transformer
        Any of scikit-learn's, such as `StandardScaler()` or a `ColumnTransformer`; cloned in `fit`,
        and fitted without y.

    Attributes
    ----------
    transformer_ : transformer
        The copy that was fitted.
    n_features_in_ : int
        Features per step; steps for 2-D input.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.

    Raises
    ------
    ValueError
        X is not what it should be, or the transformer drops rows. NaN inside a sequence passes where
        the transformer takes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_rnn.preprocessing import PerTimestep
    >>> X = [np.array([[0.0, 10.0], [2.0, 30.0]]), np.array([[4.0, 20.0]])]
    >>> PerTimestep(StandardScaler()).fit_transform(X)[1].round(2)
    array([[1.22, 0.  ]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"transformer": [HasMethods(["fit", "transform"])]}

    def __init__(self, transformer: Any):
        self.transformer = transformer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.transformer_tags = deepcopy(inner.transformer_tags)
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def transform(self, X: Any) -> Any:
        """Transform every step.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, k), or list of (T_i, k) arrays
            In the form of X; (n, T) where X is, and k is 1.
        """
        sequences = self._read(X, reset=False)
        return self._apply(self.transformer_.transform, sequences)

    @available_if(_inverts)
    def inverse_transform(self, X: Any) -> Any:
        """Undo the transformation of every step.

        Parameters
        ----------
        X : array-like or list of arrays
            What `transform` returned.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, F), or list of (T_i, F) arrays
            In the form of X.
        """
        check_is_fitted(self, "n_features_in_")
        sequences = clone(self)._read(X, reset=True, doubt=False)  # a clone knows no width
        return self._apply(self.transformer_.inverse_transform, replace(sequences, kind=self._kind))

    def _learn(self, sequences: Sequences) -> None:
        self.transformer_ = clone(self.transformer)
        if not isinstance(self.transformer_, FrozenEstimator):  # which asks for y
            self.transformer_.fit(steps_of(sequences))

    def _apply(self, function: Any, sequences: Sequences) -> Any:
        output = function(steps_of(sequences))
        steps: NDArray = output.toarray() if sparse.issparse(output) else np.asarray(output)
        n_steps = int(sequences.lengths.sum())
        if len(steps) != n_steps:
            raise ValueError(f"{type(self.transformer).__name__} must return a row for each of {n_steps} steps.")
        return give_back(steps, sequences.lengths, sequences)
