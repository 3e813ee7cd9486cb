"""The base of estimators that wrap another estimator."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from numpy.typing import NDArray
from sklearn.base import MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._sklearn import _routing_enabled
from .._state import PicklableEstimator


def _has(name: str) -> Any:
    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return available_if(check)


class Delegate(MetaEstimatorMixin, PicklableEstimator):
    """Base of estimators that fit a copy of another estimator, `estimator_`, and predict with it."""

    estimator: Any
    estimator_: Any
    _fit_takes_metadata = True

    def __sklearn_tags__(self) -> Any:
        return deepcopy(get_tags(self.estimator))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    @property
    def classes_(self) -> NDArray:
        """Classes of the fitted estimator."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features of the fitted estimator."""
        return self.estimator_.n_features_in_

    @_has("predict")
    def predict(self, X: Any) -> NDArray:
        """Predict with the fitted estimator.

        Parameters
        ----------
        X : array-like or list of arrays
            Samples, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n,)
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @_has("predict_proba")
    def predict_proba(self, X: Any) -> NDArray:
        """Class probabilities of the fitted estimator.

        Parameters
        ----------
        X : array-like or list of arrays
            Samples, as in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @_has("decision_function")
    def decision_function(self, X: Any) -> NDArray:
        """Decision function of the fitted estimator.

        Parameters
        ----------
        X : array-like or list of arrays
            Samples, as in `fit`.

        Returns
        -------
        decisions : ndarray of shape (n,) or (n, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @_has("score")
    def score(self, X: Any, y: Any, **score_params: Any) -> float:
        """Score of the fitted estimator.

        Parameters
        ----------
        X : array-like or list of arrays
            Samples, as in `fit`.
        y : array-like of shape (n,)
            True labels.
        **score_params : dict
            Passed to the estimator's `score`.

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        return self.estimator_.score(X, y, **self._routed("score", score_params))

    def get_metadata_routing(self) -> MetadataRouter:
        """Route metadata to the estimator.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="score", callee="score")
        if self._fit_takes_metadata:
            mapping.add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def _routed(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters that the estimator requests; all of them, if metadata routing is off."""
        if not _routing_enabled():
            return parameters
        return process_routing(self, method, **parameters).estimator[method]
