"""Decoding whole sequences from their embeddings, in the ways that `Reconstruction` and `Denoising` offer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..modules import FeedingDecoder, Model, decoder_of, reverse
from ..sequences import Batch
from ._step_errors import step_errors


@dataclass(frozen=True)
class SequenceDecoder:
    """How sequences are decoded from embeddings, and the errors of what is decoded.

    The module itself is the model's part `"decoder"`.

    Attributes
    ----------
    feed : {"code", "steps", "nothing"}
        What the decoder reads at each patch of steps.
    own_share : float
        Fraction of the patches that the decoder reads as it decoded them, at the end of training.
    reverse : bool
        Whether the last step is decoded first.
    loss : {"squared", "absolute", "huber"}
        Error of standardised numbers.
    """

    feed: str
    own_share: float
    reverse: bool
    loss: str

    def part(self, encoder: Any) -> nn.Module:
        """Return the module that decodes, blank."""
        if self.feed == "code":
            return decoder_of(encoder, encoder.out_features)
        return FeedingDecoder(encoder, encoder.out_features, self.feed == "steps")

    def errors(self, model: Model, batch: Batch, embeddings: Tensor) -> Tensor:
        """Errors (n, T) of the steps that are decoded from embeddings (n, C), averaged over features."""
        target = replace(batch, values=self._in_order(batch.values, batch.lengths))
        errors = step_errors(model, target, self._decoded(model, target, embeddings), self.loss)
        return self._in_order(errors, batch.lengths)

    def _in_order(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Bring steps (n, T) or (n, T, F) to the order in which they are decoded, or back."""
        if not self.reverse:
            return x
        return reverse(x if x.dim() == 3 else x[:, :, None], lengths).view_as(x)

    def _decoded(self, model: Model, batch: Batch, embeddings: Tensor) -> Tensor:
        """Steps (n, T, F) or logits (n, T, tokens). In training the decoder may read true steps."""
        n_steps, decoder = batch.values.shape[1], model.parts["decoder"]
        if self.feed != "steps" or batch.generator is None:
            return decoder(embeddings, n_steps)
        true_steps = model.encoder.input.target(batch.values)
        if self.own_share == 0:
            return decoder(embeddings, n_steps, true_steps)
        n_patches = -(-n_steps // model.encoder.architecture.patch_size)
        draws = torch.rand(len(embeddings), n_patches, generator=batch.generator, device=embeddings.device)
        return decoder(embeddings, n_steps, true_steps, draws < self.own_share * batch.progress)
