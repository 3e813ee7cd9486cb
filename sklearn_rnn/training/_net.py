"""The skorch net of an estimator."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler
from skorch.history import History
from skorch.utils import get_map_location
from torch import nn

from .._warnings import warn
from ..objectives import Objective
from ..sequences import Batch, TrainingSet
from ._loop import Loop
from ._optimizers import make_optimizer, parameter_groups
from ._sklearn_callbacks import FitWatch
from ._skorch_callbacks import Shown, Table

OF_TRAINING = {"opponents_", "parameters_", "watch_"}  # attributes that exist only during training
ARGUMENTS = (  # of the net, which files keep
    "max_epochs",
    "lr",
    "weight_decay",
    "gradient_clip",
    "seed",
    "freeze",
    "gradual_unfreezing",
    "encoder_lr_factor",
    "batch_size",
    "optimizer",
    "verbose",
)
Data = tuple[Batch, torch.Tensor]


class RecurrentNet(NeuralNet):
    """The skorch net: a model with its objective, optimizers and callbacks. `Loop` trains it.

    The learning rate rises from 0.04 `lr` to `lr` over the first 30% of training and then falls to 0, both along a
    cosine (Smith 2018), unless one of the callbacks is an `LRScheduler`.
    """

    learned_: bool = False  # whether at least one epoch has ended, so that `module_` can predict

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        weight_decay: float,
        gradient_clip: float | None,
        seed: int,
        freeze: float = 0.0,
        gradual_unfreezing: bool = False,
        encoder_lr_factor: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(*args, train_split=None, criterion=nn.Identity, **kwargs)
        self.objective = objective
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.seed = seed
        self.freeze = freeze
        self.gradual_unfreezing = gradual_unfreezing
        self.encoder_lr_factor = encoder_lr_factor

    @classmethod
    def restored(
        cls,
        model: nn.Module,
        objective: Objective,
        history: History,
        device: str,
        list_keys: set[str],
        **arguments: Any,
    ) -> RecurrentNet:
        """Return a trained net, made of its parts and the `arguments` that `ARGUMENTS` names."""
        net = cls(model, objective=objective, device=device, callbacks=[], **arguments).initialize()
        net.history_, net.list_keys_, net.learned_ = history, list_keys, True
        net._forget_training()
        return net

    def __sklearn_tags__(self) -> Any:
        return self.module_.task.tags(super().__sklearn_tags__())

    @property
    def classes_(self) -> np.ndarray:
        """Class numbers, for scorers."""
        return np.arange(self.module_.task.n_classes)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        if not self.verbose or "print_log" in dict(self.callbacks or []):
            return []
        return [("print_log", Table())]

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> RecurrentNet:
        """Build the optimizer and, if the objective has opponents, a second one for them."""
        names = tuple(f"parts.{name}." for name in self.objective.opponents)
        weights = list(self.module_.named_parameters())
        self.opponents_ = [weight for name, weight in weights if name.startswith(names)]
        self.parameters_ = [weight for name, weight in weights if not name.startswith(names)]
        rate, factor = self.lr * self.objective.rate, self.encoder_lr_factor
        groups = parameter_groups(self.parameters_, self.module_.encoder, rate=rate, encoder_factor=factor)
        self.optimizer_ = self._optimizer(groups, rate)
        self.opponent_optimizer_ = self._optimizer(self.opponents_, rate) if names else None
        return self

    def _optimizer(self, parameters: list[Any], rate: float) -> Any:
        return make_optimizer(
            self.optimizer, parameters, rate=rate, weight_decay=self.weight_decay, objective=self.objective
        )

    def train_on(
        self, training: TrainingSet, validation: TrainingSet | None, patience: int | None, watch: FitWatch
    ) -> RecurrentNet:
        """Train the objective; see `Loop`."""
        self.watch_ = watch
        self.list_keys_: set[str] = set()
        try:
            Loop(self, training, validation, patience, watch).run()
        finally:
            self.module_.zero_grad()
            self._forget_training()
        return self

    def _forget_training(self) -> None:
        """Drop what exists only during training."""
        self._forget_optimizers()
        for name in OF_TRAINING:
            self.__dict__.pop(name, None)

    def _forget_optimizers(self) -> None:
        """Drop the optimizers, which hold copies of the weights on their device."""
        self.optimizer_ = self.opponent_optimizer_ = None
        for _, cb in self.callbacks_:
            if isinstance(cb, LRScheduler):
                cb.lr_scheduler_ = None

    def on_device(self, batch: Batch) -> Batch:
        """Return a batch on the device of the net."""
        if self.device == "cpu":
            return batch
        names = [name for name in ("values", "lengths", "targets", "weights") if getattr(batch, name) is not None]
        return replace(batch, **{name: getattr(batch, name).to(self.device, non_blocking=True) for name in names})

    def save_params(self, *args: Any, **kwargs: Any) -> None:
        """Save as skorch does, and warn if that fails, because skorch's `Checkpoint` ignores the error."""
        try:
            super().save_params(*args, **kwargs)
        except Exception as error:
            files = [str(file) for name, file in kwargs.items() if name.startswith("f_") and file is not None]
            warn(f"Unable to save {', '.join(files)}: {type(error).__name__}: {error}")
            raise

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the module on the CPU and without augmentations, which each fit sets.

        skorch would pickle the module separately; then other picklers, such as cloudpickle, could not handle what the
        user's code puts there.
        """
        state = {name: value for name, value in self.__dict__.items() if name not in OF_TRAINING}
        if self.initialized_:
            state["module"] = state["module_"] = _portable(self.module_)
            state["optimizer_"] = state["opponent_optimizer_"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        device = state["device"]
        state["device"] = self._check_device(device, get_map_location(device))
        self.__dict__.update(state)
        if self.initialized_:
            self.module_.to(self.device)

    def get_iterator(self, dataset: TrainingSet, training: bool = False) -> Iterator[Data]:
        """Yield batches of the labeled rows or, if there are none, of all rows, in order and with their targets.

        They have no noise; if the objective compares views, they have the same noise each time.
        """
        noise = torch.Generator(self.device).manual_seed(self.seed) if self.objective.compares_views else None
        for rows in dataset.validation_batches(self.batch_size):
            batch = self.on_device(dataset.batch(rows, len(rows) if len(dataset.labeled) else 0))
            batch = replace(batch, generator=noise, progress=1.0)  # so that the losses of all epochs are comparable
            yield batch, batch.targets

    def infer(self, x: Batch, **fit_params: Any) -> torch.Tensor:
        """Return the answers of the task for a batch."""
        with torch.no_grad():
            return self.objective.predict(self.module_, x.values, x.lengths)

    def forward_iter(self, X: Any, training: bool = False, device: str = "cpu") -> Iterator[torch.Tensor]:
        """Yield answers for a data set that callbacks get, or for an X of the estimator."""
        if isinstance(X, Shown | TrainingSet):
            for batch, _ in self.get_iterator(X.X if isinstance(X, Shown) else X):
                yield batch.of_known(self.infer(batch)).to(device)
        else:
            yield torch.from_numpy(self._ask(self.module_.task.method, X)).to(device)

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions for a data set that callbacks get, or the estimator's predictions for an X."""
        if self.module_.task.method == "transform":
            raise ValueError(
                "This net predicts no labels. Its predict_proba returns embeddings, as the estimator's transform does."
            )
        if isinstance(X, Shown | TrainingSet):
            return self.module_.task.decide(self.predict_proba(X))
        return self._ask("predict", X)

    def score(self, X: Any, y: Any) -> float:
        """Return the score of the task, for `EpochScoring(None)`."""
        return self.module_.task.score(self.predict(X), y)

    def _ask(self, method: str, X: Any) -> np.ndarray:
        """Call a method of the estimator that is being fitted, which reads X, with the present weights."""
        if not hasattr(self, "watch_"):
            raise ValueError(f"`net_` cannot read X after training; call {method}(X) of the estimator.")
        return getattr(self.watch_.estimator, method)(X)

    def plain_batch(self, values: torch.Tensor, lengths: torch.Tensor | None) -> Batch:
        """Make a batch of unlabeled rows without noise."""
        rows = torch.arange(len(values))
        return Batch(values, lengths, torch.full_like(rows, -1), rows, None, 0, None, 1.0)


def _portable(model: Any) -> Any:
    """Return a model without augmentations. It shares weights on the CPU; weights on a GPU are copied to the CPU."""
    portable = copy(model)
    portable._modules = dict(model._modules)  # an augmentation that is a module is registered there
    portable.augmentation = portable.strong_augmentation = None
    on_cpu = all(weight.device.type == "cpu" for weight in model.parameters())
    return portable if on_cpu else deepcopy(portable).cpu()
