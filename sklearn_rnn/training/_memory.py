"""A note on errors of memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

OUT_OF_MEMORY = "allocate memory"  # in the messages of torch on a CPU


@contextmanager
def noting_memory(batch_size: int, hidden_size: int) -> Iterator[None]:
    """Add a note to errors of memory that names the parameters to change; the errors themselves are not changed."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or OUT_OF_MEMORY in str(error):
            error.add_note(
                f"Out of memory with batch_size={batch_size} and hidden_size={hidden_size}: lower one of them, set "
                "max_length, or raise patch_size."
            )
        raise
