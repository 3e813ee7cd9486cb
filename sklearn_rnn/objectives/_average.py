"""A moving average of a model's weights, that teaches it and predicts."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from ..sequences import Batch


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

    @classmethod
    def of(cls, model: nn.Module, memory: float, n_steps: int) -> MovingAverage | None:
        """Return an average with a time constant of the fraction `memory` of `n_steps`; None with ``memory=0``."""
        return cls(model, memory * n_steps) if memory else None

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


@torch.no_grad()
def weak_answers(teacher: Any, batch: Batch) -> Tensor:
    """Answers of the module `teacher` for weak views of its own."""
    view = teacher.view(batch.values, batch.lengths, batch.generator)
    return teacher.task.answers(teacher.train_outputs(view, batch.lengths))
