"""A transcript for each sequence, shorter than the sequence and not aligned with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import ctc_loss, kl_div

from ..modules import linear, n_patches, step_mask
from ..sequences import Batch
from ._base import Targets, Task
from ._decoding import best_path
from ._transcripts import read_transcripts


class Transcription(Task):
    """The task of a transcriber: outputs are logits (n, T / patch_size, K + 1) of K labels and a blank, the last.

    Answers are logarithms of probabilities. The probability of a transcript is the sum over all paths, one label or
    blank for each patch, that collapse to it: repeats count once, and blanks are dropped.

    Parameters
    ----------
    estimator : str
        Name of the estimator, for messages.

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber (2006), "Connectionist temporal classification: labelling unsegmented
    sequence data with recurrent neural networks", ICML.
    """

    name = "transcription"
    method = "predict_log_proba"
    n_readings = 1
    by_patch = True
    patch_size: int = 1

    def __init__(self, estimator: str):
        self.estimator = estimator

    def read(self, y: Any, n: int, last: Any = None, sample_weight: Any = None) -> Targets:
        """Learn the labels, and return class numbers (n, L), followed by -1; with a `last` task, they must be the same.

        Unlabeled rows have -1 only.
        """
        transcripts = read_transcripts(y, self.estimator)
        self.classes = transcripts.classes()
        self.n_outputs = len(self.classes) + 1
        if last is not None:
            if not np.array_equal(last.classes, self.classes):
                raise ValueError(
                    f"warm_start=True needs the labels of the last fit, {last.classes}, got {self.classes}."
                )
            self.patch_size = last.patch_size
        numbers, self.labeled = transcripts.numbers(self.classes), transcripts.labeled
        known = numbers[self.labeled]
        repeats = (known[:, 1:] == known[:, :-1]) & (known[:, 1:] >= 0)
        self.n_needed = (known >= 0).sum(1) + repeats.sum(1)
        return Targets(numbers, self.labeled)

    def head(self, encoder: Any) -> nn.Module:
        """Return a linear layer from states of the recurrence to outputs, blank: its weights are drawn later."""
        self.patch_size = encoder.architecture.patch_size
        return linear(encoder.recurrence.out_features, self.n_outputs)

    def ends(self, outputs: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the number of patches (n,) of each sequence."""
        if lengths is None:
            return torch.full((len(outputs),), outputs.shape[1], device=outputs.device)
        return n_patches(lengths, self.patch_size)

    def suited_patch_size(self, lengths: NDArray, patches_per_label: int) -> int:
        """Return a patch size with which labels have about this number of patches, and no transcript has too few.

        Parameters
        ----------
        lengths : ndarray of shape (n,)
            Number of steps of all sequences.
        patches_per_label : int
            For the median transcript.
        """
        steps = lengths[self.labeled] / np.maximum(self.n_needed, 1)
        return max(1, min(round(np.median(steps) / patches_per_label), int(steps.min())))

    def check_lengths(self, lengths: NDArray) -> None:
        """Raise an error that names the first row whose transcript has no path, because it needs more patches."""
        patches = n_patches(lengths[self.labeled], self.patch_size)
        if (too_long := self.n_needed > patches).any():
            k = int(np.argmax(too_long))
            i, size = self.labeled[k], self.patch_size
            hint = "Lower patch_size, correct it" if size > 1 else "Correct it"
            in_patches = f"{patches[k]} patches of {size} steps" if size > 1 else f"{patches[k]} steps"
            raise ValueError(
                f"y[{i}] needs {self.n_needed[k]} {'patches' if size > 1 else 'steps'}, one for each label and one "
                f"between two equal labels, but X[{i}] has {in_patches}. {hint}, or set y[{i}] to None."
            )

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Negative log-probability (n_labeled,) of each transcript, divided by its number of labels."""
        k = batch.n_labeled
        targets, ends = batch.targets[:k], self.ends(outputs, batch.lengths)[:k]
        n_labels = (targets >= 0).sum(1)
        log_p = outputs[:k].log_softmax(2).transpose(0, 1)
        losses = ctc_loss(log_p, targets.clamp_min(0), ends, n_labels, self.n_outputs - 1, reduction="none")
        return losses / n_labels.clamp_min(1)

    def answers(self, outputs: Tensor) -> Tensor:
        """Logarithms of probabilities (n, T / patch_size, K + 1)."""
        return outputs.log_softmax(2)

    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Squared Euclidean distance (n,) of probabilities, summed over patches."""
        return (answers.exp() - targets.exp()).square().sum((1, 2))

    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Kullback-Leibler divergence (n,) of the probabilities from those of the targets, summed over patches."""
        log_p = outputs.log_softmax(2)
        return kl_div(log_p, targets.log_softmax(2), log_target=True, reduction="none").sum((1, 2))

    def transcripts(self, answers: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the class numbers (n, L) of the best paths, followed by -1, and their confidence (n,).

        The confidence is the probability of the best path, as a geometric mean over its labels: patches that are
        surely blank do not count.
        """
        ends = self.ends(answers, lengths)
        inside = step_mask(ends, answers.shape[1])
        numbers = best_path(answers, ends)
        n_labels = (numbers >= 0).sum(1).clamp_min(1)
        return numbers, ((answers.amax(2) * inside).sum(1) / n_labels).exp()

    def exported(self, answers: Tensor) -> dict[str, Tensor]:
        """Return the `"log_probabilities"` (n, T / patch_size, K + 1)."""
        return {"log_probabilities": answers}
