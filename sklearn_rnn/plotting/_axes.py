"""The axes of a plot."""

from __future__ import annotations

from typing import Any

from .._extras import extra


def axes_or_new(ax: Any, **options: Any) -> Any:
    """Return the axes, or those of a new figure; `options` are arguments of `matplotlib.pyplot.subplots`.

    Raises
    ------
    ImportError
        If there are no axes, and matplotlib is not installed.
    """
    return extra("matplotlib.pyplot", "plot").subplots(layout="constrained", **options)[1] if ax is None else ax
