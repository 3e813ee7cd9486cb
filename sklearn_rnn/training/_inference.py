"""Batches of sequences of similar lengths, as large as fits the cache, for a fitted model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..modules import Encoder, Model, TokenInput
from ..sequences import Sequences, batches_by_length, read_ahead

AHEAD = 16 << 20  # bytes of batches that are read ahead from a file
VALUES = 1 << 21  # in a batch from a file: 8 MB, of which several copies are made
STATES = 1 << 20  # computed together on a CPU, so that they fit the cache
STATES_OF_GPU = 1 << 24  # fewer do not keep a GPU busy
LONG_ROWS = 16  # of long sequences, that are computed together
LONG_STEPS = 1 << 18  # of these rows together, at most
SAME_BITS = 4  # rows; smaller batches are filled up, because torch computes them with other routines and roundings


def in_batches(
    model: Model, sequences: Sequences, rows: NDArray, largest: int = 1024
) -> Iterator[tuple[NDArray, Tensor, Tensor | None]]:
    """Yield batches of up to `largest` rows: their places in `rows`, their values and their lengths.

    Values and lengths are on the model's device. A batch of fewer than `SAME_BITS` rows is filled up with copies of
    its rows, which follow them. If X lies in a file, batches of one block of it follow those of the block before, and
    are read ahead in a thread, which ends when the iterator is closed.
    """
    device = next(model.parameters()).device
    budget = _steps(model, device)
    if sequences.block is not None:
        budget = max(1, min(budget, VALUES // sequences.n_features))
    n_steps = int(np.median(sequences.lengths[rows]))
    fewest = SAME_BITS
    if sequences.block is None and not _has_vocabulary(model):  # which need much memory for each row
        fewest = max(fewest, min(LONG_ROWS, LONG_STEPS // n_steps))
    size = min(largest, max(budget // n_steps, fewest))
    read = (
        (places, *sequences.tensors(rows[np.resize(places, max(len(places), SAME_BITS))]))
        for part in sequences.parts(rows)
        for places in _places(sequences, rows, part, size, 2 * max(budget, size * n_steps))
    )
    for places, values, ends in read if sequences.block is None else read_ahead(read, AHEAD, lambda x: x[1].nbytes):
        yield places, values.to(device), None if ends is None else ends.to(device)


def _places(sequences: Sequences, rows: NDArray, part: slice, size: int, most: int) -> list[NDArray]:
    """Return batches of places in `rows`: a part of them, by length."""
    lengths = sequences.lengths[rows[part]]
    order = np.arange(len(lengths)) if sequences.equal else np.argsort(lengths, kind="stable")
    return [part.start + places for places in batches_by_length(order, lengths[order], size, most)]


def _has_vocabulary(model: Model) -> bool:
    """Whether logits of a vocabulary may follow, which take much more memory than states."""
    tokens = [encoder for encoder in model.encoder.each if isinstance(encoder, Encoder)]
    return any(isinstance(encoder.input, TokenInput) for encoder in tokens) and len(model.parts) > 0


def _steps(model: Model, device: torch.device) -> int:
    """Number of steps to compute together; with a vocabulary, as few on a GPU as on a CPU."""
    encoders = [encoder for encoder in model.encoder.each if isinstance(encoder, Encoder)]
    states = STATES if _has_vocabulary(model) or device.type == "cpu" else STATES_OF_GPU
    widths = [max(encoder.recurrence.out_features, encoder.input.kernel_width) for encoder in encoders]
    sizes = [encoder.architecture.patch_size for encoder in encoders]
    return max(1, min(states * size // width for size, width in zip(sizes, widths, strict=True)))
