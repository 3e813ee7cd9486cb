"""The contract of a perturbation, and which steps of a batch are whose."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from .._sklearn import Interval, plain_parameters

TELLING = 4.0  # F ratio from which the means of sequences are taken to tell their class
KNOTS = [Interval(Integral, 2, None, closed="left")]


@dataclass(frozen=True)
class Levels:
    """How far the means of sequences of one class lie apart, and less where they tell the class.

    Attributes
    ----------
    common : Tensor of shape (F,)
        Standard deviation of the mean of all values of a sequence; for each value, not more than its own.
    single : Tensor of shape (F,)
        That of the mean of each value. Channels after these are the last changes of the values.
    """

    common: Tensor
    single: Tensor

    @classmethod
    def of(cls, means: Tensor, codes: Tensor) -> Levels:
        """Levels by the means (n, F) of standardised sequences of classes (n,); zero where no class has two."""
        common, share = _within(means.mean(1, keepdim=True), codes)
        single, shares = _within(means, codes)
        return cls((common * share).minimum(single), single * shares)

    def to(self, device: torch.device) -> Levels:
        """Return the same on a device."""
        return Levels(self.common.to(device), self.single.to(device))


def _within(means: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Deviation (F,) of means (n, F) within classes (n,), and `TELLING` as a share (F,) of the F ratio, at most 1."""
    _, members, sizes = codes.unique(return_inverse=True, return_counts=True)
    n, n_classes = len(means), len(sizes)
    centres = means.new_zeros(n_classes, means.shape[1]).index_add_(0, members, means) / sizes[:, None]
    within = (means - centres[members]).square().sum(0) / max(1, n - n_classes)
    between = (centres[members] - means.mean(0)).square().sum(0) / max(1, n_classes - 1)
    tells = between > TELLING * within
    return within.sqrt(), (TELLING * within / between.where(tells, 1)).where(tells, 1)


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

    def mean(self, x: Tensor) -> Tensor:
        """Mean of each sequence (n, E) over its own steps."""
        return self.keep(x).sum(1) / self.ends[:, None]


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
    uses_levels: bool = True  # whether `perturb` asks for the levels of the data
    levels_: Levels | None = None  # of the data, which an estimator then measures in fit

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
        """Check the parameters as scikit-learn does, and bring them to Python's numbers; on a clone, in `fit`."""
        self._validate_params()
        plain_parameters(self)
