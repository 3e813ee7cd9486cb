"""Plots of embeddings in two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from .._sklearn import MARKER, validate_parameter_constraints
from ..tasks import read_target
from ._axes import axes_or_new

UNLABELED = "0.8"  # light grey
GREY = 7  # of matplotlib's ten colours; too similar to that of unlabeled rows


class CodesDisplay:
    """Plot of embeddings (codes) of sequences, in the plane of their first two principal components.

    Make it with `from_estimator`, or from embeddings.

    Parameters
    ----------
    codes : array-like of shape (n, n_codes)
        Embeddings; those of two dimensions are drawn without a projection.
    y : array-like of shape (n,), default=None
        Labels, for the colours.
    missing_label : int, float, str, None or nan, default=-1
        Marks the unlabeled rows of y, which are grey.

    Attributes
    ----------
    points_ : ndarray of shape (n, 2)
        The points of the plot.
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the plot.

    Raises
    ------
    ValueError
        If embeddings have only one dimension, or y has another length than the embeddings.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_rnn import RNNAutoencoderTransformer
    >>> from sklearn_rnn.datasets import make_sines
    >>> from sklearn_rnn.plotting import CodesDisplay
    >>> X, y = make_sines(60, n_steps=12, random_state=0)
    >>> autoencoder = RNNAutoencoderTransformer(hidden_size=8, max_epochs=1, random_state=0).fit(X)
    >>> CodesDisplay.from_estimator(autoencoder, X, y).points_.shape
    (60, 2)
    """

    def __init__(self, codes: Any, y: Any = None, *, missing_label: Any = -1):
        self.codes = codes
        self.y = y
        self.missing_label = missing_label

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, missing_label: Any = -1, ax: Any = None
    ) -> CodesDisplay:
        """Encode sequences, and draw their embeddings.

        Parameters
        ----------
        estimator : estimator with `transform`
            A fitted estimator of this package, or a pipeline.
        X : array-like or list of arrays, of n samples
            Sequences.
        y : array-like of shape (n,), default=None
            Labels, for the colours.
        missing_label : int, float, str, None or nan, default=-1
            Marks the unlabeled rows of y, which are grey.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : CodesDisplay
        """
        return cls(estimator.transform(X), y, missing_label=missing_label).plot(ax)

    def plot(self, ax: Any = None) -> CodesDisplay:
        """Draw the embeddings.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        self : CodesDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_or_new(ax)
        self.ax_, self.figure_ = ax, ax.figure
        embeddings = check_array(self.codes, ensure_min_features=2, ensure_min_samples=2, input_name="codes")
        flat = embeddings.shape[1] == 2
        self.points_ = embeddings if flat else PCA(2, svd_solver="full").fit_transform(embeddings)
        for label, rows, colour in self._groups(len(embeddings)):
            ax.scatter(*self.points_[rows].T, s=9, color=colour, alpha=0.7, linewidths=0, label=label)
        names = ("first", "second") if flat else ("first component", "second component")
        ax.set(xlabel=names[0], ylabel=names[1], xticks=[], yticks=[])
        ax.spines[["top", "right"]].set_visible(False)
        if self.y is not None:
            ax.legend(frameon=False, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
        return self

    def _groups(self, n: int) -> list[tuple[str | None, NDArray, Any]]:
        """Return name, rows and colour of each class, and before them those of the unlabeled rows."""
        from matplotlib import colormaps

        if self.y is None:
            return [(None, np.arange(n), colormaps["tab10"](0))]
        name = type(self).__name__
        validate_parameter_constraints({"missing_label": MARKER}, {"missing_label": self.missing_label}, name)
        target = read_target(self.y, self.missing_label, name, needs_label=False)
        check_consistent_length(self.codes, target.values)
        missing, known = target.missing, target.labeled
        classes, numbers = np.unique(target.known, return_inverse=True)
        colours = [colormaps["tab10"](k) if k != GREY else "black" for k in range(10)]
        if len(classes) > len(colours):
            colours = list(colormaps["turbo"](np.linspace(0, 1, len(classes))))
        groups = [("unlabeled", np.flatnonzero(missing), UNLABELED)] if missing.any() else []
        return groups + [(str(c), known[numbers == k], colours[k]) for k, c in enumerate(classes)]
