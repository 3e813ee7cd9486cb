"""A teacher whose weights are a moving average of the student's."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from ..sequences import Batch


class MovingAverage:
    """A second model whose weights are a moving average of the first one's.

    Parameters
    ----------
    model : Module
        The student, which is copied.
    n_steps : float
        Time constant, in optimiser steps: the decay of the average is ``1 - 1 / n_steps``, and less in
        the first steps, where the average is over all steps so far.

    Attributes
    ----------
    module : Module
        The teacher; gets no gradient.
    """

    @classmethod
    def of(cls, model: nn.Module, memory: float, n_steps: int) -> MovingAverage | None:
        """Return an average with a time constant of the fraction `memory` of `n_steps`; None if that is 0."""
        return cls(model, memory * n_steps) if memory else None

    def __init__(self, model: nn.Module, n_steps: float):
        self.module = deepcopy(model).requires_grad_(False)
        self.decay = 1 - 1 / max(n_steps, 1)
        self.step = 0

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """Move the weights towards those of `model`, and copy its buffers; once per optimiser step."""
        self.step += 1
        decay = min(self.decay, 1 - 1 / (self.step + 1))
        torch._foreach_lerp_(list(self.module.parameters()), list(model.parameters()), 1 - decay)
        for buffer, value in zip(self.module.buffers(), model.buffers(), strict=True):
            buffer.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Return the weights and the number of steps."""
        return {"weights": self.module.state_dict(), "step": self.step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set the weights and the number of steps."""
        self.module.load_state_dict(state["weights"])
        self.step = state["step"]


@torch.no_grad()
def weak_answers(teacher: Any, batch: Batch) -> Tensor:
    """Answers (n, ...) of the `teacher` for a new weak view of the rows."""
    view = teacher.view(batch.values, batch.lengths, batch.generator)
    return teacher.task.answers(teacher.train_outputs(view, batch.lengths))
