"""Hiding labels, to measure how many are needed."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from .._sklearn import COUNT, MARKER, Interval, validate_params
from ..tasks import (
    flat_labels,
    is_nothing,
    lengths_of_labels,
    read_groups,
    read_labels,
    read_numbers,
    read_target,
    rows_of_labels,
)


@validate_params(
    {
        "y": ["array-like"],
        "n_labeled": [*COUNT, None],
        "fraction": [Interval(Real, 0, 1, closed="right"), None],
        "stratify": ["boolean"],
        "groups": ["array-like", None],
        "per_step": ["boolean", None],
        "missing_label": MARKER,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def hide_labels(
    y: Any,
    n_labeled: int | None = None,
    *,
    fraction: float | None = None,
    stratify: bool = True,
    groups: Any = None,
    per_step: bool | None = None,
    missing_label: Any = -1,
    random_state: Any = None,
) -> Any:
    """Keep some of the labels and hide the others.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, k)
        Labels, or numbers for a regressor. Labels that are hidden already stay hidden and do not count. A row of
        several numbers counts if at least one of them is known.
    n_labeled : int, default=None
        Number of labels to keep.
    fraction : float, default=None
        Fraction of the labels to keep, instead of `n_labeled`; the number is rounded.
    stratify : bool, default=True
        Whether each class keeps its fraction of the labels, and at least one. Numbers for a regressor (floats that are
        not whole, or several columns) are always drawn at random.
    groups : array-like of shape (n,), default=None
        If given, whole groups are kept or hidden, such as all recordings of a person. They are drawn at random until at
        least `n_labeled` labels are kept. With `stratify`, groups that have a class without a label come first.
    per_step : bool, default=None
        For a y with a label for each step, a list of arrays or an array (n, T), as `SemiSupervisedRNNTagger` reads it.
        False: whole sequences keep their labels, and `n_labeled` is their number; they are drawn at random. True:
        single steps keep their labels, and `n_labeled` is the number of steps. None: y has one label for each row.
    missing_label : int, float, str, None or nan, default=-1
        Marks the hidden labels; NaN for a regressor.
    random_state : int, RandomState or None, default=None
        Seeds the choice of the rows.

    Returns
    -------
    y : ndarray of shape (n,) or (n, k), or list of arrays
        A copy (a list with `per_step`, unless y was an array), in a dtype that can hold the marker. With a marker of
        None or NaN, numbers are float (None becomes NaN). None or a marker in the place of an array of labels stays.
        With a number as the marker, booleans are int. Strings are objects unless the marker is a string, because
        scikit-learn's metrics accept only objects that are strings.

    Raises
    ------
    ValueError
        If not exactly one of `n_labeled` and `fraction` is given, if it asks for more labels than there are or, with
        `stratify`, for fewer than there are classes, or if `groups` has another length than y.

    Examples
    --------
    >>> from sklearn_rnn.datasets import hide_labels
    >>> hide_labels([0, 0, 0, 0, 1, 1], 3, random_state=0)
    array([-1, -1,  0,  0,  1, -1])
    >>> import numpy as np
    >>> hide_labels([0.5, 1.5, 2.5], 1, missing_label=np.nan, random_state=0)
    array([nan, nan, 2.5])
    >>> hide_labels([["DET", "NOUN"], ["VERB"]], 2, per_step=True, stratify=False, missing_label="", random_state=0)
    [array(['', 'NOUN'], dtype='<U4'), array(['VERB'], dtype='<U4')]
    """
    if (n_labeled is None) == (fraction is None):
        raise ValueError("hide_labels needs either n_labeled or fraction, not both.")
    if per_step is not None:
        return _hide_of_steps(y, per_step, n_labeled, fraction, stratify, groups, missing_label, random_state)
    target = read_target(y, missing_label, "hide_labels")
    few = target.known.dtype.kind == "f" and (n_labeled or len(target.known)) < len(np.unique(target.known))
    if target.is_numeric or few:  # whole floats that cannot be classes, of which each keeps a label
        if isinstance(missing_label, int) and missing_label == -1:
            raise ValueError("y has numbers to regress, among which -1 may be one; pass missing_label=np.nan.")
        return _hide_numbers(y, n_labeled, fraction, groups, missing_label, random_state)
    with warnings.catch_warnings():
        if not stratify:  # then it does not matter whether there are classes
            warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        labels = read_labels(y, missing_label, "hide_labels")
    labeled = labels.labeled
    n = _number_to_keep(n_labeled, fraction, len(labeled))
    numbers, n_classes = labels.numbers[labeled], len(labels.classes)
    if stratify and n < n_classes:
        raise ValueError(f"n_labeled={n} is fewer than the {n_classes} classes; keep more, or set stratify=False.")
    random = check_random_state(random_state)
    if groups is not None:
        check_consistent_length(y, groups)
        kept = _draw_groups(numbers, read_groups(groups)[labeled], n, stratify, random)
    else:
        kept = _draw_by_class(numbers, n, random) if stratify else random.permutation(len(labeled))[:n]
    return put_labels(labels.classes[numbers[kept]], labeled[kept], len(labels.numbers), missing_label)


def _hide_of_steps(
    y: Any,
    per_step: bool,
    n_labeled: int | None,
    fraction: float | None,
    stratify: bool,
    groups: Any,
    missing_label: Any,
    random_state: Any,
) -> Any:
    """Hide labels of a y with a label for each step: of single steps, or of whole sequences."""
    rows = rows_of_labels(y)
    lengths = lengths_of_labels(rows)
    flat = flat_labels(y, lengths, missing_label, "hide_labels")
    owners = np.repeat(np.arange(len(rows)), lengths)
    if groups is not None:
        check_consistent_length(rows, groups)
        groups = read_groups(groups)
    if per_step:
        of_steps = None if groups is None else groups[owners]
        options = {"fraction": fraction, "stratify": stratify, "groups": of_steps}
        hidden = hide_labels(flat, n_labeled, **options, missing_label=missing_label, random_state=random_state)
    else:
        hidden = _hide_sequences(flat, owners, n_labeled, fraction, groups, missing_label, random_state)
    parts = np.split(hidden, np.cumsum(lengths)[:-1])
    if getattr(y, "ndim", 1) == 2:
        return np.stack(parts)
    return [part if np.ndim(row) else row for row, part in zip(rows, parts, strict=True)]


def _hide_sequences(
    flat: NDArray,
    owners: NDArray,
    n_labeled: int | None,
    fraction: float | None,
    groups: NDArray | None,
    missing_label: Any,
    random_state: Any,
) -> NDArray:
    """Hide the labels of whole sequences, given the labels of all steps and the sequence of each."""
    labels = read_labels(flat, missing_label, "hide_labels")
    known, random = labels.labeled, check_random_state(random_state)
    rows = np.unique(owners[known])
    n = _number_to_keep(n_labeled, fraction, len(rows))
    if groups is None:
        chosen = random.permutation(len(rows))[:n]
    else:
        chosen = _draw_groups(np.zeros(len(rows), dtype=np.int64), groups[rows], n, False, random)
    kept = known[np.isin(owners[known], rows[chosen])]
    return put_labels(labels.classes[labels.numbers[kept]], kept, len(owners), missing_label)


def _number_to_keep(n_labeled: int | None, fraction: float | None, n: int) -> int:
    kept = n_labeled if n_labeled is not None else max(1, round((fraction or 0.0) * n))
    if kept > n:
        raise ValueError(f"n_labeled={kept} is more than the {n} labels in y.")
    return kept


def _hide_numbers(
    y: Any, n_labeled: int | None, fraction: float | None, groups: Any, missing_label: Any, random_state: Any
) -> NDArray:
    """Hide rows of a y of numbers; a row counts if at least one of its numbers is known."""
    numbers = read_numbers(y, missing_label, "hide_labels")
    labeled, random = numbers.labeled, check_random_state(random_state)
    n = _number_to_keep(n_labeled, fraction, len(labeled))
    if groups is None:
        kept = random.permutation(len(labeled))[:n]
    else:
        check_consistent_length(y, groups)
        same = np.zeros(len(labeled), dtype=np.int64)
        kept = _draw_groups(same, read_groups(groups)[labeled], n, False, random)
    values = numbers.values[:, 0] if numbers.one_column else numbers.values
    marker = np.nan if is_nothing(missing_label) else missing_label
    return put_labels(np.where(np.isnan(values), marker, values)[labeled[kept]], labeled[kept], len(values), marker)


def _draw_by_class(numbers: NDArray, n: int, random: np.random.RandomState) -> NDArray:
    """Draw n rows, at least one of each class, in the proportions of the classes (by largest remainder)."""
    sizes = np.bincount(numbers)
    exact = n * sizes / len(numbers)
    counts = np.maximum(np.floor(exact).astype(int), 1)
    while counts.sum() != n:
        remainder = exact - counts
        if counts.sum() < n:
            counts[np.argmax(remainder)] += 1
        else:
            counts[np.argmin(np.where(counts > 1, remainder, np.inf))] -= 1
    members = [random.permutation(np.flatnonzero(numbers == number)) for number in range(len(sizes))]
    return np.concatenate([rows[:count] for rows, count in zip(members, counts, strict=True)])


def _draw_groups(numbers: NDArray, groups: NDArray, n: int, stratify: bool, random: np.random.RandomState) -> NDArray:
    """Draw whole groups until n rows are kept and, with `stratify`, each class has a row."""
    left = list(random.permutation(np.unique(groups)))
    kept = np.zeros(len(numbers), dtype=bool)
    while stratify and len(absent := np.setdiff1d(numbers, numbers[kept])):
        chosen = next(group for group in left if np.isin(numbers[groups == group], absent).any())
        left.remove(chosen)
        kept |= groups == chosen
    while kept.sum() < n:
        kept |= groups == left.pop()
    return np.flatnonzero(kept)


def put_labels(labels: NDArray, rows: NDArray, n: int, missing_label: Any) -> NDArray:
    """Return an array of n rows with `labels` (with any further axes) in `rows`, and the marker in all others."""
    shape = (n, *labels.shape[1:])
    if not is_nothing(missing_label):
        output = np.full(shape, missing_label, dtype_with_marker(labels, missing_label))
    elif labels.dtype.kind == "f" or (labels.dtype.kind in "biu" and _floats(labels)):
        output = np.full(shape, np.nan, labels.dtype if labels.dtype.kind == "f" else np.float64)
    else:  # numbers as objects only if necessary, because scikit-learn's metrics do not accept them
        output = np.full(shape, missing_label, object)
    output[rows] = labels
    return output


def _floats(labels: NDArray) -> bool:
    """Whether float64 can hold these integers without rounding."""
    return np.array_equal(labels.astype(np.float64).astype(labels.dtype), labels)


def dtype_with_marker(y: NDArray, missing_label: Any) -> np.dtype:
    """Return the dtype that can hold labels and marker."""
    fits = isinstance(missing_label, str) if y.dtype.kind in "US" else isinstance(missing_label, Real)
    return np.result_type(y, np.asarray(missing_label)) if fits else np.dtype(object)
