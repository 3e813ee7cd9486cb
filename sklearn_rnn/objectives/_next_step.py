"""Learning to predict the next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from .._documented import documented
from ..modules import Model, mask_padding
from ..sequences import Batch
from . import _parameters as shared
from ._prediction import most_patches, one_patch, predicted_steps, prediction_errors, prediction_parts
from ._step_errors import known_mask, n_counted
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class NextStep(UnsupervisedObjective):
    """Language model of sequences: predict each step from the steps before it.

    The error is the squared error of standardised values, or the cross-entropy of token ids. The steps of a patch are
    predicted together, from the state after the previous patch; the first patch is predicted from zeros. In a
    bidirectional encoder, the backward states predict the previous step, and in no layer does one direction see the
    states of the other (Peters 2018). The encoder's random kernels are zero, because they look beyond a patch. The
    augmentations are not used: the only noise is dropout between layers.

    Parameters
    ----------
    %(parameters)s

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

    by_input = True
    most_patches_ = 0

    n_candidates: int = shared.n_candidates()
    tied: bool = shared.tied()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return `"next"`, for bidirectional encoders `"previous"`, and for tokens `"vocabulary"`."""
        a = encoder.architecture
        directions = ("next", "previous")[: 1 + a.bidirectional]
        return prediction_parts(encoder, self.tied, **dict.fromkeys(directions, a.hidden_size))

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the mean error of the sequences as `"next_step"`."""
        if batch.generator is not None:
            self.most_patches_ = most_patches(self.most_patches_, model, batch)
        return {"next_step": self.errors(model, batch).mean()}

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Error (n,) of each sequence, averaged over its steps and both directions."""
        return self.errors_by_step(model, batch).sum(1) / n_counted(model, batch, known_mask(batch))

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Error (n, T) of each step, averaged over both directions; 0 for padding."""
        mask = known_mask(batch)
        both = [
            prediction_errors(model, batch, predicted, mask, self.n_candidates)
            for predicted in self.predictions(model, batch)
        ]
        return torch.stack(both).mean(0)

    def predictions(self, model: Model, batch: Batch) -> list[Tensor]:
        """Return the predicted steps (n, T, F) or vectors (n, T, E), of the forward and of the backward direction."""
        embedded = model.encoder.embed(batch.values)
        return [
            predicted_steps(model, part, states_around(model.encoder, embedded, batch, part), embedded.shape[1])
            for part in ("next", "previous")
            if part in model.parts
        ]

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if each sequence is one patch."""
        if self.most_patches_ == 1:
            yield one_patch(self)


def states_around(encoder: Any, embedded: Tensor, batch: Batch, part: str) -> Tensor:
    """States (n, T / patch_size, H) after the patches before each patch or, for `"previous"`, those after it.

    The first or last patch, which has none, gets zeros.
    """
    backward = part == "previous"
    return beside_each(*one_direction(encoder, embedded, batch, backward), backward)


def one_direction(encoder: Any, embedded: Tensor, batch: Batch, backward: bool) -> tuple[Tensor, Tensor | None]:
    """States (n, T / patch_size, H) of one direction, which does not see the other, and their lengths.

    They see nothing of what the other direction has read: no kernels, which look to both sides, and in the backward
    direction no change from the last step of a patch to the first of the next.
    """
    if backward:
        embedded = encoder.input.without_past(embedded, encoder.architecture.patch_size)
    no_kernels = torch.zeros(len(embedded), dtype=torch.bool, device=embedded.device)
    x, lengths = encoder.patched(embedded, batch.lengths, kernel_mask=no_kernels)
    return encoder.recurrence.alone(x, lengths, batch.generator, backward), lengths


def beside_each(states: Tensor, lengths: Tensor | None, backward: bool) -> Tensor:
    """States (n, T / patch_size, H) before each patch or, if `backward`, after it; zeros where there is none."""
    if backward:
        return pad(mask_padding(states, lengths)[:, 1:], (0, 0, 0, 1))
    return pad(states[:, :-1], (0, 0, 1, 0))
