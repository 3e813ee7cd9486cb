"""Transcripts of sequences from few transcribed ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .._documented import documented, parameter
from .._sklearn import COUNT, StrOptions
from .._state import all_or_nothing
from ..modules import POOLINGS, Model
from ..objectives import Objective
from ..perturbations import Compose, Light, Perturbation, SpecAugment, Strong
from ..sequences import Sequences
from ..tasks import Targets, Task, Transcription, beam_search, best_path, label_error_rate
from ..training import in_batches
from ._autoencoder import RNNAutoencoderTransformer
from ._labeled import LabeledEstimator

PATCHES_PER_LABEL = 8  # that patch_size="auto" aims at
OFFSET, CHANNEL_OFFSET = 2.0, 0.2  # of whole sequences in training, such as loudness


@documented
@dataclass(repr=False, eq=False)
class SemiSupervisedRNNTranscriber(LabeledEstimator):
    """Recurrent transcriber: a sequence of labels for each sequence, learned from few transcripts.

    A transcript is shorter than its sequence, and nobody says at which step a label begins: the digits or characters
    that are spoken in a recording, the letters of a pen's path, the actions in a series of a sensor. The net gives
    each patch of steps probabilities of the labels and of a blank. All paths through them that collapse to the
    transcript, when repeats count once and blanks are dropped, add up to its probability (connectionist temporal
    classification, Graves 2006). A patch has one label at most, and two equal labels in a row need a patch between
    them.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels that occur in transcripts, sorted.
    transduction_ : list of ndarray of shape (L_i,)
        Transcripts of the training rows; those of rows without one are predicted.
    %(attributes)s

    Raises
    ------
    %(raises)s

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber (2006), "Connectionist temporal classification: labelling unsegmented
    sequence data with recurrent neural networks", ICML.

    Likhomanenko, Xu, Kahn, Synnaeve and Collobert (2021), "slimIPL: language-model-free iterative pseudo-labeling",
    Interspeech.

    Hannun, Maas, Jurafsky and Ng (2014), "First-pass large vocabulary continuous speech recognition using
    bi-directional recurrent DNNs", arXiv:1408.2873 (for ``decoding="beam"``).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNTranscriber
    >>> rng = np.random.default_rng(0)
    >>> y = [rng.integers(3, size=rng.integers(2, 5)) for _ in range(40)]
    >>> X = [np.repeat(np.eye(3)[labels], 4, axis=0) for labels in y]  # each label lasts for 4 steps
    >>> X = [x + rng.normal(0, 0.3, x.shape) for x in X]
    >>> partly = [labels if i < 20 else None for i, labels in enumerate(y)]
    >>> transcriber = SemiSupervisedRNNTranscriber(hidden_size=16, n_kernels=16, max_epochs=3, lr=0.03, random_state=0)
    >>> transcriber.fit(X, partly).score(X, y) > 0.7
    True
    """

    __metadata_request__fit = {"sample_weight": True}
    task_name = "transcription"
    _auto = "iterated_pseudo_label"

    objective: str | Objective = parameter(
        "auto",
        [str, Objective],
        "str or Objective",
        """
        What is minimised: a name such as `"supervised"`, or an instance from `sklearn_rnn.objectives`, which is
        cloned. `"auto"` is `IteratedPseudoLabel()`. Most objectives of classifiers are an error.
        """,
        positional=True,
    )
    decoding: str = parameter(
        "beam",
        [StrOptions({"beam", "greedy"})],
        '{"beam", "greedy"}',
        """
        Whether `predict` searches for the transcript with the largest probability, over all its paths; or collapses
        the most probable path, which is faster.
        """,
    )
    beam_width: int = parameter(
        10, COUNT, "int", 'Number of beginnings of transcripts that ``decoding="beam"`` keeps at each patch.'
    )
    pooling: str = parameter(
        "mean_max",
        [StrOptions(set(POOLINGS) - {"attention"})],
        '{"last", "mean", "max", "mean_max"}',
        "How `transform` and `pretraining` combine the states of all steps to one vector. Transcripts do not use it.",
    )
    patch_size: int | str = parameter(
        "auto",
        [StrOptions({"auto"}), *COUNT],
        'int or "auto"',
        """
        Number of steps that a linear layer groups into one recurrent step. `"auto"` aims at 8 patches for each label
        of a transcript, but at 24 or more for a sequence of median length. No transcript of `fit` then has more labels
        than its sequence has patches.
        """,
    )

    augmentation: Any = parameter(
        "auto",
        [StrOptions({"auto"}), callable, None],
        'callable, "auto" or None',
        """
        Perturbs the embedded steps in training; see `sklearn_rnn.perturbations`. `"auto"` is, for numbers,
        ``Compose([Light(shift=0, offset=2, channel_offset=0.2), SpecAugment()])``, without offsets if the objective
        reconstructs sequences; and `StepDrop(0.2)` for token ids.
        """,
    )
    strong_augmentation: Any = parameter(
        "auto",
        [StrOptions({"auto"}), callable, None],
        'callable, "auto" or None',
        """
        The same for strong views, which the net sees of rows without a transcript. `"auto"` is, for numbers,
        ``Compose([Strong(shift=0, trim=0, hide=0, offset=2, channel_offset=0.2), SpecAugment()])``, which keeps all
        labels in a sequence; and `StepDrop(0.4)` for token ids.
        """,
    )
    max_epochs: int = parameter(
        40,
        COUNT,
        "int",
        """
        Number of passes over the rows with a transcript, each of at least 25 optimiser steps. Rows without a transcript
        come beside them.
        """,
    )
    batch_size: int = parameter(16, COUNT, "int", "Largest number of rows with a transcript in an optimiser step.")

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SemiSupervisedRNNTranscriber:
        """Learn from all sequences and from the transcripts of some of them.

        Parameters
        ----------
        X : list of (T_i, F), (T_i,) or token id arrays, or array-like of shape (n, T) or (n, T, F)
            Sequences.
        y : list of label sequences
            Transcripts: lists or arrays of integers or strings. A string is the sequence of its characters. None (NaN,
            `pandas.NA`) for rows without a transcript; an empty transcript says that there is no label in the row.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows that have a transcript.

        Returns
        -------
        self : SemiSupervisedRNNTranscriber

        Raises
        ------
        ValueError
            If a transcript needs more patches than its sequence has; the message names the row.
        """
        return self._fit(X, y, sample_weight)

    def _make_task(self) -> Task:
        return Transcription(type(self).__name__)

    def _forget(self, task: Task) -> None:
        super()._forget(task)
        self.classes_ = task.classes  # type: ignore[attr-defined]

    def _views(self, objective: Objective, n_features: int) -> tuple[Perturbation, Perturbation]:
        offset, channel_offset = (0.0, 0.0) if objective.keeps_levels else (OFFSET, CHANNEL_OFFSET)
        light = Light(shift=0, offset=offset, channel_offset=channel_offset)  # without shifts, which would lose labels
        strong = Strong(shift=0, trim=0, hide=0, offset=offset, channel_offset=channel_offset)
        return Compose([light, SpecAugment()]), Compose([strong, SpecAugment()])

    def _fit_sequences(
        self, sequences: Sequences, callbacks: Any, X: Any = None, y: Any = None, sample_weight: Any = None
    ) -> Any:
        try:
            return super()._fit_sequences(sequences, callbacks, X, y, sample_weight)
        finally:
            self.__dict__.pop("_patch", None)

    def _model(self, sequences: Sequences, objective: Objective, task: Task, random: np.random.RandomState) -> Model:
        transcription: Any = task
        self._patch = transcription.suited_patch_size(sequences.lengths, PATCHES_PER_LABEL)
        model = super()._model(sequences, objective, task, random)
        transcription.check_lengths(sequences.lengths)
        return model

    def _auto_patch_size(self, sequences: Sequences) -> int:
        return min(self._patch, super()._auto_patch_size(sequences))

    def _autoencoder(
        self, source: Any, sequences: Sequences, random: np.random.RandomState
    ) -> RNNAutoencoderTransformer:
        transformer = super()._autoencoder(source, sequences, random)
        if transformer.patch_size == "auto":
            transformer.patch_size = self._auto_patch_size(sequences)
        return transformer

    def _transduce(self, sequences: Sequences, targets: Targets) -> None:
        transcripts = [self.classes_[numbers[numbers >= 0]] for numbers in targets.values]
        unlabeled = targets.unlabeled
        if len(unlabeled):
            for i, transcript in zip(unlabeled, self._decoded(sequences, unlabeled), strict=True):
                transcripts[i] = transcript
        self.transduction_ = transcripts

    def predict_log_proba(self, X: Any) -> list[NDArray[np.float32]]:
        """Predict logarithms of probabilities of the labels and of the blank for each patch of steps.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        log_probabilities : list of ndarray of shape (P_i, n_classes + 1), float32
            P_i is the number of patches, the number of steps divided by the patch size and rounded up. Columns are the
            labels in the order of `classes_`, and then the blank.
        """
        return self._log_probabilities(self._read(X))

    def predict(self, X: Any) -> list[NDArray]:
        """Predict transcripts.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        y : list of ndarray of shape (L_i,)
            Transcripts, which may be empty.
        """
        return self._decoded(self._read(X))

    def score(self, X: Any, y: Any) -> float:
        """One minus the label error rate of the rows that have a transcript.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        y : list of label sequences
            True transcripts; rows that are None do not count.

        Returns
        -------
        score : float
            1 if all transcripts are right. It is below 0 if there are more errors than labels; see
            `model_selection.label_error_rate`.

        Raises
        ------
        ValueError
            If no row has a transcript.
        """
        return 1 - label_error_rate(y, self.predict(X))

    def _log_probabilities(self, sequences: Sequences, rows: NDArray | None = None) -> list[NDArray[np.float32]]:
        """Return log-probabilities (P_i, K + 1) of the sequences, or of `rows` of them."""
        model = self.net_.module_
        rows = np.arange(len(sequences)) if rows is None else rows
        found: dict[int, NDArray[np.float32]] = {}
        with self._computing(), torch.inference_mode():
            for places, values, lengths in in_batches(model, sequences, rows):
                answers = model(values, lengths)
                ends = model.task.ends(answers, lengths).tolist()
                for place, answer, end in zip(places.tolist(), answers.cpu().numpy(), ends, strict=False):
                    found[place] = answer[:end].copy()
        return [found[place] for place in range(len(rows))]

    def _decoded(self, sequences: Sequences, rows: NDArray | None = None) -> list[NDArray]:
        """Return the transcripts of the sequences, or of `rows` of them."""
        return [self.classes_[self._numbers(answer)] for answer in self._log_probabilities(sequences, rows)]

    def _numbers(self, log_probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the class numbers of a transcript, given log-probabilities (P, K + 1)."""
        if self.decoding == "beam":
            return beam_search(log_probabilities, self.beam_width)
        numbers = best_path(torch.from_numpy(log_probabilities)[None], torch.tensor([len(log_probabilities)]))[0]
        return numbers[numbers >= 0].numpy()
