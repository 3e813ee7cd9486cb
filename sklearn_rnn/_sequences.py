"""Sequences of values or token ids with their lengths, in one container."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._warnings import warn

Kind = Literal["table", "series", "tokens"]
BLOCK = 1 << 20  # values looked at together: 4 MB of float32


@dataclass(frozen=True)
class Sequences:
    """Sequences of values or token ids, with their lengths.

    Attributes
    ----------
    values : ndarray of shape (n, T, F), (steps, F) or (steps,)
        A grid with one row per sequence where `starts` is None. Otherwise all sequences end to
        end; integers are token ids.
    lengths : ndarray of shape (n,)
        Steps of each sequence.
    starts : ndarray of shape (n,) or None
        First step of each sequence in `values`.
    kind : {"table", "series", "tokens"}
        The row of the input table that X was.
    pages : Pages or None
        The memory map that `values` lies in.
    index : object or None
        Index of the pandas object that X was.
    """

    values: NDArray
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64] | None
    kind: Kind
    pages: Pages | None = None
    index: Any = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_features(self) -> int:
        """Values per step; 1 for token ids."""
        return 1 if self.kind == "tokens" else self.values.shape[-1]

    @property
    def equal(self) -> bool:
        """Whether all sequences have one length."""
        return bool(self.lengths[0] == self.lengths.min() == self.lengths.max())

    def batch(self, rows: NDArray) -> tuple[NDArray, NDArray | None]:
        """Cut `rows` out, padded with zeros to the longest of them.

        Returns
        -------
        values : ndarray of shape (b, T, F), float32, or (b, T), int64
        lengths : ndarray of shape (b,), or None where all rows are T long
        """
        lengths = self.lengths[rows]
        longest = int(lengths.max())
        values = self._gather(rows, lengths, longest)
        if self.pages is not None:
            self.pages.release(values.nbytes)
        if int(lengths.min()) == longest:
            return values, None
        values[np.arange(longest) >= lengths[:, None]] = 0
        return values, lengths

    def _gather(self, rows: NDArray, lengths: NDArray, longest: int) -> NDArray:
        if self.starts is not None:
            steps = np.minimum(np.arange(longest), lengths[:, None] - 1)
            return self.values.take(self.starts[rows, None] + steps, axis=0)
        whole = longest == self.values.shape[1]
        values = self.values.take(rows, axis=0) if whole else self.values[rows, :longest]
        return values.astype(np.float32, copy=False)

    def cut(self, max_length: int | None) -> Sequences:
        """Keep the first `max_length` steps of each sequence, and warn if that drops any."""
        if max_length is None or self.lengths.max() <= max_length:
            return self
        n_long = int(np.sum(self.lengths > max_length))
        warn(
            f"{n_long} of {len(self)} sequences are longer than max_length={max_length}; "
            "only their first steps are used."
        )
        lengths = np.minimum(self.lengths, max_length)
        if self.kind != "tokens" or self.starts is None:
            return replace(self, lengths=lengths)
        steps = np.arange(len(self.values)) - np.repeat(self.starts, self.lengths)
        return Sequences(self.values[steps < max_length], lengths, first_steps(lengths), "tokens")

    def blocks(self, block: int = BLOCK) -> Iterator[NDArray]:
        """Row numbers in order, in blocks of about `block` values."""
        size = max(1, block // (int(self.lengths.max()) * self.n_features))
        for first in range(0, len(self), size):
            yield np.arange(first, min(first + size, len(self)))

    def moments(self) -> tuple[NDArray, NDArray, NDArray]:
        """Mean and standard deviation of each feature over all steps, and root mean square of its changes."""
        counts, total, squares, changes = np.zeros(2), 0.0, 0.0, 0.0
        origin: NDArray | float = 0.0
        for rows in self.blocks():
            values, lengths = self.batch(rows)
            if counts[0] == 0:
                origin = values[0, 0].astype(np.float64)
            steps, differences = values, np.diff(values, axis=1)
            if lengths is not None:
                inside = np.arange(values.shape[1]) < lengths[:, None]
                steps, differences = values[inside], differences[inside[:, 1:]]
            centred = steps.reshape(-1, self.n_features) - origin
            differences = differences.reshape(-1, self.n_features)
            counts += len(centred), len(differences)
            total += centred.sum(0)
            squares += np.einsum("nf,nf->f", centred, centred)
            changes += np.einsum("nf,nf->f", differences, differences, dtype=np.float64)
        mean = total / counts[0]
        deviation = np.sqrt(np.maximum(squares / counts[0] - mean**2, 0))
        return mean + origin, deviation, np.sqrt(changes / max(counts[1], 1))


def first_steps(lengths: NDArray) -> NDArray:
    """Where each sequence starts among all steps."""
    return np.cumsum(lengths) - lengths


def float_like(dtype: Any) -> Any:
    """Type that keeps values of `dtype`: float32, or float64 where that would round them."""
    return np.float32 if np.can_cast(dtype, np.float32) else np.float64


def own_ends(block: NDArray) -> NDArray:
    """Steps (n,) of each row of a block (n, T, F) before its tail that is all NaN."""
    known = ~np.isnan(block).all(2)
    return np.where(known.any(1), block.shape[1] - np.argmax(known[:, ::-1], axis=1), 0)


class Pages:
    """The memory map behind an array; hands pages that were read back to the system."""

    allowance = 64 << 20  # bytes read before pages are handed back

    def __init__(self, memory_map: mmap.mmap):
        self.memory_map = memory_map
        self.read = 0

    @classmethod
    def behind(cls, array: Any) -> Pages | None:
        """Find the file that `array` is a view of; None where it lies in memory."""
        while isinstance(array, np.ndarray):
            # Pages of a private map hold what was written to it: letting them go would lose that.
            shared = isinstance(array, np.memmap) and array.mode != "c"
            array = array.base
            if isinstance(array, mmap.mmap):
                return cls(array) if shared and hasattr(mmap, "MADV_DONTNEED") else None
        return None

    def release(self, n_bytes: int) -> None:
        """Count what was read, and let the pages go now and then."""
        self.read += n_bytes
        if self.read > self.allowance:
            self.read = 0
            self.memory_map.madvise(mmap.MADV_DONTNEED)
