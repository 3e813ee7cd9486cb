"""Embeddings of sequences, learned without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch.nn.functional import pad

from .._documented import documented, parameter
from .._state import all_or_nothing
from ..objectives import Objective
from ..tasks import Representation, Task
from ._base import SequenceEstimator, objective_can
from ._generation import checked_ends, generate, written


@documented
@dataclass(repr=False, eq=False)
class RNNAutoencoderTransformer(SequenceEstimator):
    """Recurrent autoencoder: an embedding of fixed size for each sequence, learned without labels.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    Raises
    ------
    %(raises)s

    Warns
    -----
    ConvergenceWarning
        A code holds nothing, or a generator lost; the message says which parameter to change.

    References
    ----------
    Dempster, Petitjean and Webb (2020), "ROCKET: exceptionally fast and accurate time series
    classification using random convolutional kernels", Data Mining and Knowledge Discovery.

    Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations
    using LSTMs", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> X = np.sin(np.linspace(0, 9, 20) + np.arange(30)[:, None])
    >>> autoencoder = RNNAutoencoderTransformer(hidden_size=8, max_epochs=2, random_state=0)
    >>> autoencoder.fit_transform(X).shape
    (30, 32)
    """

    task_name = "representation"
    objective: str | Objective = parameter(
        "reconstruction",
        [str, Objective],
        "str or Objective",
        "What is minimised: a name, or an instance from `sklearn_rnn.objectives`, which is cloned.",
        positional=True,
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any = None) -> RNNAutoencoderTransformer:
        """Learn from sequences.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F), (T_i,) or token id arrays
            Sequences.
        y : None
            Ignored.

        Returns
        -------
        self : RNNAutoencoderTransformer
        """
        return self._fit(X)

    def _make_task(self) -> Task:
        return Representation()

    @property
    def _n_features_out(self) -> int:
        return self.objective_.out_features(self.net_.module_.encoder)

    def _embedder(self, model: Any) -> Callable[..., torch.Tensor]:
        return partial(self.objective_.embed_sequences, model)

    @available_if(objective_can("decode"))
    def inverse_transform(self, X: Any, lengths: Any = None) -> Any:
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n, n_codes)
            Codes.
        lengths : array-like of shape (n,), default=None
            Steps of each sequence; the longest of `fit` by default.

        Returns
        -------
        sequences : ndarray of shape (n, T) or (n, T, F), or list of arrays
            In the form of `fit`'s X, (T_i,) arrays as (T_i, 1); a list where the lengths differ, or for token ids.

        Raises
        ------
        ValueError
            X has another number of codes than `transform` returns, or `lengths` are not integers, one for each
            row, at least 1.
        """
        check_is_fitted(self, "net_")
        codes = check_array(X, dtype=np.float32, estimator=self)
        model = self.net_.module_
        if codes.shape[1] != self._n_features_out:
            raise ValueError(f"X has {codes.shape[1]} codes, but {type(self).__name__} makes {self._n_features_out}.")
        ends = checked_ends(np.full(len(codes), self._lengths.max()) if lengths is None else lengths, codes)
        return written(self, partial(self.objective_.decode, model), codes, ends)

    @available_if(objective_can("decode"))
    def reconstruct(self, X: Any) -> Any:
        """Encode and decode sequences, each at its own length.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        sequences : ndarray of shape (n, T) or (n, T, F), or list of arrays
            In the form of X, (T_i,) arrays as (T_i, 1); a list where lengths differ.
        """
        sequences = self._read(X)
        codes = self._compute(sequences, self._embedder)
        return self.inverse_transform(codes, sequences.lengths)

    @available_if(objective_can("sample"))
    def sample(self, n_samples: int = 1, lengths: Any = None, random_state: Any = None) -> Any:
        """Draw new sequences.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        lengths : array-like of shape (n_samples,), default=None
            Steps of each; by default drawn from the lengths seen in `fit`, whatever the sequence.
        random_state : int, RandomState or None, default=None
            Seeds the draws; an int gives the same sequences each time.

        Returns
        -------
        sequences : ndarray of shape (n_samples, T) or (n_samples, T, F), or list of arrays
            In the form of `fit`'s X, (T_i,) arrays as (T_i, 1); a list where lengths differed there or do
            here, or for token ids.

        Raises
        ------
        ValueError
            `n_samples` is less than 1, or `lengths` are not integers, one for each sample, at least 1.
        """
        check_is_fitted(self, "net_")
        random = check_random_state(random_state)
        rows = np.arange(check_scalar(n_samples, "n_samples", Integral, min_val=1))
        if lengths is None:
            lengths = random.choice(self._lengths, len(rows))
        return generate(self, rows, checked_ends(lengths, rows), random)

    @available_if(objective_can("errors"))
    def score_samples(self, X: Any) -> NDArray[np.float32]:
        """Score sequences: minus the objective's error, so high is normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n,), float32
            Minus the objective's error of each sequence: of `Reconstruction` the mean one by its `loss`, in
            standardised units (of token ids the cross-entropy); of `Variational` minus a lower bound of the
            log-likelihood of the sequence, in nats.
        """

        def error(model: Any) -> Any:
            return lambda values, lengths: -self.objective_.errors(model, self.net_.plain_batch(values, lengths))

        return self._compute(self._read(X), error)

    @available_if(objective_can("errors_by_step"))
    def score_steps(self, X: Any) -> Any:
        """Score each step: minus the objective's error of it, so high is normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n, T), or list of (T_i,) arrays where lengths differ, float32
            Minus the error of each step: of numbers by the objective's `loss`, squared unless it has
            one, a mean over features in standardised units; of token ids the cross-entropy.
        """
        sequences = self._read(X)
        longest = int(sequences.lengths.max())

        def error(model: Any) -> Any:
            def padded(values: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
                errors = self.objective_.errors_by_step(model, self.net_.plain_batch(values, lengths))
                return -pad(errors, (0, longest - errors.shape[1]))

            return padded

        scores = self._compute(sequences, error)
        return scores if sequences.equal else [row[:end] for row, end in zip(scores, sequences.lengths, strict=True)]

    @available_if(objective_can("errors"))
    def score(self, X: Any, y: Any = None) -> float:
        """Mean of `score_samples`.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        score : float
        """
        return float(self.score_samples(X).mean())
