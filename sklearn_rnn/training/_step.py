"""One optimiser step: loss, gradient, update, and the update of an objective's opponents."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce
from typing import Any

import torch
from skorch.callbacks import Callback, LRScheduler
from torch import Tensor

from ..objectives import Objective
from ..objectives._base import check_terms
from ..sequences import Batch
from ._optimizers import Freezing, clip_gradient, one_cycle, set_rate


class Stepper:
    """Takes the optimiser steps of a round.

    Parameters
    ----------
    net : RecurrentNet
        The net, with the module, the objective and the optimizers.
    freezing : Freezing
        Freezes weights of the encoder.
    watching : list of Callback
        Callbacks with the hook `on_grad_computed`.
    n_steps : int
        Number of steps in the round.

    Attributes
    ----------
    n_taken : int
        Number of steps taken so far.
    """

    def __init__(self, net: Any, freezing: Freezing, watching: list[Callback], n_steps: int):
        self.net, self.freezing, self.watching, self.n_steps, self.n_taken = net, freezing, watching, n_steps, 0
        self.module: Any = net.module_
        self.objective: Objective = net.objective
        self.generator = torch.Generator(net.device).manual_seed(net.seed)
        self.is_scheduled = not any(isinstance(cb, LRScheduler) for _, cb in net.callbacks_)

    def prepare(self, batch: Batch) -> Batch:
        """Return a batch on the net's device, with the generator of noise and the fraction of training done."""
        return replace(self.net.on_device(batch), generator=self.generator, progress=self.n_taken / self.n_steps)

    def step(self, batch: Batch) -> dict[str, float]:
        """Take a step, and return the loss terms."""
        net, processes = self.net, self.net.processes_
        self.freezing.apply(batch.progress)
        if self.is_scheduled:
            rate = net.lr * self.objective.rate * one_cycle(batch.progress)
            set_rate((net.optimizer_, net.opponent_optimizer_), rate)
        net.optimizer_.zero_grad()
        with processes.sharing():
            loss, values = self._summed(self.objective.terms(self.module, batch), batch)
            loss.backward()
        processes.average(net.parameters_)
        if net.gradient_clip is not None:
            clip_gradient(net.parameters_, net.gradient_clip)
        for cb in self.watching:
            named = self.module.named_parameters()
            cb.on_grad_computed(net, named_parameters=named, batch=(batch, batch.targets), training=True)
        net.optimizer_.step()
        if net.opponent_optimizer_ is not None:
            values |= self._step_opponents(batch)
        self.n_taken += 1
        self.objective.after_step(self.module)
        return values

    def _step_opponents(self, batch: Batch) -> dict[str, float]:
        """Take a step of the objective's opponents; no other weight gets a gradient."""
        net = self.net
        with net.processes_.sharing():
            terms = self.objective.opponent_terms(self.module, batch)
            if not terms:
                return {}
            loss, values = self._summed(terms, batch, "opponent_terms")
            gradients = torch.autograd.grad(loss, net.opponents_)
        for weight, gradient in zip(net.opponents_, gradients, strict=True):
            weight.grad = gradient
        net.processes_.average(net.opponents_)
        if net.gradient_clip is not None:
            clip_gradient(net.opponents_, net.gradient_clip)
        net.opponent_optimizer_.step()
        net.opponent_optimizer_.zero_grad()
        return values

    def _summed(self, terms: dict[str, Tensor], batch: Batch, method: str = "terms") -> tuple[Tensor, dict[str, float]]:
        """Return the sum of loss terms, which must have a gradient, and their values, which must be finite."""
        check_terms(self.objective, terms, method)
        values = {name: term.item() for name, term in terms.items()}
        if not math.isfinite(sum(values.values())):
            self.module.check_views(batch.values, batch.lengths, batch.generator)
            raise not_finite("loss is", self.net, self.n_taken + 1, f": {values}")
        loss = reduce(torch.add, terms.values())
        if not loss.requires_grad:
            raise ValueError(f"No term of {type(self.objective).__name__}.{method} has a gradient: {values}.")
        return loss, values


def not_finite(what: str, net: Any, step: int, values: str = "") -> FloatingPointError:
    """Error for a loss or for weights that are not finite."""
    where = f"epoch {len(net.history)}, step {step}{values}"
    return FloatingPointError(f"The {what} not finite in {where}. Scale X, or lower lr (now {net.lr}).")
