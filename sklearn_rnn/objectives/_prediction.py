"""Predicting steps from states of the recurrence: the layers, and the errors of what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..modules import Model, TokenInput, linear, recomputed, unpatched
from ..sequences import Batch

LOGITS = 1 << 24  # held at once: 64 MB


def prediction_parts(encoder: Any, tied: bool, **n_states: int) -> dict[str, nn.Module]:
    """Return the blank layers from states to the steps of a patch, and for tokens the `"vocabulary"` unless `tied`.

    `n_states` are the widths of the states, by the name of the layer.
    """
    a, tokens = encoder.architecture, isinstance(encoder.input, TokenInput)
    width = a.embedding_size if tokens else a.n_features
    parts: dict[str, nn.Module] = {name: linear(n, a.patch_size * width) for name, n in n_states.items()}
    if tokens and not tied:
        parts["vocabulary"] = linear(width, encoder.input.n_outputs)
    return parts


def predicted_steps(model: Model, part: str, states: Tensor, n_steps: int) -> Tensor:
    """Standardised values (n, n_steps, F), or vectors (n, n_steps, E) that are compared with those of the tokens."""
    layer: Any = model.parts[part]
    width = layer.out_features // model.encoder.architecture.patch_size
    return unpatched(layer(states), width, n_steps)


def prediction_errors(model: Model, batch: Batch, predicted: Tensor, mask: Tensor, n_candidates: int) -> Tensor:
    """Squared errors (n, T), or cross-entropies of tokens, of the steps in the `mask` (n, T); 0 for the others."""
    layer = model.encoder.input
    if not isinstance(layer, TokenInput):
        return layer.errors(predicted, batch.values, functional.mse_loss).masked_fill(~mask, 0)
    tokens = layer.target(batch.values)
    errors = _token_errors(model, predicted[mask], tokens[mask], batch.generator, n_candidates)
    return errors.new_zeros(mask.shape).masked_scatter(mask, errors)


def most_patches(largest: int, model: Model, batch: Batch) -> int:
    """Return the number of patches in the longest sequence so far, `largest` before this batch."""
    return max(largest, -(-batch.values.shape[1] // model.encoder.architecture.patch_size))


def one_patch(objective: Any) -> str:
    """Text of a warning that each sequence is one patch."""
    return (
        f"{type(objective).__name__} trained no recurrence: each sequence is one patch, and no other patch is left "
        "to predict it from. Lower patch_size."
    )


def _token_errors(
    model: Model, vectors: Tensor, tokens: Tensor, generator: torch.Generator | None, n_candidates: int
) -> Tensor:
    """Cross-entropies (m,) of tokens (m,), a part at a time if there are many."""
    tied = "vocabulary" not in model.parts
    layer: Any = model.encoder.input.embedding if tied else model.parts["vocabulary"]
    weight, bias = layer.weight, getattr(layer, "bias", None)
    if generator is not None and len(weight) > n_candidates:
        drawn = torch.randint(len(weight), (n_candidates,), generator=generator, device=tokens.device)
        candidates, places = torch.unique(torch.cat([tokens, drawn]), return_inverse=True)
        weight, bias = weight[candidates], None if bias is None else bias[candidates]
        tokens = places[: len(tokens)]

    def errors(part: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(functional.linear(part, weight, bias), targets, reduction="none")

    return in_parts(errors, LOGITS // len(weight), vectors, tokens)


def in_parts(errors: Callable[[Tensor, Tensor], Tensor], size: int, vectors: Tensor, tokens: Tensor) -> Tensor:
    """Errors (m,) of vectors (m, E) and tokens (m,), computed for `size` of them at a time, and again for gradients."""
    size = max(1, size)
    parts = list(zip(vectors.split(size), tokens.split(size), strict=True))
    if len(tokens) <= size or not vectors.requires_grad:
        return torch.cat([errors(*part) for part in parts])
    return torch.cat([recomputed(errors, *part) for part in parts])
