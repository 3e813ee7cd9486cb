"""What objectives that learn codes without labels share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from ..modules import Decoder, mask_padding, step_mask
from ..sequences import Batch
from ._base import Needs, Objective, check_terms

LOSSES: dict[str, Callable[..., Tensor]] = {"squared": mse_loss, "absolute": l1_loss, "huber": huber_loss}


class UnsupervisedObjective(Objective):
    """Base of objectives of `RNNAutoencoderTransformer`, which see unlabeled rows alone.

    Those with more than an encoder define what the transformer's methods ask for, and have the method
    by that: `decode` for `inverse_transform` and `reconstruct`, `errors` for `score_samples`,
    `errors_by_step` for `score_steps`, `sample`.
    """

    needs: ClassVar[Needs] = "sequences"

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

    def predict(self, model: Any, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Codes (n, code_size), without noise."""
        return self.code(model, values, lengths)

    def validation_loss(self, model: Any, batch: Batch) -> float:
        """Sum of the terms, of rows that are held out."""
        terms = self.terms(model, batch)
        check_terms(self, terms)
        return sum(term.item() for term in terms.values())


class DecodingObjective(UnsupervisedObjective):
    """Base of objectives with a decoder that rebuilds sequences from their codes."""

    loss: str = "squared"  # a key of `LOSSES`

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": Decoder(encoder, self.code_size(encoder))}

    def decode(self, model: Any, codes: Tensor, n_steps: int) -> Tensor:
        """Steps (n, n_steps, F), standardised, or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](codes, n_steps)

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Error (n, T) of each step, rebuilt without noise."""
        codes = self.code(model, batch.values, batch.lengths)
        return step_errors(model, batch, self.decode(model, codes, batch.values.shape[1]), self.loss)

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Error of each sequence, shape (n,), averaged over its own steps and features."""
        return mean_over_steps(self.errors_by_step(model, batch), batch.lengths)


def rebuilding_errors(model: Any, batch: Batch, steps: Tensor) -> Tensor:
    """Mean squared error (n,) of rebuilt steps over each sequence's own, or cross-entropy of tokens."""
    return mean_over_steps(step_errors(model, batch, steps), batch.lengths)


def step_errors(model: Any, batch: Batch, steps: Tensor, loss: str = "squared") -> Tensor:
    """Errors (n, T) of rebuilt steps (n, T, F), or logits (n, T, tokens), as means over features."""
    return model.encoder.input.errors(steps, batch.values, LOSSES[loss])


def mean_over_steps(error: Tensor, lengths: Tensor | None) -> Tensor:
    """Mean (n,) of errors (n, T) over each sequence's own steps."""
    if lengths is None:
        return error.mean(1)
    return mask_padding(error[:, :, None], lengths)[:, :, 0].sum(1) / lengths


def own_lengths(batch: Batch) -> Tensor:
    """Steps of each sequence, (n,)."""
    n, n_steps = batch.values.shape[:2]
    return torch.full((n,), n_steps, device=batch.values.device) if batch.lengths is None else batch.lengths


def window(batch: Batch, first: Tensor, lengths: Tensor) -> Batch:
    """Return so many steps of each sequence from the `first` (n,) on, of which there may be none."""
    steps = first[:, None] + torch.arange(max(1, int(lengths.max())), device=lengths.device)
    rows = torch.arange(len(batch), device=lengths.device)[:, None]
    values = batch.values[rows, steps.clamp_max(batch.values.shape[1] - 1)]
    return replace(batch, values=values, lengths=lengths)


def own_steps(batch: Batch) -> Tensor:
    """Which steps belong to their sequence, shape (n, T)."""
    return step_mask(own_lengths(batch), batch.values.shape[1])
