"""Detection of outliers: sequences with a large reconstruction error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._sklearn import HasMethods, Interval, StrOptions
from .._state import PicklableEstimator, all_or_nothing
from .._warnings import warn
from ._autoencoder import RNNAutoencoderTransformer
from ._held_options import gaps_of
from ._held_out import held_out_scores, known_scores, read_samples


def _scores_steps(self: Any) -> bool:
    autoencoder = getattr(self, "autoencoder_", self.autoencoder)
    return autoencoder is None or hasattr(autoencoder, "score_steps")


class RNNOutlierDetector(OutlierMixin, PicklableEstimator):
    """Detector of outliers among sequences: those with a large reconstruction error.

    The detector holds an autoencoder, which has the parameters of the net (`autoencoder__hidden_size`), and learns the
    threshold of its scores. Cut a long series into windows first, with `preprocessing.cut_windows`.

    Parameters
    ----------
    autoencoder : estimator with `score_samples`, default=None
        Cloned in `fit`; `RNNAutoencoderTransformer()` by default. It may be a pipeline that ends with one.
    contamination : "auto" or float, default="auto"
        Fraction of outliers among the sequences of `fit`, above 0 and at most 0.5. If these had no outliers, about
        this fraction of new normal sequences are false alarms. With `"auto"`, the threshold lies below the lower
        quartile of the scores, by three times the distance between the quartiles (Tukey's outer fence); there may be
        no outliers then.
    cv : int, splitter or iterable of (train, test) indices, default=5
        The folds in which the sequences of `fit` are scored by autoencoders that were not trained on them. An int is
        the number of folds, at most one per sequence; they are shuffled in the same way in each `fit`. For overlapping
        windows of one series, pass ``KFold(5)``, which does not shuffle, so that neighbours are in one fold. To train
        two autoencoders instead of six, pass ``ShuffleSplit(1, test_size=0.2, random_state=0)``.

    Attributes
    ----------
    autoencoder_ : estimator
        The copy that was fitted on all sequences.
    offset_ : float
        The threshold: the scores of outliers are lower. It is learned from scores of sequences that were held out.
    n_features_in_ : int
        Number of features per step; number of steps for 2-D input.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X had any.

    Raises
    ------
    ValueError
        If X is invalid; the message says what to do.

    Notes
    -----
    An autoencoder has smaller errors on the sequences it was trained on than on new ones. With a threshold from their
    scores, many new normal sequences would be called outliers (all of them, if there are few training sequences). So
    `fit` trains one further autoencoder for each fold, on the other folds, and sets the threshold from the scores of
    the rows that were held out, as cross-conformal methods do. New sequences are scored by `autoencoder_`; scoring
    reads X a second time, to find the sequences of `fit`. The autoencoders of the folds learn from fewer sequences than
    `autoencoder_`, so false alarms on new sequences tend to be a little rarer than `contamination`. That rate is a mean
    over sets of training sequences: with n of them, its standard deviation is about
    ``sqrt(contamination * (1 - contamination) / n)``.

    A sequence of `fit` keeps the score that it had when it was held out: `score_samples`, `decision_function` and
    `predict` recognise it by its values (as float64), and `fit_predict` is `fit` and `predict`. So outliers in the data
    of `fit` are scored by autoencoders that were not trained on them. `score_steps` always uses `autoencoder_`, also
    for sequences of `fit`.

    The encoder limits values to 1e6 standard deviations. Values beyond that limit do not change the score.

    `fit` decides once, for all folds, which kind of input X is. If `autoencoder` is an `RNNAutoencoderTransformer`, the
    folds of a memory map in C order are not copied; a pipeline or another estimator gets copies of the rows.

    References
    ----------
    Malhotra, Ramakrishnan, Anand, Vig, Agarwal and Shroff (2016), "LSTM-based encoder-decoder for
    multi-sensor anomaly detection", ICML workshop on anomaly detection.

    Tukey (1977), "Exploratory data analysis", Addison-Wesley.

    Laxhammar and Falkman (2015), "Inductive conformal anomaly detection for sequential detection of anomalous
    sub-trajectories", Annals of Mathematics and Artificial Intelligence 74.

    Barber, Candès, Ramdas and Tibshirani (2021), "Predictive inference with the jackknife+", Annals of Statistics 49.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
    >>> X = np.sin(np.linspace(0, 9, 12) + np.arange(40)[:, None])
    >>> X[:2] = np.random.default_rng(0).normal(scale=2, size=(2, 12))
    >>> autoencoder = RNNAutoencoderTransformer(hidden_size=8, n_kernels=0, lr=0.03, max_epochs=1, random_state=0)
    >>> detector = RNNOutlierDetector(autoencoder, contamination=0.05, cv=2)
    >>> np.flatnonzero(detector.fit_predict(X) == -1)
    array([0, 1])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "autoencoder": [HasMethods(["fit", "score_samples"]), None],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"]), Iterable],
    }

    def __init__(self, autoencoder: Any = None, *, contamination: str | float = "auto", cv: Any = 5):
        self.autoencoder = autoencoder
        self.contamination = contamination
        self.cv = cv

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        if self.autoencoder is not None:
            tags.input_tags.allow_nan = get_tags(self.autoencoder).input_tags.allow_nan
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
        samples = read_samples(self, X, autoencoder, isinstance(autoencoder, RNNAutoencoderTransformer))
        if (option := gaps_of(autoencoder)) is not None and option.times is not None:
            samples = replace(samples, reads=False)  # times are replaced when X is read
        if len(samples) < 2:
            raise ValueError(
                f"{type(self).__name__} got 1 sample, but needs 2 or more: the threshold is learned from scores of "
                "samples that are held out."
            )
        fitted, keys = clone(autoencoder).fit(X, y), samples.keys()
        held_out = held_out_scores(autoencoder, samples, keys, y, self.cv)
        offset = self._threshold(known_scores(held_out, keys))
        self.autoencoder_, self._held_out, self._lengths, self.offset_ = fitted, held_out, samples.lengths, offset
        if samples.sequences is None:
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(fitted, name):
                    setattr(self, name, getattr(fitted, name))
        return self

    def _threshold(self, scores: NDArray) -> float:
        scores = scores[~np.isnan(scores)]
        if isinstance(self.contamination, str):
            low, high = np.quantile(scores, [0.25, 0.75])
            return float(low - 3 * (high - low))
        if self.contamination * (len(scores) + 1) < 1:
            warn(
                f"contamination={self.contamination} needs more than {len(scores)} sequences held out: about "
                f"1 in {len(scores) + 1} new normal sequences will be called outliers. Give `fit` more sequences, "
                "or raise contamination."
            )
        # With n + 1 sequences of one distribution, the last is below this quantile of the others with this probability.
        return float(np.quantile(scores, self.contamination, method="weibull"))

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score sequences as the autoencoder does: high scores are normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n,), float64
            A sequence of `fit` has the score that it got when it was held out.
        """
        check_is_fitted(self, "autoencoder_")
        samples = read_samples(self, X)
        scores = np.asarray(self.autoencoder_.score_samples(X), dtype=np.float64)
        self._check_lengths(samples.lengths)
        known = known_scores(self._held_out, samples.keys())
        return np.where(np.isnan(known), scores, known)

    def _check_lengths(self, lengths: NDArray) -> None:
        """Warn of lengths that were not in `fit`, because their reconstruction errors are larger."""
        if not len(lengths) or not len(self._lengths):
            return
        shortest, longest = self._lengths.min(), self._lengths.max()
        if n := int(((lengths < shortest) | (lengths > longest)).sum()):
            seen = f"{shortest} steps" if shortest == longest else f"{shortest} to {longest} steps"
            warn(
                f"{n} of {len(lengths)} sequences have lengths that {type(self).__name__} was not fitted on ({seen}); "
                "their scores are lower than those of other sequences, so more of them are called outliers. Fit on "
                "all lengths, or cut sequences to windows of one length."
            )

    @available_if(_scores_steps)
    def score_steps(self, X: Any) -> Any:
        """Score each step as the autoencoder does: high scores are normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n, T), or list of (T_i,) arrays if lengths differ
            Do not compare them with `offset_`, which is for whole sequences: scores of steps vary more.
        """
        check_is_fitted(self, "autoencoder_")
        return self.autoencoder_.score_steps(X)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return `score_samples` minus `offset_`, which is negative for outliers.

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
        """Predict which sequences are outliers.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        labels : ndarray of shape (n,)
            -1 for outliers, 1 for other sequences.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)  # NaN is an outlier
