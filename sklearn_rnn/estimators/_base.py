"""What the estimators share: parameters, seeding, building, training, prediction in batches."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._sklearn import (
    COUNT,
    COUNT_OR_ZERO,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Interval,
    InvalidParameterError,
    StrOptions,
    plain,
)
from .._state import PicklableEstimator
from .._warnings import warn
from ..modules import (
    CELLS,
    POOLINGS,
    Architecture,
    Encoder,
    Model,
    NumberInput,
    TokenInput,
    auto_patch_size,
    initialise,
)
from ..objectives import Objective, Task, from_name, objective_names
from ..perturbations import Light, Perturbation, StepDrop, Strong
from ..perturbations._base import Levels, Steps
from ..sequences import Rows, Sequences, read_sequences
from ..training import (
    OPTIMIZERS,
    CallbackSupportMixin,
    FitWatch,
    RecurrentNet,
    callback_params,
    check_callbacks,
    computing,
    copied_callbacks,
    in_batches,
    made_callbacks,
    set_callback_params,
)
from ._advice import advice_for, check_arguments, example_of
from ._token_vectors import cooccurrence_vectors, frequencies, given_shape, given_vectors

WIDE_HIDDEN, WIDE_BATCH = 128, 256  # from here on a second thread pays
MAX_TOKENS, SPARSE = 1_000_000, 100  # a vocabulary above the first has at most so many ids for each one that is used
LONG = 50  # median lengths, from which on a single sequence may take most of the time
NUMBERS_LR, TOKENS_LR = 0.008, 0.002  # of lr="auto"
SCALE_STEPS, SCALE_BLOCKS = 1 << 16, 8  # on which the random kernels are brought to scale, and where these lie
SCALE_LENGTH = 4  # of a sequence there, in median lengths
LEVEL_ROWS = 1000  # by which it is measured how far the means of sequences lie apart
OUT_OF_MEMORY = "allocate memory"
ARCHITECTURE = (
    "cell",
    "hidden_size",
    "num_layers",
    "bidirectional",
    "pooling",
    "patch_size",
    "n_kernels",
    "embedding_size",
)


class SequenceEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin, PicklableEstimator):
    """Base of the estimators: an encoder trained for an objective."""

    _task: Task
    callbacks: Any
    _auto = ""  # name that objective="auto" stands for
    _parameter_constraints: dict[str, list[Any]] = {
        "objective": [str, Objective],
        "cell": [StrOptions(set(CELLS))],
        "hidden_size": COUNT,
        "num_layers": COUNT,
        "bidirectional": ["boolean"],
        "dropout": SHARE,
        "pooling": [StrOptions(set(POOLINGS))],
        "patch_size": [StrOptions({"auto"}), *COUNT],
        "n_kernels": COUNT_OR_ZERO,
        "embedding_size": COUNT,
        "embedding_init": [StrOptions({"auto", "cooccurrence", "random"}), "array-like"],
        "freeze_embedding": [StrOptions({"auto"}), "boolean"],
        "max_length": [*COUNT, None],
        "augmentation": [StrOptions({"auto"}), callable, None],
        "strong_augmentation": [StrOptions({"auto"}), callable, None],
        "max_epochs": COUNT,
        "lr": [StrOptions({"auto"}), *POSITIVE],
        "batch_size": COUNT,
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "weight_decay": NOT_NEGATIVE,
        "gradient_clip": [*POSITIVE, None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": COUNT,
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

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
        codes : ndarray of shape (n, n_codes), float32
            One code for each sequence.
        """
        return self._compute(self._read(X), self._coder)

    def _coder(self, model: Any) -> Callable[..., torch.Tensor]:
        return model.code

    @property
    def _goes_on(self) -> bool:
        """Whether `fit` starts from the weights of the last one."""
        return bool(self.warm_start) and hasattr(self, "net_")

    def _start(self) -> Any:
        """Return the fitted estimator from whose encoder `fit` starts, or None."""
        return self if self._goes_on else None

    def _read_training(self, X: Any) -> Sequences:
        """Read the X of `fit`, relative to the origin of the encoder that it starts from."""
        start = self._start()
        origin = None if start is None else origin_of(start)
        return read_sequences(self, X, reset=not self._goes_on, max_length=self.max_length, origin=origin)

    def _read(self, X: Any) -> Sequences:
        check_is_fitted(self, "net_")
        sequences = read_sequences(self, X, reset=False, max_length=self.max_length, origin=origin_of(self))
        return known_tokens(sequences, self.net_.module_.encoder)

    def __sklearn_clone__(self) -> Any:
        """Clone as scikit-learn does; callbacks may hold what cannot be copied, which is then shared."""
        bare = type(self).__new__(type(self))
        bare.__dict__.update(vars(self), callbacks=None)
        cloned = super(SequenceEstimator, bare).__sklearn_clone__()
        cloned.callbacks = copied_callbacks(self.callbacks)
        return cloned

    def _validate_params(self) -> None:
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            parameter = str(error).split("'")[1]  # "The 'objective' parameter of ..."
            advice = advice_for(parameter, getattr(self, parameter, None))
            raise InvalidParameterError(f"{error}{advice}") if advice else error from None

    def _checked_callbacks(self) -> list[tuple[str, Any]]:
        """Names and callbacks for a net, of which `fit` asks before anything else, as each call makes new ones."""
        made = made_callbacks(self.callbacks)
        check_callbacks(
            [callback for _, callback in made],
            validated=bool(self.early_stopping),
            classes=self._task == "classification",
            estimator=type(self).__name__,
        )
        return made

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get parameters, also of objects among them, as ``objective__weight`` and ``callbacks__name__patience``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to get those of objects too.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = super().get_params(deep)
        return params | callback_params(self.callbacks) if deep else params

    def set_params(self, **params: Any) -> Any:
        """Set parameters, also of objects among them, as ``objective__weight`` and ``callbacks__name__patience``.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : estimator
        """
        nested = {name: params.pop(name) for name in list(params) if name.startswith("callbacks__")}
        for name in params:
            first, _, rest = name.partition("__")
            value = params.get(first, getattr(self, first, None))
            if rest and isinstance(value, str):
                raise ValueError(
                    f"{name} sets a parameter of {'an' if first[0] in 'aeiou' else 'a'} {first} object, but "
                    f"{first}={value!r} is a name. Pass an object{example_of(first, value, self._auto)}."
                )
        super().set_params(**params)
        if nested:
            by_name = {name.partition("__")[2]: value for name, value in nested.items()}
            self.callbacks = set_callback_params(self.callbacks, by_name)
        return self

    def _resolve_objective(self) -> Objective:
        """Return a checked copy of the objective, which must fit the estimator's task."""
        objective, fitting = self.objective, objective_names(self._task)
        if objective == "auto" and self._auto:
            objective = self._auto
        if isinstance(objective, str) and objective not in fitting:
            raise ValueError(f"objective={objective!r} does not fit {type(self).__name__}; choose from {fitting}.")
        objective = from_name(objective) if isinstance(objective, str) else clone(objective)
        if objective.task != self._task:
            raise ValueError(
                f"objective={objective!r} does not fit {type(self).__name__}, which is for {self._task}; "
                f"choose from {fitting}."
            )
        objective.validate()
        return objective

    def _architecture(self, sequences: Sequences) -> Architecture:
        patch_size, median, longest = self.patch_size, float(np.median(sequences.lengths)), int(sequences.lengths.max())
        if patch_size == "auto":
            patch_size = auto_patch_size(median, sequences.kind == "tokens")
            total = self.batch_size * longest  # of a batch with the longest
            if self.max_length is None and longest > LONG * median and total > sequences.lengths.sum():
                warn(
                    f"The longest of {len(sequences)} sequences has {longest} steps, the median {median:g}, to which "
                    "patch_size is fitted; long ones may take most of the time. Set max_length or patch_size."
                )
        n_tokens, embedding_size = 0, self.embedding_size
        if sequences.kind == "tokens":
            n_tokens = int(sequences.values.max()) + 1
            many = n_tokens > MAX_TOKENS and isinstance(self.embedding_init, str)
            if many and n_tokens > SPARSE * (n_seen := len(np.unique(sequences.values))):
                raise ValueError(
                    f"X has token ids up to {n_tokens - 1}, but only {n_seen} different ones, and each id up to the "
                    "largest gets a vector. Number them from 0, or pass floats where they are values."
                )
            if not isinstance(self.embedding_init, str):
                n_tokens, embedding_size = given_shape(self.embedding_init, n_tokens)
        return Architecture(
            n_features=sequences.n_features,
            n_tokens=n_tokens,
            cell=self.cell,
            hidden_size=int(self.hidden_size),
            num_layers=int(self.num_layers),
            bidirectional=bool(self.bidirectional),
            dropout=float(self.dropout),
            pooling=self.pooling,
            patch_size=int(patch_size),
            n_kernels=int(self.n_kernels),
            embedding_size=int(embedding_size),
        )

    def _build(
        self, sequences: Sequences, objective: Objective, seed: int, encoder: Encoder | None = None, n_classes: int = 0
    ) -> Model:
        """Return a model with fresh weights, but for the `encoder` where one is given."""
        generator, given = torch.Generator().manual_seed(seed), encoder is not None
        if encoder is None:
            encoder = Encoder(self._architecture(sequences))
            initialise(encoder, generator)
        model = Model(encoder, n_classes=n_classes, parts=objective.parts(encoder, n_classes))
        if model.head is not None:
            initialise(model.head, generator)
        if given:
            encoder.set_dropout(float(self.dropout))
            self._freeze(encoder, encoder.input.frozen)
        elif isinstance(encoder.input, TokenInput):
            self._set_vectors(encoder, sequences, generator)
        elif isinstance(encoder.input, NumberInput):
            origin = None if sequences.origin is None else torch.from_numpy(sequences.origin)
            mean, deviation, change = (torch.from_numpy(moment).float() for moment in sequences.moments())
            encoder.input.standardise(mean, deviation, change, origin)
            if encoder.input.kernels is not None:
                encoder.input.scale_kernels(*some_steps(sequences))
        initialise(model.parts, generator)  # last, so that no other draw hangs on the objective
        return model

    def _set_vectors(self, encoder: Encoder, sequences: Sequences, generator: torch.Generator) -> None:
        """Start the vectors of tokens, which are drawn already, as `embedding_init` says."""
        assert isinstance(encoder.input, TokenInput)
        a, init, vectors = encoder.architecture, self.embedding_init, None
        if not isinstance(init, str):
            vectors = given_vectors(init)
        elif init == "cooccurrence" or (init == "auto" and a.n_tokens > a.embedding_size):
            vectors = cooccurrence_vectors(sequences, a.n_tokens, a.embedding_size, generator)
        encoder.input.set_vectors(vectors, frequencies(sequences, a.n_tokens))
        self._freeze(encoder, vectors is not None)

    def _freeze(self, encoder: Encoder, auto: bool) -> None:
        """Freeze or train the vectors of tokens, as `freeze_embedding` says, or else as `auto` does."""
        encoder.input.freeze(auto if self.freeze_embedding == "auto" else bool(self.freeze_embedding))

    def _last_model(self, objective: Objective, seed: int) -> Model:
        """Return a copy of the last fit's model to go on with, which must be as the parameters say now.

        Parts of the objective are kept where they have the names and shapes of the last, else drawn anew.
        """
        model = deepcopy(self.net_.module_)  # the last fit stays as it is until this one has learned
        for name in ARCHITECTURE:
            mine, last = getattr(self, name), getattr(model.encoder.architecture, name)
            given = name == "embedding_size" and not isinstance(self.embedding_init, str)
            if mine not in (last, "auto") and not given:
                raise ValueError(f"warm_start=True goes on with {name}={last!r} of the last fit, got {name}={mine!r}.")
        model.encoder.set_dropout(float(self.dropout))
        self._freeze(model.encoder, model.encoder.input.frozen)
        n_classes = 0 if model.head is None else model.head.out_features
        parts = nn.ModuleDict(objective.parts(model.encoder, n_classes))
        if _shapes(parts) != _shapes(model.parts):
            initialise(parts, torch.Generator().manual_seed(seed))
            model.parts = parts.to(next(model.parameters()).device)
        return model

    def _train(
        self,
        model: Model,
        objective: Objective,
        training: Rows,
        validation: Rows | None,
        seed: int,
        watch: FitWatch,
        callbacks: list[tuple[str, Any]],
    ) -> None:
        """Set `net_`, `history_`, `objective_` and `n_iter_`, and train."""
        if validation is not None:
            validation = replace(validation, sequences=training.sequences)  # with tokens that the model knows
        tokens = training.sequences.kind == "tokens"
        self._augment(model, objective, training)
        model.kernel_dropout = float(self._kernel_dropout(len(training.labeled)))
        self.net_ = RecurrentNet(
            model,
            objective=objective,
            gradient_clip=plain(self.gradient_clip),
            seed=seed,
            **{name: plain(value) for name, value in self._fine_tuning().items()},
            max_epochs=int(self.max_epochs),
            lr=(TOKENS_LR if tokens else NUMBERS_LR) if self.lr == "auto" else float(self.lr),
            weight_decay=float(self.weight_decay),
            batch_size=int(self.batch_size),
            optimizer=self.optimizer,
            callbacks=callbacks,
            device=str(self.device),
            verbose=int(self.verbose),
        )
        self.net_.initialize()
        self.objective_ = objective
        self.history_ = self.net_.history
        try:
            self.net_.train_on(training, validation, self.n_iter_no_change if self.early_stopping else None, watch)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not _out_of_memory(error):
                raise
            kind = MemoryError if isinstance(error, MemoryError) else type(error)  # numpy's takes no message
            raise kind(
                f"{error}\nOut of memory with batch_size={self.batch_size} and hidden_size={self.hidden_size}: "
                "lower one of them, set max_length, or raise patch_size."
            ) from error
        finally:
            self.history_ = self.net_.history
            self.n_iter_ = len(self.history_)
        objective.diagnose(self.history_)

    def _augment(self, model: Model, objective: Objective, training: Rows) -> None:
        """Say how the model perturbs what it sees in training."""
        numbers = training.sequences.kind != "tokens"
        offset = self._offset(objective)
        light, strong = (Light(**offset), Strong(**offset)) if numbers else (StepDrop(0.2), StepDrop(0.4))
        model.augmentation = checked(self.augmentation, light, "augmentation")
        model.strong_augmentation = checked(self.strong_augmentation, strong, "strong_augmentation")
        model.unchecked = {"augmentation", "strong_augmentation"}
        both = [a for a in (model.augmentation, model.strong_augmentation) if isinstance(a, Perturbation)]
        if numbers and any(augmentation.uses_levels for augmentation in both):
            levels = levels_of(training, model).to(torch.device(self.device))
            for augmentation in both:
                augmentation.levels_ = levels

    def _offset(self, objective: Objective) -> dict[str, float]:
        """Parameters of the default augmentation of numbers that tell how far it offsets whole sequences."""
        return {}

    def _fine_tuning(self) -> dict[str, Any]:
        """How the net trains an encoder that was trained before."""
        return {}

    def _kernel_dropout(self, n_labeled: int) -> float:
        """Share of `n_labeled` sequences that do without the random kernels in a step of training."""
        return 0.0

    def _check_device(self) -> None:
        if str(self.device).startswith("cuda") and not torch.cuda.is_available():
            raise ValueError(f"device='{self.device}' was requested but CUDA is not available")
        try:
            torch.zeros(1, device=self.device).item()
        except Exception as error:  # each backend has its own
            raise ValueError(
                f"Choose device='cpu' or 'cuda': device='{self.device}' was requested but does not work here."
            ) from error

    def _computing(self) -> Any:
        """Settings to compute in; a second thread changes sums in their last bit, so that a seed has one."""
        wide = self.hidden_size >= WIDE_HIDDEN or self.batch_size >= WIDE_BATCH
        return computing(wide and self.random_state is None)

    def _compute(self, sequences: Sequences, part: Callable[[Any], Any], only: NDArray | None = None) -> NDArray:
        """Apply `part(model)`, a function of values and lengths, to the sequences in batches."""
        model = self.net_.module_
        rows = np.arange(len(sequences)) if only is None else only
        output: NDArray | None = None
        with self._computing(), torch.inference_mode():
            for some, values, lengths in in_batches(model, sequences, rows):
                result = part(model)(values, lengths)[: len(some)].cpu().numpy()
                if output is None:
                    output = np.empty((len(rows), *result.shape[1:]), result.dtype)
                output[some] = result
        assert output is not None
        return output


def origin_of(estimator: Any) -> NDArray[np.float64]:
    """Origin of the encoder of a fitted estimator."""
    return estimator.net_.module_.encoder.input.origin.numpy()


def some_steps(sequences: Sequences) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Values and lengths of rows from all over the data, of about `SCALE_STEPS` steps; none cut much above the median.

    They lie together in a few blocks: a memory map reads far more than the rows that are asked for.
    """
    median = int(np.median(sequences.lengths))
    longest = min(SCALE_LENGTH * median, SCALE_STEPS)
    n_rows = max(1, min(len(sequences), SCALE_STEPS // median))
    rows = np.arange(n_rows)
    firsts = np.linspace(0, len(sequences) - n_rows, SCALE_BLOCKS).astype(np.int64)
    short = replace(sequences, lengths=np.minimum(sequences.lengths, longest))
    values, lengths = short.batch(rows + firsts[rows * SCALE_BLOCKS // n_rows])
    return torch.from_numpy(values), None if lengths is None else torch.from_numpy(lengths)


def levels_of(training: Rows, model: Model) -> Levels:
    """Levels of the labeled sequences, or of all where none is labeled; where there are many, of some of all."""
    known = training.labeled if len(training.labeled) else training.unlabeled
    if training.weights is not None:
        known = known[training.weights[known] > 0]
    rows = known[np.linspace(0, len(known) - 1, min(len(known), LEVEL_ROWS)).astype(np.int64)]
    means = torch.empty(len(rows), training.sequences.n_features)
    for some, values, lengths in in_batches(model, training.sequences, rows):
        standardised = model.encoder.input.standardised(values)
        means[some] = Steps.of(standardised, lengths).mean(standardised)[: len(some)].cpu()
    return Levels.of(means, torch.from_numpy(training.codes[rows]))


def objective_can(method: str) -> Callable[[Any], bool]:
    """Return a check whether an estimator's objective has a method, which goes by that."""

    def check(estimator: Any) -> bool:
        objective = getattr(estimator, "objective_", estimator.objective)
        if isinstance(objective, str):
            objective = estimator._auto if objective == "auto" else objective
            if objective not in objective_names(estimator._task):
                return True  # fit will say so
            objective = from_name(objective)
        return hasattr(objective, method)

    return check


def checked(augmentation: Any, auto: Perturbation, parameter: str) -> Any:
    """Return what perturbs the embedded steps: of a `Perturbation` a checked copy."""
    if isinstance(augmentation, str):
        return auto
    if isinstance(augmentation, type):
        name = augmentation.__name__
        raise TypeError(f"An augmentation must be an instance or a function, got the class {name}; write {name}().")
    if isinstance(augmentation, Perturbation):
        augmentation = clone(augmentation)
        augmentation.validate()
    elif augmentation is not None:
        check_arguments(augmentation, parameter)
    return augmentation


def known_tokens(sequences: Sequences, encoder: Encoder) -> Sequences:
    """Replace ids outside the vocabulary by the unknown token, and count them in a warning."""
    n_tokens = encoder.architecture.n_tokens
    if not n_tokens or sequences.values.max() < n_tokens:
        return sequences
    unknown = sequences.values >= n_tokens
    warn(
        f"X has {unknown.sum()} token ids outside the vocabulary of {n_tokens}; they are read as the unknown token.",
    )
    return replace(sequences, values=np.where(unknown, n_tokens, sequences.values))


def split_validation(rows: NDArray, codes: NDArray, fraction: float, random: np.random.RandomState) -> NDArray:
    """Draw a share of `rows` for validation from each class; a class keeps one row to train on."""
    chosen = []
    for code in np.unique(codes[rows]):
        members = rows[codes[rows] == code]
        n = min(max(1, round(fraction * len(members))), len(members) - 1)
        chosen.append(random.permutation(members)[:n])
    drawn = np.concatenate(chosen)
    if len(drawn) == 0:
        raise ValueError(
            "early_stopping=True needs a class with two labeled samples to validate on; "
            "label more, or set early_stopping=False."
        )
    return np.sort(drawn)


def draw_seed(random: np.random.RandomState) -> int:
    """Seed for a private generator."""
    return int(random.randint(np.iinfo(np.int32).max))


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in module.state_dict().items()}


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or OUT_OF_MEMORY in str(error)
