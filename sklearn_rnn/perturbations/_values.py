"""Perturbations that change values, but do not move steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import COUNT, NOT_NEGATIVE, SHARE
from ._base import KNOTS, Levels, Perturbation, Steps
from ._functions import all_but_one, noise, normal, offsets, outside, smooth_curve, span, uniform


class Jitter(Perturbation):
    """Add normal noise to each value.

    Parameters
    ----------
    deviation : float, default=0.3
        Standard deviation of the noise, as a factor of the deviation of the channel in the same sequence (of at most
        1). A constant channel is not changed.

    Notes
    -----
    Each step has its own draw, so the noise depends on the padded length.

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Jitter
    >>> x = torch.arange(5.0).reshape(1, 5, 1)
    >>> Jitter(0.1)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([0.1541, 0.9707, 1.7821, 3.0568, 3.8915])
    """

    _parameter_constraints: dict[str, list[Any]] = {"deviation": NOT_NEGATIVE}

    def __init__(self, deviation: float = 0.3):
        self.deviation = deviation

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Add the noise."""
        return x + noise(x, steps, self.deviation, generator) if self.deviation else x


class Scaling(Perturbation):
    """Multiply each sequence by a random factor.

    Parameters
    ----------
    deviation : float, default=0.1
        Standard deviation of the factor, around 1; the same for all channels.

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Scaling
    >>> x = torch.arange(5.0).reshape(1, 5, 1)
    >>> Scaling(0.1)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([0.0000, 1.1541, 2.3082, 3.4623, 4.6164])
    """

    _parameter_constraints: dict[str, list[Any]] = {"deviation": NOT_NEGATIVE}

    def __init__(self, deviation: float = 0.1):
        self.deviation = deviation

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Multiply by the factor."""
        return x * normal(x, generator, self.deviation, len(x), 1, 1, mean=1.0) if self.deviation else x


class Offset(Perturbation):
    """Add random numbers to whole sequences, in proportion to the spread of the means of sequences of one class.

    An estimator measures this spread in `fit`, from the means of the labeled sequences (of all sequences, if none is
    labeled). Offsets are reduced if the means depend on the class: if the F ratio of the means is above 4, by a factor
    of 4 divided by that ratio. (If classes differ, the ratio grows with the number of labels.) The changes of values,
    which are further inputs of the encoder, get no offset. Without an estimator, all channels are taken as values, and
    the spread as 1.

    Parameters
    ----------
    offset : float, default=2
        Standard deviation of a number that is added to all channels, such as loudness. It is a factor of the deviation
        of the mean of all values of a sequence, or of the mean of the channel if that is smaller.
    channel_offset : float, default=0.2
        Standard deviation of a number for each channel, as a factor of the deviation of its mean.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Offset
    >>> x = torch.arange(4.0).reshape(1, 2, 2)
    >>> Offset(0.5, channel_offset=0)(x, None, torch.Generator().manual_seed(0))
    tensor([[[0.7705, 1.7705],
             [2.7705, 3.7705]]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"offset": NOT_NEGATIVE, "channel_offset": NOT_NEGATIVE}

    def __init__(self, offset: float = 2, channel_offset: float = 0.2):
        self.offset = offset
        self.channel_offset = channel_offset

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Add both offsets."""
        levels = steps.levels or Levels(x.new_ones(1), x.new_ones(x.shape[2]))
        return x + offsets(x, levels, self.offset, self.channel_offset, generator)


class MagnitudeWarp(Perturbation):
    """Multiply each sequence by a factor that changes smoothly over time.

    Parameters
    ----------
    deviation : float, default=0.2
        Standard deviation of the factor at the knots, around 1. It is the same for all channels (in the paper, each
        channel has a curve).
    n_knots : int, default=4
        Number of points, at equal distances over the sequence, at which a factor is drawn. They are joined by half
        cosines (in the paper, by cubic splines).

    References
    ----------
    Um et al. (2017), "Data augmentation of wearable sensor data for Parkinson's disease monitoring
    using convolutional neural networks", ICMI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import MagnitudeWarp
    >>> x = torch.ones(1, 5, 1)
    >>> MagnitudeWarp()(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([1.3082, 0.9950, 0.7528, 0.6447, 1.1137])
    """

    _parameter_constraints: dict[str, list[Any]] = {"deviation": NOT_NEGATIVE, "n_knots": KNOTS}

    def __init__(self, deviation: float = 0.2, n_knots: int = 4):
        self.deviation = deviation
        self.n_knots = n_knots

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Multiply by the curve."""
        if not self.deviation:
            return x
        knots = normal(x, generator, self.deviation, len(x), self.n_knots, mean=1.0)
        return x * smooth_curve(steps, knots)[:, :, None]


class TimeMask(Perturbation):
    """Hide random spans of steps: all channels become 0, the mean of standardised data.

    Parameters
    ----------
    share : float, default=0.1
        Largest fraction of the steps that are hidden, by all spans together.
    n_spans : int, default=1
        Number of spans. Each has a random width of up to ``share / n_spans`` of the length, rounded down to steps.
        Spans may overlap.

    References
    ----------
    Park et al. (2019), "SpecAugment: a simple data augmentation method for automatic speech
    recognition", Interspeech.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import TimeMask
    >>> x = torch.ones(1, 8, 1)
    >>> TimeMask(0.5)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([1., 1., 1., 1., 1., 1., 0., 1.])
    """

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE, "n_spans": COUNT}

    def __init__(self, share: float = 0.1, n_spans: int = 1):
        self.share = share
        self.n_spans = n_spans

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Zero the spans."""
        draws = uniform(x, generator, 2, self.n_spans, len(x))
        hidden = span(steps, self.share / self.n_spans, draws).any(0)  # (n, T)
        return x.masked_fill(hidden[:, :, None], 0)


class Trim(Perturbation):
    """Hide the beginning and the end: all channels become 0, the mean of standardised data.

    The other steps are not moved.

    Parameters
    ----------
    share : float, default=0.3
        Largest fraction of the steps that are hidden, at both ends together; at least one step is kept.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Trim
    >>> x = torch.ones(1, 8, 1)
    >>> Trim(0.9)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([0., 0., 1., 1., 1., 1., 1., 0.])
    """

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.3):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Zero the ends."""
        return x.masked_fill(outside(steps, self.share, uniform(x, generator, 2, len(x)))[:, :, None], 0)


class ChannelDrop(Perturbation):
    """Hide random channels: all their steps become 0, the mean of standardised data.

    Parameters
    ----------
    share : float, default=0.1
        Probability that a channel of a sequence is hidden. At least one channel is kept, so a single channel is never
        hidden.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import ChannelDrop
    >>> x = torch.ones(1, 2, 4)
    >>> ChannelDrop(0.5)(x, None, torch.Generator().manual_seed(0))
    tensor([[[0., 1., 0., 0.],
             [0., 1., 0., 0.]]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Zero the channels."""
        dropped = all_but_one(uniform(x, generator, len(x), x.shape[2]), self.share)  # (n, E)
        return x.masked_fill(dropped[:, None], 0)
