"""Rows that stand for all rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(n: int, most: int) -> NDArray[np.int64]:
    """Return the places of at most `most` of n rows, in order; the first and the last row are among them."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)
