"""Learning to rebuild a sequence from a perturbed one."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._base import Batch, Objective
from ._representation import DecodingMixin, rebuilding_errors


class Denoising(DecodingMixin, Objective):
    """Denoising autoencoder: rebuild each sequence from the code of a strong view of it.

    As `Reconstruction`, but what is encoded is perturbed by the estimator's `strong_augmentation`:
    by default spans are hidden, time and magnitude warped; of token ids, steps dropped.

    References
    ----------
    Vincent, Larochelle, Bengio and Manzagol (2008), "Extracting and composing robust features with
    denoising autoencoders", ICML.

    Examples
    --------
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.perturbations import TimeMask
    >>> autoencoder = RNNAutoencoderTransformer("denoising", strong_augmentation=TimeMask(0.5, n_spans=4))
    """

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"denoising"`."""
        return {"denoising": self.errors(model, batch).mean()}

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Error of each sequence, shape (n,), averaged over its own steps and features."""
        view = model.view(batch.values, batch.lengths, batch.generator, strong=True)
        code = model.encoder(view, batch.lengths, batch.generator)
        return rebuilding_errors(model, batch, self.decode(model, code, batch.values.shape[1]))
