"""A class for each step of sequences, from few labels."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._documented import documented, parameter
from .._sklearn import COUNT, MARKER, StrOptions
from .._state import all_or_nothing
from ..objectives import Objective
from ..perturbations import Perturbation
from ..sequences import Sequences, Vocabulary, are_words, flat_items, read_sequences
from ..tasks import Tagging, Targets, Task, flat_labels, read_target
from ._encoder_file import is_encoder_file, read_encoder
from ._held_options import as_option
from ._labeled import LabeledEstimator


@documented
@dataclass(repr=False, eq=False)
class SemiSupervisedRNNTagger(LabeledEstimator):
    """Recurrent tagger: a class for each step of a sequence, learned from sequences of which few steps have labels.

    The steps are numbers, token ids, or words. Words need no vocabulary: those that occur once share a vector, and all
    have vectors of their endings, beginnings and shapes, so that the net also knows something of words that it never
    saw.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, without the marker, in the dtype that the labels have without it.
    transduction_ : list of ndarray of shape (T_i,), or ndarray of shape (n, T)
        Labels of the steps of the training rows; those of unlabeled steps are predicted.
    label_distributions_ : list of ndarray of shape (T_i, n_classes), or ndarray of shape (n, T, n_classes)
        Class probabilities of the steps of the training rows; those of labeled steps are 0 and 1.
    words_ : ndarray of str
        Words with a vector of their own, in lower case, if X was words.
    parts_ : ndarray of str
        Endings, beginnings and shapes with a vector, if X was words.
    %(attributes)s

    Raises
    ------
    %(raises)s

    Warns
    -----
    ConvergenceWarning
        The unlabeled steps trained nothing, or all of them are predicted to be of one class; the message says which
        parameter to change.

    Notes
    -----
    What the texts of objectives say of rows holds for steps here: of unlabeled sequences, and of sequences of which
    only some steps have labels.

    References
    ----------
    Clark, Luong, Manning and Le (2018), "Semi-supervised sequence modeling with cross-view training", EMNLP.

    Plank, Søgaard and Goldberg (2016), "Multilingual part-of-speech tagging with bidirectional long short-term memory
    models and auxiliary loss", ACL.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNTagger
    >>> X = [["the", "cat", "sleeps"], ["a", "dog", "barks"], ["the", "dog", "sleeps"], ["a", "bird", "sings"]] * 5
    >>> y = [["DET", "NOUN", "VERB"], ["DET", "NOUN", "VERB"], None, None] * 5
    >>> tagger = SemiSupervisedRNNTagger(missing_label=None, hidden_size=8, max_epochs=4, lr=0.03, random_state=0)
    >>> tagger = tagger.fit(X, y)
    >>> tagger.predict([["the", "bird", "barks"]])
    [array(['DET', 'NOUN', 'VERB'], dtype=object)]
    """

    __metadata_request__fit = {"sample_weight": True}
    __metadata_request__score = {"sample_weight": True}
    task_name = "tagging"
    _auto = "cross_view"
    _auto_steps = 256
    _freezes_vectors = False
    _still = True
    pooling: ClassVar[str] = "mean_max"  # type: ignore[misc]  # of `transform`; tags come from the states of steps
    max_length: ClassVar[Any] = None  # type: ignore[misc]  # each step needs an answer

    objective: str | Objective = parameter(
        "auto",
        [str, Objective],
        "str or Objective",
        """
        What is minimised: a name such as `"supervised"`, or an instance from `sklearn_rnn.objectives`, which is
        cloned. `"auto"` is `CrossView()`.
        """,
        positional=True,
    )
    missing_label: Any = parameter(
        -1,
        MARKER,
        "int, float, str, None or nan",
        """
        Marks the unlabeled steps of y; in the place of an array, a sequence without labels. None always does that too.
        """,
    )
    class_weight: Any = parameter(
        None,
        [dict, StrOptions({"balanced"}), None],
        'dict, "balanced" or None',
        "Weights of the classes in the loss of the labeled steps, and of steps that `SelfTraining` labels.",
    )
    patch_size: int | str = parameter(
        "auto",
        [StrOptions({"auto"}), *COUNT],
        'int or "auto"',
        """
        Number of steps that a linear layer groups into one recurrent step, whose state answers for all of them.
        `"auto"` aims at 256 recurrent steps for a sequence of median length, so that only the words of long
        documents are grouped. Predictions are made from the mean over up to three shifts of the patches.
        """,
    )

    batch_size: int = parameter(32, COUNT, "int", "Largest number of labeled sequences in an optimiser step.")

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SemiSupervisedRNNTagger:
        """Learn from all sequences and from the labels of some of their steps.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F), (T_i,), token id arrays or lists of words
            Sequences.
        y : list of array-like of shape (T_i,), or array-like of shape (n, T)
            A label for each step; unlabeled steps have `missing_label`. None, or `missing_label`, in the place of an
            array stands for a sequence without labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the sequences.

        Returns
        -------
        self : SemiSupervisedRNNTagger
        """
        return self._fit(X, y, sample_weight)

    def _make_task(self) -> Task:
        return Tagging(self.missing_label, self.class_weight, type(self).__name__)

    def _forget(self, task: Task) -> None:
        super()._forget(task)
        self.classes_ = task.classes  # type: ignore[attr-defined]

    def _views(self, objective: Objective, n_features: int) -> tuple[Perturbation, Perturbation]:
        light, strong = super()._views(objective, n_features)
        return light.set_params(shift=0.0), strong.set_params(shift=0.0, warp=0.0)

    def _read_training(self, X: Any) -> Sequences:
        if self._goes_on:
            return self._read_words(X) if hasattr(self, "words_") else super()._read_training(X)
        for name in ("words_", "parts_"):
            self.__dict__.pop(name, None)
        self._n_parts = 0
        if not are_words(X):
            return super()._read_training(X)
        if not isinstance(as_option("embedding", self.embedding).init, str):
            raise ValueError(
                "embedding__init is an array, but X has words, which are numbered in fit. Pass token ids as X, or set "
                "embedding__init='auto'."
            )
        values, lengths = flat_words(X, type(self).__name__)
        vocabulary = self._pretrained_vocabulary() or Vocabulary.of(values)
        self.words_, self.parts_, self._n_parts = vocabulary.words, vocabulary.parts, len(vocabulary.parts)
        return read_sequences(self, vocabulary.read(values, lengths), reset=True)

    def _pretrained_vocabulary(self) -> Vocabulary | None:
        """Return the vocabulary of `pretraining`, if that is the file of an encoder of words."""
        source: Any = None if self.pretraining is None else as_option("pretraining", self.pretraining).objective
        if not is_encoder_file(source):
            return None
        saved = read_encoder(source)
        if saved.vocabulary is None and saved.encoder.architecture.n_parts:
            raise ValueError(
                f"pretraining: the encoder of {os.fspath(source)} was saved by an older version and lacks its words. "
                "Save it again."
            )
        return saved.vocabulary

    def _read_words(self, X: Any) -> Sequences:
        words = flat_words(X, type(self).__name__)
        return read_sequences(self, Vocabulary(self.words_, self.parts_).read(*words), reset=False)

    def _read(self, X: Any) -> Sequences:
        check_is_fitted(self, "net_")
        if not hasattr(self, "words_"):
            return super()._read(X)
        return self._known(self._read_words(X), self.net_.module_.encoder)

    def _transduce(self, sequences: Sequences, targets: Targets) -> None:
        numbers = targets.values
        distributions = np.eye(len(self.classes_), dtype=np.float32)[numbers]
        if len(targets.unlabeled):
            answers = self._compute(sequences, lambda model: model)
            distributions[numbers < 0] = answers[numbers < 0]
        self.label_distributions_ = self._in_form(distributions, sequences)
        self.transduction_ = self._in_form(self.classes_[distributions.argmax(1)], sequences)

    def _in_form(self, steps: NDArray, sequences: Sequences) -> Any:
        """Return what belongs to all steps (m, ...) as an array (n, T, ...) if X was one, else as a list of arrays."""
        if sequences.starts is None and sequences.equal:
            return steps.reshape(len(sequences), -1, *steps.shape[1:])
        return np.split(steps, np.cumsum(sequences.lengths)[:-1])

    def predict_proba(self, X: Any) -> list[NDArray[np.float32]] | NDArray[np.float32]:
        """Predict class probabilities of each step.

        Parameters
        ----------
        X : array-like or list
            Sequences, as in `fit`.

        Returns
        -------
        probabilities : list of ndarray of shape (T_i, n_classes), or ndarray of shape (n, T, n_classes), float32
            An array if X is an array of sequences of one length, else a list.
        """
        sequences = self._read(X)
        return self._in_form(self._compute(sequences, lambda model: model), sequences)

    def predict(self, X: Any) -> list[NDArray] | NDArray:
        """Predict the most probable class of each step.

        Parameters
        ----------
        X : array-like or list
            Sequences, as in `fit`.

        Returns
        -------
        y : list of ndarray of shape (T_i,), or ndarray of shape (n, T)
            An array if X is an array of sequences of one length, else a list.
        """
        sequences = self._read(X)
        return self._in_form(self._classes_of_steps(sequences), sequences)

    def _classes_of_steps(self, sequences: Sequences) -> NDArray:
        return self.classes_[self._compute(sequences, lambda model: model).argmax(1)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy over the labeled steps.

        Parameters
        ----------
        X : array-like or list
            Sequences, as in `fit`.
        y : list of array-like of shape (T_i,), or array-like of shape (n, T)
            True labels; steps with `missing_label` do not count.
        sample_weight : array-like of shape (n,), default=None
            Weights of the sequences.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            If no step is labeled.
        """
        check_consistent_length(X, y, sample_weight)
        sequences, name = self._read(X), type(self).__name__
        target = read_target(flat_labels(y, sequences.lengths, self.missing_label, name), self.missing_label, name)
        labeled, weight = target.labeled, None
        if sample_weight is not None:
            weight = np.repeat(np.asarray(sample_weight), sequences.lengths)[labeled]
        return float(accuracy_score(target.known, self._classes_of_steps(sequences)[labeled], sample_weight=weight))


def flat_words(X: Any, name: str) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the words of all sequences, one sequence after the other, and the lengths of the sequences."""
    values, lengths = flat_items(X, name)
    if values.dtype.kind != "U":
        raise ValueError(f"X must be lists of words for {name}, because some are strings, but others are not.")
    return values, lengths
