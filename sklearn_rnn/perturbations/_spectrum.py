"""Perturbations of spectrograms, whose channels lie side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .._sklearn import COUNT, COUNT_OR_ZERO, NOT_NEGATIVE, SHARE
from ._base import Perturbation, Steps
from ._functions import N_KNOTS, interpolate, normal, span, uniform, warped


def bands(x: Tensor, steps: Steps, share: float, draws: Tensor) -> Tensor:
    """Mask (n, E) of random bands of neighbouring channels, given draws (2, n_bands, n).

    Each band has up to a fraction `share` of the values of a step, rounded down. Channels that are changes of hidden
    values are hidden too.
    """
    n_values = x.shape[2] if steps.levels is None else len(steps.levels.single)
    channels = replace(steps, index=torch.arange(n_values, device=x.device), ends=x.new_full((len(x),), n_values))
    return span(channels, share, draws).any(0).repeat(1, x.shape[2] // n_values)


class FrequencyMask(Perturbation):
    """Hide random bands of neighbouring channels: all their steps become 0, the mean of standardised data.

    It is meant for spectrograms, whose channels are frequencies. In an estimator the channels of an embedded step are
    its values and their changes; both are hidden in a band.

    Parameters
    ----------
    share : float, default=0.2
        Largest fraction of the channels that are hidden, by all bands together.
    n_bands : int, default=1
        Number of bands. Each has a random width of up to ``share / n_bands`` of the channels, rounded down. Bands may
        overlap.

    References
    ----------
    Park et al. (2019), "SpecAugment: a simple data augmentation method for automatic speech recognition", Interspeech.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import FrequencyMask
    >>> x = torch.ones(2, 1, 8)
    >>> FrequencyMask(0.5)(x, None, torch.Generator().manual_seed(0))
    tensor([[[0., 1., 1., 1., 1., 1., 1., 1.]],
    <BLANKLINE>
            [[0., 0., 0., 1., 1., 1., 1., 1.]]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE, "n_bands": COUNT}

    def __init__(self, share: float = 0.2, n_bands: int = 1):
        self.share = share
        self.n_bands = n_bands

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Zero the bands."""
        draws = uniform(x, generator, 2, self.n_bands, len(x))
        return x.masked_fill(bands(x, steps, self.share / self.n_bands, draws)[:, None], 0)


class SpecAugment(Perturbation):
    """Warp time, hide bands of channels, and hide spans of steps, as SpecAugment does to spectrograms.

    Parameters
    ----------
    warp : float, default=0.1
        Standard deviation of the logarithm of the speed, as in `TimeWarp` with 4 knots. (The paper moves one point of
        time.)
    frequency : float, default=0.3
        Largest fraction of the channels that are hidden, as in `FrequencyMask`.
    n_bands : int, default=2
        Number of hidden bands of channels; 0 for none.
    time : float, default=0.2
        Largest fraction of the steps that are hidden, as in `TimeMask`.
    n_spans : int, default=2
        Number of hidden spans of steps; 0 for none.

    References
    ----------
    Park et al. (2019), "SpecAugment: a simple data augmentation method for automatic speech recognition", Interspeech.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn import SemiSupervisedRNNTranscriber
    >>> from sklearn_rnn.perturbations import SpecAugment
    >>> transcriber = SemiSupervisedRNNTranscriber(augmentation=SpecAugment(time=0.1))
    >>> spectrogram = torch.ones(1, 100, 20)
    >>> changed = SpecAugment()(spectrogram, None, torch.Generator().manual_seed(0))
    >>> (changed == 0).all(2).sum().item(), (changed == 0).all(1).sum().item()  # hidden steps, hidden channels
    (1, 2)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "warp": NOT_NEGATIVE,
        "frequency": SHARE,
        "n_bands": COUNT_OR_ZERO,
        "time": SHARE,
        "n_spans": COUNT_OR_ZERO,
    }

    def __init__(
        self, warp: float = 0.1, frequency: float = 0.3, n_bands: int = 2, time: float = 0.2, n_spans: int = 2
    ):
        self.warp = warp
        self.frequency = frequency
        self.n_bands = n_bands
        self.time = time
        self.n_spans = n_spans

    @property
    def moves_steps(self) -> bool:  # type: ignore[override]
        """Whether time is warped."""
        return bool(self.warp)

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Apply all changes in one pass."""
        if self.warp:
            x = interpolate(x, steps, warped(steps, normal(x, generator, self.warp, len(x), N_KNOTS)))
        if self.n_bands:
            draws = uniform(x, generator, 2, self.n_bands, len(x))
            x = x.masked_fill(bands(x, steps, self.frequency / self.n_bands, draws)[:, None], 0)
        if self.n_spans:
            hidden = span(steps, self.time / self.n_spans, uniform(x, generator, 2, self.n_spans, len(x))).any(0)
            x = x.masked_fill(hidden[:, :, None], 0)
        return x
