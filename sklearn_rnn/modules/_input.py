"""The first layer of an encoder: what is done differently for each kind of values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn


class InputLayer(nn.Module, ABC):
    """Embed the values of sequences, group their steps into patches, and turn decoded steps back into values.

    Each kind of values has a subclass, and `input_layer` chooses it. What an objective decodes or generates are
    steps (n, T, n_outputs).

    Attributes
    ----------
    auto_steps : int
        Recurrent steps that ``patch_size="auto"`` aims at.
    n_outputs : int
        Width of a decoded step.
    patch_width : int
        Width of a patch, as `group` returns it.
    kernel_width : int
        Number of kernel features in a patch; 0 where there are no random kernels.
    frozen : bool
        Whether the learned vectors stay as they are.
    """

    auto_steps: ClassVar[int]
    n_outputs: int
    patch_width: int
    kernel_width: int = 0
    frozen: bool = False

    @property
    def origin(self) -> Tensor:
        """What is subtracted from values before the encoder gets them: (F,), float64."""
        return torch.zeros(1, dtype=torch.float64, device="cpu")

    def freeze(self, frozen: bool) -> None:
        """Leave the learned vectors as they are from now on, or train them."""
        self.frozen = frozen

    def embed(self, values: Tensor) -> Tensor:
        """Embedded steps (n, T, E)."""
        return self.with_changes(self.standardised(values))

    @abstractmethod
    def standardised(self, values: Tensor) -> Tensor:
        """Steps (n, T, D) of mean 0 and deviation 1 over the data; zeros carry no information."""

    def with_changes(self, x: Tensor) -> Tensor:
        """Embedded steps (n, T, E) of standardised ones (n, T, D)."""
        return x

    def without(self, embedded: Tensor, hidden: Tensor, changes: Tensor) -> Tensor:
        """Zero the embedded steps (n, T, E) where `hidden` (n, T); where `changes` (n, T), their last change alone."""
        return embedded.masked_fill(hidden[..., None], 0)

    @abstractmethod
    def group(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Patches (n, T / patch_size, patch_width) of embedded steps (n, T, E), which are zero in the padding.

        The random kernels look beyond a patch. Where `kernel_mask` (n,) is False, their features are zero.
        """

    @abstractmethod
    def target(self, values: Tensor) -> Tensor:
        """What decoded steps are compared with: (n, T, F) or (n, T)."""

    @abstractmethod
    def errors(self, steps: Tensor, values: Tensor, loss: Callable[..., Tensor]) -> Tensor:
        """Errors (n, T) of decoded steps against values, as means over features; `loss` is that of numbers."""

    def draw(self, steps: Tensor, generator: torch.Generator | None) -> Tensor:
        """Decoded steps with noise where they are scores, so that the largest is a draw; without a generator none."""
        return steps

    @abstractmethod
    def to_values(self, steps: Tensor) -> Tensor:
        """Values for `embed`, with the gradient of decoded steps."""

    @abstractmethod
    def decoded(self, steps: Tensor) -> Tensor:
        """Values of decoded steps as a user passes them, on the CPU: (n, T, F) or (n, T)."""
