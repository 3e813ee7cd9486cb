"""The parameters that all estimators with a net share, and reading and setting nested ones."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import torch

from .._documented import parameter
from .._sklearn import COUNT, POSITIVE, SHARE, Interval, InvalidParameterError, StrOptions
from .._state import PicklableEstimator
from ..modules import CELLS
from ..training import OPTIMIZERS, callback_params, copied_callbacks, set_callback_params
from ._advice import advice_for
from ._held_options import OPTIONS, as_option, refuse_name, set_option
from ._options import Optimizer

ARCHITECTURE = ("cell", "hidden_size", "num_layers", "bidirectional", "pooling", "patch_size", "n_kernels")
TEXTS = {
    "attributes": """
n_features_in_ : int
    Number of features per step; number of steps for 2-D input.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Column names, if X had any.
n_iter_ : int
    Number of epochs trained.
history_ : skorch.history.History
    Loss terms of each epoch, and other values that the objective records.
objective_ : Objective
    The copy of the objective that was trained.
net_ : skorch.NeuralNet
    The net; its `module_` is the torch model.
""",
    "raises": """
ValueError
    If X or y is invalid; the message says what to do.
FloatingPointError
    If the loss is not finite. `net_` then has the best weights so far; if the first epoch has not ended, the estimator
    is as it was before `fit`. The same holds if `fit` is interrupted (Ctrl-C).
""",
}


@dataclass(repr=False, eq=False)
class TrainingParameters(PicklableEstimator):
    """Base of the estimators with a net: the size of the net, and how it is trained."""

    _texts: ClassVar[dict[str, str]] = TEXTS
    _auto: ClassVar[str] = ""  # name that objective="auto" stands for
    _layer_norm = True  # whether numbers pass a layer norm before the recurrence
    _second_changes = False  # whether smooth sequences of numbers are read with the changes of their changes
    _drops_noise = False  # whether changes of numbers, and kernels, that are mostly white noise are left out
    _numbers_lr = 0.008  # that lr="auto" stands for
    _freezes_vectors = True  # whether vectors of tokens that were not drawn at random are frozen by "auto"
    _n_columns = 0  # known columns of each token
    _n_parts = 0  # parts of words
    _auto_steps: ClassVar[int | None] = None  # recurrent steps that patch_size="auto" aims at; None: as the input does

    cell: str = parameter(
        "gru",
        [StrOptions(set(CELLS))],
        '{"gru", "lstm", "mingru", "rnn"}',
        """
        Recurrent cell. `"mingru"` (Feng 2024), whose gates do not depend on its state, trains faster
        than the others on a CPU, and loses where the order of patterns decides. On a CPU an LSTM trains faster than a
        GRU; a GRU was more accurate with few labels.
        """,
    )
    hidden_size: int = parameter(
        64, COUNT, "int", "Number of units of each layer and direction, and width of the patch embedding."
    )
    num_layers: int = parameter(1, COUNT, "int", "Number of recurrent layers.")
    dropout: float = parameter(
        0.2, SHARE, "float", "Fraction of values that are dropped between layers and before the output, in training."
    )
    max_epochs: int = parameter(
        24,
        COUNT,
        "int",
        """
        Number of passes over the labeled rows (over all rows if no labels are used), each of at least 25 optimiser
        steps. Each step also has unlabeled rows, if the objective uses them.
        """,
    )
    lr: float | str = parameter(
        "auto",
        [StrOptions({"auto"}), *POSITIVE],
        'float or "auto"',
        """
        Peak learning rate, per optimiser step, of one cycle (30% cosine warm-up, then cosine to 0).
        `"auto"` is 0.002 in regressors and if an input is token ids, 0.003 where values are missing (see `gaps`), else
        0.008.
        """,
    )
    batch_size: int = parameter(
        64, COUNT, "int", "Largest number of rows in an optimiser step: of labeled rows, if labels are used."
    )
    optimizer: Any = parameter(
        "adamw",
        [StrOptions(set(OPTIMIZERS)), type, Optimizer],
        '{"adamw", "adam", "sgd"}, torch optimizer class or Optimizer',
        "The optimizer. An `Optimizer` object also sets weight decay and the largest norm of the gradient.",
    )
    early_stopping: bool = parameter(
        False,
        ["boolean"],
        "bool",
        "Whether to hold rows out, stop when their loss no longer falls, and keep the weights with the lowest loss.",
    )
    validation_fraction: float = parameter(
        0.1,
        [Interval(Real, 0, 1, closed="neither")],
        "float",
        """
        Fraction of the rows that are held out with `early_stopping`: of the labeled rows, if labels are used. In a
        classifier, at least one row of each class is held out, and at least one is left to train on; a class with one
        row has none held out.
        """,
    )
    n_iter_no_change: int = parameter(
        10, COUNT, "int", "Number of epochs without a lower loss after which `early_stopping` stops."
    )
    warm_start: bool = parameter(
        False,
        ["boolean"],
        "bool",
        """
        Whether `fit` starts from the weights of the last fit, which must have had the same architecture, kind of X and
        kind of targets.
        """,
    )
    callbacks: Any = parameter(
        None,
        [list, tuple, None],
        "list of skorch callbacks or None",
        """
        Callbacks, or pairs ``(name, callback)``. `fit` calls these objects, not copies, as skorch does. A clone of the
        estimator has copies of them, which share attributes that cannot be copied (an open file, the run of a logger).
        Parameters of a callback are set by its name, by default the name of its class:
        ``callbacks__EarlyStopping__patience``. `valid_loss` is recorded only with `early_stopping`. An `LRScheduler`
        replaces the default schedule. To stop training, write a subclass of skorch's `EarlyStopping` (with
        ``monitor="train_loss"`` if there is no `early_stopping`) whose `on_epoch_end` raises KeyboardInterrupt; any
        other exception ends `fit` with an error.
        """,
    )
    device: Any = parameter(
        "cpu", [str, torch.device], "str or torch.device", 'Device on which torch computes, such as `"cuda"`.'
    )
    random_state: Any = parameter(
        None,
        ["random_state"],
        "int, RandomState or None",
        """
        Seeds the weights, batches and noise. An int gives the same bits each time; `fit` then uses one thread. Without
        a seed, `fit` uses all of torch's threads if `hidden_size` is at least 128 or `batch_size` at least 256.
        """,
    )
    verbose: int = parameter(0, ["verbose"], "int", "Whether to print a line for each epoch.")

    def __sklearn_clone__(self) -> Any:
        """Clone as scikit-learn does; but attributes of callbacks that cannot be copied are shared."""
        bare = type(self).__new__(type(self))
        bare.__dict__.update(vars(self), callbacks=None)
        cloned = super(TrainingParameters, bare).__sklearn_clone__()
        cloned.callbacks = copied_callbacks(self.callbacks)
        return cloned

    def _validate_params(self) -> None:
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            name = str(error).split("'")[1]  # "The 'objective' parameter of ..."
            advice = advice_for(name, getattr(self, name, None))
            raise InvalidParameterError(f"{error}{advice}") if advice else error from None
        for name in OPTIONS.keys() & set(self._get_param_names()):
            if (value := getattr(self, name)) is not None:
                as_option(name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get parameters, also nested ones, such as ``objective__weight`` and ``callbacks__name__patience``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to get nested parameters too.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = super().get_params(deep)
        return params | callback_params(self.callbacks) if deep else params

    def set_params(self, **params: Any) -> Any:
        """Set parameters, also nested ones, such as ``embedding__size`` and ``callbacks__name__patience``.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : estimator
        """
        of_callbacks = {name: params.pop(name) for name in list(params) if name.startswith("callbacks__")}
        nested = {name: params.pop(name) for name in list(params) if "__" in name}
        super().set_params(**params)
        for first in OPTIONS.keys() & {name.partition("__")[0] for name in nested} & set(self._get_param_names()):
            set_option(self, first, nested)
        for name in nested:
            if isinstance(value := getattr(self, name.partition("__")[0], None), str):
                refuse_name(name, value, self._auto)
        super().set_params(**nested)
        if of_callbacks:
            by_name = {name.partition("__")[2]: value for name, value in of_callbacks.items()}
            self.callbacks = set_callback_params(self.callbacks, by_name)
        return self
