"""Optimizers, their learning rates over training, and frozen weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from inspect import signature, unwrap
from typing import Any

import torch
from torch import nn
from torch.optim import LBFGS, SGD, Adam, AdamW, Optimizer

from ..objectives import Objective

GAME_BETAS = (0.0, 0.9)  # of Adam, for objectives with opponents: no momentum (Gulrajani 2017)
WARM_UP = 0.3  # fraction of training over which the learning rate rises


def _light(kind: Any) -> type[Optimizer]:
    """Return a subclass of a torch optimizer that does the same without importing torch's compiler.

    Torch decorates these methods for its compiler. Their first call imports it, 799 modules including sympy; that
    took several seconds of the first `fit` and needs a temporary folder to write to.
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


def make_optimizer(
    optimizer: Any, parameters: list[Any], *, rate: float, weight_decay: float, objective: Objective
) -> Optimizer:
    """Build an optimizer, given by name or as a class; SGD gets Nesterov momentum of 0.9.

    Raises
    ------
    ValueError
        If it is `torch.optim.LBFGS`, which computes the loss of one batch several times.
    """
    kind: Any = OPTIMIZERS.get(optimizer, optimizer)
    if isinstance(kind, type) and issubclass(kind, LBFGS):
        raise ValueError(
            f"optimizer={kind.__name__} needs the same loss in each step, but the rows and the noise differ from step "
            f"to step. Choose from {sorted(OPTIMIZERS)}, or another class of torch.optim."
        )
    options: dict[str, Any] = {"lr": rate}
    if any(p.name == "weight_decay" or p.kind is p.VAR_KEYWORD for p in signature(kind).parameters.values()):
        options["weight_decay"] = weight_decay
    if optimizer == "sgd":
        options.update(momentum=0.9, nesterov=True)
    elif objective.opponents and optimizer in OPTIMIZERS:
        options["betas"] = GAME_BETAS
    if optimizer in OPTIMIZERS:
        options["fused"] = True
    return kind(parameters, **options)


def parameter_groups(
    parameters: list[nn.Parameter], encoder: nn.Module, *, rate: float, encoder_factor: float
) -> list[Any]:
    """Return parameter groups: one, or two if the encoder has a different learning rate."""
    if encoder_factor == 1:
        return parameters
    inside = {id(weight) for weight in encoder.parameters()}
    slow, rest = ([w for w in parameters if (id(w) in inside) is which] for which in (True, False))
    return [{"params": rest}, {"params": slow, "lr": rate * encoder_factor, "factor": encoder_factor}]


def set_rate(optimizers: Iterable[Optimizer | None], rate: float) -> None:
    """Set the learning rate of all groups, times the factor of the group if it has one."""
    for optimizer in optimizers:
        for group in () if optimizer is None else optimizer.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)


class Freezing:
    """Freezes weights of the encoder for the first part of training.

    Parameters
    ----------
    encoder : Encoder
        Its `layers()` are ordered from the last to the first.
    freeze : float
        Fraction of training for which the encoder is frozen.
    gradual : bool
        Whether the layers are unfrozen one after the other, the last first, instead of all at once.
    """

    def __init__(self, encoder: Any, freeze: float, gradual: bool):
        layers = encoder.layers() if freeze else []
        places = range(1, len(layers) + 1) if gradual else [len(layers)] * len(layers)
        self.layers = [(freeze * i / len(layers), layer) for i, layer in zip(places, layers, strict=True)]

    def apply(self, progress: float) -> None:
        """Freeze the layers that are not yet trained at this fraction of training, and unfreeze the others."""
        for start, layer in self.layers:
            for weight in layer:
                weight.requires_grad_(progress >= start)


def one_cycle(progress: float) -> float:
    """Factor of the learning rate at this fraction of training."""
    if progress < WARM_UP:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / WARM_UP)) / 2
    return (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def clip_gradient(parameters: list[nn.Parameter], limit: float) -> None:
    """Scale the gradient down to a norm of at most `limit`; three times as fast as `nn.utils.clip_grad_norm_`."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack(torch._foreach_norm(gradients)).norm().item()
    if norm > limit:
        torch._foreach_mul_(gradients, limit / (norm + 1e-6))
