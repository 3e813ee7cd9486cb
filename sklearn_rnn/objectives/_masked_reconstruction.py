"""Learning to fill in what is hidden."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, pad

from .._sklearn import COUNT, OPEN_FRACTION
from ..sequences import Batch
from ._prediction import PredictionObjective
from ._representation import own_lengths, own_steps


class MaskedReconstruction(PredictionObjective):
    """Masked model of sequences: fill in hidden spans from what is around them.

    Numbers by the squared error of standardised values, token ids by cross-entropy, on hidden steps
    alone, from the states of the recurrence there. Spans are whole patches, as the encoder groups steps,
    and read as zeros; so does the change after a span, which would tell its last value. One patch of
    each sequence is always hidden. There are no views: the spans and dropout are the only noise. In
    `score_samples` each step is hidden once, in ``1 / share`` passes.

    Parameters
    ----------
    share : float, default=0.4
        Share of the patches that is hidden.
    span : int, default=2
        Patches of a span; those that overlap make a longer one.
    n_candidates : int, default=4096
        Where the vocabulary is larger, the softmax of a training step is over the batch's tokens and
        so many drawn at random (Jean 2015); `score_samples` takes all.
    tied : bool, default=False
        Whether the vectors of tokens are the weights of the softmax too (Inan 2017).

    References
    ----------
    Devlin, Chang, Lee and Toutanova (2019), "BERT: pre-training of deep bidirectional transformers for
    language understanding", NAACL. Zerveas et al. (2021), "A transformer-based framework for
    multivariate time series representation learning", KDD. Nie, Nguyen, Sinthong and Kalagnanam (2023),
    "A time series is worth 64 words: long-term forecasting with transformers", ICLR.
    Jean, Cho, Memisevic and Bengio (2015), "On using very large target vocabulary for neural machine
    translation", ACL. Inan, Khosravi and Socher (2017), "Tying word vectors and word classifiers", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import MaskedReconstruction
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=MaskedReconstruction(share=0.3))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **PredictionObjective._parameter_constraints,
        "share": OPEN_FRACTION,
        "span": COUNT,
    }

    def __init__(self, share: float = 0.4, span: int = 2, n_candidates: int = 4096, tied: bool = False):
        self.share = share
        self.span = span
        self.n_candidates = n_candidates
        self.tied = tied

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return `"fill"`, and for tokens `"vocabulary"`."""
        return self.heads(encoder, fill=encoder.recurrence.out_features)

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"masked_reconstruction"`."""
        return {"masked_reconstruction": self.errors(model, batch).mean()}

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Error of each sequence, shape (n,), averaged over its hidden steps: without noise, over each once."""
        if batch.generator is None:
            return self.errors_by_step(model, batch).sum(1) / own_lengths(batch)
        hidden = self._drawn(own_steps(batch), model.encoder.architecture.patch_size, batch)
        return self._hiding(model, batch, hidden).sum(1) / hidden.sum(1)

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Errors (n, T) of each step, once hidden; 0 after the end of each sequence."""
        passes = self._each_once(own_steps(batch), model.encoder.architecture.patch_size)
        return torch.stack([self._hiding(model, batch, hidden) for hidden in passes]).sum(0)

    def filled(self, model: Any, batch: Batch, hidden: Tensor) -> Tensor:
        """Return what is filled in where steps are `hidden` (n, T), (n, T, F) or (n, T, E)."""
        after = pad(hidden, (1, 0))[:, :-1]
        embedded = model.encoder.without(model.encoder.embed(batch.values), hidden, after)
        states, _ = model.encoder.states(embedded, batch.lengths, batch.generator)
        return self.predicted(model, "fill", states, hidden.shape[1])

    def _hiding(self, model: Any, batch: Batch, hidden: Tensor) -> Tensor:
        """Errors (n, T) of the `hidden` steps, 0 at the others."""
        return self.step_errors(model, batch, self.filled(model, batch, hidden), hidden)

    def _drawn(self, own: Tensor, patch_size: int, batch: Batch) -> Tensor:
        """Draw which steps (n, T) are hidden."""
        firsts = own[:, ::patch_size]  # (n, T / patch_size)
        early = self.span - 1  # spans may begin before the sequence
        draws = torch.rand(len(own), firsts.shape[1] + early, generator=batch.generator, device=own.device)
        starts = draws < 1 - (1 - self.share) ** (1 / self.span)
        inside = draws[:, early:].masked_fill(~firsts, 1)
        starts[:, early:] |= inside == inside.amin(1, keepdim=True)
        hidden = max_pool1d(starts.float(), self.span, 1).bool()
        return hidden.repeat_interleave(patch_size, 1)[:, : own.shape[1]] & own

    def _each_once(self, own: Tensor, patch_size: int) -> list[Tensor]:
        """Say for each of some passes which steps (n, T) are hidden: every step in one of them."""
        spans = torch.arange(own.shape[1], device=own.device) // (patch_size * self.span)
        n_passes = max(2, round(1 / self.share))
        return [own & (spans % n_passes == i) for i in range(n_passes)]
