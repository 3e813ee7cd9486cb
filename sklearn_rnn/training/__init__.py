"""The skorch net, the training loop, optimizers, callbacks and threads."""

from skorch.history import History

from ._environment import computing
from ._inference import in_batches
from ._memory import noting_memory
from ._net import RecurrentNet
from ._optimizers import OPTIMIZERS
from ._processes import Processes, one_random
from ._resume import Keeper, finished_state, keepers_among, state_of
from ._sklearn_callbacks import CallbackSupportMixin, FitWatch, with_callbacks
from ._skorch_callbacks import (
    callback_params,
    check_callbacks,
    copied_callbacks,
    is_callback,
    made_callbacks,
    set_callback_params,
)

__all__ = [
    "OPTIMIZERS",
    "CallbackSupportMixin",
    "FitWatch",
    "History",
    "Keeper",
    "Processes",
    "RecurrentNet",
    "callback_params",
    "check_callbacks",
    "computing",
    "copied_callbacks",
    "finished_state",
    "in_batches",
    "is_callback",
    "keepers_among",
    "made_callbacks",
    "noting_memory",
    "one_random",
    "set_callback_params",
    "state_of",
    "with_callbacks",
]
