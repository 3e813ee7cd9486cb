"""Perturbations that change values where they are."""

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
        Standard deviation of the noise, against that of the channel in the own sequence (at most 1);
        so a constant channel stays as it is.

    Notes
    -----
    The noise is drawn step by step, so another padded length draws other noise.

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
        """Multiply."""
        return x * normal(x, generator, self.deviation, len(x), 1, 1, mean=1.0) if self.deviation else x


class Offset(Perturbation):
    """Add random numbers to whole sequences, in proportion to how far those of one class lie apart.

    An estimator measures that in `fit`, by the means of the labeled sequences, or of all where none is
    labeled. What tells the class is offset less: where the F ratio of the means is above 4, by 4 to that
    ratio (which grows with the number of labels, where classes differ). The changes of values, which the
    encoder sees beside them, have none. Used alone, all channels are values, whose means lie 1 apart.

    Parameters
    ----------
    offset : float, default=2
        Standard deviation of a number that is added to all channels, as loudness is; against that of the
        mean of all values of a sequence, or of the mean of the channel where that is smaller.
    channel_offset : float, default=0.2
        Standard deviation of a number for each channel, against that of its mean.

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
        """Add both."""
        levels = steps.levels or Levels(x.new_ones(1), x.new_ones(x.shape[2]))
        return x + offsets(x, levels, self.offset, self.channel_offset, generator)


class MagnitudeWarp(Perturbation):
    """Multiply each sequence by a factor that changes smoothly over time.

    Parameters
    ----------
    deviation : float, default=0.2
        Standard deviation of the factor at the knots, around 1; the same for all channels (one
        curve for each in the paper).
    n_knots : int, default=4
        Points, spread evenly over the sequence, at which a factor is drawn; joined by half cosines
        (by cubic splines in the paper).

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
        Largest share of the steps hidden, by all spans together.
    n_spans : int, default=1
        Spans, each of a random width up to ``share / n_spans``, rounded down to steps; they may
        overlap.

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

    What is left stays where it is, at its own speed.

    Parameters
    ----------
    share : float, default=0.3
        Largest share of the steps hidden, at both ends together; at least one step stays.

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
        Probability that a channel of a sequence is hidden; one always stays, so a single channel is
        never hidden.

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
