"""Hiding labels, to see how few are enough."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from .._sklearn import COUNT, MARKER, Interval, validate_params
from ..tasks import is_nothing, read_groups, read_labels, read_numbers, read_target


@validate_params(
    {
        "y": ["array-like"],
        "n_labeled": [*COUNT, None],
        "fraction": [Interval(Real, 0, 1, closed="right"), None],
        "stratify": ["boolean"],
        "groups": ["array-like", None],
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
    missing_label: Any = -1,
    random_state: Any = None,
) -> NDArray:
    """Keep some labels and hide the others.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, k)
        Labels, or numbers to regress. Those that are hidden already stay so and do not count. A row of several
        numbers counts if one of them is known.
    n_labeled : int, default=None
        Labels to keep.
    fraction : float, default=None
        Share of the labels to keep, instead of `n_labeled`; rounded.
    stratify : bool, default=True
        Whether each class keeps its fraction of the labels, and one at least. Numbers to regress (floats that are not
        whole, or several columns) are drawn at random.
    groups : array-like of shape (n,), default=None
        Keeps or hides whole groups, such as all recordings of a person: in random order until
        `n_labeled` labels are kept, so that more may stay. Where `stratify`, groups come first that
        hold a class of which there is no label yet.
    missing_label : int, float, str, None or nan, default=-1
        Marks the hidden labels; NaN for a regressor.
    random_state : int, RandomState or None, default=None
        Draws the rows.

    Returns
    -------
    y : ndarray of shape (n,) or (n, k)
        A copy, in a dtype that holds the marker. Numbers are float where None or NaN marks (None as NaN),
        booleans are int where a number does, and strings are objects unless a string does:
        scikit-learn's metrics read no objects but strings.

    Raises
    ------
    ValueError
        Not exactly one of `n_labeled` and `fraction` is given, more labels are asked for than there
        are, or fewer than classes with `stratify`.

    Examples
    --------
    >>> from sklearn_rnn.datasets import hide_labels
    >>> hide_labels([0, 0, 0, 0, 1, 1], 3, random_state=0)
    array([-1, -1,  0,  0,  1, -1])
    >>> import numpy as np
    >>> hide_labels([0.5, 1.5, 2.5], 1, missing_label=np.nan, random_state=0)
    array([nan, nan, 2.5])
    """
    if (n_labeled is None) == (fraction is None):
        raise ValueError("hide_labels needs either n_labeled or fraction, and not both.")
    target = read_target(y, missing_label, "hide_labels")
    if target.is_numeric:
        return _hide_numbers(y, n_labeled, fraction, groups, missing_label, random_state)
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


def _draw_by_class(codes: NDArray, n: int, random: np.random.RandomState) -> NDArray:
    """Draw one row of each class, and the rest so that each has its share, by largest remainder."""
    sizes = np.bincount(codes)
    share = n * sizes / len(codes)
    counts = np.maximum(np.floor(share).astype(int), 1)
    while counts.sum() != n:
        behind = share - counts
        if counts.sum() < n:
            counts[np.argmax(behind)] += 1
        else:
            counts[np.argmin(np.where(counts > 1, behind, np.inf))] -= 1
    members = [random.permutation(np.flatnonzero(codes == code)) for code in range(len(sizes))]
    return np.concatenate([rows[:count] for rows, count in zip(members, counts, strict=True)])


def _draw_groups(codes: NDArray, groups: NDArray, n: int, stratify: bool, random: np.random.RandomState) -> NDArray:
    """Draw whole groups until n rows are kept and, where `stratify`, every class is among them."""
    waiting = list(random.permutation(np.unique(groups)))
    kept = np.zeros(len(codes), dtype=bool)
    while stratify and len(absent := np.setdiff1d(codes, codes[kept])):
        useful = (group for group in waiting if np.isin(codes[groups == group], absent).any())
        chosen = next(useful)
        waiting.remove(chosen)
        kept |= groups == chosen
    while kept.sum() < n:
        kept |= groups == waiting.pop()
    return np.flatnonzero(kept)


def put_labels(labels: NDArray, rows: NDArray, n: int, missing_label: Any) -> NDArray:
    """Array of n rows with `labels` (of any further axes) in `rows`, and the marker in all others."""
    shape = (n, *labels.shape[1:])
    if not is_nothing(missing_label):
        output = np.full(shape, missing_label, dtype_with_marker(labels, missing_label))
    elif labels.dtype.kind == "f" or (labels.dtype.kind in "biu" and _floats(labels)):
        output = np.full(shape, np.nan, labels.dtype if labels.dtype.kind == "f" else np.float64)
    else:  # of numbers a last resort, as no metric of scikit-learn reads them
        output = np.full(shape, missing_label, object)
    output[rows] = labels
    return output


def _floats(labels: NDArray) -> bool:
    """Whether floats hold these integers."""
    return np.array_equal(labels.astype(np.float64).astype(labels.dtype), labels)


def dtype_with_marker(y: NDArray, missing_label: Any) -> np.dtype:
    """Dtype that holds both labels and marker."""
    fits = isinstance(missing_label, str) if y.dtype.kind in "US" else isinstance(missing_label, Real)
    return np.result_type(y, np.asarray(missing_label)) if fits else np.dtype(object)
