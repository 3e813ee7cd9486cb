"""Attributions of a prediction to several inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .._inputs import Inputs
from ..estimators._by_input import steps_by_input
from ..modules import StaticInput
from ..sequences import SeveralInputs


def attributions_by_input(
    estimator: Any,
    sequences: SeveralInputs,
    scored: Callable[[Tensor, NDArray], Tensor],
    points: NDArray,
    weights: NDArray,
) -> dict[str, Any]:
    """Integrate gradients from a baseline of zeros, the means of the data, to the standardised steps of all inputs.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of several inputs.
    sequences : SeveralInputs
        The rows.
    scored : callable
        Returns the score (n,) of outputs, given also the numbers of the rows.
    points, weights : ndarray of shape (n_points,)
        Quadrature from -1 to 1.

    Returns
    -------
    attributions : dict
        A list of arrays by the name of an input of sequences, and an array by the name of a column of single values.
    """
    model = estimator.net_.module_
    layers = model.encoder.input

    def part(values: Inputs, lengths: Inputs, rows: NDArray) -> Inputs:
        with torch.no_grad():
            end, passed = layers.standardised(values), layers.passed(values)
        total = [torch.zeros_like(x) for x in end.parts]
        for point, weight in zip(points.tolist(), weights.tolist(), strict=True):
            x = Inputs((point + 1) / 2 * part for part in end.parts).requires_grad_()
            score = scored(model.predict_outputs(layers.with_changes(x, passed), lengths), rows).sum()
            gradients = torch.autograd.grad(score, x.parts, allow_unused=True, materialize_grads=True)
            total = [sums + weight / 2 * gradient for sums, gradient in zip(total, gradients, strict=True)]
        return Inputs(
            _in_columns(layer, sums * x, of_input)
            for layer, sums, x, of_input in zip(layers.layers, total, end.parts, sequences.inputs.values(), strict=True)
        )

    by_input: dict[str, Any] = steps_by_input(estimator, sequences, part)
    for (name, members), layer in zip(estimator.inputs_.items(), layers.layers, strict=True):
        if isinstance(layer, StaticInput):
            steps = by_input.pop(name)
            for k, member in enumerate(members):
                by_input[member] = np.array([x[0, k] if len(x) else 0 for x in steps], dtype=np.float32)
    return by_input


def _in_columns(layer: Any, attributions: Tensor, of_input: Any) -> Tensor:
    """Add the attributions (n, T, D) of the features of each static column, and those of the vectors of tokens.

    Values that were not seen, and the column of times, have 0.
    """
    attributions = attributions.nan_to_num(0)
    if isinstance(layer, StaticInput):
        columns = torch.tensor(layer.columns, device=attributions.device)
        n_columns = len(layer.architecture.categories)
        return attributions.new_zeros(*attributions.shape[:2], n_columns).index_add_(2, columns, attributions)
    if of_input.sequences.times is not None:
        attributions = layer.gaps.with_times(attributions, attributions.new_zeros(attributions.shape[:2]))
    return attributions if of_input.sequences.kind == "series" else attributions.sum(2)
