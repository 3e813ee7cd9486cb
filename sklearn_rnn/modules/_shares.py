"""Rows of a batch that several processes compute together: each takes its share, and all get all results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shares:
    """The place of this process among those that compute together.

    Attributes
    ----------
    rank, size : int
        Number of this process, from 0, and number of processes.
    """

    rank: int
    size: int

    def of(self, n: int) -> list[int]:
        """Return the bounds (size + 1,) of the shares of n rows, which differ by one row at most."""
        return [n * k // self.size for k in range(self.size + 1)]

    def own(self, x: Tensor) -> Tensor:
        """Return the rows of x that are the share of this process, as a view."""
        first, end = self.of(len(x))[self.rank : self.rank + 2]
        return x[first:end]

    def gathered(self, rows: Tensor, n: int) -> Tensor:
        """Return all n rows, given those of this process."""
        bounds = self.of(n)
        most = max(end - first for first, end in pairwise(bounds))
        padded = rows.new_zeros(most, *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        torch.distributed.all_gather(parts, padded)
        return torch.cat([parts[k][: bounds[k + 1] - bounds[k]] for k in range(self.size)])


_shares: ContextVar[Shares | None] = ContextVar("shares", default=None)


@contextmanager
def sharing(shares: Shares | None) -> Iterator[None]:
    """Let `by_rows` divide the rows among processes, all of which must make the same calls; with None it does not."""
    token = _shares.set(shares)
    try:
        yield
    finally:
        _shares.reset(token)


def by_rows(function: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
    """Return ``function(*inputs)``, of which each process computes its share of the rows if they share a batch.

    Results and gradients are those of all rows, in each process, so that what follows is computed as by one process.
    Only the gradients of the function's own weights are of the share, times the number of processes: their mean over
    the processes is the gradient of the batch, as is the mean of the equal gradients of all other weights.

    Parameters
    ----------
    function : callable
        Computes each row for itself, without random numbers.
    *inputs : Tensor of shape (n, ...) or None
        Its arguments.
    """
    shares = _shares.get()
    if shares is None:
        return function(*inputs)
    n = next(len(x) for x in inputs if x is not None)
    if n < shares.size:
        return function(*inputs)
    with sharing(None):
        part = function(*[None if x is None else _taken(x, shares) for x in inputs])
    return _Gathered.apply(part, n, shares)


def _taken(x: Tensor, shares: Shares) -> Tensor:
    return _Taken.apply(x, shares) if x.requires_grad else shares.own(x)


class _Taken(torch.autograd.Function):
    """The rows of this process; the gradients of all processes are gathered."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shares: Shares) -> Tensor:
        ctx.n, ctx.shares = len(x), shares
        return shares.own(x).clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Gathered.apply(gradient / ctx.shares.size, ctx.n, ctx.shares), None


class _Gathered(torch.autograd.Function):
    """The rows of all processes; each takes the gradient of its rows, times the number of processes."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, n: int, shares: Shares) -> Tensor:
        ctx.shares = shares
        return shares.gathered(part, n)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Taken.apply(gradient * ctx.shares.size, ctx.shares), None, None
