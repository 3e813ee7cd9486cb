"""Warnings for X that is read as the input table says, but was probably meant in another way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._sequences import first_steps

LOOK = 1 << 16  # steps to look at
SMOOTH, ROUGH = 0.5, 0.7  # how smooth time is, and features that are no time, where features come first
ORDERED, MIN_CHANGES, MIN_DIFFERENT = 0.6, 100, 16  # how smooth whole numbers are that are values
MIN_DENSE = 30  # different values in a range that starts far above 0
MANY = 10  # features, where there is one step


def warn_of_values(ids: NDArray, lengths: NDArray) -> None:
    """Warn where token ids look like measurements (how this was chosen: `benchmarks/values_or_ids.py`)."""
    if not _look_measured(ids, lengths):
        return
    warn(
        "X is a list of 1-D integer arrays and was read as token ids, but looks like measurements: a value is near "
        "the one before it, or all lie in a range far above 0. If they are values, pass floats: "
        "[x.astype(float) for x in X]."
    )


def warn_of_padding(X: NDArray) -> None:
    """Warn where an integer matrix looks like token ids, or series, padded to one length."""
    if X.dtype.kind not in "iu":
        return
    rows = X[: max(1, LOOK // X.shape[1])]
    if (pad := rows.min()) > 0 or not (_padded(rows, pad) or _padded(rows[:, ::-1], pad)):
        return
    warn(
        f"X is an integer matrix and was read as one value a step, but looks padded with {pad} to one length. Pass a "
        f"list of arrays without padding: [row[row != {pad}] for row in X] where the integers are token ids, and "
        f"[row[row != {pad}].astype(float) for row in X] where they are values."
    )


def warn_of_features_first(X: NDArray) -> None:
    """Warn where an array (n, T, F) looks like one of (n, F, T)."""
    n, n_steps, n_features = X.shape
    rows = X[: max(1, LOOK // (n_steps * n_features))]
    if n_steps == 1 and n_features >= MANY:
        what = f"one step of {n_features} features"
    elif n_features >= 2 * n_steps and _features_are_time(rows):
        what = f"{n_steps} steps of {n_features} features, and each feature is near the next"
    else:
        return
    warn(
        f"X of shape {X.shape} was read as {n} sequences with {what}. If its last axis is time, as in aeon and "
        "sktime, convert it with sklearn_rnn.datasets.from_aeon(X)."
    )


def roughness(steps: NDArray, lengths: NDArray) -> tuple[float, int]:
    """Mean change from one step to the next, over the mean difference of two steps of one sequence.

    It is 1 where the order means nothing, and near 0 where sequences are smooth. Only steps that differ count.

    Parameters
    ----------
    steps : ndarray of shape (steps,)
        Sequences, end to end.
    lengths : ndarray of shape (n,)
        Steps of each sequence.

    Returns
    -------
    roughness : float
        NaN where nothing changes.
    n_changes : int
        Steps that differ from the one before.
    """
    steps = steps.astype(np.float64)
    first = np.repeat(first_steps(lengths), lengths)
    offsets = np.random.default_rng(0).random(len(steps)) * np.repeat(lengths, lengths)
    changes = np.abs(np.diff(steps))[first[1:] == first[:-1]]
    apart = np.abs(steps - steps[first + offsets.astype(np.int64)])
    changes, apart = changes[changes > 0], apart[apart > 0]
    if not len(changes) or not len(apart):
        return np.nan, 0
    return float(changes.mean() / apart.mean()), len(changes)


def _look_measured(ids: NDArray, lengths: NDArray) -> bool:
    """Whether integers are ordered, or dense in a range that starts above what a vocabulary leaves out."""
    lengths = lengths[: 1 + int(np.searchsorted(np.cumsum(lengths), LOOK))]
    ids = ids[: lengths.sum()]
    different, first_seen = np.unique(ids, return_index=True)
    if len(different) < MIN_DIFFERENT or (np.diff(first_seen) > 0).all():  # numbered as they appear
        return False
    rough, n_changes = roughness(ids, lengths)
    if n_changes < MIN_CHANGES:
        return False
    dense = 2 * len(different) > different[-1] - different[0] + 1
    return rough < ORDERED or bool(len(different) >= MIN_DENSE and dense and different[0] > len(different))


def _padded(X: NDArray, pad: int) -> bool:
    """Whether rows hold `pad` at their ends only, and are of different lengths then."""
    is_pad = np.equal(X, pad)
    n_pads = is_pad.sum(1)
    tails = np.where(is_pad.all(1), X.shape[1], np.argmin(is_pad[:, ::-1], axis=1))
    return bool((tails == n_pads).all() and n_pads.max() > 1 and len(np.unique(n_pads)) > 2)


def _features_are_time(rows: NDArray) -> bool:
    """Whether the last axis of rows (n, T, F) is smooth, and the second is not."""
    rows = np.nan_to_num(rows, posinf=0, neginf=0)
    n, n_steps, n_features = rows.shape
    across, _ = roughness(rows.ravel(), np.full(n * n_steps, n_features))
    along, _ = roughness(rows.transpose(0, 2, 1).ravel(), np.full(n * n_features, n_steps))
    return across < SMOOTH and along > ROUGH
