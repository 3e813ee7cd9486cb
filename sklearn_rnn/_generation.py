"""From what a net decodes or draws to sequences in the form of the X of `fit`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length

from ._base import SequenceEstimator, draw_seed

SOME = 256  # sequences made together


def decoded(model: Any, steps: torch.Tensor) -> NDArray:
    """Values (n, T, F) of standardised steps, or the likeliest of the logits (n, T, tokens)."""
    if model.encoder.architecture.n_tokens:
        return steps[:, :, :-1].argmax(2).cpu().numpy()  # nobody writes the unknown token, the last
    return (steps * model.encoder.scale + model.encoder.mean).cpu().numpy()


def shaped(estimator: Any, values: NDArray, ends: NDArray, as_list: bool = False) -> Any:
    """Cut sequences at their ends, in the form of X; a list where those differ, or if asked."""
    if estimator.objective_.reverse:
        steps = np.arange(values.shape[1])
        turned = np.where(steps < ends[:, None], ends[:, None] - 1 - steps, steps)
        values = values[np.arange(len(values))[:, None], turned]
    if estimator._kind == "tokens" or as_list or ends.min() < ends.max():
        return [row[:end] for row, end in zip(values, ends, strict=True)]
    return values[:, :, 0] if estimator._kind == "table" else values


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
    model, seen, values = estimator.net_.module_, estimator._lengths, []
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(draw_seed(random))
    with estimator._computing(), torch.inference_mode():
        for some in np.array_split(rows, -(-len(rows) // SOME)):
            codes = torch.from_numpy(some).to(device)
            steps = estimator.objective_.sample(model, codes, int(ends.max()), generator)
            values.append(decoded(model, steps))
    return shaped(estimator, np.concatenate(values), ends, as_list=bool(seen.min() < seen.max()))
