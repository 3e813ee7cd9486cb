"""Sequences of like length together, as many as a cache holds, for a model that is fitted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..modules import Model, TokenInput
from ..sequences import Sequences, like_lengths

STATES = 1 << 20  # computed together on a CPU, so that what is known of them fits a cache
STATES_OF_GPU = 1 << 24  # which only many keep busy
SAME_BITS = 4  # rows; smaller batches, which take other routines, are filled up so that they end in the same bits


def in_batches(
    model: Model, sequences: Sequences, rows: NDArray, largest: int = 1024
) -> Iterator[tuple[NDArray, Tensor, Tensor | None]]:
    """Yield which of `rows` are in a batch of up to `largest`, and its values and lengths, on the model's device.

    What comes after the first of a batch's rows, filled up to `SAME_BITS`, repeats them.
    """
    device = next(model.parameters()).device
    lengths = sequences.lengths[rows]
    order = np.arange(len(rows)) if sequences.equal else np.argsort(lengths, kind="stable")
    budget = _steps(model, device)
    size = max(1, min(largest, budget // int(np.median(lengths))))
    for some in like_lengths(order, lengths[order], size, 2 * budget):
        values, own = sequences.batch(rows[np.resize(some, max(len(some), SAME_BITS))])
        yield some, torch.from_numpy(values).to(device), None if own is None else torch.from_numpy(own).to(device)


def _steps(model: Model, device: torch.device) -> int:
    """Steps to compute together; no more than on a CPU where likelihoods of a vocabulary may follow."""
    encoder = model.encoder
    width = max(encoder.recurrence.out_features, encoder.input.kernel_width)
    wordy = isinstance(encoder.input, TokenInput) and len(model.parts) > 0
    states = STATES if wordy or device.type == "cpu" else STATES_OF_GPU
    return max(1, states * encoder.architecture.patch_size // width)
