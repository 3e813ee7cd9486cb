"""Codes of sequences, learned without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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

from .._state import all_or_nothing
from ..objectives import Objective
from ..sequences import Rows, Sequences
from ..training import FitWatch, with_callbacks
from ._base import SequenceEstimator, draw_seed, known_tokens, objective_can
from ._generation import checked_ends, generate, written


class RNNAutoencoderTransformer(SequenceEstimator):
    """Recurrent autoencoder: a code of fixed size for each sequence.

    Parameters
    ----------
    objective : str or Objective, default="reconstruction"
        What is minimised: a name, or an instance from `sklearn_rnn.objectives`, which is cloned.
    cell : {"lstm", "gru", "rnn"}, default="gru"
        Recurrence. On a CPU an LSTM trains faster, a GRU was more accurate on few labels.
    hidden_size : int, default=64
        Units of each layer and direction, and width of the patch embedding.
    num_layers : int, default=1
        Recurrent layers.
    bidirectional : bool, default=True
        Whether to read each sequence from its end too.
    dropout : float, default=0.2
        Share of values dropped between layers and before the output.
    pooling : {"last", "mean", "max", "mean_max", "attention"}, default="mean_max"
        How the states of all steps become one code; padding never counts.
    patch_size : int or "auto", default="auto"
        Steps that a linear layer groups into one recurrent step. `"auto"` aims at 24 recurrent steps
        for a sequence of median length, at 48 for token ids: shorter texts are not grouped. A classifier
        answers with the mean code over up to three steps at which patches begin.
    n_kernels : int, default=128
        Random convolutions of 9 steps, dilated up to 8 times and never trained, whose rectified responses
        in each patch are beside its values (Dempster 2020); 0 for none. Token ids have none.
    embedding_size : int, default=64
        Width of the vectors of token ids.
    embedding_init : {"auto", "cooccurrence", "random"} or array-like of shape (n_tokens, size), default="auto"
        First vectors of token ids: learned from all of X by counting which ids stand near each other;
        drawn at random; or given, a row for each id (NaN where there is none), of any size, as
        `sklearn_rnn.text.read_vectors` reads them. `"auto"` counts where there are more ids than
        `embedding_size`. All are brought to mean 0 and variance 1 over the tokens of X, so that
        perturbations mean the same.
    freeze_embedding : bool or "auto", default="auto"
        Whether the vectors of token ids stay as they are. `"auto"`: unless they were drawn at random;
        after pretraining and where `warm_start`, as before.
    max_length : int, default=None
        Longer sequences are cut to their first `max_length` steps, with a warning.
    augmentation : callable, "auto" or None, default="auto"
        Perturbs the embedded steps in training; see `sklearn_rnn.perturbations`. `"auto"` is
        `Light()` for numbers, in classifiers with ``offset=2, channel_offset=0.2`` unless the objective
        rebuilds sequences, and `StepDrop(0.2)` for token ids.
    strong_augmentation : callable, "auto" or None, default="auto"
        The same for objectives that ask for a second, harder view, such as `FixMatch`. `"auto"` is
        `Strong()` for numbers, with the same offsets, and `StepDrop(0.4)` for token ids.
    max_epochs : int, default=24
        Passes over the labeled rows (over all rows where no labels are used), each of at least 25
        optimiser steps; unlabeled rows come beside them.
    lr : float or "auto", default="auto"
        Peak learning rate, per optimiser step, of one cycle (30% cosine warm-up, cosine to 0).
        `"auto"` is 0.008 for numbers and 0.002 for token ids.
    batch_size : int, default=64
        Rows in an optimiser step at most: of labeled ones, where labels are used.
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        `"sgd"` has Nesterov momentum of 0.9.
    weight_decay : float, default=0.01
        Weight decay of the optimizer, where it has one.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient.
    early_stopping : bool, default=False
        Whether to hold rows out, stop when their loss stops falling, and keep the best weights.
    validation_fraction : float, default=0.1
        Share of the rows held out where `early_stopping`: where labels are used, of the labeled ones of
        each class; a class of two or more gives one at least, and each keeps one.
    n_iter_no_change : int, default=10
        Epochs without a better loss before `early_stopping` stops.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last one, of the same architecture, kind of X and
        classes.
    callbacks : list of skorch callbacks, default=None
        Alone or as ``(name, callback)``. `fit` calls these very objects, as skorch does; a clone has
        copies, which share what cannot be copied (an open file, the run of a logger). Their parameters are
        set by name, that of the class where none is given: ``callbacks__EarlyStopping__patience``.
        `valid_loss` is recorded only with `early_stopping`. An `LRScheduler` replaces the default schedule.
        A callback of one's own stops training where it is a subclass of skorch's `EarlyStopping` (with
        ``monitor="train_loss"`` where there is no `early_stopping`) whose `on_epoch_end` raises
        KeyboardInterrupt; any other exception leaves `fit`.
    device : str, default="cpu"
        Where torch computes, such as `"cuda"`.
    random_state : int, RandomState or None, default=None
        Seeds weights, batches and noise; an int gives the same bits each time, on one thread. Without one,
        nets of 128 units or batches of 256 and more use all of torch's threads.
    verbose : int, default=0
        Whether to print a line for each epoch.

    Attributes
    ----------
    n_features_in_ : int
        Features per step; steps for 2-D input.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.
    n_iter_ : int
        Epochs trained.
    history_ : skorch.history.History
        Loss terms of each epoch, and what else the objective shows, such as the `active_units` of `Variational`.
    objective_ : Objective
        The copy that was trained.
    net_ : skorch.NeuralNet
        The net; its `module_` is the torch model.

    Raises
    ------
    ValueError
        X is not what it should be; the message says what to do.
    FloatingPointError
        The loss is not finite; `net_` keeps the best weights so far. Before an epoch has ended, the estimator
        stays as it was before `fit`. The same holds if `fit` is interrupted (Ctrl-C).

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

    _task = "representation"
    _parameter_constraints: dict[str, list[Any]] = {**SequenceEstimator._parameter_constraints}

    def __init__(
        self,
        objective: str | Objective = "reconstruction",
        *,
        cell: str = "gru",
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.2,
        pooling: str = "mean_max",
        patch_size: int | str = "auto",
        n_kernels: int = 128,
        embedding_size: int = 64,
        embedding_init: Any = "auto",
        freeze_embedding: bool | str = "auto",
        max_length: int | None = None,
        augmentation: Any = "auto",
        strong_augmentation: Any = "auto",
        max_epochs: int = 24,
        lr: float | str = "auto",
        batch_size: int = 64,
        optimizer: Any = "adamw",
        weight_decay: float = 0.01,
        gradient_clip: float | None = 1.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        callbacks: list[Any] | None = None,
        device: str = "cpu",
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.objective = objective
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.pooling = pooling
        self.patch_size = patch_size
        self.n_kernels = n_kernels
        self.embedding_size = embedding_size
        self.embedding_init = embedding_init
        self.freeze_embedding = freeze_embedding
        self.max_length = max_length
        self.augmentation = augmentation
        self.strong_augmentation = strong_augmentation
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

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
        self._validate_params()
        return self._fit_sequences(self._read_training(X), X)

    @with_callbacks
    def _fit_sequences(self, sequences: Sequences, X: Any = None) -> RNNAutoencoderTransformer:
        callbacks = self._checked_callbacks()
        self._check_device()
        objective = self._resolve_objective()
        if self.early_stopping and objective.opponents:
            raise ValueError(
                f"early_stopping=True needs a loss that falls as the model gets better; that of "
                f"{type(objective).__name__} is a game's. Set early_stopping=False."
            )
        random = check_random_state(self.random_state)
        with self._computing():
            rows, validation = self._rows(sequences, objective, random)
            seed = draw_seed(random)
            model = self._last_model(objective, seed) if self._goes_on else self._build(sequences, objective, seed)
            rows = replace(rows, sequences=known_tokens(sequences, model.encoder))
            self._kind, self._lengths = sequences.kind, sequences.lengths
            watch = FitWatch(self, X)
            self._train(model, objective, rows, validation, draw_seed(random), watch, callbacks)
        return self

    def _rows(
        self, sequences: Sequences, objective: Objective, random: np.random.RandomState
    ) -> tuple[Rows, Rows | None]:
        codes = np.full(len(sequences), -1, dtype=np.int64)
        order, none = np.arange(len(sequences)), np.arange(0)
        if not self.early_stopping:
            return Rows(sequences, codes, None, none, order), None
        least = 2 if objective.tells_views else 1
        n = max(least, round(self.validation_fraction * len(order)))
        if n >= len(order):
            raise ValueError(f"early_stopping=True needs {least + 1} samples or more; set early_stopping=False.")
        order = random.permutation(order)
        validation = Rows(sequences, codes, None, none, np.sort(order[:n]))
        return Rows(sequences, codes, None, none, np.sort(order[n:])), validation

    @property
    def _n_features_out(self) -> int:
        return self.objective_.code_size(self.net_.module_.encoder)

    def _coder(self, model: Any) -> Callable[..., torch.Tensor]:
        return partial(self.objective_.code, model)

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
        codes = self._compute(sequences, self._coder)
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
