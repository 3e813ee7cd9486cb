"""The base of the estimators with a net: read X, build the model, train it, predict in batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._sklearn import plain
from .._warnings import warn
from ..modules import Encoder, Model
from ..objectives import Objective, from_name, objective_names
from ..objectives._base import FITTING
from ..sequences import Sequences, TrainingSet, read_sequences
from ..tasks import Targets, Task
from ..training import (
    CallbackSupportMixin,
    FitWatch,
    RecurrentNet,
    check_callbacks,
    computing,
    in_batches,
    made_callbacks,
    noting_memory,
    with_callbacks,
)
from ._augment import set_augmentations
from ._build import build_model, resumed_model
from ._options import as_option
from ._parameters import NetParameters
from ._validation import hold_out

WIDE_HIDDEN, WIDE_BATCH = 128, 256  # sizes from which on a second thread saves time
TOKENS_LR = 0.002  # that lr="auto" stands for


@dataclass(repr=False, eq=False)
class SequenceEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, NetParameters):
    """Base of the estimators: an encoder that is trained for an objective.

    A subclass has a `task_name`, makes its `Task`, and defines `fit`.
    """

    task_name: ClassVar[str]
    objective: Any = None

    @abstractmethod
    def _make_task(self) -> Task:
        """Return the task, made from the parameters."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.non_deterministic = False
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.net_.module_.encoder.out_features

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Encode sequences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        embeddings : ndarray of shape (n, n_features_out), float32
            One embedding for each sequence.
        """
        return self._compute(self._read(X), self._embedder)

    def _embedder(self, model: Any) -> Callable[..., torch.Tensor]:
        return model.embed_sequences

    @property
    def _goes_on(self) -> bool:
        """Whether `fit` starts from the weights of the last fit."""
        return bool(self.warm_start) and hasattr(self, "net_")

    def _start(self) -> Encoder | None:
        """Return the trained encoder that `fit` starts from, or None."""
        return self.net_.module_.encoder if self._goes_on else None

    def _read_training(self, X: Any) -> Sequences:
        """Read the X of `fit`, relative to the origin of the encoder that it starts from."""
        start = self._start()
        origin = None if start is None else start.input.origin.numpy()
        return read_sequences(self, X, reset=not self._goes_on, max_length=self.max_length, origin=origin)

    def _read(self, X: Any) -> Sequences:
        check_is_fitted(self, "net_")
        encoder = self.net_.module_.encoder
        origin = encoder.input.origin.numpy()
        sequences = read_sequences(self, X, reset=False, max_length=self.max_length, origin=origin)
        return self._known(sequences, encoder)

    def _known(self, sequences: Sequences, encoder: Encoder) -> Sequences:
        """Replace token ids that the encoder does not know by the unknown token."""
        return known_tokens(sequences, encoder)

    def _resolve_objective(self) -> Objective:
        """Return a checked copy of the objective; it is an error if it does not suit the estimator's task."""
        objective, fitting = self.objective, objective_names(self.task_name)
        if objective == "auto" and self._auto:
            objective = self._auto
        if isinstance(objective, str) and objective not in fitting:
            raise ValueError(f"objective={objective!r} does not fit {type(self).__name__}; choose from {fitting}.")
        objective = from_name(objective) if isinstance(objective, str) else clone(objective)
        objective.validate()
        if getattr(objective, "needs", None) is None:
            raise ValueError(
                f"{type(objective).__name__} must have `needs`, which says what it learns from: 'sequences', 'targets' "
                "or 'classes'."
            )
        if objective.needs not in FITTING[self.task_name]:
            raise ValueError(
                f"objective={objective!r} does not fit {type(self).__name__}, which is for {self.task_name}; "
                f"choose from {fitting}."
            )
        return objective

    @with_callbacks
    def _fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Check the parameters, read X, and train."""
        self._validate_params()
        callbacks = self._checked_callbacks()
        check_device(self.device)
        return self._fit_sequences(self._read_training(X), callbacks, X, y, sample_weight)

    def _fit_sequences(
        self, sequences: Sequences, callbacks: Any, X: Any = None, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Train on sequences that have been read."""
        objective, task = self._resolve_objective(), self._make_task()
        if y is not None:
            check_consistent_length(X, y)
        targets = task.read(y, len(sequences), self.net_.module_.task if self._goes_on else None, sample_weight)
        weights = self._row_weights(task, targets, sample_weight)
        random, validation = check_random_state(self.random_state), None
        training = TrainingSet(
            sequences, targets.values, weights, targets.labeled, targets.unlabeled, task.class_weights
        )
        with self._computing():
            if self.early_stopping:
                training, validation = hold_out(training, task, objective, self.validation_fraction, random)
            model = self._model(sequences, objective, task, random)
            training = replace(training, sequences=self._known(sequences, model.encoder))
            self._kind, self._lengths = sequences.kind, sequences.lengths
            self._forget(task)
            watch = FitWatch(self, X, y, sample_weight)
            self._train(model, objective, training, validation, draw_seed(random), watch, callbacks)
        self._finish(training.sequences, targets)
        return self

    def _forget(self, task: Task) -> None:
        """Delete attributes of an earlier fit, and set those that depend on the task alone."""

    def _finish(self, sequences: Sequences, targets: Targets) -> None:
        """Set attributes that depend on the trained net."""

    def _row_weights(self, task: Task, targets: Targets, sample_weight: Any) -> NDArray[np.float32] | None:
        """Return the weights (n,) of all rows, or None if all are equal."""
        return None

    def _model(self, sequences: Sequences, objective: Objective, task: Task, random: np.random.RandomState) -> Model:
        seed = draw_seed(random)
        if self._goes_on:
            return resumed_model(self, self.net_.module_, objective, task, seed)
        return build_model(self, sequences, objective, task, seed, self._pretrained(sequences, random))

    def _pretrained(self, sequences: Sequences, random: np.random.RandomState) -> Encoder | None:
        """Return a pretrained encoder, if there is one."""
        return None

    def _checked_callbacks(self) -> list[tuple[str, Any]]:
        """Return names and callbacks for the net. Each call makes new instances of classes, so `fit` calls it once."""
        made = made_callbacks(self.callbacks)
        check_callbacks(
            [callback for _, callback in made],
            validated=bool(self.early_stopping),
            labels=self.task_name not in ("representation", "next_item"),
            estimator=type(self).__name__,
        )
        return made

    def _train(
        self,
        model: Model,
        objective: Objective,
        training: TrainingSet,
        validation: TrainingSet | None,
        seed: int,
        watch: FitWatch,
        callbacks: list[tuple[str, Any]],
    ) -> None:
        """Set `net_`, `history_`, `objective_` and `n_iter_`, and train the net."""
        if validation is not None:
            validation = replace(validation, sequences=training.sequences)  # in which unknown tokens are replaced
        set_augmentations(self, model, training, self._view_options(objective))
        model.kernel_dropout = float(self._kernel_dropout(len(training.labeled)))
        self.net_ = self._make_net(model, objective, seed, callbacks, training.sequences.kind == "tokens")
        self.net_.initialize()
        self.objective_ = objective
        self.history_ = self.net_.history
        try:
            with noting_memory(self.batch_size, self.hidden_size):
                self.net_.train_on(training, validation, self.n_iter_no_change if self.early_stopping else None, watch)
        finally:
            self.history_ = self.net_.history
            self.n_iter_ = len(self.history_)
        objective.diagnose(self.history_)

    def _make_net(
        self, model: Model, objective: Objective, seed: int, callbacks: list[tuple[str, Any]], tokens: bool
    ) -> RecurrentNet:
        optimizer = as_option("optimizer", self.optimizer)
        return RecurrentNet(
            model,
            objective=objective,
            gradient_clip=optimizer.gradient_clip,
            seed=seed,
            **self._fine_tuning(),
            max_epochs=int(self.max_epochs),
            lr=(TOKENS_LR if tokens else self._numbers_lr) if self.lr == "auto" else float(plain(self.lr)),
            weight_decay=float(optimizer.weight_decay),
            batch_size=int(self.batch_size),
            optimizer=optimizer.method,
            callbacks=callbacks,
            device=str(self.device),
            verbose=int(self.verbose),
        )

    def _view_options(self, objective: Objective) -> dict[str, float]:
        """Return parameters of the default augmentations of numbers."""
        return {}

    def _fine_tuning(self) -> dict[str, Any]:
        """Return arguments of the net for the training of a pretrained encoder."""
        return {}

    def _kernel_dropout(self, n_labeled: int) -> float:
        """Return the fraction of labeled sequences whose kernel features are zeroed at each training step."""
        return 0.0

    def _computing(self) -> Any:
        """Return the settings to compute in: one thread if there is a seed, because several change the last bits."""
        wide = self.hidden_size >= WIDE_HIDDEN or self.batch_size >= WIDE_BATCH
        return computing(wide and self.random_state is None)

    def _compute(self, sequences: Sequences, part: Callable[[Any], Any], rows: NDArray | None = None) -> NDArray:
        """Apply `part(model)`, a function of values and lengths, in batches to the sequences, or to `rows` of them."""
        model = self.net_.module_
        rows = np.arange(len(sequences)) if rows is None else rows
        output: NDArray | None = None
        with self._computing(), torch.inference_mode():
            for places, values, lengths in in_batches(model, sequences, rows):
                result = part(model)(values, lengths)[: len(places)].cpu().numpy()
                if output is None:
                    output = np.empty((len(rows), *result.shape[1:]), result.dtype)
                output[places] = result
        assert output is not None
        return output


def objective_can(method: str) -> Callable[[Any], bool]:
    """Return a function for `available_if` that checks whether an estimator's objective has this method."""

    def check(estimator: Any) -> bool:
        objective = getattr(estimator, "objective_", estimator.objective)
        if isinstance(objective, str):
            objective = estimator._auto if objective == "auto" else objective
            if objective not in objective_names(estimator.task_name):
                return True  # fit will raise the error
            objective = from_name(objective)
        return hasattr(objective, method)

    return check


def known_tokens(sequences: Sequences, encoder: Encoder) -> Sequences:
    """Replace ids outside the vocabulary by the unknown token, and warn with their number."""
    n_tokens = encoder.architecture.n_tokens
    if not n_tokens or sequences.values.max() < n_tokens:
        return sequences
    unknown = sequences.values >= n_tokens
    warn(
        f"X has {unknown.sum()} token ids outside the vocabulary of {n_tokens}; they are read as the unknown token.",
    )
    return replace(sequences, values=np.where(unknown, n_tokens, sequences.values))


def check_device(device: Any) -> None:
    """Raise an error if torch cannot compute on this device."""
    if str(device).startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"device='{device}' was requested but CUDA is not available")
    try:
        torch.zeros(1, device=device).item()
    except Exception as error:  # each backend raises its own class
        raise ValueError(
            f"Choose device='cpu' or 'cuda': device='{device}' was requested but does not work here."
        ) from error


def draw_seed(random: np.random.RandomState) -> int:
    """Draw a seed for a private generator."""
    return int(random.randint(np.iinfo(np.int32).max))
