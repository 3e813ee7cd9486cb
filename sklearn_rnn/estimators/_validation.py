"""Rows held out for early stopping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..objectives import Objective
from ..sequences import TrainingSet
from ..tasks import Task


def hold_out(
    rows: TrainingSet, task: Task, objective: Objective, fraction: float, random: np.random.RandomState
) -> tuple[TrainingSet, TrainingSet]:
    """Return the rows to train on, and the rows held out: labeled ones or, if none is labeled, any."""
    if objective.opponents and not len(rows.labeled):
        raise ValueError(
            f"early_stopping=True needs a loss that falls as the model gets better, but the loss of "
            f"{type(objective).__name__} also rises with its opponent. Set early_stopping=False."
        )
    none = rows.unlabeled[:0]
    if not len(rows.labeled):
        held_out = _any(rows.unlabeled, fraction, 2 if objective.compares_views else 1, random)
        training = replace(rows, unlabeled=np.setdiff1d(rows.unlabeled, held_out))
        return training, replace(rows, unlabeled=held_out)
    held_out = _by_stratum(rows.counting(), task.strata(rows.targets), fraction, random)
    labeled, unlabeled = (np.setdiff1d(part, held_out) for part in (rows.labeled, rows.unlabeled))
    training = replace(rows, labeled=labeled, unlabeled=unlabeled)
    return training, replace(rows, labeled=held_out, unlabeled=none)


def _any(rows: NDArray, fraction: float, least: int, random: np.random.RandomState) -> NDArray:
    """Draw a fraction of the rows, but at least `least`."""
    n = max(least, round(fraction * len(rows)))
    if n >= len(rows):
        raise ValueError(f"early_stopping=True needs {least + 1} samples or more; set early_stopping=False.")
    return np.sort(random.permutation(rows)[:n])


def _by_stratum(rows: NDArray, strata: NDArray, fraction: float, random: np.random.RandomState) -> NDArray:
    """Draw a fraction of the rows of each stratum, such as a class; one row is left to train on."""
    chosen = []
    for stratum in np.unique(strata[rows]):
        members = rows[strata[rows] == stratum]
        n = min(max(1, round(fraction * len(members))), len(members) - 1)
        chosen.append(random.permutation(members)[:n])
    drawn = np.concatenate(chosen)
    if len(drawn) == 0:
        raise ValueError(
            "early_stopping=True needs two labeled samples (of one class, in a classifier): one of them is held out. "
            "Label more, or set early_stopping=False."
        )
    return np.sort(drawn)
