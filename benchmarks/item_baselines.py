"""Simple recommenders to compare nets with: popularity, a Markov chain of order 1, and neighbours of items."""

from abc import abstractmethod

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from sklearn_rnn.sequences import Catalogue


class ItemBaseline(BaseEstimator):
    """Base: items are numbered, and ranked by the scores (n, n_items) of a subclass."""

    def fit(self, X, y=None):
        """Learn from sequences of items; y is ignored."""
        values = np.concatenate([np.asarray(x) for x in X])
        self.items_ = Catalogue.of(values).items
        self.popularity_ = np.bincount(self._numbers(values), minlength=len(self.items_))
        self._count([self._numbers(np.asarray(x)) for x in X])
        return self

    def decision_function(self, X):
        """Scores (n, n_items) of all items, in the order of `items_`."""
        return self._scores(self._known(X))

    def recommend(self, X, n_items=10, exclude_seen=True):
        """Return the best items (n, n_items)."""
        ids = self._known(X)
        scores = np.asarray(self._scores(ids), dtype=np.float64)
        for row, seen in zip(scores, ids if exclude_seen else [], strict=False):
            row[seen] = -np.inf
        return self.items_[np.argsort(-scores, axis=1, kind="stable")[:, :n_items]]

    def _numbers(self, x):
        return Catalogue(self.items_).numbers(x)

    def _known(self, X):
        """Numbers of the items of each sequence, without those that `fit` did not have."""
        rows = [self._numbers(np.asarray(x)) for x in X]
        return [ids[ids < len(self.items_)] for ids in rows]

    def _count(self, ids):
        """Learn from sequences of numbers."""

    @abstractmethod
    def _scores(self, ids):
        """Scores (n, n_items) after sequences of numbers."""


class Popularity(ItemBaseline):
    """Items that are frequent, for all users the same."""

    def _scores(self, ids):
        return np.tile(self.popularity_, (len(ids), 1))


class Markov(ItemBaseline):
    """Items that often followed the last one, and among equals the popular ones."""

    def __init__(self, smooth=0.01):
        self.smooth = smooth

    def _count(self, ids):
        n = len(self.items_)
        before, after = (np.concatenate([x[part] for x in ids]) for part in (slice(None, -1), slice(1, None)))
        self.follow_ = csr_array((np.ones(len(before)), (before, after)), shape=(n, n)).tocsr()

    def _scores(self, ids):
        scores = np.tile(self.smooth * self.popularity_ / self.popularity_.max(), (len(ids), 1))
        for row, x in zip(scores, ids, strict=True):
            if len(x):
                row += self.follow_[[x[-1]]].toarray()[0]
        return scores


class ItemNeighbours(ItemBaseline):
    """Items that the same users had as the last ones of a history: the sum of their cosines."""

    def __init__(self, recent=10):
        self.recent = recent

    def _count(self, ids):
        users = np.repeat(np.arange(len(ids)), [len(x) for x in ids])
        has = csr_array((np.ones(len(users)), (users, np.concatenate(ids))), shape=(len(ids), len(self.items_)))
        has.sum_duplicates()
        has.data[:] = 1
        norm = np.sqrt(has.sum(0))
        both = (has.T @ has).tocoo()
        cosine = both.data / np.maximum(norm[both.row] * norm[both.col], 1e-9) * (both.row != both.col)
        self.cosine_ = csr_array((cosine, (both.row, both.col)), shape=both.shape).tocsr()

    def _scores(self, ids):
        return np.stack([self.cosine_[x[-self.recent :]].sum(0) for x in ids])
