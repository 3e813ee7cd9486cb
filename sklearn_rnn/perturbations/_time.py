"""Perturbations that move steps in time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import COUNT, NOT_NEGATIVE, SHARE
from ._base import KNOTS, Perturbation, Steps
from ._functions import interpolate, normal, pick, uniform, warped, whole_steps, window


class Crop(Perturbation):
    """Keep a random window of random width, and stretch it to the length of the sequence.

    Parameters
    ----------
    share : float, default=0.2
        Largest fraction of the steps that is cut off.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Crop
    >>> x = torch.arange(5.0).reshape(1, 5, 1)
    >>> Crop(0.9)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([1.3724, 1.9258, 2.4792, 3.0326, 3.5859])
    """

    moves_steps = True
    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.2):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Interpolate between the steps of the window."""
        if not self.share:
            return x
        first, rate = window(steps, self.share, uniform(x, generator, 2, len(x)))
        return interpolate(x, steps, first + rate * steps.index)


class WindowSlice(Perturbation):
    """Keep a random window of fixed width, and stretch it to the length of the sequence.

    The window starts and ends at a step, and its ends become the ends of the sequence.

    Parameters
    ----------
    share : float, default=0.1
        Fraction of the steps that is cut off, rounded down to steps: sequences of fewer than ``1 / share`` steps are
        not changed.

    References
    ----------
    Le Guennec, Malinowski and Tavenard (2016), "Data augmentation for time series classification
    using convolutional neural networks", ECML/PKDD workshop on advanced analytics and learning on
    temporal data.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import WindowSlice
    >>> x = torch.arange(5.0).reshape(1, 5, 1)
    >>> WindowSlice(0.4)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([1.0000, 1.5000, 2.0000, 2.5000, 3.0000])
    """

    moves_steps = True
    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Interpolate between the steps of the window."""
        if not self.share:
            return x
        cut = (self.share * steps.ends).floor()[:, None]
        first = (uniform(x, generator, len(x), 1) * (cut + 1)).floor()
        rate = (steps.last - cut) / steps.last.clamp_min(1)
        return interpolate(x, steps, first + rate * steps.index)


class TimeShift(Perturbation):
    """Move each sequence by a random number of steps; values at the edge are repeated.

    Parameters
    ----------
    share : float, default=0.1
        Largest shift, forwards or backwards, as a fraction of the length, rounded down to steps: sequences of fewer
        than ``1 / share`` steps are not shifted.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import TimeShift
    >>> x = torch.arange(5.0).reshape(1, 5, 1)
    >>> TimeShift(0.4)(x, None, torch.Generator().manual_seed(3)).flatten()
    tensor([0., 0., 0., 1., 2.])
    """

    moves_steps = True
    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Shift the steps."""
        if not self.share:
            return x
        offset = whole_steps(steps, self.share, uniform(x, generator, len(x)))
        return pick(x, (offset + steps.index).clamp_min(0).minimum(steps.last).long())


class TimeWarp(Perturbation):
    """Change the speed of each sequence smoothly over time; its first and last step do not change.

    Parameters
    ----------
    deviation : float, default=0.3
        Standard deviation of the logarithm of the speed at the knots; about the relative deviation
        of the speed.
    n_knots : int, default=4
        Number of points, at equal distances over the sequence, at which a speed is drawn. They are joined by half
        cosines (in the paper, by cubic splines).

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import TimeWarp
    >>> x = torch.arange(5.0).reshape(1, 5, 1)
    >>> TimeWarp(0.5)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([0.0000, 1.2094, 1.8693, 2.3731, 4.0000])
    """

    moves_steps = True
    _parameter_constraints: dict[str, list[Any]] = {"deviation": NOT_NEGATIVE, "n_knots": KNOTS}

    def __init__(self, deviation: float = 0.3, n_knots: int = 4):
        self.deviation = deviation
        self.n_knots = n_knots

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Interpolate at the warped positions."""
        if not self.deviation:
            return x
        return interpolate(x, steps, warped(steps, normal(x, generator, self.deviation, len(x), self.n_knots)))


class Permutation(Perturbation):
    """Cut each sequence at random places, and join the segments in random order.

    Parameters
    ----------
    n_segments : int, default=4
        Number of segments of each sequence; short sequences may have empty segments. 1 changes nothing.

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Permutation
    >>> x = torch.arange(6.0).reshape(1, 6, 1)
    >>> Permutation(3)(x, None, torch.Generator().manual_seed(1)).flatten()
    tensor([2., 0., 1., 3., 4., 5.])
    """

    moves_steps = True
    _parameter_constraints: dict[str, list[Any]] = {"n_segments": COUNT}

    def __init__(self, n_segments: int = 4):
        self.n_segments = n_segments

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Take each step from its segment."""
        n, k, ends = len(x), self.n_segments, steps.ends[:, None]
        draws = uniform(x, generator, 2, n, k)
        cuts = (draws[0, :, 1:] * steps.last).floor().sort(1).values + 1
        starts = torch.cat([torch.zeros_like(ends), cuts], 1)  # (n, k)
        order = draws[1].argsort(1)
        widths = (torch.cat([cuts, ends], 1) - starts).gather(1, order)
        stops = widths.cumsum(1)
        moved = starts.gather(1, order) - (stops - widths)  # distance by which each segment is moved
        segment = (steps.index >= stops[:, :-1, None]).sum(1)  # (n, T)
        return pick(x, (steps.index + moved.gather(1, segment)).minimum(steps.last).long())
