"""Overlapping windows of long series, which are cut out when a batch is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._evenly_spaced import evenly_spaced
from ._sequences import BLOCK, Sequences
from ._series import Series

SAMPLED = 1 << 16  # rows from which moments are computed


@dataclass(frozen=True)
class Columns:
    """The columns of series by their part in a forecast, and whether targets are read one by one.

    Attributes
    ----------
    targets, known, read : tuple of int
        Columns that are forecast, that are known ahead, and that are only read.
    joint : bool
        Whether all targets are in one row; otherwise each has its own.
    """

    targets: tuple[int, ...]
    known: tuple[int, ...]
    read: tuple[int, ...]
    joint: bool

    @property
    def n_rows(self) -> int:
        """Number of rows of a window."""
        return 1 if self.joint else len(self.targets)

    @property
    def n_targets(self) -> int:
        """Number of targets in a row."""
        return len(self.targets) if self.joint else 1

    @property
    def table(self) -> NDArray[np.int64]:
        """Columns (n_rows, W) of each row of a window: targets, known ones, ones that are only read."""
        targets = np.reshape(self.targets, (self.n_rows, self.n_targets))
        others = np.array([*self.known, *self.read], dtype=np.int64)
        return np.concatenate([targets, np.tile(others, (self.n_rows, 1))], axis=1)


@dataclass(frozen=True)
class Windows(Sequences):
    """Windows of long series: `values` (steps, F) are shared by all windows, and `starts` are their first steps.

    Each window has one row or, if channels are read one by one, a row for each target. In a row, the last value of
    each target in the context is subtracted from that target, and then all columns are divided by their scale. The
    other columns are centred.

    Attributes
    ----------
    columns : Columns
        What the columns are for.
    context, horizon : int
        Number of steps that are read, and of those that follow.
    n_ahead : int
        Number of steps after the context in a row: 0 or `horizon`. They hold columns known ahead.
    shows_targets : bool
        Whether the steps after the context also hold the targets, which a step-by-step decoder reads in training.
    center, scale : ndarray of shape (F,), float64
        Mean and standard deviation of each column.
    """

    columns: Columns = Columns((0,), (), (), False)
    context: int = 1
    horizon: int = 1
    n_ahead: int = 0
    shows_targets: bool = False
    center: Any = None
    scale: Any = None

    @classmethod
    def of(
        cls,
        series: Series,
        starts: NDArray,
        columns: Columns,
        context: int,
        horizon: int,
        moments: tuple[NDArray, NDArray],
        *,
        n_ahead: int = 0,
        shows_targets: bool = False,
    ) -> Windows:
        """Return the windows of series that begin at `starts`."""
        length = np.int64(context + n_ahead)
        return cls(
            values=series.values,
            lengths=np.broadcast_to(length, (len(starts) * columns.n_rows,)),
            starts=starts,
            kind="series",
            pages=series.pages,
            columns=columns,
            context=context,
            horizon=horizon,
            n_ahead=n_ahead,
            shows_targets=shows_targets,
            center=moments[0],
            scale=moments[1],
        )

    @property
    def n_features(self) -> int:
        """Number of values per step of a row."""
        return self.columns.table.shape[1]

    @property
    def equal(self) -> bool:
        """All rows have the same length."""
        return True

    def batch(self, rows: NDArray, dtype: Any = np.float32) -> tuple[NDArray, None]:
        """Return the values (b, context + n_ahead, W) of rows: targets, columns known ahead, columns only read."""
        columns = self.columns.table[rows % self.columns.n_rows]  # (b, W)
        K, ends = self.columns.n_targets, self.context + self.n_ahead
        window = self._steps(rows, 0, ends, columns)
        center = self.center[columns]
        center[:, :K] = window[:, self.context - 1, :K]
        window -= center[:, None]
        window /= self.scale[columns][:, None]
        if self.n_ahead:
            if not self.shows_targets:
                window[:, self.context :, :K] = 0
            window[:, self.context :, K + len(self.columns.known) :] = 0
        return window.astype(dtype, copy=False), None

    def ahead(self, rows: NDArray) -> NDArray[np.float32]:
        """Return the targets (b, horizon, K) that follow the contexts of rows, in the units of the rows."""
        columns = self._targets(rows)
        steps = self._steps(rows, self.context, self.context + self.horizon, columns)
        return ((steps - self.last(rows)[:, None]) / self.scale[columns][:, None]).astype(np.float32)

    def last(self, rows: NDArray) -> NDArray[np.float64]:
        """Return the last values (b, K) of the targets in the contexts of rows."""
        return self._steps(rows, self.context - 1, self.context, self._targets(rows))[:, 0]

    def restored(self, rows: NDArray, steps: NDArray) -> NDArray[np.float64]:
        """Convert steps (b, horizon, K, ...) from the units of rows to those of the series."""
        axes = (slice(None), None, slice(None), *(None,) * (steps.ndim - 3))
        return steps * self.scale[self._targets(rows)][axes] + self.last(rows)[axes]

    def blocks(self, block: int = BLOCK) -> Iterator[NDArray]:
        """Yield rows from all parts of the series, at most `SAMPLED` in total, in blocks of about `block` values."""
        rows = evenly_spaced(len(self), SAMPLED)
        size = max(1, block // (int(self.lengths[0]) * self.n_features))
        for first in range(0, len(rows), size):
            yield rows[first : first + size]

    def contexts(self) -> Windows:
        """Return the same windows without the steps after the context."""
        lengths = np.broadcast_to(np.int64(self.context), self.lengths.shape)
        return replace(self, n_ahead=0, lengths=lengths, known=None)

    def _targets(self, rows: NDArray) -> NDArray[np.int64]:
        return self.columns.table[rows % self.columns.n_rows, : self.columns.n_targets]

    def _steps(self, rows: NDArray, first: int, end: int, columns: NDArray) -> NDArray[np.float64]:
        """Copy `columns` (b, W) of the steps `first` to `end` of windows, (b, end - first, W)."""
        assert self.starts is not None
        steps = self.starts[rows // self.columns.n_rows][:, None] + np.arange(first, end)
        values = self.values[steps[:, :, None], columns[:, None]].astype(np.float64)
        if self.pages is not None:
            self.pages.release(len(rows) * (end - first) * self.values.itemsize * self.values.shape[1])
        return values


class Futures:
    """What follows the contexts of windows, as targets that are cut out when a batch is read.

    Parameters
    ----------
    windows : Windows
        The windows.
    """

    ndim = 3

    def __init__(self, windows: Windows):
        self.windows = windows
        self.shape = (len(windows), windows.horizon, windows.columns.n_targets)
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray) -> NDArray[np.float32]:
        return self.windows.ahead(rows)


def window_starts(series: Series, length: int, first: NDArray, end: NDArray, limit: int | None = None) -> NDArray:
    """Return the first steps, in `series.values`, of windows of `length` steps.

    Parameters
    ----------
    series : Series
        The series.
    length : int
        Number of steps of a window.
    first, end : ndarray of shape (n,)
        Step of each series at which its first window may begin, and before which its last window must end.
    limit : int, default=None
        Largest number of windows. If there are more, evenly spread ones are returned, without making a list of all.
    """
    counts = np.maximum(end - first - length + 1, 0)
    total, ends = int(counts.sum()), np.cumsum(counts)
    if limit is None or total <= limit:
        places = np.arange(total)
    else:  # one from each of `limit` equal parts, at changing places, so that no season is missed
        parts = np.arange(limit, dtype=np.float64)
        places = ((parts + parts * 0.6180339887498949 % 1) * (total / limit)).astype(np.int64)
    which = np.searchsorted(ends, places, side="right")
    return (series.starts + first)[which] + places - (ends - counts)[which]
