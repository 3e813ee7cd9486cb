"""The base of the estimators with a net: train a model, and compute with it in batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from .._sklearn import plain
from ..modules import Model, auto_patch_size
from ..objectives import Objective
from ..sequences import Sequences, TrainingSet, all_steps
from ..tasks import Task
from ..training import (
    CallbackSupportMixin,
    FitWatch,
    Processes,
    RecurrentNet,
    check_callbacks,
    computing,
    in_batches,
    made_callbacks,
    noting_memory,
)
from ._held_options import as_option
from ._output import Output
from ._parameters import TrainingParameters

WIDE_HIDDEN, WIDE_BATCH = 128, 256  # sizes from which on a second thread saves time
TOKENS_LR, GAPS_LR = 0.002, 0.003  # that lr="auto" stands for, at most


@dataclass(repr=False, eq=False)
class TrainedEstimator(CallbackSupportMixin, TrainingParameters):
    """Base of the estimators with a net: it trains a model, and computes with it.

    A subclass has a `task_name`, makes its `Task`, and defines `fit`.
    """

    task_name: ClassVar[str]

    @abstractmethod
    def _make_task(self) -> Task:
        """Return the task, made from the parameters."""

    @property
    def _goes_on(self) -> bool:
        """Whether `fit` starts from the weights of the last fit."""
        return bool(self.warm_start) and hasattr(self, "net_")

    def _auto_patch_size(self, sequences: Sequences) -> int:
        """Return the number of steps that ``patch_size="auto"`` stands for."""
        return auto_patch_size(float(np.median(sequences.lengths)), sequences.kind == "tokens", self._auto_steps)

    def _checked_callbacks(self) -> list[tuple[str, Any]]:
        """Return names and callbacks for the net. Each call makes new instances of classes, so `fit` calls it once."""
        made = made_callbacks(self.callbacks)
        check_callbacks(
            [callback for _, callback in made],
            validated=bool(self.early_stopping),
            labels=self.task_name not in ("representation", "next_item", "transcription"),
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
        self._prepare(model, objective, training)
        self.net_ = self._make_net(model, objective, seed, callbacks, self._auto_lr(model, training))
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

    def _auto_lr(self, model: Model, training: TrainingSet) -> float:
        """Return the learning rate that ``lr="auto"`` stands for."""
        if training.sequences.kind == "tokens":
            return TOKENS_LR
        rate = min(self._numbers_lr, TOKENS_LR) if training.sequences.has_tokens else self._numbers_lr
        has_gaps = any(part.input.has_gaps for part in model.encoder.each)
        return min(rate, GAPS_LR) if has_gaps else rate

    def _make_net(
        self, model: Model, objective: Objective, seed: int, callbacks: list[tuple[str, Any]], auto_lr: float
    ) -> RecurrentNet:
        optimizer, processes = as_option("optimizer", self.optimizer), Processes.found(self.device)
        return RecurrentNet(
            model,
            objective=objective,
            gradient_clip=optimizer.gradient_clip,
            seed=seed,
            **self._fine_tuning(),
            max_epochs=int(self.max_epochs),
            lr=auto_lr if self.lr == "auto" else float(plain(self.lr)),
            weight_decay=float(optimizer.weight_decay),
            batch_size=int(self.batch_size),
            optimizer=optimizer.method,
            callbacks=processes.kept(callbacks),
            device=str(self.device),
            verbose=int(self.verbose) if processes.is_first else 0,
        )

    def _prepare(self, model: Model, objective: Objective, training: TrainingSet) -> None:
        """Set what the model needs in training only."""
        return

    def _fine_tuning(self) -> dict[str, Any]:
        """Return arguments of the net for the training of a pretrained encoder."""
        return {}

    def _computing(self) -> Any:
        """Return the settings to compute in: one thread if there is a seed, because several change the last bits."""
        wide = self.hidden_size >= WIDE_HIDDEN or self.batch_size >= WIDE_BATCH
        return computing(wide and self.random_state is None)

    def _compute(
        self, sequences: Sequences, part: Callable[[Any], Any], rows: NDArray | None = None, out: Any = None
    ) -> NDArray:
        """Apply `part(model)`, a function of values and lengths, in batches to the sequences, or to `rows` of them.

        The results are written into the array `out` if it is given. If `part` returns the model itself, and the task
        has an answer for each step, the answers for all steps of these rows are returned, one row after the other.
        """
        model = self.net_.module_
        rows = np.arange(len(sequences)) if rows is None else rows
        output: Output | None = None
        with self._computing(), torch.inference_mode():
            for places, values, lengths in in_batches(model, sequences, rows):
                function = part(model)
                by_step = function is model and model.task.by_step
                if by_step:
                    places = all_steps(sequences.lengths[rows], places)
                result = function(values, lengths)[: len(places)].cpu().numpy()
                if output is None:
                    n = int(sequences.lengths[rows].sum()) if by_step else len(rows)
                    output = Output(n, result, out)
                output.fill(places, result)
        assert output is not None
        return output.array


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
