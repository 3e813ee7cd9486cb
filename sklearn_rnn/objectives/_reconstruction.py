"""Learning to rebuild a sequence from its code."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._base import Batch, Objective
from ._representation import DecodingMixin, rebuilding_errors


class Reconstruction(DecodingMixin, Objective):
    """Sequence autoencoder: rebuild each sequence from its code, at its own length.

    Numbers by the mean squared error of standardised values, token ids by cross-entropy; padding
    does not count, and each sequence counts once, whatever its length.

    References
    ----------
    Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations
    using LSTMs", ICML. Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.objectives import Reconstruction
    >>> autoencoder = RNNAutoencoderTransformer(Reconstruction())
    """

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"reconstruction"`."""
        return {"reconstruction": self.errors(model, batch).mean()}

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Error of each sequence, shape (n,), averaged over its own steps and features."""
        view = model.view(batch.values, batch.lengths, batch.generator)
        code = model.encoder(view, batch.lengths, batch.generator)
        return rebuilding_errors(model, batch, self.decode(model, code, batch.values.shape[1]))
