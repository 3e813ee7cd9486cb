"""Segments: runs of steps with the same tag."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._sklearn import COUNT, validate_params
from ..tasks import as_array, find_nothing, is_same


class Segment(NamedTuple):
    """A run of steps with the same tag.

    Attributes
    ----------
    start, stop : int
        The first step, and the step after the last, so that ``x[start:stop]`` are its steps.
    tag : object
        The tag of its steps.
    """

    start: int
    stop: int
    tag: Any


@validate_params({"tags": ["array-like"], "min_length": COUNT}, prefer_skip_nested_validation=True)
def find_segments(tags: Any, *, min_length: int = 1, ignore: Any = None) -> list[Segment]:
    """Find the segments of a sequence: runs of steps with the same tag.

    Parameters
    ----------
    tags : array-like of shape (T,)
        A tag for each step of one sequence, as `SemiSupervisedRNNTagger.predict` returns them for each. A run of NaN
        or None is a segment too.
    min_length : int, default=1
        Shorter segments are joined to the longer of their neighbours, the shortest first, whose tag they get.
    ignore : object, default=None
        A tag whose segments are left out, such as that of normal steps.

    Returns
    -------
    segments : list of Segment
        Named tuples ``(start, stop, tag)``, in order.

    Raises
    ------
    ValueError
        If `tags` is not one sequence.

    Examples
    --------
    >>> from sklearn_rnn.inspection import find_segments
    >>> find_segments(["walk", "walk", "run", "walk"])
    [Segment(start=0, stop=2, tag='walk'), Segment(start=2, stop=3, tag='run'), Segment(start=3, stop=4, tag='walk')]
    >>> find_segments([0, 0, 1, 1, 1, 0, 1, 1], min_length=2, ignore=0)
    [Segment(start=2, stop=8, tag=1)]
    """
    array = _one_sequence(tags)
    segments = _without_short(_runs(array), min_length)
    return [segment for segment in segments if ignore is None or not is_same(segment.tag, ignore)]


def _one_sequence(tags: Any) -> NDArray:
    """Return the tags of one sequence as an array; in one of objects, None stands for NaN."""
    try:
        array = as_array(tags)
    except ValueError:  # lists of several lengths
        array = np.empty((0, 0))
    if array.ndim != 1 or (array.dtype == object and any(isinstance(tag, list | tuple | np.ndarray) for tag in array)):
        raise ValueError(
            "tags must be those of one sequence, of shape (T,), but each has tags of its own. Call find_segments for "
            "each sequence: [find_segments(row) for row in tags]."
        )
    if array.dtype == object:
        array = array.copy()
        array[find_nothing(array)] = None
    return array


def _runs(tags: NDArray) -> list[Segment]:
    if not len(tags):
        return []
    nothing = find_nothing(tags)
    same = (tags[1:] == tags[:-1]) | (nothing[1:] & nothing[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~same.astype(bool)]))
    stops = np.append(starts[1:], len(tags))
    return [Segment(*run) for run in zip(starts.tolist(), stops.tolist(), tags[starts].tolist(), strict=True)]


def _without_short(segments: list[Segment], min_length: int) -> list[Segment]:
    """Give the shortest segment the tag of its longer neighbour, and join segments of one tag, until none is short."""
    chain = _Chain(segments)
    short = [(chain.length(i), i) for i in chain.segments if chain.length(i) < min_length]
    heapify(short)  # the shortest is on top, and of several the first
    while short and len(chain.segments) > 1:
        length, i = heappop(short)
        if length != chain.length(i):  # it has been joined to another since
            continue
        i = chain.relabel(i)
        if chain.length(i) < min_length:
            heappush(short, (chain.length(i), i))
    return [chain.segments[i] for i in sorted(chain.segments)]


class _Chain:
    """Segments by their number, and the numbers of the neighbours of each: a linked list."""

    def __init__(self, segments: list[Segment]):
        self.segments = dict(enumerate(segments))
        self.before = list(range(-1, len(segments) - 1))
        self.after = list(range(1, len(segments) + 1))

    def length(self, i: int) -> int:
        """Return the number of steps of a segment; 0 if there is none."""
        return self.segments[i].stop - self.segments[i].start if i in self.segments else 0

    def relabel(self, i: int) -> int:
        """Give a segment the tag of its longer neighbour, join both, and return the number of the joined segment."""
        longer = max(self.before[i], self.after[i], key=self.length)
        self.segments[i] = self.segments[i]._replace(tag=self.segments[longer].tag)
        if self._joins(self.before[i], i):
            i = self.before[i]
        self._joins(i, self.after[i])
        return i

    def _joins(self, i: int, k: int) -> bool:
        """Join a segment to the one before, if both have one tag; return whether they have."""
        if i not in self.segments or k not in self.segments or not is_same(self.segments[i].tag, self.segments[k].tag):
            return False
        self.segments[i] = self.segments[i]._replace(stop=self.segments.pop(k).stop)
        self.after[i] = self.after[k]
        if self.after[i] in self.segments:
            self.before[self.after[i]] = i
        return True
