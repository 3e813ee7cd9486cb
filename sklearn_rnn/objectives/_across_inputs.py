"""Two inputs of a row as two views of it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from ..modules import Encoder, Model, full_precision, linear
from ..sequences import Batch


def across_projections(encoder: Any) -> nn.ModuleDict:
    """Return the nets, blank, that project the embedding of each input that is a sequence, by the input's number."""
    parts = {str(i): part for i, part in enumerate(encoder.each) if isinstance(part, Encoder)}
    if len(parts) < 2:
        raise ValueError(
            f"Contrastive(across_inputs=True) compares inputs of a row that are sequences, but X has {len(parts)}. "
            "Pass a frame with two columns of sequences or more, or set across_inputs=False."
        )
    sizes = {i: part.architecture.hidden_size for i, part in parts.items()}
    return nn.ModuleDict(
        {
            i: nn.Sequential(linear(part.out_features, sizes[i]), nn.ReLU(), linear(sizes[i], sizes[i]))
            for i, part in parts.items()
        }
    )


def across_loss(model: Model, batch: Batch, temperature: float) -> tuple[Tensor, Tensor]:
    """Mean loss of all pairs of inputs, and the fraction of inputs for which the other input was found.

    Of each pair, the rows that have both inputs are compared; the loss is 0 if there are fewer than two.
    """
    view: Any = model.view(batch.values, batch.lengths, batch.generator, strong=True)
    projections: Any = model.parts["projections"]
    lengths: Any = batch.lengths
    vectors = {}
    for i, projection in projections.items():
        encoder: Any = model.encoder.each[int(i)]
        embedding = encoder(view.parts[int(i)], lengths.parts[int(i)].clamp_min(1), batch.generator)
        vectors[int(i)] = normalize(full_precision(projection(embedding)), dim=1)
    losses, shares = [], []
    for i, j in combinations(vectors, 2):
        both = (lengths.parts[i] > 0) & (lengths.parts[j] > 0)
        loss, share = paired_loss(vectors[i][both], vectors[j][both], temperature)
        losses.append(loss)
        shares.append(share)
    return torch.stack(losses).mean(), torch.stack(shares).mean()


def paired_loss(one: Tensor, other: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy of finding, for each vector of one input (m, H), that of the same row in the other input.

    Also returns the fraction that was found. It is the symmetric loss of Zhang (2020) and Radford (2021).
    """
    if len(one) < 2:
        return one.sum() * 0 + other.sum() * 0, one.new_zeros(())
    similarity = one @ other.t() / temperature
    rows = torch.arange(len(one), device=one.device)
    loss = (cross_entropy(similarity, rows) + cross_entropy(similarity.t(), rows)) / 2
    with torch.no_grad():
        found = ((similarity.argmax(1) == rows).float().mean() + (similarity.argmax(0) == rows).float().mean()) / 2
    return loss, found
