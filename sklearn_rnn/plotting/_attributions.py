"""Plots of attributions: tokens or steps with a coloured background."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from .._extras import extra
from ..inspection import integrated_gradients

COLORS = "RdBu"  # red lowers the score of the class, blue raises it
CHARACTER, LINE = 0.602, 1.6  # width of a monospaced character and height of a line, in font sizes
FONT_SIZE = 9


class TokenAttributionDisplay:
    """Plot of documents whose tokens are coloured by their attributions to a class: blue for it, red against it.

    Make it with `from_estimator`.

    Parameters
    ----------
    tokens : sequence of sequence of str
        Tokens of each document.
    attributions : sequence of array-like of shape (T_i,)
        Attribution of each token.
    titles : sequence of str, default=None
        Title above each document.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the plot.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_rnn.plotting import TokenAttributionDisplay
    >>> display = TokenAttributionDisplay([["not", "bad"]], [[2.0, -1.0]], titles=["good: 0.80"]).plot()
    >>> [text.get_text() for text in display.ax_.texts]
    ['good: 0.80', 'not', 'bad']
    """

    def __init__(
        self, tokens: Sequence[Sequence[str]], attributions: Sequence[Any], *, titles: Sequence[str] | None = None
    ):
        self.tokens = tokens
        self.attributions = attributions
        self.titles = titles

    def plot(self, ax: Any = None, *, width: int = 90) -> TokenAttributionDisplay:
        """Draw the documents one below the other; the colours are scaled to the largest attribution of each document.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default a new figure of the height that is needed.
        width : int, default=90
            Number of characters in a line.

        Returns
        -------
        self : TokenAttributionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = extra("matplotlib.pyplot", "plot")
        titles = [None] * len(self.tokens) if self.titles is None else self.titles
        placed, line = [], 0
        for tokens, attributions, title in zip(self.tokens, self.attributions, titles, strict=True):
            if title is not None:
                placed.append((title, 0, line, None))
                line += 1
            colors = plt.get_cmap(COLORS)(_between_0_and_1(np.asarray(attributions)))
            for (token, column, row), color in zip(_lines(tokens, width), colors, strict=True):
                placed.append((token, column, line + row, color))
            line = placed[-1][2] + 2
        if ax is None:
            inches = (width + 1) * CHARACTER * FONT_SIZE / 72, (line - 1) * LINE * FONT_SIZE / 72
            figure = plt.figure(figsize=inches)
            ax = figure.add_axes((0, 0, 1, 1))
        self.ax_, self.figure_ = ax, ax.figure
        ax.set_axis_off()
        ax.set_xlim(-0.5, width + 0.5)
        ax.set_ylim(line - 1, 0)
        box = ax.get_window_extent()
        size = 72 / self.figure_.dpi * min(box.width / ((width + 1) * CHARACTER), box.height / ((line - 1) * LINE))
        for token, column, row, color in placed:
            self._write(token, column, row, color, size)
        return self

    def _write(self, token: str, column: int, row: int, color: Any, size: float) -> None:
        style = {"family": "monospace", "size": size, "va": "center", "parse_math": False, "clip_on": True}
        if color is None:
            self.ax_.text(column, row + 0.5, token, weight="bold", **style)
            return
        self.ax_.add_patch(_rectangle(column, row, len(token), color))
        dark = np.dot(color[:3], (0.3, 0.6, 0.1)) < 0.5
        self.ax_.text(column, row + 0.5, token, color="white" if dark else "black", **style)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Sequence[str], *, target: Any = None, ax: Any = None, width: int = 90
    ) -> TokenAttributionDisplay:
        """Explain documents by integrated gradients, and draw them.

        Parameters
        ----------
        estimator : Pipeline
            A fitted pipeline of a `TokenSequenceVectorizer` and a `SemiSupervisedRNNClassifier`.
        X : sequence of n str
            Documents.
        target : label or array-like of shape (n,), default=None
            Class whose score is explained; by default the predicted class of each document.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.
        width : int, default=90
            Number of characters in a line.

        Returns
        -------
        display : TokenAttributionDisplay

        Raises
        ------
        TypeError
            If `estimator` is not a pipeline.
        """
        if not isinstance(estimator, Pipeline):
            raise TypeError(
                "TokenAttributionDisplay needs a Pipeline of a TokenSequenceVectorizer and a "
                f"SemiSupervisedRNNClassifier, got {type(estimator).__name__}."
            )
        vectorizer, classifier = estimator[:-1], estimator[-1]
        ids = vectorizer.transform(X)
        attributions = integrated_gradients(classifier, ids, target=target)
        titles = _titles(classifier, ids, target)
        documents = zip(vectorizer.inverse_transform(ids), attributions, strict=True)
        tokens = [names[: len(values)] for names, values in documents]  # without those beyond max_length
        return cls(tokens, attributions, titles=titles).plot(ax, width=width)


class SeriesAttributionDisplay:
    """Plot of a sequence on a background coloured by the attributions to a class: blue for it, red against it.

    Make it with `from_estimator`.

    Parameters
    ----------
    sequence : array-like of shape (T,) or (T, F)
        Values.
    attributions : array-like of the same shape
        Attribution of each value.
    title : str, default=None
        Title above the plot.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each feature.
    figure_ : matplotlib Figure
        The figure of the plot.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from sklearn_rnn.plotting import SeriesAttributionDisplay
    >>> x = np.random.default_rng(0).normal(size=(30, 2))
    >>> len(SeriesAttributionDisplay(x, x).plot().axes_)
    2
    """

    def __init__(self, sequence: Any, attributions: Any, *, title: str | None = None):
        self.sequence = sequence
        self.attributions = attributions
        self.title = title

    def plot(self, axes: Any = None) -> SeriesAttributionDisplay:
        """Draw each feature in a panel; the colours of all panels are scaled to the largest attribution.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes for each feature; a new figure by default.

        Returns
        -------
        self : SeriesAttributionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        values = np.asarray(self.sequence).reshape(len(self.sequence), -1)  # (T, F)
        attributions = np.asarray(self.attributions).reshape(values.shape)
        if axes is None:
            plt = extra("matplotlib.pyplot", "plot")
            size = (7, 0.8 + 1.4 * values.shape[1])
            axes = plt.subplots(values.shape[1], sharex=True, squeeze=False, figsize=size, layout="constrained")[1][
                :, 0
            ]
        self.axes_, self.figure_ = list(axes), axes[0].figure
        limit = np.abs(attributions).max() or 1.0
        for ax, line, background in zip(self.axes_, values.T, attributions.T, strict=True):
            ax.plot(line, color="black", linewidth=1.2)
            extent = (-0.5, len(line) - 0.5, *ax.get_ylim())
            image = ax.imshow(
                background[None], extent=extent, aspect="auto", cmap=COLORS, vmin=-limit, vmax=limit, alpha=0.8
            )
        self.axes_[-1].set_xlabel("step")
        self.axes_[0].set_title(self.title or "", fontsize=10)
        self.figure_.colorbar(image, ax=self.axes_, label="log-odds")
        return self

    @classmethod
    def from_estimator(
        cls, estimator: Any, x: Any, *, target: Any = None, axes: Any = None
    ) -> SeriesAttributionDisplay:
        """Explain one sequence by integrated gradients, and draw it as the classifier reads it.

        Parameters
        ----------
        estimator : SemiSupervisedRNNClassifier or Pipeline that ends with one
            A fitted estimator.
        x : array-like of shape (T,) or (T, F)
            A sequence.
        target : label, default=None
            Class whose score is explained; by default the predicted class.
        axes : sequence of matplotlib Axes, default=None
            Axes for each feature; a new figure by default.

        Returns
        -------
        display : SeriesAttributionDisplay
        """
        x = np.asarray(x)
        if x.ndim == 1 and estimator.n_features_in_ == 1:  # fitted on (T_i,) arrays, not on rows of a table
            x = x[:, None]
        X = x[None]
        if isinstance(estimator, Pipeline):
            X, estimator = estimator[:-1].transform(X), estimator[-1]
        (attributions,) = integrated_gradients(estimator, X, target=target)
        values = np.asarray(X[0])[: len(attributions)]
        return cls(values, attributions, title=_titles(estimator, X, target)[0]).plot(axes)


def _titles(classifier: Any, X: Any, target: Any) -> list[str]:
    """Return the explained class of each sequence and its probability, as text."""
    probabilities = classifier.predict_proba(X)
    labels = classifier.classes_[probabilities.argmax(1)] if target is None else np.broadcast_to(target, len(X))
    chosen = probabilities[np.arange(len(X)), np.searchsorted(classifier.classes_, labels)]
    return [f"{label}: {p:.2f}" for label, p in zip(labels, chosen, strict=True)]


def _between_0_and_1(attributions: NDArray) -> NDArray:
    return 0.5 + attributions / (2 * (np.abs(attributions).max() or 1.0))


def _lines(tokens: Sequence[str], width: int) -> Iterator[tuple[str, int, int]]:
    """Yield each token with its column and row, broken into lines."""
    column = row = 0
    for token in tokens:
        if column and column + len(token) > width:
            column, row = 0, row + 1
        yield token, column, row
        column += len(token) + 1


def _rectangle(column: int, row: int, width: int, color: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.25, row + 0.05), width + 0.5, 0.9, color=color, linewidth=0)
