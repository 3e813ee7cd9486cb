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
from .._inputs import Inputs
from .._state import all_or_nothing
from ..objectives import Objective
from ..sequences import Sequences, SeveralInputs
from ..tasks import Representation, Task
from ..training import with_callbacks
from ._available import objective_can
from ._base import SequenceEstimator
from ._by_input import decoded_inputs, steps_by_input
from ._generation import checked_ends, decoded_sequences, generate
from ._input_parameters import InputParameters


@documented
@dataclass(repr=False, eq=False)
class RNNAutoencoderTransformer(InputParameters, SequenceEstimator):
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
        The embeddings carry no information, or the generator can learn nothing; the message says which parameter to
        change.

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
    >>> autoencoder = RNNAutoencoderTransformer(hidden_size=8, max_epochs=1, random_state=0)
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

    @with_callbacks
    def _pretrain(self, sequences: Sequences, reader: SequenceEstimator) -> RNNAutoencoderTransformer:
        """Learn from sequences that another estimator has read; the encoder treats numbers as that estimator's does."""
        self._layer_norm, self._drops_noise = reader._layer_norm, reader._drops_noise
        return self._fit_sequences(sequences, self._checked_callbacks())

    def _make_task(self) -> Task:
        return Representation()

    @property
    def _n_features_out(self) -> int:
        return self.objective_.out_features(self.net_.module_.encoder)

    def _embedder(self, model: Any) -> Callable[..., torch.Tensor]:
        return partial(self.objective_.embed_sequences, model)

    @available_if(objective_can("decode"))
    def inverse_transform(self, X: Any, lengths: Any = None) -> Any:
        """Decode embeddings.

        Parameters
        ----------
        X : array-like of shape (n, n_features_out)
            Embeddings, as `transform` returns them.
        lengths : array-like of shape (n,), default=None
            Number of steps of each sequence, at least 1. By default, that of the longest sequence of `fit`.

        Returns
        -------
        sequences : ndarray of shape (n, T) or (n, T, F), or list of arrays
            Sequences in the form of the X of `fit`; (T_i,) arrays come back as (T_i, 1). A list if the lengths differ,
            and for token ids. With several inputs, a dictionary of lists by the names of the inputs; single values are
            arrays by the names of their columns.

        Raises
        ------
        ValueError
            If X has another number of features than `transform` returns, or `lengths` does not have an integer of at
            least 1 for each row.
        """
        check_is_fitted(self, "net_")
        embeddings = check_array(X, dtype=np.float32, estimator=self)
        model = self.net_.module_
        if embeddings.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {embeddings.shape[1]} features, but the embeddings of {type(self).__name__} have "
                f"{self._n_features_out}. Pass the output of transform."
            )
        if self._kind == "inputs":
            if lengths is not None:
                raise ValueError("lengths cannot be given for several inputs; they are those of the longest in fit.")
            return decoded_inputs(self, embeddings, {k: np.full(len(embeddings), n) for k, n in self._longest.items()})
        ends = checked_ends(np.full(len(embeddings), self._lengths.max()) if lengths is None else lengths, embeddings)
        return decoded_sequences(self, partial(self.objective_.decode, model), embeddings, ends)

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
            Sequences in the form of X; (T_i,) arrays come back as (T_i, 1). A list if the lengths differ. With several
            inputs, a dictionary, as `inverse_transform` returns; missing inputs are predicted from the others.
        """
        sequences = self._read(X)
        embeddings = self._compute(sequences, self._embedder)
        if isinstance(sequences, SeveralInputs):
            return decoded_inputs(self, embeddings, sequences.ends())
        return self.inverse_transform(embeddings, sequences.lengths)

    @available_if(objective_can("sample"))
    def sample(self, n_samples: int = 1, lengths: Any = None, random_state: Any = None) -> Any:
        """Draw new sequences.

        Parameters
        ----------
        n_samples : int, default=1
            Number of sequences.
        lengths : array-like of shape (n_samples,), default=None
            Number of steps of each sequence, at least 1. By default drawn from the lengths of the sequences of `fit`.
        random_state : int, RandomState or None, default=None
            Seeds the draws; an int gives the same sequences each time.

        Returns
        -------
        sequences : ndarray of shape (n_samples, T) or (n_samples, T, F), or list of arrays
            Sequences in the form of the X of `fit`; (T_i,) arrays come back as (T_i, 1). A list if the lengths differ,
            here or in `fit`, and for token ids.

        Raises
        ------
        ValueError
            If `n_samples` is less than 1, or `lengths` does not have an integer of at least 1 for each sample.
        """
        check_is_fitted(self, "net_")
        random = check_random_state(random_state)
        rows = np.arange(check_scalar(n_samples, "n_samples", Integral, min_val=1))
        if lengths is None:
            lengths = random.choice(self._lengths, len(rows))
        return generate(self, rows, checked_ends(lengths, rows), random)

    @available_if(objective_can("errors"))
    def score_samples(self, X: Any) -> NDArray[np.float32]:
        """Score sequences: minus the objective's error, so that high scores are normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n,), float32
            Minus the objective's error of each sequence. For `Reconstruction` the error is the mean `loss` over steps
            and features, in standardised units (for token ids, the mean cross-entropy). For `Variational` the score
            is a lower bound of the log-likelihood of the sequence, in nats.
        """

        def error(model: Any) -> Any:
            return lambda values, lengths: -self.objective_.errors(model, self.net_.plain_batch(values, lengths))

        return self._compute(self._read(X), error)

    @available_if(objective_can("errors_by_step"))
    def score_steps(self, X: Any) -> Any:
        """Score each step: minus the objective's error of the step, so that high scores are normal.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n, T), or list of (T_i,) arrays if lengths differ, float32
            Minus the error of each step. For numbers it is the objective's `loss` (the squared error if it has none),
            averaged over features, in standardised units; for token ids, the cross-entropy. With several inputs, a
            dictionary of lists by their names; a missing input has no steps.
        """
        sequences = self._read(X)
        if isinstance(sequences, SeveralInputs):
            return self._score_inputs(sequences)
        longest = int(sequences.lengths.max())

        def error(model: Any) -> Any:
            def padded(values: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
                errors = self.objective_.errors_by_step(model, self.net_.plain_batch(values, lengths))
                return -pad(errors, (0, longest - errors.shape[1]))

            return padded

        scores = self._compute(sequences, error)
        return scores if sequences.equal else [row[:end] for row, end in zip(scores, sequences.lengths, strict=True)]

    def _score_inputs(self, sequences: SeveralInputs) -> dict[str, list[NDArray]]:
        model = self.net_.module_

        def errors(values: Any, lengths: Any, rows: NDArray) -> Inputs:
            with torch.inference_mode():
                by_step = self.objective_.errors_by_step(model, self.net_.plain_batch(values, lengths))
            return Inputs(-part for part in by_step.parts)

        return steps_by_input(self, sequences, errors)

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
