"""A tagger as scikit-learn's scorers see it: a classifier of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin


class FlatTagger(ClassifierMixin, BaseEstimator):
    """Classifier of the steps of sequences, one sequence after the other.

    Parameters
    ----------
    tagger : SemiSupervisedRNNTagger
        A fitted tagger.
    predicted : ndarray of shape (n_steps,)
        Its predictions for all steps of the only X that is asked for.
    steps : ndarray of shape (m,)
        Positions of the steps to answer for, such as those with a label.
    """

    def __init__(self, tagger: Any, predicted: NDArray, steps: NDArray):
        self.tagger = tagger
        self.predicted = predicted
        self.steps = steps

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> NDArray:
        """Classes of the tagger."""
        return self.tagger.classes_

    def fit(self, X: Any, y: Any = None) -> FlatTagger:
        """Do nothing: the tagger is fitted."""
        return self

    def predict(self, X: Any) -> NDArray:
        """Classes (m,) of the steps."""
        return self.predicted[self.steps]

    def predict_proba(self, X: Any) -> NDArray:
        """Class probabilities (m, K) of the steps."""
        return np.concatenate(list(self.tagger.predict_proba(X)))[self.steps]
