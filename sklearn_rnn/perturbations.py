"""Random changes of sequences that leave their class alone: on whole batches, length-aware, seeded."""

from __future__ import annotations

from numbers import Real
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from ._sklearn import Interval

SHARE = [Interval(Real, 0, 1, closed="left")]
SPREAD = [Interval(Real, 0, None, closed="left")]


class Light(BaseEstimator):
    """Crop, shift, scale, add noise and hide a span: each a little, by the sequence's own length.

    Parameters
    ----------
    crop : float, default=0.2
        Largest share of the steps cut off; what is left is stretched to the old length.
    shift : float, default=0.1
        Largest shift in time, as a share of the length, rounded down to steps: sequences of fewer
        than ``1 / shift`` steps stay where they are. Values at the edge are repeated.
    scale : float, default=0.1
        Standard deviation of a factor for each sequence, around 1.
    jitter : float, default=0.3
        Standard deviation of noise on each value, against the sequence's own deviation (at most 1).
    hide : float, default=0.1
        Largest share of the steps set to the mean of the data, in one span.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "crop": SHARE,
        "shift": SHARE,
        "scale": SPREAD,
        "jitter": SPREAD,
        "hide": SHARE,
    }

    def __init__(
        self,
        crop: float = 0.2,
        shift: float = 0.1,
        scale: float = 0.1,
        jitter: float = 0.3,
        hide: float = 0.1,
    ):
        self.crop = crop
        self.shift = shift
        self.scale = scale
        self.jitter = jitter
        self.hide = hide

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Return changed steps (n, T, E); `lengths` (n,), or None where all are T long."""
        n, n_steps, _ = x.shape
        ends = x.new_full((n,), n_steps) if lengths is None else lengths.to(x.dtype)
        steps = torch.arange(n_steps, device=x.device)
        draws = torch.rand(5, n, generator=generator, device=x.device, dtype=x.dtype)
        inside = None if lengths is None else (steps < lengths[:, None])[:, :, None]
        if self.crop or self.shift:
            x = self._warp(x, ends, steps, draws)
        if self.scale:
            x = x * x.new_empty(n, 1, 1).normal_(1, self.scale, generator=generator)
        if self.jitter:
            noise = torch.empty_like(x).normal_(0, self.jitter, generator=generator)
            x = x + noise * _spread(x, ends, inside).clamp_max(1)
        if self.hide:
            width = (self.hide * ends * draws[3]).floor()
            first = (draws[4] * (ends - width + 1)).floor()
            hidden = (steps >= first[:, None]) & (steps < (first + width)[:, None])
            x = x.masked_fill(hidden[:, :, None], 0)
        return x if inside is None else x * inside

    def _warp(self, x: Tensor, ends: Tensor, steps: Tensor, draws: Tensor) -> Tensor:
        """Crop, stretch and shift by linear interpolation between steps."""
        rate = 1 - self.crop * draws[0]
        most = (self.shift * ends).floor()
        first = draws[1] * (1 - rate) * ends + (draws[2] * (2 * most + 1)).floor() - most
        last = (ends - 1)[:, None]
        position = (first[:, None] + rate[:, None] * steps).clamp_min(0).minimum(last)  # (n, T)
        left = position.floor()
        share = (position - left)[:, :, None]
        a = _at(x, left.long())
        return a + share * (_at(x, (left + 1).minimum(last).long()) - a)


def _at(x: Tensor, index: Tensor) -> Tensor:
    return x.gather(1, index[:, :, None].expand_as(x))


def _spread(x: Tensor, ends: Tensor, inside: Tensor | None) -> Tensor:
    """Standard deviation (n, 1, E) of each sequence over its own steps."""
    own = x if inside is None else x * inside
    n_steps = ends[:, None, None]
    mean = own.sum(1, keepdim=True) / n_steps
    variance = own.square().sum(1, keepdim=True) / n_steps - mean.square()
    return variance.clamp_min(0).sqrt()
