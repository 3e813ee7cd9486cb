"""Learning to reconstruct a sequence from a perturbed view."""

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
class Denoising(UnsupervisedObjective):
    r"""Denoising autoencoder: reconstruct each sequence from the embedding of a strong view of it.

    .. math:: \frac{1}{n} \sum_i \frac{1}{T_i} \sum_{t \le T_i} \ell\left(d(e(x_i^{strong}))_t, x_{it}\right)

    The errors :math:`\ell` are those of `Reconstruction`. The view is perturbed by the estimator's
    `strong_augmentation`: by default, spans of numbers are hidden, and time and magnitude are warped; steps of
    token ids are dropped.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Vincent, Larochelle, Bengio and Manzagol (2008), "Extracting and composing robust features with
    denoising autoencoders", ICML.

    For the decoder, see `Reconstruction`.

    Examples
    --------
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.perturbations import TimeMask
    >>> autoencoder = RNNAutoencoderTransformer("denoising", strong_augmentation=TimeMask(0.5, n_spans=4))
    """

    feed: str = shared.feed()
    own_share: float = shared.own_share()
    reverse: bool = shared.reverse()
    loss: str = shared.loss()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a `"decoder"`."""
        return {"decoder": self.decoder.part(encoder)}

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error of the sequences as `"denoising"`."""
        return {"denoising": self.errors(model, batch).mean()}

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Error (n, T) of each step, averaged over its features."""
        view = model.view(batch.values, batch.lengths, batch.generator, strong=True)
        return self.decoder.errors(model, batch, model.encoder(view, batch.lengths, batch.generator))

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Error (n,) of each sequence, averaged over its steps and features."""
        return mean_over_steps(model, batch, self.errors_by_step(model, batch))

    def decode(self, model: Model, embeddings: Tensor, n_steps: int) -> Tensor:
        """Standardised steps (n, n_steps, F), or logits (n, n_steps, tokens)."""
        return model.parts["decoder"](embeddings, n_steps)

    @property
    def several_inputs(self) -> bool:  # type: ignore[override]
        """Whether each input can be decoded from the embedding of the row: in order, and from the embedding alone."""
        return self.feed == "code" and not self.reverse

    @property
    def decoder(self) -> SequenceDecoder:
        """What the parameters say of the decoder."""
        return SequenceDecoder(self.feed, self.own_share, self.reverse, self.loss)
