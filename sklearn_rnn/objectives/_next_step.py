"""Learning to predict what comes next."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ..modules import mask_padding
from ..sequences import Batch
from ._prediction import PredictionObjective
from ._representation import own_lengths, own_steps


class NextStep(PredictionObjective):
    """Language model of sequences: predict each step from those before it.

    Numbers by the squared error of standardised values, token ids by cross-entropy. What the encoder
    groups into a patch is predicted together, from the state after the patch before; the first from
    nothing. In bidirectional encoders the backward states predict the step before, and neither
    direction sees the other, in no layer (Peters 2018). The encoder's random kernels, which reach beyond
    a patch, are silent. There are no views: dropout between layers is the only noise.

    Parameters
    ----------
    n_candidates : int, default=4096
        Where the vocabulary is larger, the softmax of a training step is over the batch's tokens and
        so many drawn at random (Jean 2015); `score_samples` takes all.
    tied : bool, default=False
        Whether the vectors of tokens are the weights of the softmax too (Inan 2017).

    References
    ----------
    Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.
    Peters et al. (2018), "Deep contextualized word representations", NAACL.
    Jean, Cho, Memisevic and Bengio (2015), "On using very large target vocabulary for neural machine
    translation", ACL.
    Inan, Khosravi and Socher (2017), "Tying word vectors and word classifiers", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import NextStep
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=NextStep())
    """

    def __init__(self, n_candidates: int = 4096, tied: bool = False):
        self.n_candidates = n_candidates
        self.tied = tied

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return `"next"`, for bidirectional encoders `"previous"`, and for tokens `"vocabulary"`."""
        a = encoder.architecture
        return self.heads(encoder, **dict.fromkeys(("next", "previous")[: 1 + a.bidirectional], a.hidden_size))

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error as `"next_step"`."""
        return {"next_step": self.errors(model, batch).mean()}

    def errors(self, model: Any, batch: Batch) -> Tensor:
        """Error of each sequence, shape (n,), averaged over its steps and both directions."""
        return self.errors_by_step(model, batch).sum(1) / own_lengths(batch)

    def errors_by_step(self, model: Any, batch: Batch) -> Tensor:
        """Errors (n, T) of each step, averaged over both directions; 0 after the end of each sequence."""
        own = own_steps(batch)
        both = [self.step_errors(model, batch, predicted, own) for predicted in self.predictions(model, batch)]
        return torch.stack(both).mean(0)

    def predictions(self, model: Any, batch: Batch) -> list[Tensor]:
        """Return what is predicted of each step, (n, T, F) or (n, T, E), forwards and backwards."""
        embedded = model.encoder.embed(batch.values)
        return [
            self.predicted(model, head, states_around(model.encoder, embedded, batch, head), embedded.shape[1])
            for head in ("next", "previous")
            if head in model.parts
        ]


def states_around(encoder: Any, embedded: Tensor, batch: Batch, head: str) -> Tensor:
    """States (n, T / patch_size, H) after all patches before each one or, backwards, after it; 0 at the end."""
    backward = head == "previous"
    if backward:  # the first change in a patch tells of the step before
        steps = torch.arange(embedded.shape[1], device=embedded.device)
        embedded = encoder.without(embedded, steps < 0, steps % encoder.architecture.patch_size == 0)
    silent = torch.zeros(len(embedded), dtype=torch.bool, device=embedded.device)
    x, lengths = encoder.patched(embedded, batch.lengths, kernel_mask=silent)
    states = encoder.recurrence.alone(x, lengths, batch.generator, backward)
    if backward:
        return pad(mask_padding(states, lengths)[:, 1:], (0, 0, 0, 1))
    return pad(states[:, :-1], (0, 0, 1, 0))
