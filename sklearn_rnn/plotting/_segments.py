"""Plots of a series with the segments of its tags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inspection import Segment, find_segments
from ..sequences import is_frame
from ..tasks import as_array, is_same
from ._axes import axes_or_new

N_COLORS = 10  # of matplotlib's default colors; further tags have them again
MANY = 8  # features from which on lines have no names


class SegmentDisplay:
    """Plot of a series on its tags: each segment is a colored span; if they are known, true tags are a strip below.

    Make it with `from_estimator`.

    Parameters
    ----------
    series : array-like of shape (T,) or (T, F)
        Values.
    tags : array-like of shape (T,)
        A tag for each step.
    truth : array-like of shape (T,), default=None
        True tags; steps with `missing_label` are left white.
    classes : array-like of shape (n_classes,), default=None
        All tags, in the order of their colors; by default those that occur in `tags` or `truth`, sorted.
    missing_label : int, float, str, None or nan, default=-1
        Marks steps of `truth` without a tag.
    names : list of str, default=None
        Names of the features.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the plot.
    segments_ : list of Segment
        The segments that are drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from sklearn_rnn.plotting import SegmentDisplay
    >>> display = SegmentDisplay(np.sin(np.arange(8)), ["up"] * 3 + ["down"] * 5).plot()
    >>> display.segments_
    [Segment(start=0, stop=3, tag='up'), Segment(start=3, stop=8, tag='down')]
    """

    def __init__(
        self,
        series: Any,
        tags: Any,
        *,
        truth: Any = None,
        classes: Any = None,
        missing_label: Any = -1,
        names: Any = None,
    ):
        self.series = series
        self.tags = tags
        self.truth = truth
        self.classes = classes
        self.missing_label = missing_label
        self.names = names

    def plot(self, ax: Any = None) -> SegmentDisplay:
        """Draw the series and the segments.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        self : SegmentDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are not as many tags as steps, or if a tag is not in `classes`.
        """
        series, tags = np.asarray(self.series, dtype=np.float64), self.tags
        series = series[:, None] if series.ndim == 1 else series
        for name, given in (("tags", tags), ("truth", self.truth)):
            if given is not None and len(given) != len(series):
                raise ValueError(f"{name} has {len(given)} tags, but the series has {len(series)} steps.")
        self.segments_, truth = find_segments(tags), [] if self.truth is None else find_segments(self.truth)
        truth = [segment for segment in truth if not is_same(segment.tag, self.missing_label)]
        self._colors = _colors_of(self.classes, {segment.tag for segment in [*self.segments_, *truth]})
        ax = axes_or_new(ax, figsize=(9, 3.5))
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_spans(self.segments_, truth)
        self._draw_series(series)
        ax.set_xlabel("step")
        ax.set_xlim(0, max(1, len(series)))
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        return self

    def _draw_series(self, series: NDArray) -> None:
        few = series.shape[1] < MANY
        names = [f"feature {k}" for k in range(series.shape[1])] if self.names is None else list(self.names)
        for k, column in enumerate(series.T):
            label = names[k] if few and series.shape[1] > 1 else None
            gray = str(0.6 * k / max(1, series.shape[1] - 1))  # colors are those of tags
            self.ax_.plot(np.arange(len(column)) + 0.5, column, label=label, linewidth=1.2, color=gray)
        if self.truth is not None:
            low, high = self.ax_.get_ylim()
            self.ax_.set_ylim(low - 0.1 * (high - low), high)  # so that no line lies on the strip

    def _draw_spans(self, segments: list[Segment], truth: list[Segment]) -> None:
        """Draw the segments, and those of the true tags on a strip below; the first of each tag names it."""
        labels = {tag: str(tag) for tag in self._colors}
        of_tags = {"ymin": 0 if self.truth is None else 0.08, "alpha": 0.3}
        of_truth = {"ymax": 0.06, "alpha": 0.9}
        for drawn, options in ((segments, of_tags), (truth, of_truth)):
            for start, stop, tag in drawn:
                color, label = self._colors[tag], labels.pop(tag, None)
                self.ax_.axvspan(start, stop, color=color, linewidth=0, label=label, **options)
        if self.truth is not None:
            self.ax_.text(1.005, 0.03, "true", transform=self.ax_.transAxes, va="center", fontsize="small")

    @classmethod
    def from_estimator(cls, tagger: Any, X: Any, y: Any = None, *, names: Any = None, ax: Any = None) -> SegmentDisplay:
        """Tag one series, and draw it with its segments.

        Parameters
        ----------
        tagger : SemiSupervisedRNNTagger
            A fitted tagger.
        X : array-like of shape (T,) or (T, F)
            One series. The columns of a frame may have any order, if the tagger was fitted on frames.
        y : array-like of shape (T,), default=None
            True tags.
        names : list of str, default=None
            Names of the features; by default those of a frame's columns.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : SegmentDisplay
        """
        series = np.asarray(X)
        if series.ndim not in (1, 2) or series.dtype.kind not in "biuf":
            raise ValueError("X must be one series of numbers, of shape (T,) or (T, F). Draw several one by one.")
        tags = tagger.predict([X if is_frame(X) else series])[0]
        if is_frame(X):
            columns = list(getattr(X, "column_names", X.columns))
            fitted = list(getattr(tagger, "feature_names_in_", columns))
            series, names = series[:, [columns.index(name) for name in fitted]], fitted if names is None else names
        missing = getattr(tagger, "missing_label", -1)
        display = cls(series, tags, truth=y, classes=tagger.classes_, missing_label=missing, names=names)
        return display.plot(ax)


def _colors_of(classes: Any, tags: set[Any]) -> dict[Any, str]:
    """Return the color of each class, or of each tag that occurs if classes are not given."""
    if classes is None:
        classes = sorted(tags, key=lambda tag: (isinstance(tag, str), tag))
    colors = {tag: f"C{i % N_COLORS}" for i, tag in enumerate(as_array(classes).tolist())}
    if outside := [tag for tag in tags if tag not in colors]:
        raise ValueError(f"The tag {outside[0]!r} is not in classes={list(colors)}.")
    return colors
