"""The contract of a perturbation, and which steps of a batch are whose."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from .._sklearn import Interval

CHANCE = 4.0  # F ratio (variance of means between classes to that within) up to which levels tell no class
KNOTS = [Interval(Integral, 2, None, closed="left")]


@dataclass(frozen=True)
class Levels:
    """How far the means of sequences of one class lie apart, and less where they tell the class.

    Attributes
    ----------
    common : Tensor of shape (1,)
        Standard deviation of the mean of all values of a sequence.
    single : Tensor of shape (F,)
        That of the mean of each value. Channels after these are the last changes of the values.
    """

    common: Tensor
    single: Tensor

    @classmethod
    def of(cls, x: Tensor, lengths: Tensor | None, codes: Tensor) -> Levels:
        """Levels of standardised values (n, T, F) of classes (n,); zero where no class has two sequences."""
        steps = Steps.of(x, lengths)
        means = steps.keep(x).sum(1) / steps.ends[:, None]
        members = (codes[:, None] == codes.unique()).to(x.dtype)
        return cls(*(_level(each, members) for each in (means.mean(1, keepdim=True), means)))

    def to(self, device: torch.device) -> Levels:
        """Return the same on a device."""
        return Levels(self.common.to(device), self.single.to(device))


def _level(means: Tensor, members: Tensor) -> Tensor:
    """Deviation (F,) of means (n, F) within classes, by membership (n, K); less where these tell the class."""
    n, n_classes = members.shape
    centres = members.T @ means / members.sum(0)[:, None]
    within = (means - members @ centres).square().sum(0) / max(1, n - n_classes)
    between = (members @ centres - means.mean(0)).square().sum(0) / max(1, n_classes - 1)
    told = between > CHANCE * within
    return within.sqrt() * (CHANCE * within / between.where(told, 1)).where(told, 1)


@dataclass(frozen=True)
class Steps:
    """Which steps of a batch belong to their sequence.

    Attributes
    ----------
    lengths : Tensor of shape (n,) or None
        Steps of each sequence; None where all are T long.
    index : Tensor of shape (T,)
        Numbers of the steps, from 0.
    ends : Tensor of shape (n,), of the type of x
        The lengths, T where they are None.
    inside : Tensor of shape (n, T, 1), bool, or None
        Whether a step belongs to its sequence; None where all do.
    levels : Levels or None
        Of the data; None where they are not known.
    """

    lengths: Tensor | None
    index: Tensor
    ends: Tensor
    inside: Tensor | None
    levels: Levels | None

    @classmethod
    def of(cls, x: Tensor, lengths: Tensor | None, levels: Levels | None = None) -> Steps:
        """Steps of a batch x (n, T, E)."""
        n, n_steps, _ = x.shape
        index = torch.arange(n_steps, device=x.device)
        if lengths is None:
            return cls(None, index, x.new_full((n,), n_steps), None, levels)
        return cls(lengths, index, lengths.to(x.dtype), (index < lengths[:, None])[:, :, None], levels)

    @property
    def last(self) -> Tensor:
        """Number of the last step of each sequence, (n, 1)."""
        return (self.ends - 1)[:, None]

    def keep(self, x: Tensor) -> Tensor:
        """Zero what follows the sequences."""
        return x if self.inside is None else x * self.inside


class Perturbation(BaseEstimator, ABC):
    """Base of the perturbations: changes a batch of sequences at random.

    A new one defines `perturb` alone, which `Compose` calls too, and `_parameter_constraints` where it has
    parameters.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Perturbation
    >>> class Flip(Perturbation):
    ...     def perturb(self, x, steps, generator):
    ...         flipped = torch.rand(len(x), 1, 1, generator=generator, device=x.device) < 0.5
    ...         return torch.where(flipped, -x, x)
    >>> Flip()(torch.ones(6, 1, 1), None, torch.Generator().manual_seed(0)).flatten()
    tensor([-1.,  1., -1., -1., -1.,  1.])
    """

    _parameter_constraints: dict[str, list[Any]] = {}
    levels_: Levels | None = None  # of the data, which an estimator measures in fit

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Return changed sequences; `x` is not written to.

        Parameters
        ----------
        x : Tensor of shape (n, T, E), float32 or float64
            Embedded steps: standardised numbers, or vectors of tokens.
        lengths : Tensor of shape (n,), integer, or None
            Steps of each sequence, at least 1, on the device of x; None where all are T long.
        generator : torch.Generator
            Source of all randomness, on the device of x.

        Returns
        -------
        changed : Tensor of shape (n, T, E)
            Zero after the end of each sequence.
        """
        steps = Steps.of(x, lengths, self.levels_)
        return steps.keep(self.perturb(x, steps, generator))

    @abstractmethod
    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Return changed steps (n, T, E) and leave x as it is; `__call__` zeroes the padding."""

    def validate(self) -> None:
        """Check the parameters as scikit-learn does; the estimators do so in `fit`."""
        self._validate_params()
