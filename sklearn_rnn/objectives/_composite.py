"""Learning to rebuild the past of a sequence and to predict its future."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .._sklearn import OPEN_FRACTION, StrOptions
from ..modules import Decoder
from ..sequences import Batch
from ._representation import LOSSES, DecodingObjective, mean_over_steps, own_lengths, own_steps, step_errors, window


class Composite(DecodingObjective):
    """Composite autoencoder: from the code of its past, rebuild that past and predict the future.

    Each sequence is cut at a share of its own length; two decoders read the code of what was before.
    Each step counts once. Codes of `transform` are of whole sequences, and what is decoded from them is
    by the decoder of the past.

    Parameters
    ----------
    past : float, default=0.5
        Share of the steps that is encoded, rounded up to steps.
    loss : {"squared", "absolute", "huber"}, default="squared"
        Error of standardised numbers; token ids have cross-entropy.

    References
    ----------
    Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations
    using LSTMs", ICML.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import Composite
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=Composite(past=0.7))
    """

    _parameter_constraints: dict[str, list[Any]] = {"past": OPEN_FRACTION, "loss": [StrOptions(set(LOSSES))]}

    def __init__(self, past: float = 0.5, loss: str = "squared"):
        self.past = past
        self.loss = loss

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"decoder"` of the past and that of the `"future"`."""
        return {**super().parts(encoder, task), "future": Decoder(encoder, self.code_size(encoder))}

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean errors of `"past"` and `"future"`."""
        return {
            name: mean_over_steps(errors, batch.lengths).mean() for name, errors in self._both(model, batch).items()
        }

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Errors (n, T) of each step, rebuilt or predicted from the past."""
        return torch.stack(list(self._both(model, batch).values())).sum(0)

    def troubles(self, history: Any) -> Iterator[str]:
        """Say whether there was no future."""
        if max(history[:, "future"]) == 0:
            yield f"Composite predicted no future: no sequence goes on after past={self.past} of its steps. Lower past."

    def _both(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Errors (n, T) of the steps of both parts, each 0 at those of the other."""
        lengths = own_lengths(batch)
        n_past = (lengths * self.past).ceil().long().clamp_min(1)
        past = replace(batch, values=batch.values[:, : n_past.max()], lengths=n_past)
        view = model.view(past.values, n_past, batch.generator)
        code = model.encoder(view, n_past, batch.generator)
        parts = {"past": ("decoder", past), "future": ("future", window(batch, n_past, lengths - n_past))}
        errors = {}
        for name, (decoder, part) in parts.items():
            steps = model.parts[decoder](code, part.values.shape[1])
            own = step_errors(model, part, steps, self.loss).where(own_steps(part), 0)
            places = torch.arange(own.shape[1], device=own.device).expand_as(own)
            if name == "future":
                places = (places + n_past[:, None]).clamp_max(batch.values.shape[1] - 1)
            errors[name] = own.new_zeros(batch.values.shape[:2]).scatter_add(1, places, own)
        return errors
