"""Learning to rebuild a sequence from a perturbed one."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..sequences import Batch
from ._rebuilding import RebuildingObjective


class Denoising(RebuildingObjective):
    """Denoising autoencoder: rebuild each sequence from the code of a strong view of it.

    As `Reconstruction`, but what is encoded is perturbed by the estimator's `strong_augmentation`: by
    default spans are hidden, time and magnitude warped; of token ids, steps dropped.

    Parameters
    ----------
    feed : {"code", "steps", "nothing"}, default="code"
        What the decoder reads at each patch of steps: the code (Cho 2014), or the patch before or
        nothing, where the code is its first state (Sutskever 2014).
    own_share : float, default=0.5
        Share of the patches before that are the decoder's own instead of the true ones, at the end of
        training; it rises from 0 (Bengio 2015). For ``feed="steps"``. Scores and what is decoded later
        are of its own alone.
    reverse : bool, default=False
        Whether the last step is rebuilt first.
    loss : {"squared", "absolute", "huber"}, default="squared"
        Error of standardised numbers.

    References
    ----------
    Vincent, Larochelle, Bengio and Manzagol (2008), "Extracting and composing robust features with
    denoising autoencoders", ICML. For the decoder, see `Reconstruction`.

    Examples
    --------
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.perturbations import TimeMask
    >>> autoencoder = RNNAutoencoderTransformer("denoising", strong_augmentation=TimeMask(0.5, n_spans=4))
    """

    strong = True

    def __init__(self, feed: str = "code", own_share: float = 0.5, reverse: bool = False, loss: str = "squared"):
        self.feed = feed
        self.own_share = own_share
        self.reverse = reverse
        self.loss = loss

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"denoising"`."""
        return {"denoising": self.errors(model, batch).mean()}
