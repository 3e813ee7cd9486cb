"""Scorers that ignore unlabeled rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils.metadata_routing import get_routing_for_object

from .._sklearn import MARKER, _safe_indexing, validate_params
from ..tasks import flat_labels, read_target
from ._flat_tagger import FlatTagger


@validate_params(
    {"scoring": [str, callable], "missing_label": MARKER, "per_step": ["boolean"]}, prefer_skip_nested_validation=True
)
def make_labeled_scorer(scoring: str | Callable, *, missing_label: Any = -1, per_step: bool = False) -> Callable:
    """Make a scorer that ignores unlabeled rows.

    The test sets of `PartiallyLabeledSplit` have no unlabeled rows, so they do not need it. Training scores
    (``return_train_score=True``) and other splitters do. Of a row with several numbers all must be known, because
    scikit-learn's metrics take no missing ones.

    Parameters
    ----------
    scoring : str or scorer
        A name such as ``"roc_auc"``, or a scorer that `sklearn.metrics.make_scorer` returns.
    missing_label : int, float, str, None or nan, default=-1
        Marks the unlabeled rows of y.
    per_step : bool, default=False
        Whether y has a label for each step, as that of `SemiSupervisedRNNTagger`; the labeled steps of all sequences
        are then scored together.

    Returns
    -------
    scorer : callable
        Called as ``scorer(estimator, X, y, sample_weight=None)``; raises a ValueError if no row is labeled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from sklearn_rnn.model_selection import make_labeled_scorer
    >>> X, y = np.arange(6.0)[:, None], np.array([0, 0, -1, -1, 1, 1])
    >>> make_labeled_scorer("roc_auc")(LabelSpreading().fit(X, y), X, y)
    1.0
    """
    return _LabeledScorer(scoring, missing_label, per_step)


class _LabeledScorer:
    """The scorer, a class so that it can be pickled."""

    def __init__(self, scoring: str | Callable, missing_label: Any, per_step: bool):
        self.scoring = scoring
        self.missing_label = missing_label
        self.per_step = per_step

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None, **parameters: Any) -> float:
        name = "A labeled scorer"
        if self.per_step:
            predicted = list(estimator.predict(X))
            lengths = np.array([len(classes) for classes in predicted])
            target = read_target(flat_labels(y, lengths, self.missing_label, name), self.missing_label, name)
            if sample_weight is not None:
                parameters["sample_weight"] = np.repeat(sample_weight, lengths)[target.labeled]
            steps = FlatTagger(estimator, np.concatenate(predicted), target.labeled)
            return check_scoring(steps, self.scoring)(steps, X, target.known, **parameters)
        target = read_target(y, self.missing_label, name)
        if sample_weight is not None:
            parameters["sample_weight"] = np.asarray(sample_weight)[target.labeled]
        scorer = check_scoring(estimator, self.scoring)
        return scorer(estimator, _safe_indexing(X, target.labeled), target.known, **parameters)

    def __repr__(self) -> str:
        return f"make_labeled_scorer({self.scoring!r}, missing_label={self.missing_label!r}, per_step={self.per_step})"

    def get_metadata_routing(self) -> Any:
        """Request the metadata that the inner scorer requests."""
        return get_routing_for_object(get_scorer(self.scoring))
