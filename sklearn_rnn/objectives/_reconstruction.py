"""Learning to rebuild a sequence from its code."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from ._base import Batch, Objective, masked


class Reconstruction(Objective):
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

    task = "representation"
    needs_decoder = True

    @property
    def unlabeled_ratio(self) -> float:
        """All rows are unlabeled."""
        return 1.0

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"reconstruction"`."""
        return {"reconstruction": self.errors(model, batch).mean()}

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Error of each sequence, shape (n,), averaged over its own steps and features."""
        view = model.view(batch.values, batch.lengths, batch.generator)
        code = model.encoder(view, batch.lengths, batch.generator)
        steps = model.decoder(code, batch.values.shape[1])  # (n, T, F) or (n, T, tokens)
        if batch.values.dim() == 2:
            error = cross_entropy(steps.transpose(1, 2), batch.values, reduction="none")
        else:
            error = (steps - model.encoder.standardised(batch.values)).square().mean(2)
        if batch.lengths is None:
            return error.mean(1)
        return masked(error[:, :, None], batch.lengths)[:, :, 0].sum(1) / batch.lengths
