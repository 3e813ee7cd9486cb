"""Torch's optimizers by name, without what the first of them in a process would import."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import Any

import torch
from torch.optim import SGD, Adam, AdamW, Optimizer


def _light(kind: Any) -> type[Optimizer]:
    """Return a class that does the same as `kind`, a torch optimizer, and does not import torch's compiler.

    Torch decorates these methods for its compiler. The first call imports that, 799 modules with sympy, which took
    several seconds of the first `fit`, and needs a temporary folder to write to.
    """
    step = unwrap(kind.step)

    class Light(kind):
        add_param_group = unwrap(Optimizer.add_param_group)
        zero_grad = unwrap(Optimizer.zero_grad)

        @torch.no_grad()
        def step(self, closure: Any = None) -> Any:
            return step(self, closure)

    Light.__name__ = Light.__qualname__ = kind.__name__
    return Light


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"adamw": _light(AdamW), "adam": _light(Adam), "sgd": _light(SGD)}
