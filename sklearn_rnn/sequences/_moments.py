"""Moments of the features of sequences, from which numbers are standardised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._gaps import changes_since_seen

ROUNDING = 2.0**-24  # largest error of float32, relative to the value
Blocks = Iterable[tuple[NDArray, NDArray | None]]  # of values (n, T, F) and lengths (n,); None where all are T


class Moments(NamedTuple):
    """Moments of each feature, each an array (F,) of float64.

    Attributes
    ----------
    mean, deviation : ndarray
        Mean and standard deviation over all steps.
    change : ndarray
        Root mean square of the changes from step to step; of the changes since a value was last seen, if some are
        missing.
    """

    mean: NDArray
    deviation: NDArray
    change: NDArray

    def blur(self, noise: float = -1) -> NDArray[np.float64]:
        """Error of float32 in each feature, relative to its deviation or its changes, whichever is smaller.

        A deviation or change of up to `noise`, relative to the values, does not count.
        """
        level = np.hypot(self.mean, self.deviation)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = [ROUNDING * level / size for size in (self.deviation, self.change)]
            counts = [size > noise * level for size in (self.deviation, self.change)]
        return np.max(np.where(counts, ratios, 0), axis=0)


def moments_of(blocks: Blocks, shift: NDArray | None = None) -> Moments:
    """Compute the moments of sequences; those of a feature that is never seen (NaN) are 0.

    Sums are taken relative to `shift` (F,); by default, the first values.
    """
    counts, total, squares, changes = np.zeros((2, 1)), 0.0, 0.0, 0.0
    for values, lengths in blocks:
        if shift is None:
            shift = np.nan_to_num(values[0, 0].astype(np.float64))
        gappy = values.dtype.kind == "f" and bool(np.isnan(values).any())
        with np.errstate(over="ignore"):
            steps, differences = values, changes_since_seen(values) if gappy else np.diff(values, axis=1)
        if lengths is not None:
            inside = np.arange(values.shape[1]) < lengths[:, None]
            steps, differences = values[inside], differences[inside[:, 1:]]
        centred, differences = (x.reshape(-1, values.shape[2]) for x in (steps - shift, differences))
        if gappy:
            counts = counts + np.stack([(~np.isnan(x)).sum(0) for x in (centred, differences)])
            centred, differences = np.nan_to_num(centred), np.nan_to_num(differences)
        else:
            counts = counts + np.array([[len(centred)], [len(differences)]])
        total += centred.sum(0)
        squares += np.einsum("nf,nf->f", centred, centred)
        changes += np.einsum("nf,nf->f", differences, differences, dtype=np.float64)
    assert shift is not None
    n_steps, n_changes = np.maximum(counts, 1)
    mean = total / n_steps
    deviation = np.sqrt(np.maximum(squares / n_steps - mean**2, 0))
    change = np.minimum(np.sqrt(changes / n_changes), np.finfo(np.float32).max)
    return Moments(mean + shift, deviation, change)


def signal_share(blocks: Blocks) -> NDArray[np.float64]:
    """Share (F,) of the mean square of the changes of each feature that is not white noise, between 0 and 1.

    White noise of variance v adds 2 v to the mean square of the changes, -v to the mean product of one change and the
    next, and nothing to that of one change and the next but one. Where the products are others, as in fast waves, the
    share is larger. It is 1 where it cannot be estimated. Of missing values (NaN), only changes from one step to
    the next count.
    """
    lags = range(3)
    counts, sums = [np.zeros(()) for _ in lags], [np.zeros(()) for _ in lags]
    for values, lengths in blocks:
        with np.errstate(over="ignore", invalid="ignore"):
            changes = np.diff(values, axis=1)
            for lag in lags:
                products = np.multiply(changes[:, lag:], changes[:, : changes.shape[1] - lag], dtype=np.float64)
                if lengths is not None:
                    products = products[np.arange(1 + lag, values.shape[1]) < lengths[:, None]]
                products = products.reshape(-1, values.shape[2])
                counts[lag] = counts[lag] + (~np.isnan(products)).sum(0)
                sums[lag] = sums[lag] + np.nansum(products, axis=0)
    square, next_product, later_product = (s / np.maximum(n, 1) for s, n in zip(sums, counts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.maximum(np.abs(1 + 2 * next_product / square), 2 * np.abs(later_product / square))
    return np.where(np.isfinite(share), share.clip(0, 1), 1.0)
