"""Learning to classify and to reconstruct sequences with one encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .._documented import documented
from ..modules import Model, decoder_of
from ..sequences import Batch
from . import _parameters as shared
from ._base import weighted_mean
from ._semi_supervised import SemiSupervisedObjective
from ._step_errors import sequence_errors


@documented
@dataclass(repr=False, eq=False)
class JointReconstruction(SemiSupervisedObjective):
    r"""Joint reconstruction: each sequence is also reconstructed from the embedding that the head reads.

    .. math:: w \frac{1}{l} \sum_{i \le l} \lVert x_i - d(e(x_i)) \rVert^2
        + w w(t) \frac{1}{n} \sum_{i > l} \lVert x_i - d(e(x_i)) \rVert^2

    over the l labeled and the n unlabeled rows, where e is the encoder and d is a decoder. The errors are mean squared
    errors of standardised values, or cross-entropies of token ids. Pretraining with `Reconstruction` uses the same
    error before training; here it is part of the loss.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Ranzato and Szummer (2008), "Semi-supervised learning of compact document representations with deep
    networks", ICML.

    Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import JointReconstruction
    >>> clf = SemiSupervisedRNNClassifier(JointReconstruction(weight=0.3))
    """

    loss_only = True

    weight: float = shared.weight(1)
    ramp: float = shared.ramp(0)
    ratio: float = shared.ratio()

    @property
    def keeps_levels(self) -> bool:  # type: ignore[override]
        """Whether sequences are reconstructed, which needs their levels."""
        return bool(self.weight)

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": decoder_of(encoder, encoder.out_features)}

    def labeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"labeled_reconstruction"`."""
        return {"labeled_reconstruction": weighted_mean(self._errors(model, batch, view), batch.by_row)}

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"reconstruction"`."""
        return {"reconstruction": self._errors(model, batch, view).mean()}

    def _errors(self, model: Model, batch: Batch, view: Tensor) -> Tensor:
        embeddings = model.encoder(view, batch.lengths, batch.generator)
        return sequence_errors(model, batch, model.parts["decoder"](embeddings, batch.values.shape[1]))
