"""Missing values and irregular steps as the input of an encoder, after GRU-D."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

FIRST_RATE = 0.1  # of the decay, per typical time since a value was seen


class GapEncoding(nn.Module):
    r"""Fill values that were not seen, and tell which were seen and how long ago.

    The filled value of feature d at step t is that of GRU-D (Che 2018), in standardised values, whose mean is 0:

    .. math:: \hat x_t^d = m_t^d x_t^d + (1 - m_t^d) \gamma_t^d x_{t'}^d, \quad
        \gamma_t^d = \exp(-\max(0, w_d \delta_t^d + b_d))

    where the mask m is 1 for values that were seen, :math:`x_{t'}` is the last value that was seen (0 if there is
    none), and :math:`\delta` is the time since then, or since the first step. Weights w and biases b are learned.

    The gap channels of a step are the mask and :math:`\log(1 + \delta)` of each feature, and :math:`\log(1 + \Delta)`
    of the time :math:`\Delta` since the step before. Times are in units of their typical size in the training data:
    :math:`\delta` of its mean for each feature, :math:`\Delta` of its mean. They do not depend on the user's unit.

    Parameters
    ----------
    n_features : int
        Number of features per step.
    time_column : int
        Position of the time since the step before among the columns of values; -1 if each step takes a time of 1.
    """

    typical_gap: Tensor
    typical_age: Tensor

    def __init__(self, n_features: int, time_column: int):
        super().__init__()
        self.n_features, self.time_column = n_features, time_column
        self.n_channels = 2 * n_features + 1
        self.rate = nn.Parameter(torch.full((n_features,), FIRST_RATE))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("typical_gap", torch.ones(()))
        self.register_buffer("typical_age", torch.ones(n_features))

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

    def gaps(self, values: Tensor) -> Tensor:
        """Time (n, T) since the step before, 0 at the first step, in typical gaps."""
        if self.time_column < 0:
            passed = values.new_ones(values.shape[:2])
        else:
            passed = values[..., self.time_column] / self.typical_gap
        return pad(passed[:, 1:], (1, 0))

    def learn(self, values: Tensor, lengths: Tensor | None) -> None:
        """Learn the typical times from values (n, T, F)."""
        n_steps = values.shape[1]
        index = torch.arange(n_steps, device=values.device)
        ends = torch.full((len(values),), n_steps, device=values.device) if lengths is None else lengths
        later = (index < ends[:, None]) & (index > 0)
        if self.time_column >= 0:
            gaps = values[..., self.time_column][later]
            positive = gaps.double().mean() if len(gaps) else gaps.new_zeros(())
            self.typical_gap.copy_(torch.where(positive > 0, positive, 1))
        ages = self.ages(~self.features(values).isnan(), self.gaps(values))[later]
        mean = ages.double().mean(0) if len(ages) else ages.new_zeros(self.n_features)
        self.typical_age.copy_(torch.where(mean > 0, mean, 1))

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
        return torch.cat([seen.to(ages), torch.log1p(ages / self.typical_age), torch.log1p(gaps)[..., None]], dim=2)


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
