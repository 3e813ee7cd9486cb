"""The container of several inputs of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from .._inputs import Inputs
from ._sequences import BLOCK, Sequences


@dataclass(frozen=True)
class Input:
    """One of several inputs.

    Attributes
    ----------
    sequences : Sequences
        Those of the rows that have this input, in order; static columns are sequences of one step.
    places : ndarray of shape (n,)
        Place of each row in `sequences`; -1 if the row does not have the input.
    """

    sequences: Sequences
    places: NDArray[np.int64]

    def tensors(self, rows: NDArray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return values and lengths of `rows`; of a row without the input they are zero."""
        places = self.places[rows]
        has = places >= 0
        lengths = np.zeros(len(rows), dtype=np.int64)
        if not has.any():
            shape = (len(rows), 1) if self.sequences.kind == "tokens" else (len(rows), 1, self.sequences.n_features)
            dtype = torch.int64 if self.sequences.kind == "tokens" else torch.float32
            return torch.zeros(shape, dtype=dtype), torch.from_numpy(lengths)
        values, ends = self.sequences.batch(places[has])
        lengths[has] = values.shape[1] if ends is None else ends
        if not has.all():
            padded = np.zeros((len(rows), *values.shape[1:]), values.dtype)
            padded[has] = values
            values = padded
        return torch.from_numpy(values), torch.from_numpy(lengths)

    def taken(self, rows: NDArray) -> Input:
        """Return the input of some rows."""
        places = self.places[rows]
        has = places >= 0
        new = np.where(has, np.cumsum(has) - 1, -1)
        return Input(self.sequences.taken(places[has]), new)


@dataclass(frozen=True)
class SeveralInputs:
    """Several inputs of the same rows, which estimators use as `Sequences`.

    Attributes
    ----------
    inputs : dict of Input
        The inputs by name.
    index : object or None
        Index of X, if it was a pandas object.
    """

    inputs: dict[str, Input]
    index: Any = None
    kind: ClassVar[str] = "inputs"
    block: ClassVar[None] = None
    origin: ClassVar[None] = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())).places)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Number of steps (n,) of all inputs together; a missing input counts as one of median length."""
        return np.sum(list(self.ends().values()), axis=0)

    @property
    def longest(self) -> dict[str, int]:
        """Number of steps of the longest sequence of each input."""
        return {name: int(part.sequences.lengths.max()) for name, part in self.inputs.items()}

    def ends(self) -> dict[str, NDArray[np.int64]]:
        """Return the lengths (n,) of each input; a missing one has median length."""
        return {
            name: np.where(part.places < 0, int(np.median(part.sequences.lengths)), part.sequences.lengths[part.places])
            for name, part in self.inputs.items()
        }

    @property
    def has_tokens(self) -> bool:
        """Whether one of the inputs is token ids."""
        return any(part.sequences.has_tokens for part in self.inputs.values())

    @property
    def n_features(self) -> int:
        """Number of values per step of all inputs together."""
        return sum(part.sequences.n_features for part in self.inputs.values())

    @property
    def equal(self) -> bool:
        """Whether all rows have the same number of steps."""
        lengths = self.lengths
        return bool(lengths.min() == lengths.max())

    def parts(self, rows: NDArray) -> Iterator[slice]:
        """Yield all of an array of rows."""
        yield slice(0, len(rows))

    def plan(self, name: str, rows: NDArray) -> None:
        """Announce rows that will be read next: nothing to do in memory."""

    def tensors(self, rows: NDArray) -> tuple[Inputs, Inputs]:
        """Return the values and the lengths of `rows`."""
        values, lengths = zip(*(part.tensors(rows) for part in self.inputs.values()), strict=True)
        return Inputs(values), Inputs(lengths)

    def blocks(self, block: int = BLOCK) -> Iterator[NDArray]:
        """Yield the row numbers in order, in blocks of about `block` values."""
        size = max(1, block // (int(self.lengths.max()) * self.n_features))
        for first in range(0, len(self), size):
            yield np.arange(first, min(first + size, len(self)))

    def mapped(self, change: Callable[[str, Sequences], Sequences]) -> SeveralInputs:
        """Return the inputs with other sequences, which `change` makes of the name and the sequences of each."""
        parts = {name: replace(part, sequences=change(name, part.sequences)) for name, part in self.inputs.items()}
        return replace(self, inputs=parts)

    def cut(self, max_length: int | None) -> SeveralInputs:
        """Keep the first `max_length` steps of each sequence."""
        return self.mapped(lambda name, sequences: sequences.cut(max_length))

    def taken(self, rows: NDArray) -> SeveralInputs:
        """Return some rows."""
        return SeveralInputs({name: part.taken(rows) for name, part in self.inputs.items()})
