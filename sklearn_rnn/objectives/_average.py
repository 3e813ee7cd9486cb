"""A moving average of a model's weights, that teaches it and predicts."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import FRACTION
from ..sequences import Batch
from ._classification import ClassificationMixin


class MovingAverage:
    """A second model whose weights follow the first's.

    Parameters
    ----------
    model : Module
        Copied.
    n_steps : float
        Time constant, in optimiser steps: the decay of the average is ``1 - 1 / n_steps``, less in
        the first steps, where it is over all steps so far.

    Attributes
    ----------
    module : Module
        The copy; gets no gradient.
    """

    def __init__(self, model: nn.Module, n_steps: float):
        self.module = deepcopy(model).requires_grad_(False)
        self.decay = 1 - 1 / max(n_steps, 1)
        self.step = 0

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """Move towards `model`, whose buffers are copied; once an optimiser step."""
        self.step += 1
        decay = min(self.decay, 1 - 1 / (self.step + 1))
        torch._foreach_lerp_(list(self.module.parameters()), list(model.parameters()), 1 - decay)
        for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)


class AveragedMixin(ClassificationMixin):
    """Mixin of objectives with a teacher, whose weights follow the student's and predict in the end.

    Besides those of `ClassificationMixin` an objective has the parameter

    memory : float
        Time constant of the moving average, as a share of training. With 0 the student is its own
        teacher.
    """

    memory: float
    _parameter_constraints: dict[str, list[Any]] = {**ClassificationMixin._parameter_constraints, "memory": FRACTION}

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student."""
        self.teacher_ = MovingAverage(model, self.memory * n_steps) if self.weight and self.memory else None

    def after_step(self, model: Any) -> None:
        """Move the teacher towards the student."""
        if self.teacher_:
            self.teacher_.follow(model)

    def predictor(self, model: Any) -> Any:
        """Return the teacher; the model itself where there is none."""
        return self.teacher_.module if self.teacher_ else model

    def finish(self, model: Any) -> None:
        """Drop the teacher, whose weights the model now has."""
        del self.teacher_

    @torch.no_grad()
    def teach(self, model: Any, batch: Batch) -> Tensor:
        """Return the teacher's probabilities (n, K) of weak views of its own."""
        teacher = self.predictor(model)
        view = teacher.view(batch.values, batch.lengths, batch.generator)
        return teacher.logits(view, batch.lengths).softmax(1)
