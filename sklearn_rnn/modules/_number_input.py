"""Numbers as the input of an encoder: standardised, with their changes and the features of random kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from ._gaps import GapEncoding, changes_since_seen
from ._input import InputLayer
from ._kernels import RandomKernels
from ._layers import in_patches

N_NOISE = 4096  # steps of noise to which the responses of kernels are measured
LEAST = 1e-6  # size of changes that are nothing but noise
FAR = 1e6  # limit of standardised values; only in data of more than 1e12 steps can a training value exceed it


class NumberInput(InputLayer):
    """Embed numbers (n, T, F): standardised values and their changes since the previous step, (n, T, 2 F).

    Changes have a root mean square of 1, or less where less than half of their square is signal: twice that share.
    With `second_changes`, the changes of the changes follow, also with a root mean square of 1: (n, T, 3 F).

    Numbers are relative to the `origin`, which is subtracted before they are rounded to float32. Standardised values
    are clamped to `FAR` deviations, so that all later results are finite. Decoded steps are standardised values.

    With `gaps`, NaN stands for values that were not seen: standardised values keep it, embedded steps are filled, and
    have the channels of `GapEncoding` at their end. Changes are those since a value was last seen. The column of times
    is no feature, and is not decoded.

    Parameters
    ----------
    n_features : int
        Number of features per step.
    n_kernels : int
        Number of random kernels; 0 for none.
    patch_size : int
        Number of steps in a patch.
    second_changes : bool
        Whether steps have the changes of the changes too. In smooth series a change is much like the one before, and
        what tells alike shapes apart is small beside both.
    gaps : bool
        Whether values may be missing.
    time_column : int
        Position of the time since the step before among the columns of values; -1 if there is none.
    """

    auto_steps = 24
    mean: Tensor
    scale: Tensor
    change: Tensor
    second_change: Tensor | None
    origin_parts: Tensor

    def __init__(
        self,
        n_features: int,
        n_kernels: int,
        patch_size: int,
        second_changes: bool = False,
        gaps: bool = False,
        time_column: int = -1,
    ):
        super().__init__()
        self.n_features, self.n_outputs, self.patch_size = n_features, n_features, patch_size
        self.kernels: RandomKernels | None = None
        self.gaps = GapEncoding(n_features, time_column) if gaps else None
        n_columns = n_features + (time_column >= 0)
        width = (3 if second_changes else 2) * n_features
        if n_kernels:
            self.kernels = RandomKernels(width, n_kernels, patch_size, self.auto_steps * patch_size)
            self.kernel_width = self.kernels.out_features
        self.n_value_channels = width
        self.patch_width = (width + (self.gaps.n_channels if self.gaps else 0)) * patch_size + self.kernel_width
        self.register_buffer(
            "origin_parts", torch.zeros(2, n_columns)
        )  # two float32, because some devices have no float64
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("change", torch.ones(n_features))
        self.register_buffer("second_change", torch.ones(n_features) if second_changes else None)

    @property
    def origin(self) -> Tensor:
        """Origin (F,), float64, which is subtracted from numbers (n, T, F) before the encoder gets them."""
        return self.origin_parts.cpu().double().sum(0)

    def standardise(
        self,
        mean: Tensor,
        deviation: Tensor,
        change: Tensor,
        signal: Tensor | None = None,
        origin: Tensor | None = None,
        second_change: Tensor | None = None,
    ) -> None:
        """Set the moments with which numbers are standardised from now on; constant features become 0.

        Moments and origin are those of all columns, also of times.

        Parameters
        ----------
        mean, deviation : Tensor of shape (F,)
            Mean and standard deviation of each feature, relative to the origin.
        change : Tensor of shape (F,)
            Root mean square of the changes of each feature from step to step.
        signal : Tensor of shape (F,), default=None
            Share of their square that is not white noise. By default, 1.
        origin : Tensor of shape (F,), float64, default=None
            A sum of two float32; None for zeros.
        second_change : Tensor of shape (F,), default=None
            Root mean square of the changes of the changes.
        """
        if origin is not None:
            self.origin_parts[0].copy_(origin)
            self.origin_parts[1].copy_(origin - origin.float())
        mean, deviation, change = (self._features(moment) for moment in (mean, deviation, change))
        signal = None if signal is None else self._features(signal)
        noise = 1e-6 * mean.abs() + 1e-30  # deviation of a constant that is due to rounding
        constant = deviation <= noise
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(deviation == 0, torch.ones_like(deviation), deviation.maximum(noise)))
        size = torch.where(constant | (change == 0), torch.ones_like(change), change / self.scale)
        self.change.copy_(size if signal is None else size / (2 * signal).clamp(LEAST, 1))
        if self.second_change is not None and second_change is not None:
            size = self._features(second_change) / self.scale / self.change
            self.second_change.copy_(torch.where(constant | (size == 0), torch.ones_like(size), size))

    def scale_kernels(self, values: Tensor, lengths: Tensor | None, noise: Tensor | float = 0.0) -> None:
        """Scale the kernels so that their responses to these numbers (n, T, F) have deviation 1.

        `noise` (F,) is the deviation of the white noise in each feature. Kernels that answer mostly to it are set to 0.
        """
        assert self.kernels is not None
        white = torch.randn(1, N_NOISE, self.n_features, generator=torch.Generator().manual_seed(0))
        noise = noise if isinstance(noise, float) else self._features(noise)
        embedded = self.embed(values)[..., : self.n_value_channels]
        self.kernels.scale(embedded, lengths, self._with_changes(white * noise / self.scale))

    def learn_gaps(self, values: Tensor, lengths: Tensor | None) -> None:
        """Learn the typical times between steps, and between values that were seen, from numbers (n, T, F)."""
        if self.gaps is not None:
            self.gaps.learn(values, lengths)

    def _features(self, values: Tensor) -> Tensor:
        """Numbers (..., F) without the column of times."""
        return values if self.gaps is None else self.gaps.features(values)

    def standardised(self, values: Tensor) -> Tensor:
        """Standardised numbers (n, T, F), clamped to `FAR`; NaN where they were not seen."""
        return ((self._features(values) - self.mean) / self.scale).clamp(-FAR, FAR)

    @property
    def has_gaps(self) -> bool:
        """Whether numbers were missing in training."""
        return self.gaps is not None and bool((self.gaps.channel_mean[: self.n_features] < 1).any())

    def thinned(self, values: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """Numbers (n, T, F) of which a `share` of each feature is hidden at random, but no more than are missing."""
        return values if self.gaps is None or not share else self.gaps.thinned(values, share, generator)

    def passed(self, values: Tensor) -> Tensor | None:
        """Time (n, T) since the step before; None if no values may be missing."""
        return None if self.gaps is None else self.gaps.gaps(values)

    def with_changes(self, x: Tensor, passed: Tensor | None = None) -> Tensor:
        """Embedded steps (n, T, E) of standardised numbers (n, T, F): the numbers and their last changes.

        `passed` (n, T) is the time since the step before, if values may be missing.
        """
        if self.gaps is None:
            return self._with_changes(x)
        assert passed is not None
        seen = ~x.isnan()
        ages = self.gaps.ages(seen, passed)
        change, exist = changes_since_seen(x, seen)
        change = (change / self.change).clamp(-FAR, FAR)
        channels = [self.gaps.filled(x, seen, ages), change]
        if self.second_change is not None:
            second, _ = changes_since_seen(change, exist)
            channels.append((second / self.second_change).clamp(-FAR, FAR))
        return torch.cat([*channels, self.gaps.channels(seen, ages, passed)], dim=2)

    def _with_changes(self, x: Tensor) -> Tensor:
        change = ((x[:, 1:] - x[:, :-1]) / self.change).clamp(-FAR, FAR)
        channels = [x, pad(change, (0, 0, 1, 0))]
        if self.second_change is not None:
            second = ((change[:, 1:] - change[:, :-1]) / self.second_change).clamp(-FAR, FAR)
            channels.append(pad(second, (0, 0, 2, 0))[:, : x.shape[1]])
        return torch.cat(channels, dim=2)

    def without(self, embedded: Tensor, hidden: Tensor, changes: Tensor) -> Tensor:
        """Zero the embedded steps (n, T, E) in the mask `hidden`; in the mask `changes`, only their changes.

        A change of a change depends on two steps before, so it is zeroed also one step after those in `changes`.
        """
        parts = list(embedded.masked_fill(hidden[..., None], 0).split(self.n_features, dim=2))
        parts[1] = parts[1].masked_fill(changes[..., None], 0)
        if self.second_change is not None:
            later = changes | pad(changes, (1, 0))[..., :-1]
            parts[2] = parts[2].masked_fill(later[..., None], 0)
        return torch.cat(parts, dim=2)

    def embed_without(self, values: Tensor, hidden: Tensor) -> Tensor:
        """Embedded steps (n, T, E) of numbers of which those in the mask `hidden` (n, T) are not seen."""
        if self.gaps is None:
            return super().embed_without(values, hidden)
        x = self.standardised(values).masked_fill(hidden[..., None], torch.nan)
        return self.with_changes(x, self.passed(values))

    def without_past(self, embedded: Tensor, patch_size: int) -> Tensor:
        """Zero what embedded steps (n, T, E) tell of the patches before: changes, and values that were not seen."""
        if self.gaps is None:
            return super().without_past(embedded, patch_size)
        n, width = self.n_features, self.n_value_channels
        values, mask = embedded[..., :n], embedded[..., width : width + n]
        values = values.where(self.gaps.seen(embedded[..., width:]), 0)
        parts = [values, torch.zeros_like(embedded[..., n:width]), mask, torch.zeros_like(values)]
        return torch.cat([*parts, embedded[..., width + 2 * n :]], dim=2)

    def group(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Patches (n, T / patch_size, patch_width): the embedded steps and the kernel features."""
        patches = in_patches(x, self.patch_size).flatten(2)
        if self.kernels is None:
            return patches
        return torch.cat([patches, self.kernels(x[..., : self.n_value_channels], lengths, kernel_mask)], dim=2)

    def target(self, values: Tensor) -> Tensor:
        """Standardised numbers (n, T, F); those that were not seen are 0."""
        return self.standardised(values) if self.gaps is None else self.standardised(values).nan_to_num(0)

    def seen(self, values: Tensor) -> Tensor | None:
        """Mask (n, T, F) of the numbers that were seen; None if no values may be missing."""
        return None if self.gaps is None else ~self._features(values).isnan()

    def errors(self, steps: Tensor, values: Tensor, loss: Callable[..., Tensor]) -> Tensor:
        """Errors (n, T): means of the `loss` over the features that were seen; 0 if none was."""
        errors, seen = loss(steps, self.target(values), reduction="none"), self.seen(values)
        if seen is None:
            return errors.mean(2)
        return (errors * seen).sum(2) / seen.sum(2).clamp_min(1)

    def to_values(self, steps: Tensor) -> Tensor:
        """Convert standardised steps to numbers (n, T, F), relative to the origin, with typical times."""
        values = steps * self.scale + self.mean
        return values if self.gaps is None else self.gaps.with_times(values)

    def like(self, values: Tensor, real: Tensor) -> Tensor:
        """Generated numbers (n, T, F) with the gaps and the times of `real` ones."""
        if self.gaps is None:
            return values
        features, k = self.gaps.features(values), self.gaps.time_column
        features = features.masked_fill(self.gaps.features(real).isnan(), torch.nan)
        return self.gaps.with_times(features, real[..., k] if k >= 0 else None)

    def decoded(self, steps: Tensor) -> Tensor:
        """Convert standardised steps to numbers (n, T, F), float32, or float64 if there is an origin; without times."""
        largest = torch.finfo(torch.float32).max
        values = (steps * self.scale + self.mean).clamp(-largest, largest).cpu()
        return values.double() + self._features(self.origin) if self.origin.any() else values
