"""Columns that have one value for each row: how they are embedded and encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ._input import InputLayer
from ._layers import dropout, linear

FAR = 10.0  # limit of standardised values, so that one wrong value does not decide the prediction


@dataclass(frozen=True)
class StaticArchitecture:
    """The sizes of an encoder of static columns.

    Attributes
    ----------
    categories : tuple of int
        Number of categories of each column; 0 for numbers.
    has_missing : tuple of bool
        Whether the column had missing values in training, so that it has a feature that marks them.
    hidden_size : int
        Number of hidden units.
    dropout : float
        Fraction of hidden units that are dropped in training.
    """

    categories: tuple[int, ...]
    has_missing: tuple[bool, ...]
    hidden_size: int
    dropout: float

    @property
    def widths(self) -> list[int]:
        """Number of features of each column."""
        return [(n or 1) + is_missing for n, is_missing in zip(self.categories, self.has_missing, strict=True)]


class StaticInput(InputLayer):
    """Embed static columns (n, 1, C): numbers are standardised, categories are one-hot.

    A missing number is the mean, and a missing or unknown category has only zeros. Columns that had missing values in
    training have a further feature, which is 1 where the value is missing.

    Parameters
    ----------
    architecture : StaticArchitecture
        The sizes.
    """

    auto_steps = 1
    mean: Tensor
    deviation: Tensor

    def __init__(self, architecture: StaticArchitecture):
        super().__init__()
        self.architecture = architecture
        self.n_outputs = self.patch_width = sum(architecture.widths)
        n_columns = len(architecture.categories)
        self.register_buffer("mean", torch.zeros(n_columns))
        self.register_buffer("deviation", torch.ones(n_columns))

    @property
    def columns(self) -> list[int]:
        """Number of the column of each feature."""
        return [column for column, width in enumerate(self.architecture.widths) for _ in range(width)]

    def standardise(self, mean: Tensor, deviation: Tensor) -> None:
        """Set the moments (C,) of the columns; a constant column becomes 0."""
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 0, deviation, 1.0))

    def standardised(self, values: Tensor) -> Tensor:
        """Features (n, 1, D) of columns (n, 1, C)."""
        features = []
        for k, (n, has_missing) in enumerate(
            zip(self.architecture.categories, self.architecture.has_missing, strict=True)
        ):
            column = values[..., k]
            missing = column.isnan()
            if n:
                known = column.where(~missing, n).clamp(0, n).long()
                features.append(one_hot(known, n + 1)[..., :n].to(values.dtype))
            else:
                number = ((column - self.mean[k]) / self.deviation[k]).clamp(-FAR, FAR)
                features.append(number.where(~missing, 0.0)[..., None])
            if has_missing:
                features.append(missing[..., None].to(values.dtype))
        return torch.cat(features, dim=-1)

    def group(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Features (n, 1, D): there is one step."""
        return x

    def target(self, values: Tensor) -> Tensor:
        """Features (n, 1, D)."""
        return self.standardised(values)

    def errors(self, steps: Tensor, values: Tensor, loss: Callable[..., Tensor]) -> Tensor:
        """Errors (n, 1): means of the `loss` over features."""
        return loss(steps, self.standardised(values), reduction="none").mean(2)

    def to_values(self, steps: Tensor) -> Tensor:
        """Columns (n, 1, C) of decoded features: numbers, and the most probable categories."""
        values, first = [], 0
        for k, (n, width) in enumerate(zip(self.architecture.categories, self.architecture.widths, strict=True)):
            part = steps[..., first : first + width]
            values.append(part[..., :n].argmax(-1).to(steps) if n else part[..., 0] * self.deviation[k] + self.mean[k])
            first += width
        return torch.stack(values, dim=-1)

    def decoded(self, steps: Tensor) -> Tensor:
        """Columns (n, 1, C) of decoded features, on the CPU."""
        return self.to_values(steps).cpu()


class StaticEncoder(nn.Module):
    """Encode static columns (n, 1, C) to embeddings (n, out_features): their features, and hidden units.

    It is used as an `Encoder` is.
    """

    def __init__(self, architecture: StaticArchitecture):
        super().__init__()
        self.architecture = architecture
        self.input = StaticInput(architecture)
        self.hidden = linear(self.input.n_outputs, architecture.hidden_size)
        self.out_features = self.input.n_outputs + architecture.hidden_size

    def layers(self) -> list[list[nn.Parameter]]:
        """Trained weights: one layer."""
        return [list(self.hidden.parameters())]

    def set_dropout(self, p: float) -> None:
        """Drop hidden units with probability `p` from now on."""
        self.architecture = replace(self.architecture, dropout=p)

    def embed(self, values: Tensor) -> Tensor:
        """Features (n, 1, D) of columns."""
        return self.input.embed(values)

    def forward(
        self,
        embedded: Tensor,
        lengths: Tensor | None = None,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> Tensor:
        """Embeddings (n, out_features) of features (n, 1, D)."""
        x = embedded[:, 0]
        hidden = torch.relu(self.hidden(x))
        return torch.cat([x, dropout(hidden, self.architecture.dropout, generator)], dim=1)
