"""Learning to reconstruct the past of a sequence and to predict its future."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented
from .._sklearn import OPEN_FRACTION
from ..modules import Decoder, Model
from ..sequences import Batch
from . import _parameters as shared
from ._step_errors import known_lengths, known_mask, mean_over_steps, step_errors, window
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class Composite(UnsupervisedObjective):
    """Composite autoencoder: from the embedding of its past, reconstruct that past and predict the future.

    Each sequence is cut at a fraction of its length. Two decoders read the embedding of the first part: one
    reconstructs the first part, the other predicts the second. Each step has one error, and each sequence counts
    once. `transform` returns embeddings of whole sequences; `inverse_transform` and `reconstruct` use the decoder of
    the past.

    Parameters
    ----------
    %(parameters)s

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

    by_input = True

    past: float = shared.number(0.5, OPEN_FRACTION, "Fraction of the steps that is encoded, rounded up to whole steps.")
    loss: str = shared.loss()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"decoder"` of the past and that of the `"future"`."""
        return {name: Decoder(encoder, encoder.out_features) for name in ("decoder", "future")}

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the mean errors of `"past"` and `"future"`."""
        parts = self._errors_of_parts(model, batch)
        return {name: mean_over_steps(model, batch, errors).mean() for name, errors in parts.items()}

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Error (n,) of each sequence, averaged over its steps and features."""
        return mean_over_steps(model, batch, self.errors_by_step(model, batch))

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Error (n, T) of each step, reconstructed or predicted from the past."""
        return torch.stack(list(self._errors_of_parts(model, batch).values())).sum(0)

    def decode(self, model: Model, embeddings: Tensor, n_steps: int) -> Tensor:
        """Standardised steps (n, n_steps, F), or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](embeddings, n_steps)

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if there was no future to predict."""
        if max(history[:, "future"]) == 0:
            yield f"Composite predicted no future: no sequence goes on after past={self.past} of its steps. Lower past."

    def _errors_of_parts(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Errors (n, T) of the steps of the past, 0 for those of the future, and the reverse."""
        lengths = known_lengths(batch)
        n_past = (lengths * self.past).ceil().long().clamp_min(1)
        past = replace(batch, values=batch.values[:, : n_past.max()], lengths=n_past)
        view = model.view(past.values, n_past, batch.generator)
        embeddings = model.encoder(view, n_past, batch.generator)
        parts = {"past": ("decoder", past), "future": ("future", window(batch, n_past, lengths - n_past))}
        errors = {}
        for name, (decoder, part) in parts.items():
            steps = model.parts[decoder](embeddings, part.values.shape[1])
            error = step_errors(model, part, steps, self.loss).where(known_mask(part), 0)
            places = torch.arange(error.shape[1], device=error.device).expand_as(error)
            if name == "future":
                places = (places + n_past[:, None]).clamp_max(batch.values.shape[1] - 1)
            errors[name] = error.new_zeros(batch.values.shape[:2]).scatter_add(1, places, error)
        return errors
