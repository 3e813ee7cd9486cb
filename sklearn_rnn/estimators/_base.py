"""The base of the estimators of sequences: read X, build the model, train it, encode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._warnings import warn
from ..modules import Encoder, Model
from ..objectives import Objective, for_several_inputs, from_name, objective_names
from ..perturbations import Light, Perturbation, Strong
from ..sequences import Sequences, SeveralInputs, TrainingSet, read_inputs, read_sequences
from ..tasks import Targets, Task
from ..training import FitWatch, Processes, one_random, with_callbacks
from ._augment import set_augmentations, set_augmentations_of_inputs
from ._build import build_model, resumed_model
from ._held_options import gaps_of
from ._net_parameters import NetParameters
from ._trained import TrainedEstimator, check_device, draw_seed
from ._validation import hold_out

NO_OFFSETS = {"offset": 0, "channel_offset": 0}  # of augmentations that shift whole sequences


@dataclass(repr=False, eq=False)
class SequenceEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, TrainedEstimator, NetParameters):
    """Base of the estimators: an encoder that is trained for an objective.

    A subclass has a `task_name`, makes its `Task`, and defines `fit`.
    """

    __metadata_request__transform = {"out": UNUSED}
    objective: Any = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = bool(self.gaps)
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.non_deterministic = False
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.net_.module_.encoder.out_features

    def transform(self, X: Any, out: Any = None) -> NDArray[np.float32]:
        """Encode sequences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        out : array of shape (n, n_features_out), default=None
            Filled and returned; an array of floats of numpy, zarr, HDF5 or the like. By default a new array.

        Returns
        -------
        embeddings : ndarray of shape (n, n_features_out), float32
            One embedding for each sequence.
        """
        return self._compute(self._read(X), self._embedder, out=out)

    def _embedder(self, model: Any) -> Callable[..., torch.Tensor]:
        return model.embed_sequences

    def _start(self) -> Encoder | None:
        """Return the trained encoder that `fit` starts from, or None."""
        return self.net_.module_.encoder if self._goes_on else None

    def _read_training(self, X: Any) -> Sequences:
        """Read the X of `fit`, relative to the origin of the encoder that it starts from."""
        given: Any = deepcopy((getattr(self, "inputs", None), getattr(gaps_of(self), "times", None)))
        last = getattr(self, "_given", given)
        if self._goes_on and given != last:
            raise ValueError(
                f"warm_start=True needs the inputs and Gaps.times of the last fit, {last}, but got {given}."
            )
        self._given: Any = given
        return self._read_any(X, not self._goes_on, self._start())

    def _read_any(self, X: Any, reset: bool, encoder: Any) -> Any:
        """Read X, of one input or several, relative to the origins of an encoder."""
        origins = None if encoder is None else [part.input.origin.numpy() for part in encoder.each]
        option = gaps_of(self)
        gaps, times = option is not None, getattr(option, "times", None)
        if not reset:  # as in the fit that made the encoder
            parts = [part.architecture for part in encoder.each]
            gaps = any(getattr(a, "gaps", False) for a in parts)
            times = None if len(parts) > 1 or parts[0].time_column < 0 else parts[0].time_column
        if not self._several_inputs:
            origin = None if origins is None else origins[0]
            return read_sequences(
                self, X, reset=reset, max_length=self.max_length, gaps=gaps, origin=origin, times=times
            )
        return read_inputs(
            self,
            X,
            reset=reset,
            max_length=self.max_length,
            gaps=gaps,
            origins=origins,
            groups=getattr(self, "inputs", None),
            times=times,
        )

    def _read(self, X: Any) -> Sequences:
        check_is_fitted(self, "net_")
        encoder = self.net_.module_.encoder
        return self._known(self._read_any(X, False, encoder), encoder)

    def _known(self, sequences: Any, encoder: Any) -> Any:
        """Replace token ids that the encoder does not know by the unknown token."""
        if not isinstance(sequences, SeveralInputs):
            return known_tokens(sequences, encoder)
        encoders = dict(zip(sequences.inputs, encoder.each, strict=True))
        return sequences.mapped(lambda name, of_input: known_tokens(of_input, encoders[name]))

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
        if not objective.fits(self.task_name):
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
        if isinstance(sequences, SeveralInputs):
            objective = for_several_inputs(objective, type(self).__name__, self.task_name)
        if y is not None:
            check_consistent_length(sequences if isinstance(X, Mapping) else X, y)
        last = self.net_.module_.task if self._goes_on else None
        targets = task.read(y, sequences.lengths if task.by_step else len(sequences), last, sample_weight)
        weights = self._row_weights(task, targets, sample_weight)
        random, validation = one_random(check_random_state(self.random_state)), None
        training = TrainingSet(
            sequences, targets.values, weights, targets.labeled, targets.unlabeled, task.class_weights, task.by_step
        )
        with self._computing():
            if self.early_stopping:
                training, validation = hold_out(training, task, objective, self.validation_fraction, random)
            model = self._model(sequences, objective, task, random)
            training = replace(training, sequences=self._known(sequences, model.encoder))
            self._kind, self._lengths = sequences.kind, sequences.lengths
            if isinstance(sequences, SeveralInputs):
                self._longest = sequences.longest
            self._forget(task)
            watch = FitWatch(self, X, y, sample_weight)
            self._train(model, objective, training, validation, draw_seed(random), watch, callbacks)
        with Processes.found(self.device).sharing():
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

    def _prepare(self, model: Model, objective: Objective, training: TrainingSet) -> None:
        if isinstance(training.sequences, SeveralInputs):
            set_augmentations_of_inputs(self, model, training, partial(self._views_of_inputs, objective))
        else:
            set_augmentations(self, model, training, *self._views(objective, training.sequences.n_features))
        option = gaps_of(self)
        model.hidden_share = 0.0 if option is None else float(option.hide)
        model.kernel_dropout = float(self._kernel_dropout(len(training.labeled)))

    def _views_of_inputs(self, objective: Objective, n_features: int) -> tuple[Perturbation, Perturbation]:
        """Return the default augmentations of one of several inputs: no offsets, because its level may count."""
        light, strong = self._views(objective, n_features)
        return light.set_params(**NO_OFFSETS), strong.set_params(**NO_OFFSETS)

    def _views(self, objective: Objective, n_features: int) -> tuple[Perturbation, Perturbation]:
        """Return the default augmentations of numbers: light ones, and strong ones."""
        options = self._view_options(objective)
        return Light(**options), Strong(**(self._strong if n_features == 1 else {}) | options)

    def _view_options(self, objective: Objective) -> dict[str, float]:
        """Return parameters of the default augmentations of numbers."""
        return {}

    def _kernel_dropout(self, n_labeled: int) -> float:
        """Return the fraction of labeled sequences whose kernel features are zeroed at each training step."""
        return 0.0


def known_tokens(sequences: Sequences, encoder: Encoder) -> Sequences:
    """Replace ids outside the vocabulary by the unknown token, and warn with their number."""
    n_tokens = getattr(encoder.architecture, "n_tokens", 0)
    if not n_tokens or sequences.ids.max() < n_tokens:
        return sequences
    if encoder.architecture.n_parts:  # of words, which the vocabulary has numbered
        if sequences.ids.max() == n_tokens:
            return sequences
        values = sequences.values.copy()
        values[:, 0] = np.minimum(values[:, 0], n_tokens)  # which cut sequences, in pretraining, may not have had
        return replace(sequences, values=values)
    unknown = sequences.values >= n_tokens
    warn(
        f"X has {unknown.sum()} token ids outside the vocabulary of {n_tokens}; they are read as the unknown token.",
    )
    return replace(sequences, values=np.where(unknown, n_tokens, sequences.values))
