"""The first layer of an encoder, which depends on the kind of values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class InputLayer(nn.Module, ABC):
    """Embed the values of sequences, group their steps into patches, and convert decoded steps to values.

    Each kind of values has a subclass. Objectives decode or generate steps (n, T, n_outputs).

    Attributes
    ----------
    auto_steps : int
        Number of recurrent steps that ``patch_size="auto"`` aims at.
    n_outputs : int
        Width of a decoded step.
    patch_width : int
        Width of the patches that `group` returns.
    kernel_width : int
        Number of kernel features in a patch; 0 if there are no random kernels.
    frozen : bool
        Whether the vectors of tokens are not trained.
    """

    auto_steps: ClassVar[int]
    n_outputs: int
    patch_width: int
    kernel_width: int = 0
    frozen: bool = False

    @property
    def origin(self) -> Tensor:
        """Origin (F,), float64, which is subtracted from values before the encoder gets them."""
        return torch.zeros(1, dtype=torch.float64, device="cpu")

    @property
    def has_gaps(self) -> bool:
        """Whether values were missing in training."""
        return False

    def freeze(self, frozen: bool) -> None:
        """Freeze the vectors of tokens from now on, or train them."""
        self.frozen = frozen

    def embed(self, values: Tensor) -> Tensor:
        """Embedded steps (n, T, E)."""
        return self.with_changes(self.standardised(values), self.passed(values))

    def thinned(self, values: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """Values of which up to a `share` is hidden at random, if values may be missing."""
        return values

    @abstractmethod
    def standardised(self, values: Tensor) -> Tensor:
        """Steps (n, T, D) with mean 0 and deviation 1 over the training data."""

    def passed(self, values: Tensor) -> Tensor | None:
        """Time (n, T) since the step before; None if no values may be missing."""
        return None

    def seen(self, values: Tensor) -> Tensor | None:
        """Mask (n, T, F) of the values that were seen; None if no values may be missing."""
        return None

    def with_changes(self, x: Tensor, passed: Tensor | None = None) -> Tensor:
        """Embedded steps (n, T, E) of standardised steps (n, T, D), given the time (n, T) since the step before."""
        return x

    def without(self, embedded: Tensor, hidden: Tensor, changes: Tensor) -> Tensor:
        """Zero the embedded steps (n, T, E) in the mask `hidden`; in the mask `changes`, only their last change."""
        return embedded.masked_fill(hidden[..., None], 0)

    def embed_without(self, values: Tensor, hidden: Tensor) -> Tensor:
        """Embedded steps (n, T, E) of values of which those in the mask `hidden` (n, T) are not known."""
        return self.without(self.embed(values), hidden, pad(hidden, (1, 0))[:, :-1])

    def without_past(self, embedded: Tensor, patch_size: int) -> Tensor:
        """Zero what embedded steps (n, T, E) tell of the patches before them."""
        steps = torch.arange(embedded.shape[1], device=embedded.device)
        return self.without(embedded, steps < 0, steps % patch_size == 0)

    @abstractmethod
    def group(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Patches (n, T / patch_size, patch_width) of embedded steps (n, T, E), whose padding is zero.

        The random kernels look beyond a patch. Their features are zero for sequences whose `kernel_mask` (n,) is False.
        """

    @abstractmethod
    def target(self, values: Tensor) -> Tensor:
        """Targets (n, T, F) or (n, T) of decoded steps."""

    @abstractmethod
    def errors(self, steps: Tensor, values: Tensor, loss: Callable[..., Tensor]) -> Tensor:
        """Errors (n, T) of decoded steps, averaged over features; `loss` is the error of numbers."""

    def draw(self, steps: Tensor, generator: torch.Generator | None) -> Tensor:
        """Add noise to decoded steps that are logits, so that the largest is a draw; without a generator add none."""
        return steps

    @abstractmethod
    def to_values(self, steps: Tensor) -> Tensor:
        """Values of decoded steps for `embed`; gradients pass through them to the steps."""

    def like(self, values: Tensor, real: Tensor) -> Tensor:
        """Generated values with the gaps of `real` ones."""
        return values

    @abstractmethod
    def decoded(self, steps: Tensor) -> Tensor:
        """Values (n, T, F) or ids (n, T) of decoded steps in the user's units, on the CPU."""
