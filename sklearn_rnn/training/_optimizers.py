"""Optimizers, their learning rates over training, and which weights are frozen for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from inspect import signature, unwrap
from typing import Any

import torch
from torch import nn
from torch.optim import LBFGS, SGD, Adam, AdamW, Optimizer

from ..objectives import Objective

GAME_BETAS = (0.0, 0.9)  # of Adam against opponents: with momentum, generators lost (Gulrajani 2017)
WARM_UP = 0.3  # share of training over which the learning rate rises


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


def make_optimizer(
    optimizer: Any, parameters: list[Any], *, rate: float, weight_decay: float, objective: Objective
) -> Optimizer:
    """Build an optimizer, given by name or as a class; SGD gets Nesterov momentum of 0.9.

    Raises
    ------
    ValueError
        It is `torch.optim.LBFGS`, which computes the loss of one batch many times.
    """
    kind: Any = OPTIMIZERS.get(optimizer, optimizer)
    if isinstance(kind, type) and issubclass(kind, LBFGS):
        raise ValueError(
            f"optimizer={kind.__name__} needs the same loss at each step, but each step has other rows and noise. "
            f"Choose from {sorted(OPTIMIZERS)}, or another class of torch.optim."
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
    """Set the weights of the encoder apart where they have a learning rate of their own."""
    if encoder_factor == 1:
        return parameters
    inside = {id(weight) for weight in encoder.parameters()}
    slow, rest = ([w for w in parameters if (id(w) in inside) is which] for which in (True, False))
    return [{"params": rest}, {"params": slow, "lr": rate * encoder_factor, "factor": encoder_factor}]


def set_rate(optimizers: Iterable[Optimizer | None], rate: float) -> None:
    """Set the learning rate of all groups, times the factor that a group may have."""
    for optimizer in optimizers:
        for group in () if optimizer is None else optimizer.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)


class Freezing:
    """Which of the encoder's weights are frozen at which point of training.

    Parameters
    ----------
    encoder : Encoder
        Its `layers()` come the last first.
    freeze : float
        Fraction of training for which the encoder is frozen.
    gradual : bool
        Whether the layers thaw one after the other, the last first, instead of all at once.
    """

    def __init__(self, encoder: Any, freeze: float, gradual: bool):
        layers = encoder.layers() if freeze else []
        shares = range(1, len(layers) + 1) if gradual else [len(layers)] * len(layers)
        self.layers = [(freeze * i / len(layers), layer) for i, layer in zip(shares, layers, strict=True)]

    def apply(self, progress: float) -> None:
        """Train those weights whose time has come, and freeze the others."""
        for share, layer in self.layers:
            for weight in layer:
                weight.requires_grad_(progress >= share)


def one_cycle(progress: float) -> float:
    """Factor of the learning rate."""
    if progress < WARM_UP:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / WARM_UP)) / 2
    return (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def clip_gradient(parameters: list[nn.Parameter], limit: float) -> None:
    """Do what `nn.utils.clip_grad_norm_` does, in a third of its time."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack(torch._foreach_norm(gradients)).norm().item()
    if norm > limit:
        torch._foreach_mul_(gradients, limit / (norm + 1e-6))
