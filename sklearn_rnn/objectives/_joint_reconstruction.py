"""Learning to classify and to rebuild sequences by one encoder."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..modules import Decoder
from ..sequences import Batch
from ._base import weighted_mean
from ._representation import rebuilding_errors
from ._semi_supervised import SemiSupervisedObjective


class JointReconstruction(SemiSupervisedObjective):
    r"""Joint reconstruction: the encoder that classifies a sequence must also let it be rebuilt.

    .. math:: w \frac{1}{l} \sum_{i \le l} \lVert x_i - d(e(x_i)) \rVert^2
        + w w(t) \frac{1}{n} \sum_{i > l} \lVert x_i - d(e(x_i)) \rVert^2

    over the l labeled and the n unlabeled rows; mean squared errors of standardised values, or the
    cross-entropy of token ids. As `Reconstruction` before training, but in one loss with the labels.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    ramp : float, default=0
        Share of training over which the weight of the unlabeled rows rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Ranzato and Szummer (2008), "Semi-supervised learning of compact document representations with deep
    networks", ICML. Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import JointReconstruction
    >>> clf = SemiSupervisedRNNClassifier(JointReconstruction(weight=0.3))
    """

    _parameter_constraints: dict[str, list[Any]] = SemiSupervisedObjective._parameter_constraints

    def __init__(self, weight: float = 1, ramp: float = 0, ratio: float = 1):
        self.weight = weight
        self.ramp = ramp
        self.ratio = ratio

    @property
    def keeps_levels(self) -> bool:  # type: ignore[override]
        """Whether sequences are rebuilt at all."""
        return bool(self.weight)

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": Decoder(encoder, encoder.out_features)}

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"labeled_reconstruction"`."""
        return {"labeled_reconstruction": weighted_mean(self._errors(model, batch, view), batch)}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"reconstruction"`."""
        return {"reconstruction": self._errors(model, batch, view).mean()}

    def _errors(self, model: Any, batch: Batch, view: Tensor) -> Tensor:
        code = model.encoder(view, batch.lengths, batch.generator)
        return rebuilding_errors(model, batch, model.parts["decoder"](code, batch.values.shape[1]))
