"""Learning to rebuild a sequence from its code."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..sequences import Batch
from ._rebuilding import RebuildingObjective


class Reconstruction(RebuildingObjective):
    """Sequence autoencoder: rebuild each sequence from its code, at its own length.

    Numbers by the error of standardised values, token ids by cross-entropy; padding does not count, and
    each sequence counts once, whatever its length.

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
        Whether the last step is rebuilt first (Srivastava 2015).
    loss : {"squared", "absolute", "huber"}, default="squared"
        Error of standardised numbers.

    References
    ----------
    Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations
    using LSTMs", ICML. Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", EMNLP. Sutskever, Vinyals and Le (2014), "Sequence to sequence learning with neural
    networks", NeurIPS. Bengio, Vinyals, Jaitly and Shazeer (2015), "Scheduled sampling for sequence
    prediction with recurrent neural networks", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.objectives import Reconstruction
    >>> autoencoder = RNNAutoencoderTransformer(Reconstruction(feed="steps", reverse=True))
    """

    def __init__(self, feed: str = "code", own_share: float = 0.5, reverse: bool = False, loss: str = "squared"):
        self.feed = feed
        self.own_share = own_share
        self.reverse = reverse
        self.loss = loss

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"reconstruction"`."""
        return {"reconstruction": self.errors(model, batch).mean()}
