"""Warnings for an X that is read as documented, but was probably meant in another way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._sequences import first_steps

LOOK = 1 << 16  # steps that are examined
SMOOTH, ROUGH = 0.5, 0.7  # if features come first: largest roughness over time, and smallest over features
ORDERED, MIN_CHANGES, MIN_DIFFERENT = 0.6, 100, 16  # roughness, changes and distinct numbers of whole values
MIN_DENSE = 30  # distinct numbers in a range that starts far above 0
MANY = 10  # features of sequences of one step


def warn_of_values(ids: NDArray, lengths: NDArray) -> None:
    """Warn if token ids look like measurements; `benchmarks/values_or_ids.py` measures this rule."""
    if not _look_measured(ids, lengths):
        return
    warn(
        "X is a list of 1-D integer arrays and was read as token ids, but looks like measurements: values are near "
        "the previous values, or all are in a range far above 0. If they are values, pass floats: "
        "[x.astype(float) for x in X]."
    )


def warn_of_padding(X: Any) -> None:
    """Warn if an integer matrix looks like token ids, or series, padded to one length."""
    if X.dtype.kind not in "iu":
        return
    rows = np.asarray(X[: max(1, LOOK // X.shape[1])])
    if (pad := rows.min()) > 0 or not (_padded(rows, pad) or _padded(rows[:, ::-1], pad)):
        return
    warn(
        f"X is an integer matrix and was read as one value a step, but looks padded with {pad} to one length. Pass a "
        f"list of arrays without padding: [row[row != {pad}] for row in X] if the integers are token ids, and "
        f"[row[row != {pad}].astype(float) for row in X] if they are values."
    )


def warn_of_features_first(X: Any) -> None:
    """Warn if the axes of an array (n, T, F) look like (n, F, T)."""
    n, n_steps, n_features = X.shape
    rows = np.asarray(X[: max(1, LOOK // (n_steps * n_features))])
    if n_steps == 1 and n_features >= MANY:
        what = f"one step of {n_features} features"
    elif n_features >= 2 * n_steps and _features_are_time(rows):
        what = f"{n_steps} steps of {n_features} features, and each feature is near the next one"
    else:
        return
    warn(
        f"X of shape {X.shape} was read as {n} sequences with {what}. If its last axis is time, as in aeon and "
        "sktime, convert it with sklearn_rnn.datasets.from_aeon(X)."
    )


def roughness(steps: NDArray, lengths: NDArray) -> tuple[float, int]:
    """Mean change from one step to the next, divided by the mean difference of two random steps of a sequence.

    It is near 1 if the order of the steps is random, and near 0 if sequences are smooth. Equal steps do not count.

    Parameters
    ----------
    steps : ndarray of shape (steps,)
        Steps of all sequences, one sequence after the other.
    lengths : ndarray of shape (n,)
        Number of steps of each sequence.

    Returns
    -------
    roughness : float
        NaN if nothing changes.
    n_changes : int
        Number of steps that differ from the previous one.
    """
    steps = steps.astype(np.float64)
    first = np.repeat(first_steps(lengths), lengths)
    offsets = np.random.default_rng(0).random(len(steps)) * np.repeat(lengths, lengths)
    changes = np.abs(np.diff(steps))[first[1:] == first[:-1]]
    differences = np.abs(steps - steps[first + offsets.astype(np.int64)])
    changes, differences = changes[changes > 0], differences[differences > 0]
    if not len(changes) or not len(differences):
        return np.nan, 0
    return float(changes.mean() / differences.mean()), len(changes)


def _look_measured(ids: NDArray, lengths: NDArray) -> bool:
    """Whether integers change smoothly, or are dense in a range that starts at a larger number than a vocabulary."""
    lengths = lengths[: 1 + int(np.searchsorted(np.cumsum(lengths), LOOK))]
    ids = ids[: lengths.sum()]
    distinct, first_seen = np.unique(ids, return_index=True)
    if len(distinct) < MIN_DIFFERENT or (np.diff(first_seen) > 0).all():  # ids were numbered in order of appearance
        return False
    rough, n_changes = roughness(ids, lengths)
    if n_changes < MIN_CHANGES:
        return False
    dense = 2 * len(distinct) > distinct[-1] - distinct[0] + 1
    return rough < ORDERED or bool(len(distinct) >= MIN_DENSE and dense and distinct[0] > len(distinct))


def _padded(X: NDArray, pad: int) -> bool:
    """Whether `pad` occurs only at the ends of rows, and the rows have different lengths without it."""
    is_pad = np.equal(X, pad)
    n_pads = is_pad.sum(1)
    tails = np.where(is_pad.all(1), X.shape[1], np.argmin(is_pad[:, ::-1], axis=1))
    return bool((tails == n_pads).all() and n_pads.max() > 1 and len(np.unique(n_pads)) > 2)


def _features_are_time(rows: NDArray) -> bool:
    """Whether rows (n, T, F) are smooth along the last axis, and not along the second."""
    rows = np.nan_to_num(rows, posinf=0, neginf=0)
    n, n_steps, n_features = rows.shape
    across, _ = roughness(rows.ravel(), np.full(n * n_steps, n_features))
    along, _ = roughness(rows.transpose(0, 2, 1).ravel(), np.full(n * n_features, n_steps))
    return across < SMOOTH and along > ROUGH
