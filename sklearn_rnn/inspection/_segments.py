"""Segments: runs of steps with the same tag."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._sklearn import COUNT, validate_params


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
        A tag for each step of one sequence, as `SemiSupervisedRNNTagger.predict` returns them for each.
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
    array = np.asarray(tags)
    if array.ndim != 1:
        raise ValueError(
            f"tags must be those of one sequence, of shape (T,), got {array.ndim} dimensions. Call find_segments for "
            "each: [find_segments(row) for row in tags]."
        )
    segments = _runs(array)
    while len(segments) > 1 and min(segment.stop - segment.start for segment in segments) < min_length:
        segments = _joined(segments)
    return [segment for segment in segments if ignore is None or segment.tag != ignore]


def _runs(tags: NDArray) -> list[Segment]:
    if not len(tags):
        return []
    starts = np.flatnonzero(np.concatenate([[True], tags[1:] != tags[:-1]]))
    stops = np.append(starts[1:], len(tags))
    return [Segment(*run) for run in zip(starts.tolist(), stops.tolist(), tags[starts].tolist(), strict=True)]


def _joined(segments: list[Segment]) -> list[Segment]:
    """Give the shortest segment the tag of its longer neighbour, and join segments of one tag."""
    lengths = [segment.stop - segment.start for segment in segments]
    i = lengths.index(min(lengths))
    beside = [k for k in (i - 1, i + 1) if 0 <= k < len(segments)]
    tag = segments[max(beside, key=lengths.__getitem__)].tag
    joined: list[Segment] = []
    for k, segment in enumerate(segments):
        segment = segment._replace(tag=tag) if k == i else segment
        if joined and joined[-1].tag == segment.tag:
            joined[-1] = joined[-1]._replace(stop=segment.stop)
        else:
            joined.append(segment)
    return joined
