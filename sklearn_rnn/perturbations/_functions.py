"""The arithmetic of the perturbations, which single perturbations and presets share."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from ._base import Levels, Steps

N_KNOTS = 4  # of the smooth curves of presets


def uniform(x: Tensor, generator: torch.Generator, *shape: int) -> Tensor:
    """Draw numbers between 0 and 1, of the type and on the device of x."""
    return torch.rand(shape, generator=generator, device=x.device, dtype=x.dtype)


def normal(x: Tensor, generator: torch.Generator, deviation: float, *shape: int, mean: float = 0.0) -> Tensor:
    """Draw normal numbers, of the type and on the device of x."""
    return x.new_empty(shape).normal_(mean, deviation, generator=generator)


def pick(x: Tensor, index: Tensor) -> Tensor:
    """Steps of x (n, T, E), given their numbers (n, T) in the same sequence."""
    n, n_steps, n_channels = x.shape
    if n_channels == 1:
        return x.gather(1, index[:, :, None])
    firsts = torch.arange(0, n * n_steps, n_steps, device=x.device)  # taking whole vectors is faster than a gather
    return pick_any(x, index + firsts[:, None])


def pick_any(x: Tensor, index: Tensor) -> Tensor:
    """Steps of x (n, T, E), given their numbers (n, T) in the whole batch."""
    return x.reshape(-1, x.shape[2]).index_select(0, index.flatten()).view_as(x)


def interpolate(x: Tensor, steps: Steps, position: Tensor) -> Tensor:
    """Values (n, T, E) at positions (n, T) between the steps; beyond its ends, a sequence is constant."""
    position = position.clamp_min(0).minimum(steps.last)
    left = position.floor()
    fraction = (position - left)[:, :, None]
    a = pick(x, left.long())
    return a + fraction * (pick(x, (left + 1).minimum(steps.last).long()) - a)


def window(steps: Steps, crop: float, draws: Tensor) -> tuple[Tensor, Tensor]:
    """First position (n, 1) of a random window, and positions per step (n, 1), given draws (2, n)."""
    rate = 1 - crop * draws[0]
    return (draws[1] * (1 - rate) * (steps.ends - 1))[:, None], rate[:, None]


def whole_steps(steps: Steps, shift: float, draws: Tensor) -> Tensor:
    """Random shifts (n, 1) in steps, forwards or backwards, of at most a fraction of the length, given draws (n,)."""
    most = (shift * steps.ends).floor()
    return ((draws * (2 * most + 1)).floor() - most)[:, None]


def smooth_curve(steps: Steps, knots: Tensor) -> Tensor:
    """Curve (n, T) through knots (n, K) at equal distances over each sequence, joined by half cosines."""
    last = steps.last if steps.lengths is not None else steps.last[:1]  # (n, 1), or (1, 1) if all are equal
    n_gaps = knots.shape[1] - 1
    place = (steps.index / last.clamp_min(1)).clamp_max(1) * n_gaps
    left = place.floor().clamp_max(n_gaps - 1)
    fraction = (1 - torch.cos(math.pi * (place - left))) / 2
    index = left.long().expand(len(knots), -1)
    a = knots.gather(1, index)
    return a + fraction * (knots.gather(1, index + 1) - a)


def warped(steps: Steps, log_speeds: Tensor) -> Tensor:
    """Positions (n, T) from the first to the last step, whose speed changes smoothly between knots (n, K)."""
    distance = smooth_curve(steps, log_speeds).exp().cumsum(1)
    distance = distance - distance[:, :1]
    total = distance.gather(1, steps.last.long())
    return steps.last * (distance / total.clamp_min(torch.finfo(total.dtype).tiny)).clamp_max(1)


def noise(x: Tensor, steps: Steps, deviation: float, generator: torch.Generator) -> Tensor:
    """Noise (n, T, E) in proportion to the standard deviation of each sequence, but at most to 1."""
    drawn = torch.empty_like(x).normal_(0, deviation, generator=generator)
    return drawn * _spread(x, steps).clamp_max(1)


def offsets(x: Tensor, levels: Levels, offset: float, channel_offset: float, generator: torch.Generator) -> Tensor:
    """Offsets (n, 1, E) of whole sequences, in proportion to the levels of the data; 0 for changes of values."""
    n_values = len(levels.single)
    drawn = x.new_zeros(len(x), 1, n_values)
    if offset:
        drawn = drawn + normal(x, generator, offset, len(x), 1, 1) * levels.common
    if channel_offset:
        drawn = drawn + normal(x, generator, channel_offset, len(x), 1, n_values) * levels.single
    return pad(drawn, (0, x.shape[2] - n_values))


def _spread(x: Tensor, steps: Steps) -> Tensor:
    """Standard deviation (n, 1, E) of each sequence over its steps, without padding."""
    x = steps.keep(x)
    n_steps = steps.ends[:, None, None]
    mean = x.sum(1, keepdim=True) / n_steps
    variance = x.square().sum(1, keepdim=True) / n_steps - mean.square()
    varies = variance > 0
    return variance.where(varies, 1).sqrt() * varies  # the gradient of the root is not finite at 0


def span(steps: Steps, fraction: float, draws: Tensor) -> Tensor:
    """Mask (..., n, T) of a random span of at most a fraction of the steps, given draws (2, ..., n)."""
    width = (fraction * steps.ends * draws[0]).floor()
    first = (draws[1] * (steps.ends - width + 1)).floor()
    return (steps.index >= first[..., None]) & (steps.index < (first + width)[..., None])


def outside(steps: Steps, fraction: float, draws: Tensor) -> Tensor:
    """Mask (n, T) of random spans at both ends, together at most a fraction of the steps, given draws (2, n)."""
    cut = fraction * steps.ends * draws[0]
    first = (cut * draws[1]).floor()
    end = steps.ends - (cut - first).floor()
    return (steps.index < first[:, None]) | (steps.index >= end[:, None])


def all_but_one(draws: Tensor, probability: float) -> Tensor:
    """Mask (n, K) of the draws (n, K) below `probability`, without the largest draw of each row."""
    return (draws < probability) & (draws < draws.amax(1, keepdim=True))
