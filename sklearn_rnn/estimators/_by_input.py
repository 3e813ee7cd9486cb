"""Results for each of several inputs: of their steps, and decoded sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .._inputs import Inputs
from ..training import in_batches

ROWS = 256  # in a batch


def steps_by_input(estimator: Any, sequences: Any, part: Callable[..., Any]) -> dict[str, list[NDArray]]:
    """Apply `part(values, lengths, rows)`, which returns `Inputs` (n, T, ...), in batches.

    Returns
    -------
    steps : dict
        For each input, a list with the steps of each row, without padding; none of a row that does not have the input.
    """
    output: dict[str, list[NDArray]] = {name: [np.empty(0)] * len(sequences) for name in sequences.inputs}
    with estimator._computing():
        for rows, values, lengths in in_batches(estimator.net_.module_, sequences, np.arange(len(sequences)), ROWS):
            results: Inputs = part(values, lengths, np.resize(rows, len(values)))
            for of_input, result, ends in zip(output.values(), results.parts, lengths.parts, strict=True):  # type: ignore[union-attr]
                for row, steps, end in zip(rows, result.cpu().numpy(), ends.tolist(), strict=False):
                    of_input[row] = steps[:end].copy()
    return output


def decoded_inputs(estimator: Any, embeddings: NDArray, ends: dict[str, NDArray]) -> dict[str, Any]:
    """Decode embeddings (n, C) to each input, in the form of the X of `fit`: sequences, and columns of single values.

    Parameters
    ----------
    estimator : RNNAutoencoderTransformer
        A fitted estimator.
    embeddings : ndarray of shape (n, C)
        The embeddings.
    ends : dict of ndarray of shape (n,)
        Number of steps of each row, by the name of the input.

    Returns
    -------
    decoded : dict
        By the name of the input, a list of (T_i, F) or (T_i,) arrays; by the name of the column, an array (n,) of
        numbers or categories.
    """
    model = estimator.net_.module_
    device, longest = next(model.parameters()).device, tuple(int(of_input.max()) for of_input in ends.values())
    with estimator._computing(), torch.inference_mode():
        steps = estimator.objective_.decode(model, torch.from_numpy(embeddings).to(device), longest)
        decoded = [part.input.decoded(x).numpy() for part, x in zip(model.encoder.each, steps.parts, strict=True)]
    result: dict[str, Any] = {}
    for (name, members), values, of_input in zip(estimator.inputs_.items(), decoded, ends.values(), strict=True):
        known = estimator._inputs[name]
        if known["_kind"] == "static":
            for k, (member, (categories, _, origin)) in enumerate(zip(members, known["columns"], strict=True)):
                column = values[:, 0, k]
                result[member] = np.array(categories)[column.astype(int)] if categories else column + origin
        else:
            values = values[:, :, 0] if known["_kind"] == "table" else values
            result[name] = [row[:end] for row, end in zip(values, of_input, strict=True)]
    return result
