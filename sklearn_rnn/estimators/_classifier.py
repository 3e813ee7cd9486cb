"""Classification of sequences from few labels."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._sklearn import FRACTION, MARKER, POSITIVE, SHARE, StrOptions, _check_sample_weight
from .._state import all_or_nothing
from ..modules import Encoder
from ..objectives import Objective, objective_names
from ..sequences import Rows, Sequences
from ..tasks import Labels, class_codes, read_labels, read_target
from ..training import FitWatch, with_callbacks
from ._autoencoder import RNNAutoencoderTransformer
from ._base import ARCHITECTURE, SequenceEstimator, draw_seed, known_tokens, objective_can, split_validation
from ._generation import checked_ends, generate

OFFSET, CHANNEL_OFFSET = 2, 0.2  # of whole sequences in training, where their levels do not tell their class
SHARED = tuple(name for name in RNNAutoencoderTransformer._parameter_constraints if name != "objective")


class SemiSupervisedRNNClassifier(ClassifierMixin, SequenceEstimator):
    """Recurrent classifier of sequences that learns from unlabeled ones too.

    Parameters
    ----------
    objective : str or Objective, default="auto"
        What is minimised: a name such as `"supervised"`, or an instance from
        `sklearn_rnn.objectives`, which is cloned. `"auto"` is `FixMatch()`.
    pretraining : str, Objective, RNNAutoencoderTransformer, FrozenEstimator or None, default=None
        Unsupervised training of the encoder before: an objective of the autoencoder, trained on all
        of X with this estimator's parameters; an unfitted `RNNAutoencoderTransformer`, cloned and
        fitted on all of X; or ``FrozenEstimator(fitted)``, whose weights are copied.
    freeze : float, default=0
        Share of training, from its beginning, for which a pretrained encoder keeps its weights and
        the head alone is trained; 1 for all of it.
    gradual_unfreezing : bool, default=False
        Whether the encoder's layers are trained again one after the other, the last first, at equal
        intervals within that share (Howard and Ruder 2018), rather than all at its end.
    encoder_lr_factor : float, default=0.5
        Learning rate of a pretrained encoder, as a factor of `lr` (Dai and Le 2015).
    missing_label : int, float, str, None or nan, default=-1
        Marks the unlabeled rows of y. None, NaN and `pandas.NA` are one marker, and in a numpy array of
        strings so is `'nan'`, which numpy makes of NaN. There is a warning if -1 may be a class: if
        the labels are of one class, or some are negative, or they are 0 and 1 and -1 (in five rows at
        least) is as frequent as 1: up to a factor of 1.5 for floats, as `numpy.sign` gives them, and of 1.1
        for integers, where -1 must also not be more frequent than 0.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss of the labeled rows, and of those that `SelfTraining` labels.
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
    kernel_dropout : float or "auto", default="auto"
        Share of the labeled sequences that do without the random convolutions in a step of training.
        `"auto"` is 50 sequences' share of those that have a label in `fit`, at most 0.5: many labels
        need none.
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
    classes_ : ndarray of shape (n_classes,)
        Classes, without the marker and in the dtype that they have without it: strings of an object array
        or a pandas column are objects.
    transduction_ : ndarray of shape (n,)
        Labels of the training rows, predicted where they were missing.
    label_distributions_ : ndarray of shape (n, n_classes)
        Class probabilities of the training rows; 0 and 1 where they were labeled.
    n_features_in_ : int
        Features per step; steps for 2-D input.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where X had any.
    n_iter_ : int
        Epochs trained.
    history_ : skorch.history.History
        Loss terms of each epoch, and what tells how training went, as means over the unlabeled rows of
        the epoch: `class_share`, the share that the net gives to each class; `class_entropy`, its
        entropy, 1 for even classes and 0 for one; `confident`, the share that passes the threshold (in
        `SoftMatch` the mean weight); `agreement`, the share that student and teacher, or two views,
        give the same class. Each is there where the objective has it.
    objective_ : Objective
        The copy that was trained.
    net_ : skorch.NeuralNet
        The net; its `module_` is the torch model.

    Raises
    ------
    ValueError
        X or y is not what it should be; the message says what to do.
    FloatingPointError
        The loss is not finite; `net_` keeps the best weights so far. Before an epoch has ended, the estimator
        stays as it was before `fit`. The same holds if `fit` is interrupted (Ctrl-C).

    Warns
    -----
    ConvergenceWarning
        Only the labels trained the net, or it ends with one class for all unlabeled rows; the message
        says which parameter to change.

    References
    ----------
    Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Dempster, Petitjean and Webb (2020), "ROCKET: exceptionally fast and accurate time series
    classification using random convolutional kernels", Data Mining and Knowledge Discovery.

    Howard and Ruder (2018), "Universal language model fine-tuning for text classification", ACL.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2
    >>> X = rng.normal(size=(60, 12, 1)) + 2 * y[:, None, None]
    >>> partly = np.where(np.arange(60) < 8, y, -1)
    >>> clf = SemiSupervisedRNNClassifier(hidden_size=8, max_epochs=4, random_state=0).fit(X, partly)
    >>> clf.score(X, y) > 0.9
    True
    """

    __metadata_request__fit = {"sample_weight": True}
    __metadata_request__score = {"sample_weight": True}
    _task = "classification"
    _auto = "fixmatch"
    _parameter_constraints: dict[str, list[Any]] = {
        **SequenceEstimator._parameter_constraints,
        "pretraining": [str, Objective, RNNAutoencoderTransformer, FrozenEstimator, None],
        "freeze": FRACTION,
        "gradual_unfreezing": ["boolean"],
        "encoder_lr_factor": POSITIVE,
        "kernel_dropout": [*SHARE, StrOptions({"auto"})],
        "missing_label": MARKER,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        objective: str | Objective = "auto",
        *,
        pretraining: Any = None,
        freeze: float = 0,
        gradual_unfreezing: bool = False,
        encoder_lr_factor: float = 0.5,
        missing_label: Any = -1,
        class_weight: Any = None,
        cell: str = "gru",
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.2,
        pooling: str = "mean_max",
        patch_size: int | str = "auto",
        n_kernels: int = 128,
        kernel_dropout: float | str = "auto",
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
        self.pretraining = pretraining
        self.freeze = freeze
        self.gradual_unfreezing = gradual_unfreezing
        self.encoder_lr_factor = encoder_lr_factor
        self.missing_label = missing_label
        self.class_weight = class_weight
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.pooling = pooling
        self.patch_size = patch_size
        self.n_kernels = n_kernels
        self.kernel_dropout = kernel_dropout
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
    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SemiSupervisedRNNClassifier:
        """Learn from all sequences and the labels of some.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F), (T_i,) or token id arrays
            Sequences.
        y : array-like of shape (n,)
            Labels; `missing_label` where unknown.
        sample_weight : array-like of shape (n,), default=None
            Weights of the labeled rows; of others from when `SelfTraining` labels them.

        Returns
        -------
        self : SemiSupervisedRNNClassifier
        """
        self._validate_params()
        callbacks = self._checked_callbacks()
        self._check_device()
        sequences = self._read_training(X)
        objective = self._resolve_objective()
        check_consistent_length(X, y)
        labels = read_labels(y, self.missing_label, type(self).__name__)
        class_weights = self._class_weights(labels)
        weights = self._weights(labels, sample_weight, class_weights)
        random = check_random_state(self.random_state)
        with self._computing():
            rows, validation = self._rows(sequences, labels, weights, random)
            model = self._model(sequences, labels, objective, random)
            sequences = known_tokens(sequences, model.encoder)
            rows = replace(rows, sequences=sequences, class_weights=class_weights)
            self.classes_ = labels.classes
            self._lengths = sequences.lengths
            watch = FitWatch(self, X, y, sample_weight)
            for name in ("transduction_", "label_distributions_"):  # of a former fit
                self.__dict__.pop(name, None)
            self._train(model, objective, rows, validation, draw_seed(random), watch, callbacks)
        self._transduce(sequences, labels)
        return self

    def _class_weights(self, labels: Labels) -> NDArray | None:
        if self.class_weight is None:
            return None
        y = labels.classes[labels.codes[labels.labeled]]
        weights = compute_class_weight(self.class_weight, classes=labels.classes, y=y)
        for label, weight in zip(labels.classes.tolist(), weights.tolist(), strict=True):
            if not 0 <= weight < np.inf:
                raise ValueError(
                    f"class_weight must be finite and not negative, but is {weight} for the class {label!r}."
                )
        return weights

    def _weights(self, labels: Labels, sample_weight: Any, class_weights: NDArray | None) -> NDArray[np.float32] | None:
        """Weights of all rows, 1 on average over the labeled ones; `class_weights` are in those alone."""
        if sample_weight is None and class_weights is None:
            return None
        weights = _check_sample_weight(sample_weight, labels.codes, dtype=np.float64, copy=True)
        known = labels.codes[labels.labeled]
        if class_weights is not None:
            weights[labels.labeled] *= class_weights[known]
        total = weights[labels.labeled].sum()
        if not total > 0:
            raise ValueError("sample_weight must have a positive sum over the labeled samples.")
        return (weights * (len(known) / total)).astype(np.float32)

    def _rows(
        self, sequences: Sequences, labels: Labels, weights: NDArray | None, random: np.random.RandomState
    ) -> tuple[Rows, Rows | None]:
        labeled, unlabeled, validation = labels.labeled, np.flatnonzero(labels.codes < 0), None
        if self.early_stopping:
            counting = labeled if weights is None else labeled[weights[labeled] > 0]
            held_out = split_validation(counting, labels.codes, self.validation_fraction, random)
            validation = Rows(sequences, labels.codes, weights, held_out, unlabeled[:0])
            labeled = np.setdiff1d(labeled, held_out)
        return Rows(sequences, labels.codes, weights, labeled, unlabeled), validation

    def _model(self, sequences: Sequences, labels: Labels, objective: Objective, random: np.random.RandomState) -> Any:
        seed = draw_seed(random)
        if self._goes_on:
            if not np.array_equal(self.classes_, labels.classes):
                raise ValueError(
                    f"warm_start=True needs the classes of the last fit, {self.classes_}, got {labels.classes}."
                )
            return self._last_model(objective, seed)
        encoder = None if self.pretraining is None else self._pretrain(sequences, random)
        return self._build(sequences, objective, seed, encoder, len(labels.classes))

    def _start(self) -> Any:
        pretrained = self.pretraining.estimator if isinstance(self.pretraining, FrozenEstimator) else None
        return super()._start() or (pretrained if hasattr(pretrained, "net_") else None)

    def _pretrain(self, sequences: Sequences, random: np.random.RandomState) -> Encoder:
        """Encoder of the fitted `pretraining`."""
        transformer = self.pretraining
        if isinstance(transformer, FrozenEstimator):
            transformer = clone(transformer).estimator
            if not isinstance(transformer, RNNAutoencoderTransformer) or not hasattr(transformer, "net_"):
                raise ValueError("pretraining=FrozenEstimator(...) must hold a fitted RNNAutoencoderTransformer.")
            self._check_alike(transformer)
            if (transformer._kind, transformer.n_features_in_) != (self._kind, self.n_features_in_):
                raise ValueError(
                    f"pretraining was fitted on {transformer._kind} with {transformer.n_features_in_} features, "
                    f"but X is {self._kind} with {self.n_features_in_}."
                )
            return deepcopy(transformer.net_.module_.encoder)
        if isinstance(transformer, RNNAutoencoderTransformer):
            transformer = clone(transformer)
            self._check_alike(transformer)
            if transformer.random_state is None:
                transformer.random_state = draw_seed(random)
        else:
            names = objective_names("representation")
            if isinstance(transformer, str) and transformer not in names:
                raise ValueError(f"pretraining={transformer!r} is no objective without labels; choose from {names}.")
            shared = {name: getattr(self, name) for name in SHARED}
            shared.update(random_state=draw_seed(random), warm_start=False, callbacks=None)
            transformer = RNNAutoencoderTransformer(transformer, **shared)
        transformer._validate_params()
        return transformer._fit_sequences(sequences.cut(transformer.max_length)).net_.module_.encoder

    def _check_alike(self, transformer: RNNAutoencoderTransformer) -> None:
        for name in ARCHITECTURE:
            mine, theirs = getattr(self, name), getattr(transformer, name)
            if mine != theirs:
                raise ValueError(
                    f"pretraining has {name}={theirs!r}, but {type(self).__name__} has {name}={mine!r}; "
                    "its encoder becomes the classifier's, so set them alike."
                )

    def _fine_tuning(self) -> dict[str, Any]:
        names = () if self.pretraining is None else ("freeze", "gradual_unfreezing", "encoder_lr_factor")
        return {name: getattr(self, name) for name in names}

    def _kernel_dropout(self, n_labeled: int) -> float:
        return min(0.5, 50 / n_labeled) if isinstance(self.kernel_dropout, str) else self.kernel_dropout

    def _offset(self, objective: Objective) -> dict[str, float]:
        return {} if objective.keeps_levels else {"offset": OFFSET, "channel_offset": CHANNEL_OFFSET}

    def _transduce(self, sequences: Sequences, labels: Labels) -> None:
        distributions = np.eye(len(labels.classes), dtype=np.float32)[labels.codes]
        unlabeled = np.flatnonzero(labels.codes < 0)
        if len(unlabeled):
            distributions[unlabeled] = self._compute(sequences, lambda model: model, unlabeled)
        self.label_distributions_ = distributions
        self.transduction_ = self.classes_[distributions.argmax(1)]

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Class probabilities.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes), float32
        """
        return self._compute(self._read(X), lambda model: model)

    def predict(self, X: Any) -> NDArray:
        """Most probable classes.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n,)
        """
        codes = self.predict_proba(X).argmax(1)
        return self.classes_[codes]

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Codes that the head classifies; the same as `transform`.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        codes : ndarray of shape (n, n_codes), float32
        """
        return self.transform(X)

    @available_if(objective_can("sample"))
    def sample(self, n_samples: int = 1, y: Any = None, lengths: Any = None, random_state: Any = None) -> Any:
        """Draw new sequences of given classes.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        y : array-like of shape (n_samples,), or a class, default=None
            Class of each, or of all; by default drawn as often as among `transduction_`.
        lengths : array-like of shape (n_samples,), default=None
            Steps of each; by default drawn from the lengths of the training rows of its class.
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
            `n_samples` is less than 1, `y` has a class that was not in `fit`, `y` or `lengths` are not one
            for each sample, or `lengths` are not integers, at least 1.
        """
        check_is_fitted(self, "label_distributions_")  # which a fit that was interrupted lacks
        rows = np.arange(check_scalar(n_samples, "n_samples", Integral, min_val=1))
        random, seen = check_random_state(random_state), self.label_distributions_.argmax(1)
        if y is None:
            codes = random.choice(seen, n_samples)
        else:
            codes = class_codes(np.full(n_samples, y) if np.ndim(y) == 0 else y, self.classes_)
        check_consistent_length(rows, codes)
        if lengths is None:
            lengths = [random.choice(self._lengths[seen == code]) for code in codes]
        return generate(self, codes, checked_ends(lengths, codes), random)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy on the labeled rows.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        y : array-like of shape (n,)
            True labels; rows with `missing_label` do not count.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            No row is labeled.
        """
        target = read_target(y, self.missing_label, type(self).__name__)
        predicted, labeled = self.predict(X), target.labeled
        check_consistent_length(predicted, target.values, sample_weight)
        weight = None if sample_weight is None else np.asarray(sample_weight)[labeled]
        return float(accuracy_score(target.known, predicted[labeled], sample_weight=weight))
