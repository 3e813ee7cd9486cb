"""Scores of numbers, some of which are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from ._numbers import Numbers


def r2_of_known(true: Numbers, predicted: NDArray, sample_weight: Any = None) -> float:
    """Mean over columns of the R² of the known numbers; `predicted` (n, k)."""
    weights = None if sample_weight is None else np.asarray(sample_weight)
    scores = []
    for column, known in enumerate(true.known.T):
        weight = None if weights is None else weights[known]
        scores.append(r2_score(true.values[known, column], predicted[known, column], sample_weight=weight))
    return float(np.mean(scores))
