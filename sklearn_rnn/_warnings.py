"""Warnings that point at the user's line."""

from __future__ import annotations

import sys
import warnings

BETWEEN = {"sklearn_rnn", "sklearn", "skorch", "contextlib"}  # packages whose frames are skipped


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user: the first frame outside this package and the packages that call it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
