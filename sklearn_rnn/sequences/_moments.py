"""Moments of the features of sequences, from which numbers are standardised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDING = 2.0**-24  # largest error of float32, relative to the value


class Moments(NamedTuple):
    """Moments of each feature, each an array (F,) of float64.

    Attributes
    ----------
    mean, deviation : ndarray
        Mean and standard deviation over all steps.
    change : ndarray
        Root mean square of the changes from step to step.
    signal : ndarray
        Share of the square of the changes that is not white noise, between 0 and 1. White noise of variance v adds 2 v
        to the mean square of the changes, -v to the mean product of one change and the next, and nothing to that of one
        change and the next but one. Where the products are others, as in fast waves, the share is larger.
    """

    mean: NDArray
    deviation: NDArray
    change: NDArray
    signal: NDArray

    def blur(self, noise: float = -1) -> NDArray[np.float64]:
        """Error of float32 in each feature, relative to its deviation or its changes, whichever is smaller.

        A deviation or change of up to `noise`, relative to the values, does not count.
        """
        level = np.hypot(self.mean, self.deviation)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = [ROUNDING * level / size for size in (self.deviation, self.change)]
            counts = [size > noise * level for size in (self.deviation, self.change)]
        return np.max(np.where(counts, ratios, 0), axis=0)


def moments_of(blocks: Iterable[tuple[NDArray, NDArray | None]], shift: NDArray | None = None) -> Moments:
    """Compute the moments of blocks of values (n, T, F) and lengths (n,), or None for lengths that are all T.

    Sums are taken relative to `shift` (F,); by default, the first values.
    """
    counts = np.zeros(4)
    total = squares = changes = next_products = later_products = np.zeros(())
    for values, lengths in blocks:
        if shift is None:
            shift = values[0, 0].astype(np.float64)
        inside = np.ones(values.shape[:2], dtype=bool)
        if lengths is not None:
            inside = np.arange(values.shape[1]) < lengths[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            change = np.diff(values, axis=1)
            next_product, later_product = (
                np.multiply(change[:, lag:], change[:, :-lag], dtype=np.float64)[inside[:, 1 + lag :]] for lag in (1, 2)
            )
        steps, change = values[inside], change[inside[:, 1:]]
        centred = steps - shift
        counts += len(steps), len(change), len(next_product), len(later_product)
        total = total + centred.sum(0)
        squares = squares + np.einsum("nf,nf->f", centred, centred)
        changes = changes + np.einsum("nf,nf->f", change, change, dtype=np.float64)
        next_products = next_products + next_product.sum(0)
        later_products = later_products + later_product.sum(0)
    assert shift is not None
    mean = total / counts[0]
    deviation = np.sqrt(np.maximum(squares / counts[0] - mean**2, 0))
    mean_square, next_product, later_product = (
        product / max(count, 1)
        for product, count in zip((changes, next_products, later_products), counts[1:], strict=True)
    )
    change = np.minimum(np.sqrt(mean_square), np.finfo(np.float32).max)
    return Moments(mean + shift, deviation, change, _signal(mean_square, next_product, later_product))


def _signal(mean_square: NDArray, next_product: NDArray, later_product: NDArray) -> NDArray[np.float64]:
    """Share of the mean square of the changes that is not white noise; 1 where that is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.maximum(np.abs(1 + 2 * next_product / mean_square), 2 * np.abs(later_product / mean_square))
    return np.where(np.isfinite(share), share.clip(0, 1), 1.0)
