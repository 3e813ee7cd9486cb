"""Decoded and drawn sequences, in the form of the X of `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length

from ..modules import reverse
from ._base import SequenceEstimator, draw_seed

CHUNK = 256  # sequences that are decoded together


def checked_ends(lengths: Any, rows: NDArray) -> NDArray[np.int64]:
    """Return the lengths; it is an error if they are not integers of at least 1, one for each row."""
    ends = np.asarray(lengths)
    check_consistent_length(rows, ends)
    if ends.dtype.kind not in "iu":
        raise ValueError(f"lengths must be integers, got {ends.tolist()[:5]}.")
    if ends.min() < 1:
        raise ValueError(f"lengths must be at least 1, got {ends.min()}.")
    return ends.astype(np.int64)


def generate(estimator: SequenceEstimator, rows: NDArray, ends: NDArray, random: np.random.RandomState) -> Any:
    """Draw a sequence for each of `rows`, which are class numbers if the objective uses classes."""
    model, seen = estimator.net_.module_, estimator._lengths
    generator = torch.Generator(next(model.parameters()).device).manual_seed(draw_seed(random))

    def drawn(rows: torch.Tensor, n_steps: int) -> torch.Tensor:
        return estimator.objective_.sample(model, rows, n_steps, generator)

    return decoded_sequences(estimator, drawn, rows, ends, as_list=bool(seen.min() < seen.max()))


def decoded_sequences(
    estimator: SequenceEstimator,
    decode: Callable[[torch.Tensor, int], torch.Tensor],
    rows: NDArray,
    ends: NDArray,
    as_list: bool = False,
) -> Any:
    """Decode `rows`, such as embeddings, and cut each sequence at its end; returns a list if the ends differ."""
    model = estimator.net_.module_
    device, values = next(model.parameters()).device, []
    with estimator._computing(), torch.inference_mode():
        for chunk in np.array_split(np.arange(len(rows)), -(-len(rows) // CHUNK)):
            steps = decode(torch.from_numpy(rows[chunk]).to(device), int(ends.max()))
            if estimator.objective_.reverse:
                steps = reverse(steps, torch.from_numpy(ends[chunk]).to(device))
            values.append(model.encoder.input.decoded(steps).numpy())
    sequences = np.concatenate(values)
    if estimator._kind == "tokens" or as_list or ends.min() < ends.max():
        return [row[:end] for row, end in zip(sequences, ends, strict=True)]
    return sequences[:, :, 0] if estimator._kind == "table" else sequences
