"""Recommendation of the next item, and language models of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._documented import documented
from ..sequences import Sequences, as_items, without_last
from ..tasks import ranking_score
from ._base import draw_seed
from ._item_estimator import ItemEstimator
from ._language import Writer
from ._ranking import Ranker

LARGEST = 1 << 28  # scores that `decision_function` returns


def _has_probabilities(self: Any) -> bool:
    return self.loss == "cross_entropy"


@documented
@dataclass(repr=False, eq=False)
class RNNNextItemRecommender(ItemEstimator):
    """Recommender of the next item, and language model, learned from sequences of items.

    Items are ids, strings, or words of a text. Each item of a sequence is predicted from the items before it; nothing
    is known of what lies beyond the ends of a sequence. `fit` needs no y.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    items_ : ndarray of shape (n_items,)
        The catalogue: all items of `fit`, sorted unless they have different types.
    item_embeddings_ : ndarray of shape (n_items, E), float32
        Vectors of the items, in the order of `items_`, which predictions are compared with.
    repeats_ : bool
        Whether sequences of `fit` have items more than once: at least 1% of their steps. If not, `predict` and `score`
        leave the items of a history out.
    %(attributes)s

    Raises
    ------
    %(raises)s

    Warns
    -----
    UserWarning
        X has items that `fit` did not have. They are read as the unknown item.

    References
    ----------
    Hidasi, Karatzoglou, Baltrunas and Tikk (2016), "Session-based recommendations with recurrent neural networks",
    ICLR.

    Hidasi and Karatzoglou (2018), "Recurrent neural networks with top-k gains for session-based recommendations",
    CIKM.

    Inan, Khosravi and Socher (2017), "Tying word vectors and word classifiers", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import RNNNextItemRecommender
    >>> X = [["tea", "milk", "sugar"], ["milk", "sugar", "tea"], ["tea", "milk"]] * 20
    >>> rec = RNNNextItemRecommender(hidden_size=16, max_epochs=4, lr=0.03, random_state=0).fit(X)
    >>> rec.recommend([["tea"]], n_items=2).tolist()
    [['milk', 'sugar']]
    """

    def recommend(self, X: Any, n_items: int = 10, exclude_seen: bool = True, candidates: Any = None) -> NDArray:
        """Recommend items, the best first.

        The scores of all items are never held together, so a catalogue may have millions.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.
        n_items : int, default=10
            Number of items for each history.
        exclude_seen : bool, default=True
            Whether items of the whole history are left out.
        candidates : array-like of items, default=None
            The items to choose from; all of `items_` by default.

        Returns
        -------
        items : ndarray of shape (n, n_items)

        Raises
        ------
        ValueError
            If there are fewer than `n_items` items to choose from for a history, or a candidate is not in `items_`.
        """
        ids = np.unique(self._candidates(candidates))
        check_scalar(n_items, "n_items", Integral, min_val=1)
        sequences = self._histories(X)
        if n_items > len(ids):
            raise ValueError(f"n_items={n_items}, but there are only {len(ids)} items to choose from.")
        vectors = self._vectors(sequences)
        with self._computing(), torch.inference_mode():
            chosen, scores = Ranker(self.net_.module_, ids).best(vectors, n_items, sequences if exclude_seen else None)
        if not (enough := scores[:, -1] > -np.inf).all():
            i = int(np.argmin(enough))
            raise ValueError(
                f"X[{i}] leaves only {int((scores[i] > -np.inf).sum())} items to choose from, but n_items={n_items}. "
                "Lower n_items, or set exclude_seen=False."
            )
        return self.items_[chosen]

    def predict(self, X: Any) -> NDArray:
        """Predict the next item of each history.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.

        Returns
        -------
        items : ndarray of shape (n,)
            Items of the history are left out, unless items repeat (`repeats_`) or all have been seen.
        """
        return self._best(self._histories(X), 1)[:, 0]

    def decision_function(self, X: Any, candidates: Any = None) -> NDArray[np.float32]:
        """Score all items, or some.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.
        candidates : array-like of items, default=None
            The items to score; all of `items_` by default.

        Returns
        -------
        scores : ndarray of shape (n, n_items), float32
            In the order of `items_`, or of `candidates`. Higher is better. With ``loss="cross_entropy"``, the softmax
            of the scores of all items is their probabilities.

        Raises
        ------
        ValueError
            If there would be more than 2**28 scores; use `iter_scores` or `recommend` then.
        """
        ids = self._candidates(candidates)
        sequences = self._histories(X)
        if len(sequences) * len(ids) > LARGEST:
            raise ValueError(
                f"X has {len(sequences)} histories, and there are {len(ids)} items: the array of their scores would be "
                "too large. Pass candidates, or use iter_scores or recommend."
            )
        return np.concatenate(list(self._score_blocks(sequences, ids)))

    def iter_scores(self, X: Any, candidates: Any = None) -> Iterator[NDArray[np.float32]]:
        """Score all items, or some, for a few histories at a time.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.
        candidates : array-like of items, default=None
            The items to score; all of `items_` by default.

        Yields
        ------
        scores : ndarray of shape (b, n_items), float32
            Scores of the next b histories, at most 256, as `decision_function` returns them.
        """
        ids = self._candidates(candidates)
        return self._score_blocks(self._histories(X), ids)

    def score(self, X: Any, y: Any = None, *, k: int = 10) -> float:
        """Normalised discounted cumulative gain (NDCG) of the k best items.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.
        y : array-like of shape (n,), or list of arrays, default=None
            The item, or the items, that came next. By default, the last item of each sequence of X is left out and
            predicted; sequences of one item are left out, with a warning.
        k : int, default=10
            Number of items that are recommended, at most all.

        Returns
        -------
        ndcg : float
            From 0 to 1. With one item to find, 1 / log2(1 + rank) if it is among the k best, and 0 otherwise.
        """
        check_is_fitted(self, "net_")
        past, following = without_last(X, type(self).__name__) if y is None else (X, y)
        n_items = min(k, len(self.items_))
        return ranking_score("ndcg", self._best(self._histories(past), n_items), following)

    @available_if(_has_probabilities)
    def score_samples(self, X: Any) -> NDArray[np.float32]:
        """Logarithm of the probability of each sequence, from its first item to its last.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Sequences, such as texts; none is cut to `max_length`.

        Returns
        -------
        scores : ndarray of shape (n,), float32
            Sums over items, in nats; unknown items do not count. Only with ``loss="cross_entropy"``.
        """
        return self._log_likelihoods(self._histories(X))

    @available_if(_has_probabilities)
    def perplexity(self, X: Any) -> float:
        """Perplexity: the exponential of the mean negative log-likelihood of an item.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Sequences, such as texts; none is cut to `max_length`.

        Returns
        -------
        perplexity : float
            At least 1; a model that takes all items for equally likely has `n_items`. Unknown items do not count. Only
            with ``loss="cross_entropy"``.
        """
        sequences = self._histories(X)
        n_known = int((sequences.values < len(self.items_)).sum())
        if not n_known:
            raise ValueError(f"X has no item that {type(self).__name__} was fitted on.")
        return float(np.exp(-self._log_likelihoods(sequences).sum(dtype=np.float64) / n_known))

    @available_if(_has_probabilities)
    def sample(
        self,
        n_samples: int = 1,
        n_steps: int = 20,
        *,
        start: Any = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        stop: Any = None,
        random_state: Any = None,
    ) -> list[NDArray]:
        """Draw sequences, each item from the probabilities given the items before it.

        Parameters
        ----------
        n_samples : int, default=1
            Number of sequences, of each beginning if there are any.
        n_steps : int, default=20
            Number of items that are drawn for each sequence.
        start : list of sequences of items, default=None
            Beginnings that are continued; by default the first item is drawn too.
        temperature : float, default=1.0
            Scores are divided by it: below 1, likely items are even more likely; with 0, the likeliest item is taken.
        top_k : int, default=None
            Each item is drawn from this number of the likeliest ones; by default from all.
        stop : item, default=None
            A sequence ends after this item, such as a mark of the end of texts in X.
        random_state : int, RandomState or None, default=None
            Seeds the draws; an int gives the same sequences each time.

        Returns
        -------
        sequences : list of ndarray
            The items that were drawn, without the beginnings. Only with ``loss="cross_entropy"``.
        """
        check_is_fitted(self, "net_")
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        check_scalar(n_steps, "n_steps", Integral, min_val=1)
        check_scalar(temperature, "temperature", Real, min_val=0)
        if top_k is not None:
            check_scalar(top_k, "top_k", Integral, min_val=1)
        model, seed = self.net_.module_, draw_seed(check_random_state(random_state))
        generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
        writer = Writer(model, float(temperature), top_k, generator)
        with self._computing(), torch.inference_mode():
            if start is None:
                drawn = writer.write(n_samples, n_steps)
            else:
                drawn = writer.go_on(self._histories(start).repeated(n_samples), n_steps)
        sequences = [self.items_[row] for row in drawn]
        return sequences if stop is None else [until(row, stop) for row in sequences]

    def _histories(self, X: Any) -> Sequences:
        """Return whole sequences of the numbers of items."""
        check_is_fitted(self, "net_")
        return self._numbered(X)

    def _candidates(self, candidates: Any) -> NDArray[np.int64]:
        """Return the numbers of the items to choose from."""
        check_is_fitted(self, "net_")
        if candidates is None:
            return np.arange(len(self.items_))
        items = as_items(candidates, "candidates")
        ids = self._catalogue.numbers(items)
        if not len(ids):
            raise ValueError("candidates must have at least one item.")
        if (unknown := ids == len(self.items_)).any():
            item = items.tolist()[int(np.argmax(unknown))]
            raise ValueError(f"candidates has the item {item!r}, which {type(self).__name__} was not fitted on.")
        return ids

    def _vectors(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return the vectors (n, E) that are predicted from the last `max_length` items of histories."""
        return self._compute(sequences.recent(self.max_length), lambda model: model)

    def _best(self, sequences: Sequences, n_items: int) -> NDArray:
        """Return the best items, without those of the history if items do not repeat, unless all have been seen."""
        vectors, ranker = self._vectors(sequences), Ranker(self.net_.module_, np.arange(len(self.items_)))
        with self._computing(), torch.inference_mode():
            chosen, scores = ranker.best(vectors, n_items, None if self.repeats_ else sequences)
            if (none := scores[:, 0] == -np.inf).any():
                chosen[none] = ranker.best(vectors[none], n_items, None)[0]
        return self.items_[chosen]

    def _score_blocks(self, sequences: Sequences, ids: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        vectors, ranker = self._vectors(sequences), Ranker(self.net_.module_, ids)
        for rows in ranker.rows(len(vectors)):
            with self._computing(), torch.inference_mode():
                scores = ranker.all(vectors[rows])
            yield scores

    def _log_likelihoods(self, sequences: Sequences) -> NDArray[np.float32]:
        def log_likelihood(model: Any) -> Any:
            def summed(values: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
                return -self.objective_.errors_by_step(model, self.net_.plain_batch(values, lengths)).sum(1)

            return summed

        return self._compute(sequences, log_likelihood)


def until(items: NDArray, stop: Any) -> NDArray:
    """Return the items up to the first `stop`, which is kept."""
    places = np.flatnonzero(items == stop)
    return items[: places[0] + 1] if len(places) else items
