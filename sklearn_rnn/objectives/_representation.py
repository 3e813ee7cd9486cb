"""What objectives that learn codes without labels share."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..modules import Decoder
from ._base import Batch, Task, masked


class RepresentationMixin:
    """Mixin of objectives of `RNNAutoencoderTransformer`, which see unlabeled rows alone.

    Those with more than an encoder define what the transformer's methods ask for, and have the method
    by that: `decode` for `inverse_transform` and `reconstruct`, `errors` for `score_samples`, `errors_by_step` for
    `score_steps`, `sample`.
    """

    task: Task = "representation"

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

    def parts(self, encoder: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": Decoder(encoder.architecture, self.code_size(encoder))}

    def decode(self, model: Any, codes: Tensor, n_steps: int) -> Tensor:
        """Steps (n, n_steps, F), standardised, or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](codes, n_steps)

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Errors (n, T) of each step of sequences rebuilt without noise."""
        codes = self.code(model, batch.values, batch.lengths)
        return step_errors(model, batch, self.decode(model, codes, batch.values.shape[1]))


def rebuilding_errors(model: Any, batch: Batch, steps: Tensor) -> Tensor:
    """Mean error (n,) of rebuilt steps over each sequence's own: squared, or cross-entropy of tokens."""
    return mean_over_steps(step_errors(model, batch, steps), batch.lengths)


def step_errors(model: Any, batch: Batch, steps: Tensor) -> Tensor:
    """Errors (n, T) of rebuilt steps (n, T, F), or logits (n, T, tokens), as means over features."""
    if batch.values.dim() == 2:
        return cross_entropy(steps.transpose(1, 2), batch.values, reduction="none")
    return (steps - model.encoder.standardised(batch.values)).square().mean(2)


def mean_over_steps(error: Tensor, lengths: Tensor | None) -> Tensor:
    """Mean (n,) of errors (n, T) over each sequence's own steps."""
    if lengths is None:
        return error.mean(1)
    return masked(error[:, :, None], lengths)[:, :, 0].sum(1) / lengths
