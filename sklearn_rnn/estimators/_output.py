"""The output of a fitted net, which is filled in batches: a new array, or one that the user gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Output:
    """An array (n, ...) that is filled in batches.

    Parameters
    ----------
    n : int
        Number of rows.
    first : ndarray of shape (b, ...)
        A first batch, which gives the shape and the dtype.
    out : array or None
        What is filled: an array of numpy, zarr, HDF5 or the like. By default a new array.

    Raises
    ------
    ValueError
        If `out` has another shape.
    TypeError
        If `out` holds no floats.
    """

    def __init__(self, n: int, first: NDArray, out: Any = None):
        shape = (n, *first.shape[1:])
        self.array = np.empty(shape, first.dtype) if out is None else out
        if tuple(getattr(self.array, "shape", ())) != shape:
            raise ValueError(f"out must be an array of shape {shape}, got {getattr(out, 'shape', type(out).__name__)}.")
        if np.dtype(self.array.dtype).kind != first.dtype.kind:
            raise TypeError(f"out must have a dtype like {first.dtype}, got {self.array.dtype}.")
        self.n_filled = self.n_waiting = self.end = 0
        self.waiting: list[tuple[NDArray, NDArray]] = []

    def fill(self, places: NDArray, values: NDArray) -> None:
        """Fill some rows. Arrays outside numpy are written in slices, because their chunks are written whole."""
        if isinstance(self.array, np.ndarray):
            self.array[places] = values
            return
        self.waiting.append((places, values))
        self.n_waiting += len(places)
        self.end = max(self.end, int(places.max()) + 1)
        if self.end - self.n_filled == self.n_waiting:  # no row before the end is missing
            order = np.argsort(np.concatenate([places for places, _ in self.waiting]))
            self.array[self.n_filled : self.end] = np.concatenate([values for _, values in self.waiting])[order]
            self.n_filled, self.n_waiting, self.waiting = self.end, 0, []
