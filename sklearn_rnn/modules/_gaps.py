"""Missing values and irregular steps as the input of an encoder, after GRU-D."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._layers import step_mask

FIRST_RATE = 0.1  # of the decay, per typical time since a value was seen
LEAST_SCALE = 0.25  # of a gap channel: one that hardly varies in training is not stretched


class GapEncoding(nn.Module):
    r"""Fill values that were not seen, and tell which were seen and how long ago.

    The filled value of feature d at step t is that of GRU-D (Che 2018), in standardised values, whose mean is 0:

    .. math:: \hat x_t^d = m_t^d x_t^d + (1 - m_t^d) \gamma_t^d x_{t'}^d, \quad
        \gamma_t^d = \exp(-\max(0, w_d \delta_t^d + b_d))

    where the mask m is 1 for values that were seen, :math:`x_{t'}` is the last value that was seen (0 if there is
    none), and :math:`\delta` is the time since then, or since the first step. Weights w and biases b are learned.

    The gap channels of a step are the mask and :math:`\log(1 + \delta)` of each feature, and :math:`\log(1 + \Delta)`
    of the time :math:`\Delta` since the step before. Times are in units of their typical size in the training data:
    :math:`\delta` of its mean for each feature, :math:`\Delta` of its mean. They do not depend on the user's unit. Gap
    channels are standardised, and the times are 0 at the first step. So they are 0 in data without gaps.

    Parameters
    ----------
    n_features : int
        Number of features per step.
    time_column : int
        Position of the time since the step before among the columns of values; -1 if each step takes a time of 1.
    """

    typical_gap: Tensor
    typical_age: Tensor
    channel_mean: Tensor
    channel_scale: Tensor

    def __init__(self, n_features: int, time_column: int):
        super().__init__()
        self.n_features, self.time_column = n_features, time_column
        self.n_channels = 2 * n_features + 1
        self.rate = nn.Parameter(torch.full((n_features,), FIRST_RATE))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("typical_gap", torch.ones(()))
        self.register_buffer("typical_age", torch.ones(n_features))
        self.register_buffer("channel_mean", torch.zeros(self.n_channels))
        self.register_buffer("channel_scale", torch.ones(self.n_channels))

    def features(self, values: Tensor) -> Tensor:
        """Values (n, T, F) without the column of times."""
        k = self.time_column
        return values if k < 0 else torch.cat([values[..., :k], values[..., k + 1 :]], dim=-1)

    def with_times(self, features: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Values with a column of times: the `gaps` (n, T), or the typical one between any two steps."""
        k = self.time_column
        if k < 0:
            return features
        gaps = self.typical_gap.expand(features.shape[:-1]) if gaps is None else gaps
        return torch.cat([features[..., :k], gaps[..., None], features[..., k:]], dim=-1)

    def thinned(self, values: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """Values (n, T, F) of which a `share` of each feature is hidden at random, or the share missing in training."""
        features = self.features(values)
        shares = (1 - self.channel_mean[: self.n_features]).clamp(0, share)
        hidden = torch.rand(features.shape, generator=generator, device=values.device) < shares
        times = values[..., self.time_column] if self.time_column >= 0 else None
        return self.with_times(features.masked_fill(hidden, torch.nan), times)

    def gaps(self, values: Tensor) -> Tensor:
        """Time (n, T) since the step before, 0 at the first step, in typical gaps."""
        if self.time_column < 0:
            passed = values.new_ones(values.shape[:2])
        else:
            passed = values[..., self.time_column] / self.typical_gap
        return pad(passed[:, 1:], (1, 0))

    def learn(self, values: Tensor, lengths: Tensor | None) -> None:
        """Learn the typical times, and the moments of the gap channels, from values (n, T, F)."""
        ends = torch.full((len(values),), values.shape[1]) if lengths is None else lengths
        inside = step_mask(ends, values.shape[1])
        later = inside[:, 1:]
        if self.time_column >= 0:
            self.typical_gap.copy_(_mean_or_one(values[:, 1:, self.time_column, None][later])[0])
        seen, gaps = ~self.features(values).isnan(), self.gaps(values)
        ages = self.ages(seen, gaps)
        self.typical_age.copy_(_mean_or_one(ages[:, 1:][later]))
        channels = self._raw_channels(seen, ages, gaps)
        for part, steps in ((slice(self.n_features), inside), (slice(self.n_features, None), pad(later, (1, 0)))):
            moments = (
                torch.std_mean(channels[..., part][steps].double(), 0, correction=0) if steps.any() else (0.0, 0.0)
            )
            self.channel_scale[part] = torch.as_tensor(moments[0]).float().clamp_min(LEAST_SCALE)
            self.channel_mean[part] = torch.as_tensor(moments[1]).float()

    def ages(self, seen: Tensor, gaps: Tensor) -> Tensor:
        """Time (n, T, F) since each value was last seen before a step, or since the first step, in typical gaps."""
        clock = gaps.cumsum(1)  # (n, T)
        last = pad(last_seen(seen)[:, :-1], (0, 0, 1, 0)).clamp_min(0)
        at = clock.gather(1, last.flatten(1)).view_as(last)
        return clock[:, :, None] - at

    def filled(self, x: Tensor, seen: Tensor, ages: Tensor) -> Tensor:
        """Standardised values (n, T, F) in which those that were not `seen` are the last ones, decayed to the mean."""
        known = x.where(seen, 0)  # so that no gradient is NaN
        last = last_seen(seen)
        values = known.gather(1, last.clamp_min(0)).where(last >= 0, 0)
        decay = torch.exp(-torch.relu(self.rate * ages / self.typical_age + self.bias))
        return known.where(seen, decay * values)

    def channels(self, seen: Tensor, ages: Tensor, gaps: Tensor) -> Tensor:
        """Gap channels (n, T, 2 F + 1) of steps."""
        channels = (self._raw_channels(seen, ages, gaps) - self.channel_mean) / self.channel_scale
        times = pad(channels[:, 1:, self.n_features :], (0, 0, 1, 0))
        return torch.cat([channels[..., : self.n_features], times], dim=2)

    def _raw_channels(self, seen: Tensor, ages: Tensor, gaps: Tensor) -> Tensor:
        return torch.cat([seen.to(ages), torch.log1p(ages / self.typical_age), torch.log1p(gaps)[..., None]], dim=2)

    def seen(self, channels: Tensor) -> Tensor:
        """Mask (n, T, F) of the values that were seen, given gap channels, perhaps with noise."""
        n = self.n_features
        return channels[..., :n] * self.channel_scale[:n] + self.channel_mean[:n] > 0.5


def _mean_or_one(times: Tensor) -> Tensor:
    """Mean (k,) of times (m, k); 1 where it is not positive, or there are none."""
    mean = times.double().sum(0) / max(1, len(times))
    return torch.where(mean > 0, mean, 1)


def last_seen(seen: Tensor) -> Tensor:
    """Number (n, T, F) of the last step up to each step at which a value was seen; -1 if there is none."""
    steps = torch.arange(seen.shape[1], device=seen.device)[:, None]
    return torch.where(seen, steps, -1).cummax(1).values


def changes_since_seen(x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Changes (n, T, F) since each value was last seen, 0 where there is none, and the mask of those that exist."""
    known = x.where(seen, 0)
    last = pad(last_seen(seen)[:, :-1], (0, 0, 1, 0), value=-1)
    exist = seen & (last >= 0)
    return (known - known.gather(1, last.clamp_min(0))).where(exist, 0), exist
