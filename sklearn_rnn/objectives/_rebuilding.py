"""What objectives share that rebuild whole sequences from their codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import FRACTION, StrOptions
from ..modules import FeedingDecoder, reverse
from ..sequences import Batch
from ._representation import LOSSES, DecodingObjective, step_errors


class RebuildingObjective(DecodingObjective):
    """Base of objectives that encode a view of each sequence and rebuild the sequence from that code.

    With ``strong = True`` the view is a strong one. An objective has the parameters

    feed : {"code", "steps", "nothing"}
        What the decoder reads at each patch of steps: the code (Cho 2014), or the patch before or
        nothing, where the code is its first state (Sutskever 2014).
    own_share : float
        Share of the patches before that are the decoder's own instead of the true ones, at the end of
        training; it rises from 0 (Bengio 2015). For ``feed="steps"``. Scores and what is decoded later
        are of its own alone.
    reverse : bool
        Whether the last step is rebuilt first.
    loss : {"squared", "absolute", "huber"}
        Error of standardised numbers.
    """

    strong = False
    feed: str
    own_share: float
    reverse: bool
    loss: str
    _parameter_constraints: dict[str, list[Any]] = {
        "feed": [StrOptions({"code", "steps", "nothing"})],
        "own_share": FRACTION,
        "reverse": ["boolean"],
        "loss": [StrOptions(set(LOSSES))],
    }

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        if self.feed == "code":
            return super().parts(encoder, task)
        return {"decoder": FeedingDecoder(encoder, self.code_size(encoder), self.feed == "steps")}

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Errors (n, T) of each step, averaged over its features."""
        view = model.view(batch.values, batch.lengths, batch.generator, strong=self.strong)
        code = model.encoder(view, batch.lengths, batch.generator)
        target = replace(batch, values=self._turned(batch.values, batch.lengths))
        errors = step_errors(model, target, self._rebuilt(model, target, code), self.loss)
        return self._turned(errors, batch.lengths)

    def _turned(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Turn sequences (n, T) or (n, T, F) to the order in which they are rebuilt, or back."""
        if not self.reverse:
            return x
        return reverse(x if x.dim() == 3 else x[:, :, None], lengths).view_as(x)

    def _rebuilt(self, model: Any, batch: Batch, code: Tensor) -> Tensor:
        """Steps (n, T, F) or logits (n, T, tokens), in training partly from the true ones before."""
        n_steps = batch.values.shape[1]
        if self.feed != "steps" or batch.generator is None:
            return self.decode(model, code, n_steps)
        known = model.encoder.input.target(batch.values)
        if self.own_share == 0:
            return model.parts["decoder"](code, n_steps, known)
        n_patches = -(-n_steps // model.encoder.architecture.patch_size)
        draws = torch.rand(len(code), n_patches, generator=batch.generator, device=code.device)
        return model.parts["decoder"](code, n_steps, known, draws < self.own_share * batch.progress)
