"""Scorers of recommenders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._sklearn import COUNT, StrOptions, validate_params
from ..sequences import without_last
from ..tasks import RANKING, ranking_score


@validate_params(
    {"metric": [StrOptions({*RANKING, "coverage"})], "k": COUNT, "exclude_seen": ["boolean", None]},
    prefer_skip_nested_validation=True,
)
def make_ranking_scorer(metric: str = "ndcg", *, k: int = 10, exclude_seen: bool | None = None) -> Any:
    """Make a scorer of the k items that a recommender ranks best.

    Parameters
    ----------
    metric : {"hit_rate", "recall", "ndcg", "mrr", "coverage"}, default="ndcg"
        `"hit_rate"` is the fraction of users for whom at least one item that came next is among the k;
        `"recall"` the fraction of these items that are among the k; `"ndcg"` the sum of 1 / log2(1 + rank) of these
        items, divided by the largest possible sum; `"mrr"` 1 / rank of the first of them, or 0. All are means over
        users. `"coverage"` is the fraction of the catalogue that is recommended to at least one user.
    k : int, default=10
        Number of items that are recommended.
    exclude_seen : bool, default=None
        Whether items of the history are left out. By default they are if items do not repeat (`repeats_`).

    Returns
    -------
    scorer : callable
        Called as ``scorer(recommender, X, y=None)``. Without y, the last item of each sequence is left out and is the
        item that came next. The recommender needs the method `recommend` and the attribute `items_`.

    Examples
    --------
    >>> from sklearn_rnn import RNNNextItemRecommender
    >>> from sklearn_rnn.model_selection import make_ranking_scorer
    >>> X = [["tea", "milk", "sugar"], ["milk", "sugar", "tea"]] * 20
    >>> rec = RNNNextItemRecommender(hidden_size=8, max_epochs=4, lr=0.03, random_state=0).fit(X)
    >>> make_ranking_scorer("hit_rate", k=1)(rec, X)
    1.0
    """
    return _RankingScorer(metric, k, exclude_seen)


class _RankingScorer:
    """The scorer, a class so that it can be pickled."""

    def __init__(self, metric: str, k: int, exclude_seen: bool | None):
        self.metric = metric
        self.k = k
        self.exclude_seen = exclude_seen

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        past, following = without_last(X, "The scorer") if y is None else (X, y)
        exclude = not getattr(estimator, "repeats_", False) if self.exclude_seen is None else self.exclude_seen
        recommended: NDArray = estimator.recommend(past, n_items=self.k, exclude_seen=exclude)
        if self.metric == "coverage":
            return len(np.unique(recommended)) / len(estimator.items_)
        return ranking_score(self.metric, recommended, following)

    def __repr__(self) -> str:
        return f"make_ranking_scorer({self.metric!r}, k={self.k}, exclude_seen={self.exclude_seen})"
