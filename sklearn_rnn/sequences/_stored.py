"""Arrays outside memory, such as those of zarr, HDF5 or dask, whose rows are read in use."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

BLOCK_BYTES = 16 << 20  # of neighbouring rows that are kept together
PIECE_BYTES = 4 << 20  # of the chunks that are read at a time
KEPT = 2  # blocks of each pass that stay in memory
IN_ORDER = "in order"  # name of a pass over all rows, from the first to the last
DENSE = 2  # rows that are read for each row that is wanted, at most, to read one slice instead of single rows
IN_MEMORY = ("__array_interface__", "__array_struct__", "__dlpack__", "__cuda_array_interface__", "iloc", "columns")


def is_stored(X: Any) -> bool:
    """Whether X is an array that is not in memory: it has a shape and rows by number, but no buffer or frame's columns.

    Such are the arrays of zarr, HDF5 and dask, and any object of a user's with `shape`, `dtype` and `X[rows]`.
    """
    if isinstance(X, np.ndarray) or issparse(X) or any(hasattr(X, name) for name in IN_MEMORY):
        return False
    shape = getattr(X, "shape", None)
    return isinstance(shape, tuple) and len(shape) > 1 and hasattr(X, "dtype") and hasattr(X, "__getitem__")


class StoredRows:
    """An array (n, T) or (n, T, F) that is not in memory, with the methods of numpy that `Sequences` needs.

    Rows are read in blocks of neighbours, and the last blocks of each pass are kept, because chunks of a file cannot be
    read in parts.

    Parameters
    ----------
    array : object
        Has `shape`, `dtype`, and rows by slice and by an increasing array of row numbers.

    Attributes
    ----------
    shape : tuple of int
        ``(n, T, F)``; F is 1 if the array has two dimensions.
    block : int
        Number of neighbouring rows that are read together.
    """

    def __init__(self, array: Any):
        self.array, self.dtype = array, np.dtype(array.dtype)
        self.shape = tuple(int(size) for size in array.shape) + (1,) * (3 - len(array.shape))
        row_bytes = max(1, self.shape[1] * self.shape[2] * self.dtype.itemsize)
        self.chunk = _rows_per_chunk(array)
        self.block, self.piece = (
            max(1, n_bytes // row_bytes // self.chunk) * self.chunk for n_bytes in (BLOCK_BYTES, PIECE_BYTES)
        )
        self.kept: dict[str, deque[_Block]] = {}
        self.lock = threading.RLock()  # training reads ahead in a thread while validation reads

    def plan(self, name: str, rows: NDArray) -> _Block:
        """Read these rows, in increasing order, together when the first of them is needed.

        They are kept until two more blocks are planned under the same name; those of a pass in order, until training
        plans its own. The same rows, such as few labeled ones in the next pass, are not read again.
        """
        with self.lock:
            if name != IN_ORDER:
                self.kept.pop(IN_ORDER, None)
            blocks = self.kept.setdefault(name, deque(maxlen=KEPT))
            same = (block for block in blocks if np.array_equal(block.rows, rows))
            blocks.append(next(same, _Block(rows)))
            return blocks[-1]

    def take(self, rows: NDArray, axis: int = 0) -> NDArray:
        """Return a copy of `rows`, (b, T, F)."""
        with self.lock:
            taken = np.empty((len(rows), *self.shape[1:]), self.dtype)
            missing = np.arange(len(rows))
            for block in self._blocks():
                missing = missing[~self._copy(block, rows, missing, taken)]
                if not len(missing):
                    return taken
            wanted = np.unique(rows[missing])
            first = int(wanted[0]) // self.block * self.block
            if wanted[-1] < first + 2 * self.block:  # as in a pass in order
                for start in range(first, int(wanted[-1]) + 1, self.block):
                    block = self.plan(IN_ORDER, np.arange(start, min(start + self.block, self.shape[0])))
                    missing = missing[~self._copy(block, rows, missing, taken)]
                return taken
            taken[missing] = self.read(wanted)[np.searchsorted(wanted, rows[missing])]
            return taken

    def __getitem__(self, key: tuple[NDArray, slice]) -> NDArray:
        rows, steps = key
        return self.take(rows)[:, steps]

    def read(self, rows: NDArray) -> NDArray:
        """Read rows in increasing order, (b, T, F): in slices if they are dense, else one by one.

        A few MB are read at a time, because zarr holds what it reads several times.
        """
        first, end = int(rows[0]), int(rows[-1]) + 1
        values = np.empty((len(rows), *self.shape[1:]), self.dtype)
        if end - first > DENSE * len(rows):
            for i, j in self._parts(rows):
                values[i:j] = self._read(rows[i:j], j - i)
            return values
        starts = [first, *range((first // self.piece + 1) * self.piece, end, self.piece)]
        for start, stop in zip(starts, [*starts[1:], end], strict=True):
            i, j = np.searchsorted(rows, (start, stop))
            if i < j:
                values[i:j] = self._read(slice(start, stop), stop - start)[rows[i:j] - start]
        return values

    def _parts(self, rows: NDArray) -> list[tuple[int, int]]:
        """Divide rows, in increasing order, into parts of at most a piece, whose chunks are no larger together."""
        numbers = np.unique(rows // self.chunk, return_inverse=True)[1]
        starts, n_chunks = [0], self.piece // self.chunk
        while (start := starts[-1]) < len(rows):
            end = int(np.searchsorted(numbers, numbers[start] + n_chunks))
            starts.append(min(end, start + self.piece))
        return list(pairwise(starts))

    def _read(self, key: slice | NDArray, n: int) -> NDArray:
        values, expected = np.asarray(self.array[key]), (n, *self.array.shape[1:])
        if values.shape != expected:
            shown = f"{key.start}:{key.stop}" if isinstance(key, slice) else f"[{key[0]}, ..., {key[-1]}]"
            raise ValueError(f"X[{shown}] must have the shape {expected}, got {values.shape}.")
        return values.reshape(n, *self.shape[1:])

    def _blocks(self) -> Iterator[_Block]:
        for blocks in self.kept.values():
            yield from blocks

    def _copy(self, block: _Block, rows: NDArray, missing: NDArray, taken: NDArray) -> NDArray[np.bool_]:
        """Copy those of the missing rows that a block has; return which of them it has."""
        wanted = rows[missing]
        places = np.searchsorted(block.rows, wanted).clip(max=len(block.rows) - 1)
        found = block.rows[places] == wanted
        if found.any():
            if block.values is None:
                block.values = self.read(block.rows)
            taken[missing[found]] = block.values[places[found]]
        return found


class _Block:
    """Rows that are read together; their values are None until then."""

    def __init__(self, rows: NDArray):
        self.rows = rows
        self.values: NDArray | None = None


def _rows_per_chunk(array: Any) -> int:
    """Return the number of rows in a chunk of a file, which can only be read whole."""
    chunks = getattr(array, "chunks", None)
    rows = chunks[0] if isinstance(chunks, tuple) and chunks else 1
    rows = max(rows, default=1) if isinstance(rows, tuple) else rows  # dask has the size of each chunk
    return int(min(max(rows, 1), max(array.shape[0], 1)))
