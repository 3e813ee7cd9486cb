"""The container of sequences of values or token ids, with their lengths."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from .._warnings import warn
from ._list_column import ListColumn
from ._moments import Moments, moments_of, signal_share
from ._stored import StoredRows

Kind = Literal["table", "series", "tokens", "static"]
BLOCK = 1 << 20  # values that are read together: 4 MB of float32
FILE_BLOCK = 8192  # neighbouring rows of a memory map that are read together
BLURRED = 0.01  # error of float32, relative to the variation of a feature, above which the feature is centred
LOST = 0.1  # the same after centring, above which the user is warned
NOISE = 1e-14  # deviation of a constant, relative to its value, that is due to rounding in float64


@dataclass(frozen=True)
class Sequences:
    """Sequences of values or token ids, with their lengths.

    Attributes
    ----------
    values : ndarray of shape (n, T, F), (steps, F) or (steps,); StoredRows or ListColumn
        If `starts` is None, a grid with one row per sequence. Otherwise the steps of all sequences, one sequence after
        the other; integers are token ids. Words have several ids in a step: their own, and those of their parts.
    lengths : ndarray of shape (n,)
        Number of steps of each sequence.
    starts : ndarray of shape (n,) or None
        Position of the first step of each sequence in `values`.
    kind : {"table", "series", "tokens", "static"}
        Kind of X: a 2-D array, sequences of feature vectors, token ids, or columns of one value for each row.
    pages : Pages or None
        The memory map that `values` is a view of.
    index : object or None
        Index of X, if it was a pandas object.
    origin : ndarray of shape (F,), float64, or None
        Subtracted from `values` before they are rounded to float32.
    source : ndarray, list of arrays or None
        The user's X, if `values` are rounded; `centred` drops it.
    known : Moments or None
        The `moments`, if they have been computed.
    gaps : bool
        Whether NaN stands for values that were not seen.
    times : int or None
        Position of the column of `values` that is the time since the step before, which is no feature.
    static : tuple or None
        Of static columns: the number of categories of each, 0 for numbers; and whether each has missing values.
    """

    values: Any
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64] | None
    kind: Kind
    pages: Pages | None = None
    index: Any = None
    origin: NDArray[np.float64] | None = None
    source: Any = None
    known: Moments | None = None
    gaps: bool = False
    times: int | None = None
    static: tuple[tuple[int, ...], tuple[bool, ...]] | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_features(self) -> int:
        """Number of values per step; 1 for token ids."""
        return 1 if self.kind == "tokens" else self.values.shape[-1]

    @property
    def has_tokens(self) -> bool:
        """Whether they are token ids."""
        return self.kind == "tokens"

    @property
    def ids(self) -> NDArray:
        """Token ids (steps,), without those of the parts of words."""
        return self.values if self.values.ndim == 1 else self.values[:, 0]

    @property
    def equal(self) -> bool:
        """Whether all sequences have the same length."""
        return bool(self.lengths[0] == self.lengths.min() == self.lengths.max())

    @property
    def block(self) -> int | None:
        """Number of neighbouring rows to read together, because they lie in a file; None if X is in memory."""
        if isinstance(self.values, StoredRows | ListColumn):
            return self.values.block
        return None if self.pages is None else FILE_BLOCK

    def parts(self, rows: NDArray) -> Iterator[slice]:
        """Yield parts of an array of rows: all of it or, if X lies in a file, one block after the other."""
        size = self.block or len(rows)
        for first in range(0, len(rows), size):
            yield slice(first, min(first + size, len(rows)))

    def plan(self, name: str, rows: NDArray) -> None:
        """Announce rows that a pass of this name will read next."""
        if isinstance(self.values, StoredRows):
            self.values.plan(name, rows)

    def batch(self, rows: NDArray, dtype: Any = np.float32) -> tuple[NDArray, NDArray | None]:
        """Return the values of `rows`, minus the origin, padded with zeros to the longest of them.

        Returns
        -------
        values : ndarray of shape (b, T, F), `dtype`, or (b, T), int64
        lengths : ndarray of shape (b,), or None if all rows are T long
        """
        lengths = self.lengths[rows]
        longest = int(lengths.max())
        values = self._gather(rows, lengths, longest)
        if self.origin is not None:
            values = difference(values, self.origin)
        if self.kind != "tokens":
            values = values.astype(dtype, copy=False)
        if self.pages is not None:
            self.pages.release(values.nbytes)
        if int(lengths.min()) == longest:
            return values, None
        values[np.arange(longest) >= lengths[:, None]] = 0
        return values, lengths

    def tensors(self, rows: NDArray) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return what `batch` returns, as tensors."""
        values, lengths = self.batch(rows)
        return torch.from_numpy(values), None if lengths is None else torch.from_numpy(lengths)

    def taken(self, rows: NDArray) -> Sequences:
        """Return some sequences."""
        if self.starts is None:
            return replace(self, values=self.values[rows], lengths=self.lengths[rows], known=None, source=None)
        lengths = self.lengths[rows]
        firsts = first_steps(lengths)
        steps = np.arange(lengths.sum()) + np.repeat(self.starts[rows] - firsts, lengths)
        return replace(self, values=self.values[steps], lengths=lengths, starts=firsts, known=None, source=None)

    def _gather(self, rows: NDArray, lengths: NDArray, longest: int) -> NDArray:
        if self.starts is not None:
            steps = np.minimum(np.arange(longest), lengths[:, None] - 1)
            return self.values.take(self.starts[rows, None] + steps, axis=0)
        if longest < self.values.shape[1] or is_view(self.values):
            return self.values[rows, :longest]
        return self.values.take(rows, axis=0)

    def cut(self, max_length: int | None) -> Sequences:
        """Keep the first `max_length` steps of each sequence, and warn if that shortens a sequence."""
        if max_length is None or self.lengths.max() <= max_length:
            return self
        n_long = int(np.sum(self.lengths > max_length))
        warn(
            f"{n_long} of {len(self)} sequences are longer than max_length={max_length}; "
            "only their first steps are used."
        )
        lengths = np.minimum(self.lengths, max_length)
        if self.kind != "tokens" or self.starts is None:
            return replace(self, lengths=lengths, known=None)
        steps = np.arange(len(self.values)) - np.repeat(self.starts, self.lengths)
        return Sequences(self.values[steps < max_length], lengths, first_steps(lengths), "tokens")

    def recent(self, max_length: int | None) -> Sequences:
        """Keep the last `max_length` steps of each sequence of token ids."""
        if max_length is None or self.lengths.max() <= max_length:
            return self
        lengths = np.minimum(self.lengths, max_length)
        assert self.starts is not None
        return replace(self, starts=self.starts + self.lengths - lengths, lengths=lengths)

    def repeated(self, n: int) -> Sequences:
        """Repeat each sequence of token ids n times."""
        assert self.starts is not None
        return replace(self, starts=np.repeat(self.starts, n), lengths=np.repeat(self.lengths, n))

    def windows(self, max_length: int | None) -> Sequences:
        """Cut sequences of token ids that are longer than `max_length` into windows, the last of which are full."""
        if max_length is None or self.lengths.max() <= max_length:
            return self
        assert self.starts is not None
        counts = -(-self.lengths // max_length)
        owners = np.repeat(np.arange(len(self)), counts)
        place = np.arange(len(owners)) - np.repeat(first_steps(counts), counts)
        left = counts[owners] - 1 - place  # windows that follow
        ends = self.lengths[owners] - left * max_length
        firsts = np.maximum(ends - max_length, 0)
        return replace(self, starts=self.starts[owners] + firsts, lengths=ends - firsts)

    def blocks(self, block: int = BLOCK) -> Iterator[NDArray]:
        """Yield the row numbers in order, in blocks of about `block` values."""
        size = max(1, block // (int(self.lengths.max()) * self.n_features))
        for first in range(0, len(self), size):
            yield np.arange(first, min(first + size, len(self)))

    def moments(self, dtype: Any = np.float32, shift: NDArray | None = None) -> Moments:
        """Compute the moments of each feature over all steps.

        They are relative to the origin, and computed from values rounded to `dtype`. Sums are taken relative to
        `shift`; by default, the first values.
        """
        if self.known is not None:
            return self.known
        return moments_of((self.batch(rows, dtype) for rows in self.blocks()), shift)

    def signal_share(self) -> NDArray[np.float64]:
        """Share (F,) of the mean square of the changes of each feature that is not white noise."""
        return signal_share(self.batch(rows) for rows in self.blocks())

    def centred(self, origin: NDArray[np.float64] | None = None, names: Any = None) -> Sequences:
        """Return the sequences relative to an origin, so that float32 does not lose their variation.

        Parameters
        ----------
        origin : ndarray of shape (F,), default=None
            The origin of a fitted net. By default, the mean of each feature whose variation float32 would blur, and 0
            for the other features.
        names : ndarray of shape (F,), default=None
            Names of the features, for a warning if a feature loses its variation nevertheless.
        """
        known = None
        if origin is None and self.source is not None:
            known = self.moments()
            origin = self._origin(known, names)
        if origin is None or not origin.any():
            return replace(self, source=None, known=known)
        return replace(self._wide(), origin=origin)

    def _wide(self) -> Sequences:
        """Return the same sequences with values that are not rounded."""
        values = np.concatenate(self.source) if isinstance(self.source, list) else self.source
        return replace(self, values=self.values if values is None else values, source=None)

    def _origin(self, rounded: Moments, names: Any) -> NDArray[np.float64] | None:
        """Mean of each feature that float32 would blur, given moments of rounded values; None if there is none."""
        if not (rounded.blur() > BLURRED).any():
            return None
        wide, mean, none = self._wide(), rounded.mean, np.zeros(self.n_features)
        noise = 0.0 if wide.values.dtype.kind in "iu" else NOISE
        for _ in range(2):  # around the mean of rounded values, then around the true mean
            found = replace(wide, origin=mean).moments(np.float64, none)
            mean = mean + found.mean
            blurred = found._replace(mean=mean).blur(noise) > BLURRED
            if not blurred.any():
                return None
        moved = blurred & (np.abs(mean) > found.deviation)
        lost = found._replace(mean=np.where(moved, 0, mean)).blur(noise) > LOST
        for k in np.flatnonzero(lost).tolist():
            warn(
                f"Feature {k if names is None else str(names[k])!r} loses its variation in float32, in which the net "
                f"computes: it changes by about {found.change[k]:.2g} from step to step, but its standard deviation is "
                f"{found.deviation[k]:.2g}. Subtract the first value of each sequence, or pass the differences."
            )
        return np.where(moved, two_floats(mean), 0)


def is_view(values: Any) -> bool:
    """Whether an array is one that numpy's `take` would copy first, such as overlapping windows of a long series."""
    return isinstance(values, np.ndarray) and not values.flags.c_contiguous


def overlaps(values: NDArray) -> bool:
    """Whether an array is larger than the memory it is a view of, such as overlapping windows of a long series."""
    first, end = np.lib.array_utils.byte_bounds(values)
    return values.nbytes > end - first


def difference(values: NDArray, origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values minus an origin, exact also for 8-byte integers, which float64 would round."""
    wide: Any = np.longdouble if values.dtype.kind in "iu" else np.float64
    return (values.astype(wide, copy=False) - origin).astype(np.float64, copy=False)


def two_floats(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round values to sums of two float32, for devices without float64."""
    high = values.astype(np.float32).astype(np.float64)
    return high + (values - high).astype(np.float32)


def first_steps(lengths: NDArray) -> NDArray:
    """Position of the first step of each sequence among all steps."""
    return np.cumsum(lengths) - lengths


def float_like(dtype: Any) -> Any:
    """Return the type for values of `dtype`: float32, or float64 if float32 would round them."""
    return np.float32 if np.can_cast(dtype, np.float32) else np.float64


def all_steps(lengths: NDArray, rows: NDArray) -> NDArray[np.int64]:
    """Positions of all steps of some rows among the steps of all sequences, given the lengths (n,) of all."""
    chosen = lengths[rows]
    return np.arange(chosen.sum()) + np.repeat(first_steps(lengths)[rows] - first_steps(chosen), chosen)


def any_of_row(mask: NDArray[np.bool_], lengths: NDArray) -> NDArray[np.bool_]:
    """Whether a mask of the steps of all sequences is True for at least one step, for each sequence."""
    return np.logical_or.reduceat(mask, first_steps(lengths))


def unpadded_lengths(block: NDArray) -> NDArray:
    """Number of steps (n,) of each row of a block (n, T, F) before the final steps that are all NaN."""
    known = ~np.isnan(block).all(2)
    return np.where(known.any(1), block.shape[1] - np.argmax(known[:, ::-1], axis=1), 0)


class Pages:
    """The memory map behind an array; returns pages that were read to the system."""

    allowance = 16 << 20  # bytes that are read before pages are returned

    def __init__(self, memory_map: mmap.mmap):
        self.memory_map = memory_map
        self.read = 0

    @classmethod
    def behind(cls, array: Any) -> Pages | None:
        """Return the memory map that `array` is a view of; None if it is in memory."""
        shared = False
        if not isinstance(array, np.ndarray):
            return None
        while array is not None and not isinstance(array, mmap.mmap):
            # Pages of a private map contain what was written to it, which would be lost.
            shared = isinstance(array, np.memmap) and array.mode != "c"
            array = getattr(array, "base", None)  # also of what numpy's sliding windows refer to
        return cls(array) if array is not None and shared and hasattr(mmap, "MADV_DONTNEED") else None

    def release(self, n_bytes: int) -> None:
        """Count the bytes that were read, and return the pages from time to time."""
        self.read += n_bytes
        if self.read > self.allowance:
            self.read = 0
            self.memory_map.madvise(mmap.MADV_DONTNEED)
