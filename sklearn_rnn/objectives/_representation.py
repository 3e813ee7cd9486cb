"""What objectives that learn codes without labels share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, huber_loss, l1_loss, mse_loss

from ..modules import Decoder
from ..modules import reverse as turn
from ._base import Batch, Task, masked

LOSSES: dict[str, Callable[..., Tensor]] = {"squared": mse_loss, "absolute": l1_loss, "huber": huber_loss}


class RepresentationMixin:
    """Mixin of objectives of `RNNAutoencoderTransformer`, which see unlabeled rows alone.

    Those with more than an encoder define what the transformer's methods ask for, and have the method
    by that: `decode` for `inverse_transform` and `reconstruct`, `errors` for `score_samples`,
    `errors_by_step` for `score_steps`, `sample`.
    """

    task: Task = "representation"
    reverse: bool

    @property
    def unlabeled_ratio(self) -> float:
        """All rows are unlabeled."""
        return 1.0

    def code_size(self, encoder: Any) -> int:
        """Width of the codes."""
        return encoder.out_features

    def code(self, model: Any, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Codes (n, code_size), without noise."""
        return model.code(values, lengths)


class DecodingMixin(RepresentationMixin):
    """Mixin of objectives with a decoder that rebuilds sequences from their codes."""

    loss: str = "squared"  # a key of `LOSSES`

    def parts(self, encoder: Any, n_classes: int = 0) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": Decoder(encoder.architecture, self.code_size(encoder))}

    def decode(self, model: Any, codes: Tensor, n_steps: int) -> Tensor:
        """Steps (n, n_steps, F), standardised, or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](codes, n_steps)

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Error (n, T) of each step, rebuilt without noise."""
        codes = self.code(model, batch.values, batch.lengths)
        steps = self.decode(model, codes, batch.values.shape[1])
        return step_errors(model, batch, turn(steps, batch.lengths) if self.reverse else steps, self.loss)


def rebuilding_errors(model: Any, batch: Batch, steps: Tensor, loss: str = "squared") -> Tensor:
    """Mean error (n,) of rebuilt steps over each sequence's own: a key of `LOSSES`, or cross-entropy of tokens."""
    return mean_over_steps(step_errors(model, batch, steps, loss), batch.lengths)


def step_errors(model: Any, batch: Batch, steps: Tensor, loss: str = "squared") -> Tensor:
    """Errors (n, T) of rebuilt steps (n, T, F), or logits (n, T, tokens), as means over features."""
    if batch.values.dim() == 2:
        return cross_entropy(steps.transpose(1, 2), batch.values, reduction="none")
    return LOSSES[loss](steps, model.encoder.standardised(batch.values), reduction="none").mean(2)


def mean_over_steps(error: Tensor, lengths: Tensor | None) -> Tensor:
    """Mean (n,) of errors (n, T) over each sequence's own steps."""
    if lengths is None:
        return error.mean(1)
    return masked(error[:, :, None], lengths)[:, :, 0].sum(1) / lengths


def own_lengths(batch: Batch) -> Tensor:
    """Steps of each sequence, (n,)."""
    n, n_steps = batch.values.shape[:2]
    return torch.full((n,), n_steps, device=batch.values.device) if batch.lengths is None else batch.lengths


def own_steps(batch: Batch) -> Tensor:
    """Which steps belong to their sequence, shape (n, T)."""
    return torch.arange(batch.values.shape[1], device=batch.values.device) < own_lengths(batch)[:, None]
