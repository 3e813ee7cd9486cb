"""Learning to reconstruct a sequence from its embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._sequence_decoder import SequenceDecoder
from ._step_errors import mean_over_steps
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class Reconstruction(UnsupervisedObjective):
    r"""Sequence autoencoder: reconstruct each sequence, at its own length, from its embedding.

    .. math:: \frac{1}{n} \sum_i \frac{1}{T_i} \sum_{t \le T_i} \ell\left(d(e(x_i))_t, x_{it}\right)

    where e is the encoder, d the decoder, and :math:`\ell` the error of a step: `loss` of standardised numbers,
    averaged over features, or the cross-entropy of token ids. Each of the n sequences counts once, whatever its
    length :math:`T_i`; padding does not count.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations
    using LSTMs", ICML.

    Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", EMNLP.

    Sutskever, Vinyals and Le (2014), "Sequence to sequence learning with neural networks", NeurIPS.

    Bengio, Vinyals, Jaitly and Shazeer (2015), "Scheduled sampling for sequence prediction with recurrent
    neural networks", NeurIPS.

    Examples
    --------
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.objectives import Reconstruction
    >>> autoencoder = RNNAutoencoderTransformer(Reconstruction(feed="steps", reverse=True))
    """

    feed: str = shared.feed()
    own_share: float = shared.own_share()
    reverse: bool = shared.reverse()
    loss: str = shared.loss()

    @property
    def several_inputs(self) -> bool:  # type: ignore[override]
        """Whether each input can be decoded from the embedding of the row: in order, and from the embedding alone."""
        return self.feed == "code" and not self.reverse

    @property
    def decoder(self) -> SequenceDecoder:
        """What the parameters say of the decoder."""
        return SequenceDecoder(self.feed, self.own_share, self.reverse, self.loss)

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": self.decoder.part(encoder)}

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error of the sequences as `"reconstruction"`."""
        return {"reconstruction": self.errors(model, batch).mean()}

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Error (n,) of each sequence, averaged over its steps and features."""
        return mean_over_steps(model, batch, self.errors_by_step(model, batch))

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Error (n, T) of each step, averaged over its features."""
        view = model.view(batch.values, batch.lengths, batch.generator)
        return self.decoder.errors(model, batch, model.encoder(view, batch.lengths, batch.generator))

    def decode(self, model: Model, embeddings: Tensor, n_steps: int) -> Tensor:
        """Standardised steps (n, n_steps, F), or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](embeddings, n_steps)
