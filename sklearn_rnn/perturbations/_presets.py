"""Several perturbations in one pass: light ones for all views, strong ones for strong views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._sklearn import NOT_NEGATIVE, SHARE
from ._base import Perturbation, Steps
from ._functions import (
    N_KNOTS,
    all_but_one,
    interpolate,
    noise,
    normal,
    offsets,
    outside,
    pick,
    smooth_curve,
    span,
    uniform,
    warped,
    whole_steps,
)


@dataclass(frozen=True)
class _Fused:
    """The perturbations of the presets, in one pass: one move of the steps, one product of factors, one mask."""

    shift: float
    scale: float
    jitter: float
    offset: float
    channel_offset: float
    hide: float = 0.0
    trim: float = 0.0
    warp: float = 0.0
    magnitude: float = 0.0
    channels: float = 0.0

    def __call__(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        n, _, n_channels = x.shape
        draws = uniform(x, generator, 5, n)
        if self.warp or self.shift:
            x = self._move(x, steps, draws[0], generator)
        if self.scale or self.magnitude:
            x = x * self._factor(x, steps, generator)
        if steps.levels and (self.offset or self.channel_offset):
            x = x + offsets(x, steps.levels, self.offset, self.channel_offset, generator)
        if self.channels:
            dropped = all_but_one(uniform(x, generator, n, n_channels), self.channels)
            x = x.masked_fill(dropped[:, None], 0)
        if self.jitter:  # drawn last, because the number of draws depends on the padded length
            x = x + noise(x, steps, self.jitter, generator)
        if self.trim or self.hide:
            hidden = outside(steps, self.trim, draws[1:3]) | span(steps, self.hide, draws[3:])
            x = x.masked_fill(hidden[:, :, None], 0)
        return x

    def _move(self, x: Tensor, steps: Steps, draws: Tensor, generator: torch.Generator) -> Tensor:
        """Shift the steps, and warp time."""
        offset = whole_steps(steps, self.shift, draws)
        if not self.warp:
            return pick(x, (offset + steps.index).clamp_min(0).minimum(steps.last).long())
        return interpolate(x, steps, offset + warped(steps, normal(x, generator, self.warp, len(x), N_KNOTS)))

    def _factor(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Factors of sequences (n, 1, 1) or of steps (n, T, 1)."""
        n = len(x)
        factor = normal(x, generator, self.scale, n, 1, 1, mean=1.0) if self.scale else x.new_ones(n, 1, 1)
        if not self.magnitude:
            return factor
        knots = normal(x, generator, self.magnitude, n, N_KNOTS, mean=1.0)
        return factor * smooth_curve(steps, knots)[:, :, None]


class Light(Perturbation):
    """Shift each sequence, scale it, and add noise; each a little.

    It is the default augmentation of numbers; in classifiers, with ``offset=2, channel_offset=0.2``.

    Parameters
    ----------
    shift : float, default=0.1
        Largest shift in time, as a fraction of the length, rounded down to steps: sequences of fewer than
        ``1 / shift`` steps are not shifted. Values at the edge are repeated.
    scale : float, default=0.1
        Standard deviation of a factor for each sequence, around 1.
    jitter : float, default=0.2
        Standard deviation of the noise added to each value, as a factor of the standard deviation of the sequence (of
        at most 1).
    offset : float, default=0
        Standard deviation of a number that is added to all values of a sequence, as a factor of the deviation of the
        means of sequences of one class, as in `Offset`. Without an estimator, which measures that deviation, and for
        tokens, nothing is added.
    channel_offset : float, default=0
        The same for a number for each channel.

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.perturbations import Light
    >>> clf = SemiSupervisedRNNClassifier(augmentation=Light(shift=0.2))
    >>> search = GridSearchCV(clf, {"augmentation__jitter": [0.1, 0.3, 0.5]})
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "shift": SHARE,
        "scale": NOT_NEGATIVE,
        "jitter": NOT_NEGATIVE,
        "offset": NOT_NEGATIVE,
        "channel_offset": NOT_NEGATIVE,
    }

    def __init__(
        self,
        shift: float = 0.1,
        scale: float = 0.1,
        jitter: float = 0.2,
        offset: float = 0,
        channel_offset: float = 0,
    ):
        self.shift = shift
        self.scale = scale
        self.jitter = jitter
        self.offset = offset
        self.channel_offset = channel_offset

    @property
    def uses_levels(self) -> bool:  # type: ignore[override]
        """Whether there is an offset."""
        return bool(self.offset or self.channel_offset)

    @property
    def moves_steps(self) -> bool:  # type: ignore[override]
        """Whether steps are shifted."""
        return bool(self.shift)

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Apply all changes in one pass."""
        return _Fused(self.shift, self.scale, self.jitter, self.offset, self.channel_offset)(x, steps, generator)


class Strong(Perturbation):
    """Stronger changes than those of `Light`; also hide spans, trim the ends, and warp time and magnitude.

    Parameters
    ----------
    shift : float, default=0.2
        Largest shift in time, as a fraction of the length, rounded down to steps: sequences of fewer than
        ``1 / shift`` steps are not shifted. Values at the edge are repeated.
    scale : float, default=0.2
        Standard deviation of a factor for each sequence, around 1.
    jitter : float, default=0.3
        Standard deviation of the noise added to each value, as a factor of the standard deviation of the sequence (of
        at most 1).
    offset : float, default=0
        Standard deviation of a number that is added to all values of a sequence, as a factor of the deviation of the
        means of sequences of one class, as in `Offset`. Without an estimator, which measures that deviation, and for
        tokens, nothing is added.
    channel_offset : float, default=0
        The same for a number for each channel.
    hide : float, default=0.3
        Largest fraction of the steps that are set to the mean of the data, in one span.
    trim : float, default=0.3
        Largest fraction of the steps that are set to the mean of the data, at both ends together, as in `Trim`.
    warp : float, default=0.2
        Standard deviation of the logarithm of the speed, as in `TimeWarp` with 4 knots.
    magnitude : float, default=0.3
        Standard deviation of a smooth factor around 1, as in `MagnitudeWarp` with 4 knots.
    channels : float, default=0
        Probability that a channel is set to the mean of the data, as in `ChannelDrop`.

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Strong
    >>> generator = torch.Generator().manual_seed(0)
    >>> x = torch.linspace(-1, 1, 24).expand(2, 24)[:, :, None]  # 2 sequences of up to 24 steps
    >>> changed = Strong()(x, torch.tensor([24, 16]), generator)
    >>> changed.shape
    torch.Size([2, 24, 1])
    >>> changed[1, 16:].abs().max()  # nothing after the end
    tensor(0.)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "shift": SHARE,
        "scale": NOT_NEGATIVE,
        "jitter": NOT_NEGATIVE,
        "offset": NOT_NEGATIVE,
        "channel_offset": NOT_NEGATIVE,
        "hide": SHARE,
        "trim": SHARE,
        "warp": NOT_NEGATIVE,
        "magnitude": NOT_NEGATIVE,
        "channels": SHARE,
    }

    def __init__(
        self,
        shift: float = 0.2,
        scale: float = 0.2,
        jitter: float = 0.3,
        offset: float = 0,
        channel_offset: float = 0,
        hide: float = 0.3,
        trim: float = 0.3,
        warp: float = 0.2,
        magnitude: float = 0.3,
        channels: float = 0.0,
    ):
        self.shift = shift
        self.scale = scale
        self.jitter = jitter
        self.offset = offset
        self.channel_offset = channel_offset
        self.hide = hide
        self.trim = trim
        self.warp = warp
        self.magnitude = magnitude
        self.channels = channels

    @property
    def uses_levels(self) -> bool:  # type: ignore[override]
        """Whether there is an offset."""
        return bool(self.offset or self.channel_offset)

    @property
    def moves_steps(self) -> bool:  # type: ignore[override]
        """Whether steps are shifted or time is warped."""
        return bool(self.shift or self.warp)

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Apply all changes in one pass."""
        fused = _Fused(
            trim=self.trim,
            shift=self.shift,
            scale=self.scale,
            jitter=self.jitter,
            offset=self.offset,
            channel_offset=self.channel_offset,
            hide=self.hide,
            warp=self.warp,
            magnitude=self.magnitude,
            channels=self.channels,
        )
        return fused(x, steps, generator)
