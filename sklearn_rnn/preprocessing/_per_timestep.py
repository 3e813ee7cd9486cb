"""Applying scikit-learn's transformers to the steps of sequences."""

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
from ._base import SequenceTransformer, as_sequences, steps_of


def _inverts(self: Any) -> bool:
    return hasattr(getattr(self, "transformer_", self.transformer), "inverse_transform")


class PerTimestep(SequenceTransformer):
    """Apply a transformer of scikit-learn to each time step.

    The transformer gets the steps of all sequences as rows, without padding, and their features as columns. So
    `StandardScaler` scales each feature by its moments over all steps, `PCA` combines features, and `SimpleImputer`
    fills gaps.

    Parameters
    ----------
    transformer : transformer
        A transformer, such as `StandardScaler()` or a `ColumnTransformer`, which is cloned in `fit` and fitted
        without y.

    Attributes
    ----------
    transformer_ : transformer
        The fitted copy of the transformer.
    n_features_in_ : int
        Number of features per step; number of steps for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid, or the transformer drops rows. NaN inside a sequence is allowed if the transformer accepts
        it.

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
        """Transform each step.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, k), or list of (T_i, k) arrays
            Sequences in the form of X; (n, T) if X is (n, T) and k is 1.
        """
        sequences = self._read(X, reset=False)
        return self._apply(self.transformer_.transform, sequences)

    @available_if(_inverts)
    def inverse_transform(self, X: Any) -> Any:
        """Invert the transformation of each step.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as `transform` returns them.

        Returns
        -------
        X : ndarray of shape (n, T) or (n, T, F), or list of (T_i, F) arrays
            Sequences in the form of X.
        """
        check_is_fitted(self, "n_features_in_")
        sequences = clone(self)._read(X, reset=True, doubt=False)  # a clone does not check the number of features
        return self._apply(self.transformer_.inverse_transform, replace(sequences, kind=self._kind))

    def _learn(self, sequences: Sequences) -> None:
        self.transformer_ = clone(self.transformer)
        if not isinstance(self.transformer_, FrozenEstimator):  # which needs y
            self.transformer_.fit(steps_of(sequences))

    def _apply(self, function: Any, sequences: Sequences) -> Any:
        output = function(steps_of(sequences))
        steps: NDArray = output.toarray() if sparse.issparse(output) else np.asarray(output)
        n_steps = int(sequences.lengths.sum())
        if len(steps) != n_steps:
            raise ValueError(
                f"{type(self.transformer).__name__} must return a row for each of {n_steps} steps, got {len(steps)}."
            )
        return as_sequences(steps, sequences.lengths, sequences)
