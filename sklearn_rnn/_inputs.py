"""The tensors of several inputs of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])


class Inputs:
    """Tensors of several inputs of the same n rows, one tensor (n, ...) for each input.

    Objectives use it as a tensor: they take rows, join rows with `torch.cat`, add perturbations, and compute
    gradients. A row that does not have an input has the length 0 there, and its values are zeros.

    Parameters
    ----------
    parts : iterable of Tensor
        One tensor for each input.
    """

    def __init__(self, parts: Iterable[Tensor]):
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return len(self.parts[0])

    def __iter__(self) -> Iterator[Tensor]:
        raise TypeError("Inputs are several tensors, whose rows are taken by an index; use `parts` for the tensors.")

    def __getitem__(self, rows: Any) -> Inputs:
        return Inputs(x[rows] for x in self.parts)

    def __add__(self, other: Inputs) -> Inputs:
        return Inputs(x + y for x, y in zip(self.parts, other.parts, strict=True))

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.cat:
            return cls(torch.cat(parts) for parts in zip(*(x.parts for x in args[0]), strict=True))
        if function is torch.autograd.grad and len(args[1]) == 1:
            gradients = torch.autograd.grad(args[0], args[1][0].parts, allow_unused=True, materialize_grads=True)
            return (cls(gradients),)
        return NotImplemented

    @property
    def device(self) -> torch.device:
        """Device of all tensors."""
        return self.parts[0].device

    @property
    def shape(self) -> tuple[int, tuple[int, ...]]:
        """Number of rows, and the padded number of steps of each input."""
        return len(self), tuple(x.shape[1] for x in self.parts)

    def new_full(self, *args: Any) -> Tensor:
        """Make a tensor, such as one with a value for each row, of the type and on the device of the first input."""
        return self.parts[0].new_full(*args)

    def new_ones(self, *args: Any) -> Tensor:
        """Make a tensor of ones."""
        return self.parts[0].new_ones(*args)

    def detach(self) -> Inputs:
        """Return the same values without a gradient."""
        return Inputs(x.detach() for x in self.parts)

    def requires_grad_(self) -> Inputs:
        """Record gradients from now on."""
        for x in self.parts:
            x.requires_grad_()
        return self

    def to(self, *args: Any, **kwargs: Any) -> Inputs:
        """Return the tensors on another device."""
        return Inputs(x.to(*args, **kwargs) for x in self.parts)


def each_input(function: Function) -> Function:
    """Decorate a function of tensors: given `Inputs`, it is called for each input, and returns `Inputs`.

    Arguments that are no `Inputs` are passed to each call. If it returns a tuple, a tuple of `Inputs` is returned.
    """

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        given = [x for x in (*args, *kwargs.values()) if isinstance(x, Inputs)]
        if not given:
            return function(*args, **kwargs)
        results = []
        for i in range(len(given[0].parts)):
            part = {name: _part(x, i) for name, x in kwargs.items()}
            results.append(function(*(_part(x, i) for x in args), **part))
        if isinstance(results[0], tuple):
            return tuple(Inputs(parts) for parts in zip(*results, strict=True))
        return Inputs(results)

    return called  # type: ignore[return-value]


def _part(x: Any, i: int) -> Any:
    return x.parts[i] if isinstance(x, Inputs) else x
