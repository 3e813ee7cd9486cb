"""Errors of decoded steps, and which steps belong to a sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from .._inputs import Inputs
from ..modules import Model, mask_padding, step_mask
from ..sequences import Batch

LOSSES: dict[str, Callable[..., Tensor]] = {"squared": mse_loss, "absolute": l1_loss, "huber": huber_loss}


def step_errors(model: Model, batch: Batch, steps: Tensor, loss: str = "squared") -> Tensor:
    """Errors (n, T) of decoded steps (n, T, F), averaged over features, or cross-entropies of logits (n, T, tokens)."""
    return model.encoder.input.errors(steps, batch.values, LOSSES[loss])


def mean_over_steps(model: Model, batch: Any, errors: Any) -> Tensor:
    """Mean (n,) of errors (n, T) over the steps of each sequence, without its padding, and those with no value seen.

    Of several inputs, it is the mean over the inputs that the row has.
    """
    if isinstance(errors, Inputs):
        return _mean_over_inputs(model, batch, errors)
    lengths = batch.lengths
    if model.encoder.input.seen(batch.values) is not None:
        mask = known_mask(batch)
        return errors.where(mask, 0).sum(1) / n_counted(model, batch, mask)
    if lengths is None:
        return errors.mean(1)
    return mask_padding(errors[:, :, None], lengths)[:, :, 0].sum(1) / lengths


def n_counted(model: Model, batch: Batch, mask: Tensor) -> Tensor:
    """Number (n,) of steps in the mask (n, T) of which at least one value was seen, but at least 1."""
    seen = model.encoder.input.seen(batch.values)
    return mask.sum(1) if seen is None else (mask & seen.any(2)).sum(1).clamp_min(1)


def _mean_over_inputs(model: Model, batch: Any, errors: Inputs) -> Tensor:
    means, present = [], []
    for i, (x, values, ends) in enumerate(zip(errors.parts, batch.values.parts, batch.lengths.parts, strict=True)):
        part = replace(batch, values=values, lengths=ends.clamp_min(1))
        means.append(mean_over_steps(model.of_input(i), part, x))
        present.append(ends > 0)
    has = torch.stack(present, dim=1)  # (n, inputs)
    return torch.stack(means, dim=1).where(has, 0).sum(1) / has.sum(1)


def sequence_errors(model: Model, batch: Batch, steps: Tensor, loss: str = "squared") -> Tensor:
    """Errors (n,) of decoded sequences: means over their steps and features."""
    return mean_over_steps(model, batch, step_errors(model, batch, steps, loss))


def known_lengths(batch: Batch) -> Tensor:
    """Lengths (n,) of the sequences, also if all are equal."""
    n, n_steps = batch.values.shape[:2]
    return torch.full((n,), n_steps, device=batch.values.device) if batch.lengths is None else batch.lengths


def known_mask(batch: Batch) -> Tensor:
    """Mask (n, T) of the steps that are no padding."""
    return step_mask(known_lengths(batch), batch.values.shape[1])


def window(batch: Batch, first: Tensor, lengths: Tensor) -> Batch:
    """Return `lengths` (n,) steps of each sequence, from its step `first` (n,) on; a length may be 0."""
    steps = first[:, None] + torch.arange(max(1, int(lengths.max())), device=lengths.device)
    rows = torch.arange(len(batch), device=lengths.device)[:, None]
    values = batch.values[rows, steps.clamp_max(batch.values.shape[1] - 1)]
    return replace(batch, values=values, lengths=lengths)
