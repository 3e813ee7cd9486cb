"""Batches of sequences of similar lengths, as large as fits the cache, for a fitted model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..modules import Model, TokenInput
from ..sequences import Sequences, batches_by_length

STATES = 1 << 20  # computed together on a CPU, so that they fit the cache
STATES_OF_GPU = 1 << 24  # fewer do not keep a GPU busy
SAME_BITS = 4  # rows; smaller batches are filled up, because torch computes them with other routines and roundings


def in_batches(
    model: Model, sequences: Sequences, rows: NDArray, largest: int = 1024
) -> Iterator[tuple[NDArray, Tensor, Tensor | None]]:
    """Yield batches of up to `largest` rows: their places in `rows`, their values and their lengths.

    Values and lengths are on the model's device. A batch of fewer than `SAME_BITS` rows is filled up with copies of
    its rows, which follow them.
    """
    device = next(model.parameters()).device
    lengths = sequences.lengths[rows]
    order = np.arange(len(rows)) if sequences.equal else np.argsort(lengths, kind="stable")
    budget = _steps(model, device)
    size = max(1, min(largest, budget // int(np.median(lengths))))
    for places in batches_by_length(order, lengths[order], size, 2 * budget):
        values, ends = sequences.batch(rows[np.resize(places, max(len(places), SAME_BITS))])
        yield places, torch.from_numpy(values).to(device), None if ends is None else torch.from_numpy(ends).to(device)


def _steps(model: Model, device: torch.device) -> int:
    """Number of steps to compute together; if logits of a vocabulary may follow, as few on a GPU as on a CPU."""
    encoder = model.encoder
    width = max(encoder.recurrence.out_features, encoder.input.kernel_width)
    has_vocabulary = isinstance(encoder.input, TokenInput) and len(model.parts) > 0
    states = STATES if has_vocabulary or device.type == "cpu" else STATES_OF_GPU
    return max(1, states * encoder.architecture.patch_size // width)
