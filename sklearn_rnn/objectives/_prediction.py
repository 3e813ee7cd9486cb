"""What objectives share that predict steps from the states of the recurrence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from .._sklearn import COUNT
from ..modules import TokenInput, linear
from ..sequences import Batch
from ._representation import UnsupervisedObjective

LOGITS = 1 << 24  # held at once: 64 MB


class PredictionObjective(UnsupervisedObjective):
    """Base of objectives that predict numbers, or tokens by a softmax over the vocabulary.

    An objective has the parameters

    n_candidates : int
        Where the vocabulary is larger, the softmax of a training step is over the batch's tokens and
        so many drawn at random (Jean 2015).
    tied : bool
        Whether the vectors of tokens are the weights of the softmax too.
    """

    n_candidates: int
    tied: bool
    _parameter_constraints: dict[str, list[Any]] = {"n_candidates": COUNT, "tied": ["boolean"]}

    def heads(self, encoder: Any, **n_states: int) -> dict[str, nn.Module]:
        """Blank layers from states to what is predicted of the steps of a patch, and the softmax of tokens."""
        a, tokens = encoder.architecture, isinstance(encoder.input, TokenInput)
        width = a.embedding_size if tokens else a.n_features
        parts: dict[str, nn.Module] = {name: linear(n, a.patch_size * width) for name, n in n_states.items()}
        if tokens and not self.tied:
            parts["vocabulary"] = linear(width, encoder.input.n_outputs)
        return parts

    def predicted(self, model: Any, head: str, states: Tensor, n_steps: int) -> Tensor:
        """Standardised values (n, n_steps, F), or vectors that tokens are compared with (n, n_steps, E)."""
        width = model.parts[head].out_features // model.encoder.architecture.patch_size
        return model.parts[head](states).reshape(len(states), -1, width)[:, :n_steps]

    def step_errors(self, model: Any, batch: Batch, predicted: Tensor, own: Tensor) -> Tensor:
        """Squared errors, or negative log likelihoods of tokens, (n, T): of the `own` steps, 0 at the others."""
        if batch.generator is not None:
            n_patches = -(-own.shape[1] // model.encoder.architecture.patch_size)
            self.most_patches_ = max(getattr(self, "most_patches_", 0), n_patches)
        if batch.values.dim() == 3:
            errors = (predicted - model.encoder.input.standardised(batch.values)).square().mean(2)
            return errors.masked_fill(~own, 0)
        likelihoods = self._token_errors(model, predicted[own], batch.values[own], batch.generator)
        return likelihoods.new_zeros(own.shape).masked_scatter(own, likelihoods)

    def troubles(self, history: Any) -> Iterator[str]:
        """Say whether there was never a step to predict from."""
        if self.most_patches_ == 1:
            yield (
                f"{type(self).__name__} trained no recurrence: each sequence is one patch, which has nothing around it "
                "to be predicted from. Lower patch_size."
            )

    def _token_errors(self, model: Any, vectors: Tensor, tokens: Tensor, generator: torch.Generator | None) -> Tensor:
        """Negative log likelihoods (m,) of tokens (m,), a part at a time where they are many."""
        layer = model.encoder.input.embedding if self.tied else model.parts["vocabulary"]
        weight, bias = layer.weight, getattr(layer, "bias", None)
        if generator is not None and len(weight) > self.n_candidates:
            drawn = torch.randint(len(weight), (self.n_candidates,), generator=generator, device=tokens.device)
            candidates, places = torch.unique(torch.cat([tokens, drawn]), return_inverse=True)
            weight, bias = weight[candidates], None if bias is None else bias[candidates]
            tokens = places[: len(tokens)]
        size = max(1, LOGITS // len(weight))
        parts = zip(vectors.split(size), tokens.split(size), strict=True)
        if len(tokens) <= size or not vectors.requires_grad:
            return torch.cat([_surprise(some, weight, bias, these) for some, these in parts])
        return torch.cat([
            checkpoint(_surprise, some, weight, bias, these, use_reentrant=False, preserve_rng_state=False)
            for some, these in parts
        ])  # fmt: skip


def _surprise(vectors: Tensor, weight: Tensor, bias: Tensor | None, tokens: Tensor) -> Tensor:
    return functional.cross_entropy(functional.linear(vectors, weight, bias), tokens, reduction="none")
