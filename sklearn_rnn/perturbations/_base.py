"""The base of the perturbations, and the steps of a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from .._links import LinkedEstimator
from .._sklearn import Interval, plain_parameters

MAX_F = 4.0  # F ratio above which the means of sequences depend on their class
KNOTS = [Interval(Integral, 2, None, closed="left")]


@dataclass(frozen=True)
class Levels:
    """Spread of the means of sequences of the same class; reduced if the means depend on the class.

    Attributes
    ----------
    common : Tensor of shape (F,)
        Standard deviation of the mean of all values of a sequence; for each value, at most that of its own mean.
    single : Tensor of shape (F,)
        Standard deviation of the mean of each value. Channels after these are the last changes of the values.
    """

    common: Tensor
    single: Tensor

    @classmethod
    def of(cls, means: Tensor, classes: Tensor) -> Levels:
        """Return levels, given the means (n, F) of standardised sequences and their classes (n,).

        They are zero if no class has two sequences.
        """
        common, factor = _spread_within(means.mean(1, keepdim=True), classes)
        single, factors = _spread_within(means, classes)
        return cls((common * factor).minimum(single), single * factors)

    def to(self, device: torch.device) -> Levels:
        """Return the same levels on a device."""
        return Levels(self.common.to(device), self.single.to(device))


def _spread_within(means: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Deviation (F,) of means (n, F) within classes (n,), and `MAX_F` divided by the F ratio (F,), at most 1."""
    _, members, sizes = classes.unique(return_inverse=True, return_counts=True)
    n, n_classes = len(means), len(sizes)
    centres = means.new_zeros(n_classes, means.shape[1]).index_add_(0, members, means) / sizes[:, None]
    within = (means - centres[members]).square().sum(0) / max(1, n - n_classes)
    between = (centres[members] - means.mean(0)).square().sum(0) / max(1, n_classes - 1)
    differ = between > MAX_F * within
    return within.sqrt(), (MAX_F * within / between.where(differ, 1)).where(differ, 1)


@dataclass(frozen=True)
class Steps:
    """The steps of a batch, and which of them are no padding.

    Attributes
    ----------
    lengths : Tensor of shape (n,) or None
        Lengths of the sequences; None if all are T long.
    index : Tensor of shape (T,)
        Numbers of the steps, from 0.
    ends : Tensor of shape (n,), of the type of x
        The lengths, also if all are T.
    inside : Tensor of shape (n, T, 1), bool, or None
        Mask of the steps that are no padding; None if there is no padding.
    levels : Levels or None
        Levels of the data; None if they are not known.
    """

    lengths: Tensor | None
    index: Tensor
    ends: Tensor
    inside: Tensor | None
    levels: Levels | None

    @classmethod
    def of(cls, x: Tensor, lengths: Tensor | None, levels: Levels | None = None) -> Steps:
        """Return the steps of a batch x (n, T, E)."""
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
        """Zero the padding."""
        return x if self.inside is None else x * self.inside

    def mean(self, x: Tensor) -> Tensor:
        """Mean (n, E) of each sequence over its steps, without padding."""
        return self.keep(x).sum(1) / self.ends[:, None]


class Perturbation(LinkedEstimator, ABC):
    """Base of the perturbations, which change a batch of sequences at random.

    A subclass defines `perturb`, which `Compose` calls too, and `_parameter_constraints` if it has parameters.

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
    uses_levels: bool = True  # whether `perturb` uses the levels of the data, which an estimator measures in fit
    moves_steps: bool = False  # whether steps change their places, so that labels of steps would be those of others
    levels_: Levels | None = None

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Return changed sequences; `x` itself is not changed.

        Parameters
        ----------
        x : Tensor of shape (n, T, E), float32 or float64
            Embedded steps: standardised numbers, or vectors of tokens.
        lengths : Tensor of shape (n,), integer, or None
            Lengths of the sequences, at least 1, on the device of x; None if all are T long.
        generator : torch.Generator
            Source of all randomness, on the device of x.

        Returns
        -------
        changed : Tensor of shape (n, T, E)
            Changed steps, zero after the end of each sequence.
        """
        steps = Steps.of(x, lengths, self.levels_)
        return steps.keep(self.perturb(x, steps, generator))

    @abstractmethod
    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Return changed steps (n, T, E) without changing x; `__call__` zeroes the padding."""

    def validate(self) -> None:
        """Check the parameters as scikit-learn does, and convert numpy's numbers to Python's; called on a clone."""
        self._validate_params()
        plain_parameters(self)
