"""Learning to predict hidden spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from .._documented import documented
from .._sklearn import OPEN_FRACTION
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._prediction import most_patches, one_patch, predicted_steps, prediction_errors, prediction_parts
from ._step_errors import known_mask, n_counted
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class MaskedReconstruction(UnsupervisedObjective):
    """Masked model of sequences: predict hidden spans from the steps around them.

    The error is the squared error of standardised values, or the cross-entropy of token ids, of hidden steps only.
    They are predicted from the states of the recurrence at the same steps. A span is a number of whole patches, and
    is set to zero; so is the change after a span, which would tell its last value. At least one patch of each
    sequence is hidden. The augmentations are not used: the spans and dropout are the only noise. `score_samples`
    hides each step once, in ``1 / share`` passes.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Devlin, Chang, Lee and Toutanova (2019), "BERT: pre-training of deep bidirectional transformers for
    language understanding", NAACL.

    Zerveas et al. (2021), "A transformer-based framework for multivariate time series representation
    learning", KDD.

    Nie, Nguyen, Sinthong and Kalagnanam (2023), "A time series is worth 64 words: long-term forecasting with
    transformers", ICLR.

    Jean, Cho, Memisevic and Bengio (2015), "On using very large target vocabulary for neural machine
    translation", ACL.

    Inan, Khosravi and Socher (2017), "Tying word vectors and word classifiers", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import MaskedReconstruction
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=MaskedReconstruction(share=0.3))
    """

    by_input = True
    most_patches_ = 0

    share: float = shared.number(0.4, OPEN_FRACTION, "Fraction of the patches that are hidden.")
    span: int = shared.count(2, "Number of patches in a span. Spans that overlap make a longer one.")
    n_candidates: int = shared.n_candidates()
    tied: bool = shared.tied()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return `"fill"`, and for tokens `"vocabulary"`."""
        return prediction_parts(encoder, self.tied, fill=encoder.recurrence.out_features)

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error of the sequences as `"masked_reconstruction"`."""
        if batch.generator is not None:
            self.most_patches_ = most_patches(self.most_patches_, model, batch)
        return {"masked_reconstruction": self.errors(model, batch).mean()}

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Error (n,) of each sequence, averaged over its hidden steps; without a generator, over all its steps."""
        if batch.generator is None:
            return self.errors_by_step(model, batch).sum(1) / n_counted(model, batch, known_mask(batch))
        hidden = self._drawn(known_mask(batch), model.encoder.architecture.patch_size, batch)
        return self._errors_of_hidden(model, batch, hidden).sum(1) / n_counted(model, batch, hidden)

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Error (n, T) of each step when it is hidden; 0 for padding."""
        passes = self._each_once(known_mask(batch), model.encoder.architecture.patch_size)
        return torch.stack([self._errors_of_hidden(model, batch, hidden) for hidden in passes]).sum(0)

    def filled(self, model: Model, batch: Batch, hidden: Tensor) -> Tensor:
        """Return predicted steps (n, T, F) or vectors (n, T, E), given the mask `hidden` (n, T)."""
        embedded = model.encoder.input.embed_without(batch.values, hidden)
        states, _ = model.encoder.states(embedded, batch.lengths, batch.generator)
        return predicted_steps(model, "fill", states, hidden.shape[1])

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if each sequence is one patch."""
        if self.most_patches_ == 1:
            yield one_patch(self)

    def _errors_of_hidden(self, model: Model, batch: Batch, hidden: Tensor) -> Tensor:
        """Errors (n, T) of the `hidden` steps, 0 for the others."""
        return prediction_errors(model, batch, self.filled(model, batch, hidden), hidden, self.n_candidates)

    def _drawn(self, mask: Tensor, patch_size: int, batch: Batch) -> Tensor:
        """Draw the mask (n, T) of the steps that are hidden, among those in `mask` (n, T)."""
        firsts = mask[:, ::patch_size]  # (n, T / patch_size)
        early = self.span - 1  # spans may begin before the sequence
        draws = torch.rand(len(mask), firsts.shape[1] + early, generator=batch.generator, device=mask.device)
        starts = draws < 1 - (1 - self.share) ** (1 / self.span)
        inside = draws[:, early:].masked_fill(~firsts, 1)
        starts[:, early:] |= inside == inside.amin(1, keepdim=True)
        hidden = max_pool1d(starts.float(), self.span, 1).bool()
        return hidden.repeat_interleave(patch_size, 1)[:, : mask.shape[1]] & mask

    def _each_once(self, mask: Tensor, patch_size: int) -> list[Tensor]:
        """Return masks (n, T) of hidden steps, one for each pass; each step of `mask` (n, T) is in one of them."""
        spans = torch.arange(mask.shape[1], device=mask.device) // (patch_size * self.span)
        n_passes = max(2, round(1 / self.share))
        return [mask & (spans % n_passes == i) for i in range(n_passes)]
