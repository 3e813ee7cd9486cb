"""Classification of sequences from few labels."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._documented import documented, parameter
from .._sklearn import MARKER, StrOptions
from .._state import all_or_nothing
from ..objectives import Objective
from ..perturbations import Light
from ..sequences import Sequences
from ..tasks import Classification, Targets, Task, class_numbers, read_target
from ._available import objective_can
from ._generation import checked_ends, generate
from ._input_parameters import InputParameters
from ._labeled import LabeledEstimator

GENTLE = Light().get_params() | {"hide": 0.15, "trim": 0.15, "warp": 0.1, "magnitude": 0.15}  # half of `Strong()`
OFFSET, CHANNEL_OFFSET = 2, 0.2  # of whole sequences in training, if their level does not depend on the class


@documented
@dataclass(repr=False, eq=False)
class SemiSupervisedRNNClassifier(ClassifierMixin, InputParameters, LabeledEstimator):
    """Recurrent classifier of sequences that learns from labeled and unlabeled sequences.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, without the marker, in the dtype that the labels have without it. Strings of an object array or a
        pandas column stay objects.
    transduction_ : ndarray of shape (n,)
        Labels of the training rows; those of unlabeled rows are predicted.
    label_distributions_ : ndarray of shape (n, n_classes)
        Class probabilities of the training rows; those of labeled rows are 0 and 1.
    %(attributes)s

    Raises
    ------
    %(raises)s

    Warns
    -----
    ConvergenceWarning
        The unlabeled rows trained nothing, or all of them are predicted to be of one class; the message says which
        parameter to change.

    Notes
    -----
    `history_` also has means over the unlabeled rows of an epoch, if the objective observes them: `class_share`, the
    fraction that the net gives to each class; `class_entropy`, the entropy of these fractions, 1 for even classes and
    0 for one; `confident`, the fraction that passes the threshold (in `SoftMatch` the mean weight); `agreement`, the
    fraction for which student and teacher, or two views, predict the same class; `guard`, the factor of their weight
    (see `FixMatch`).

    References
    ----------
    Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Dempster, Petitjean and Webb (2020), "ROCKET: exceptionally fast and accurate time series
    classification using random convolutional kernels", Data Mining and Knowledge Discovery.

    Howard and Ruder (2018), "Universal language model fine-tuning for text classification", ACL.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 2
    >>> X = rng.normal(size=(40, 12, 1)) + 2 * y[:, None, None]
    >>> partly = np.where(np.arange(40) < 8, y, -1)
    >>> clf = SemiSupervisedRNNClassifier(hidden_size=8, max_epochs=2, random_state=0).fit(X, partly)
    >>> clf.score(X, y) > 0.9
    True
    """

    __metadata_request__fit = {"sample_weight": True}
    __metadata_request__score = {"sample_weight": True}
    task_name = "classification"
    _auto = "fixmatch"
    _strong = GENTLE
    _second_changes = True

    objective: str | Objective = parameter(
        "auto",
        [str, Objective],
        "str or Objective",
        """
        What is minimised: a name such as `"supervised"`, or an instance from `sklearn_rnn.objectives`, which is
        cloned. `"auto"` is `FixMatch()`.
        """,
        positional=True,
    )
    missing_label: Any = parameter(
        -1,
        MARKER,
        "int, float, str, None or nan",
        """
        Marks the unlabeled rows of y. None, NaN and `pandas.NA` are one marker; in a numpy array of strings `'nan'`
        is the same, because numpy converts NaN to it. There is a warning if -1 may be a class: if all labels are
        equal, if a label is negative, or if the labels are 0 and 1, and -1 has at least five rows and about the
        frequency of 1. About means up to a factor of 1.5 for floats, such as `numpy.sign` returns, and of 1.1 for
        integers; integers must also have -1 no more often than 0.
        """,
    )
    class_weight: Any = parameter(
        None,
        [dict, StrOptions({"balanced"}), None],
        'dict, "balanced" or None',
        "Weights of the classes in the loss of the labeled rows, and of rows that `SelfTraining` labels.",
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SemiSupervisedRNNClassifier:
        """Learn from all sequences and from the labels of some of them.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F), (T_i,) or token id arrays
            Sequences.
        y : array-like of shape (n,)
            Labels; unlabeled rows have `missing_label`.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows. Those of unlabeled rows count if `SelfTraining` labels the rows.

        Returns
        -------
        self : SemiSupervisedRNNClassifier
        """
        return self._fit(X, y, sample_weight)

    def _make_task(self) -> Task:
        return Classification(self.missing_label, self.class_weight, type(self).__name__)

    def _forget(self, task: Task) -> None:
        super()._forget(task)
        self.classes_ = task.classes  # type: ignore[attr-defined]

    def _view_options(self, objective: Objective) -> dict[str, float]:
        return {} if objective.keeps_levels else {"offset": OFFSET, "channel_offset": CHANNEL_OFFSET}

    def _transduce(self, sequences: Sequences, targets: Targets) -> None:
        distributions = np.eye(len(self.classes_), dtype=np.float32)[targets.values]
        if len(unlabeled := targets.unlabeled):
            distributions[unlabeled] = self._compute(sequences, lambda model: model, unlabeled)
        self.label_distributions_ = distributions
        self.transduction_ = self.classes_[distributions.argmax(1)]

    def predict_proba(self, X: Any, out: Any = None) -> NDArray[np.float32]:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        out : array of shape (n, n_classes), default=None
            Filled and returned; an array of floats of numpy, zarr, HDF5 or the like. By default a new array.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes), float32
        """
        return self._compute(self._read(X), lambda model: model, out=out)

    def predict(self, X: Any) -> NDArray:
        """Predict the most probable classes.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n,)
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    @available_if(objective_can("sample"))
    def sample(self, n_samples: int = 1, y: Any = None, lengths: Any = None, random_state: Any = None) -> Any:
        """Draw new sequences of given classes.

        Parameters
        ----------
        n_samples : int, default=1
            Number of sequences.
        y : array-like of shape (n_samples,), or a class, default=None
            Class of each sequence, or of all. By default, classes are drawn with their frequencies in `transduction_`.
        lengths : array-like of shape (n_samples,), default=None
            Number of steps of each sequence, at least 1. By default drawn from the lengths of the training rows of its
            class.
        random_state : int, RandomState or None, default=None
            Seeds the draws; an int gives the same sequences each time.

        Returns
        -------
        sequences : ndarray of shape (n_samples, T) or (n_samples, T, F), or list of arrays
            Sequences in the form of the X of `fit`; (T_i,) arrays come back as (T_i, 1). A list if the lengths differ,
            here or in `fit`, and for token ids.

        Raises
        ------
        ValueError
            If `n_samples` is less than 1, `y` has a class that was not in `fit`, `y` does not have a class for each
            sample, or `lengths` does not have an integer of at least 1 for each sample.
        """
        check_is_fitted(self, "label_distributions_")  # an interrupted fit does not set it
        rows = np.arange(check_scalar(n_samples, "n_samples", Integral, min_val=1))
        random, seen = check_random_state(random_state), self.label_distributions_.argmax(1)
        if y is None:
            numbers = random.choice(seen, n_samples)
        else:
            numbers = class_numbers(np.full(n_samples, y) if np.ndim(y) == 0 else y, self.classes_)
        check_consistent_length(rows, numbers)
        if lengths is None:
            lengths = [random.choice(self._lengths[seen == number]) for number in numbers]
        return generate(self, numbers, checked_ends(lengths, numbers), random)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy on the labeled rows.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        y : array-like of shape (n,)
            True labels; rows with `missing_label` do not count.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            If no row is labeled.
        """
        target = read_target(y, self.missing_label, type(self).__name__)
        predicted, labeled = self.predict(X), target.labeled
        check_consistent_length(predicted, target.values, sample_weight)
        weight = None if sample_weight is None else np.asarray(sample_weight)[labeled]
        return float(accuracy_score(target.known, predicted[labeled], sample_weight=weight))
