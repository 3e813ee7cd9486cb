"""Outliers: sequences that an autoencoder rebuilds badly."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._autoencoder import RNNAutoencoderTransformer
from ._sklearn import HasMethods, Interval, StrOptions
from ._state import PicklableEstimator, all_or_nothing


def _scores_steps(self: Any) -> bool:
    autoencoder = getattr(self, "autoencoder_", self.autoencoder)
    return autoencoder is None or hasattr(autoencoder, "score_steps")


class RNNOutlierDetector(OutlierMixin, PicklableEstimator):
    """Outliers among sequences: those that an autoencoder rebuilds badly.

    It holds an autoencoder, so that there is one place for the net's parameters
    (`autoencoder__hidden_size`), and learns the threshold. A long series is cut into windows first, with
    `preprocessing.cut_windows`.

    Parameters
    ----------
    autoencoder : estimator with `score_samples`, default=None
        Cloned in `fit`; `RNNAutoencoderTransformer()` by default. A pipeline that ends with one will do.
    contamination : "auto" or float, default="auto"
        Share of outliers among the sequences of `fit`, above 0 and at most 0.5; the threshold lies where
        so many score lower. `"auto"` puts it three times the distance between the quartiles of the
        scores below the lower one (Tukey's outer fence), so that there may be none.

    Attributes
    ----------
    autoencoder_ : estimator
        The copy that was fitted.
    offset_ : float
        The threshold: outliers score lower.
    n_features_in_ : int
        Features per step; steps for 2-D input.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.

    Raises
    ------
    ValueError
        X is not what it should be; the message says what to do.

    References
    ----------
    Malhotra, Ramakrishnan, Anand, Vig, Agarwal and Shroff (2016), "LSTM-based encoder-decoder for
    multi-sensor anomaly detection", ICML workshop on anomaly detection. Tukey (1977), "Exploratory data
    analysis", Addison-Wesley.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
    >>> X = np.sin(np.linspace(0, 9, 20) + np.arange(100)[:, None])
    >>> X[:2] = np.random.default_rng(0).normal(size=(2, 20))
    >>> autoencoder = RNNAutoencoderTransformer(hidden_size=16, random_state=0)
    >>> detector = RNNOutlierDetector(autoencoder, contamination=0.02)
    >>> np.flatnonzero(detector.fit_predict(X) == -1)
    array([0, 1])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "autoencoder": [HasMethods(["fit", "score_samples"]), None],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, autoencoder: Any = None, *, contamination: str | float = "auto"):
        self.autoencoder = autoencoder
        self.contamination = contamination

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @all_or_nothing
    def fit(self, X: Any, y: Any = None) -> RNNOutlierDetector:
        """Learn from sequences, few of which are outliers.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F), (T_i,) or token id arrays
            Sequences.
        y : None
            Ignored.

        Returns
        -------
        self : RNNOutlierDetector
        """
        self._validate_params()
        autoencoder = RNNAutoencoderTransformer() if self.autoencoder is None else clone(self.autoencoder)
        self.autoencoder_ = autoencoder.fit(X, y)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.autoencoder_, name):
                setattr(self, name, getattr(self.autoencoder_, name))
        scores = self.score_samples(X)
        if isinstance(self.contamination, str):
            low, high = np.quantile(scores, [0.25, 0.75])
            self.offset_ = float(low - 3 * (high - low))
        else:
            self.offset_ = float(np.quantile(scores, self.contamination))
        return self

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score sequences as the autoencoder does: high is normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n,), float64
        """
        check_is_fitted(self, "autoencoder_")
        return np.asarray(self.autoencoder_.score_samples(X), dtype=np.float64)

    @available_if(_scores_steps)
    def score_steps(self, X: Any) -> Any:
        """Score each step as the autoencoder does: high is normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n, T), or list of (T_i,) arrays where lengths differ
            They are not compared with `offset_`, which is for whole sequences: single steps vary more.
        """
        check_is_fitted(self, "autoencoder_")
        return self.autoencoder_.score_steps(X)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """`score_samples` less `offset_`: negative for outliers.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n,), float64
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Tell outliers from the rest.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        labels : ndarray of shape (n,)
            -1 for outliers, 1 for the rest.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)  # NaN is an outlier
