"""From what a net decodes or draws to sequences in the form of the X of `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length

from ..modules import reverse
from ._base import SequenceEstimator, draw_seed

SOME = 256  # sequences made together


def checked_ends(lengths: Any, rows: NDArray) -> NDArray[np.int64]:
    """Lengths, which must be integers, one for each row, at least 1."""
    ends = np.asarray(lengths)
    check_consistent_length(rows, ends)
    if ends.dtype.kind not in "iu":
        raise ValueError(f"lengths must be integers, got {ends.tolist()[:5]}.")
    if ends.min() < 1:
        raise ValueError(f"lengths must be at least 1, got {ends.min()}.")
    return ends.astype(np.int64)


def generate(estimator: SequenceEstimator, rows: NDArray, ends: NDArray, random: np.random.RandomState) -> Any:
    """Draw a sequence for each of `rows`: class numbers where the objective knows classes."""
    model, seen = estimator.net_.module_, estimator._lengths
    generator = torch.Generator(next(model.parameters()).device).manual_seed(draw_seed(random))

    def drawn(rows: torch.Tensor, n_steps: int) -> torch.Tensor:
        return estimator.objective_.sample(model, rows, n_steps, generator)

    return written(estimator, drawn, rows, ends, as_list=bool(seen.min() < seen.max()))


def written(
    estimator: SequenceEstimator,
    write: Callable[[torch.Tensor, int], torch.Tensor],
    rows: NDArray,
    ends: NDArray,
    as_list: bool = False,
) -> Any:
    """Return what `write` makes of the `rows`, cut at their ends, in the form of X; a list where those differ."""
    model = estimator.net_.module_
    device, values = next(model.parameters()).device, []
    with estimator._computing(), torch.inference_mode():
        for some in np.array_split(np.arange(len(rows)), -(-len(rows) // SOME)):
            steps = write(torch.from_numpy(rows[some]).to(device), int(ends.max()))
            if estimator.objective_.reverse:
                steps = reverse(steps, torch.from_numpy(ends[some]).to(device))
            values.append(model.encoder.input.decoded(steps).numpy())
    sequences = np.concatenate(values)
    if estimator._kind == "tokens" or as_list or ends.min() < ends.max():
        return [row[:end] for row, end in zip(sequences, ends, strict=True)]
    return sequences[:, :, 0] if estimator._kind == "table" else sequences
