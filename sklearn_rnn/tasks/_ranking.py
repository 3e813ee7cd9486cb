"""Metrics of ranked items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[NDArray[np.bool_], NDArray[np.int64]], NDArray[np.float64]]


def _hit_rate(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(hits.any(1), dtype=np.float64)


def _recall(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(hits.sum(1) / n_relevant)


def _ndcg(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    gains = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    best = np.append(0, np.cumsum(gains))[np.minimum(n_relevant, hits.shape[1])]
    return np.asarray((hits * gains).sum(1) / best)


def _mrr(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(hits.any(1), 1 / (1 + hits.argmax(1)), 0.0)


RANKING: dict[str, Metric] = {"hit_rate": _hit_rate, "mrr": _mrr, "ndcg": _ndcg, "recall": _recall}


def ranking_score(metric: str, recommended: NDArray, y: Any) -> float:
    """Return the mean of a metric over users.

    Parameters
    ----------
    metric : {"hit_rate", "mrr", "ndcg", "recall"}
        Name of the metric.
    recommended : ndarray of shape (n, k)
        Items, the best first.
    y : array-like of shape (n,), or list of arrays
        The item that came next, or the items that came next, of each user.
    """
    hits, n_relevant = np.zeros(recommended.shape, dtype=bool), np.ones(len(recommended), dtype=np.int64)
    for i, (row, target) in enumerate(zip(recommended.tolist(), y, strict=True)):
        relevant = {target} if isinstance(target, str) or np.ndim(target) == 0 else set(np.asarray(target).tolist())
        hits[i] = [item in relevant for item in row]
        n_relevant[i] = len(relevant)
    return float(RANKING[metric](hits, n_relevant).mean())
