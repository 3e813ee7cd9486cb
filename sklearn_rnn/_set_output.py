"""The method `set_output` of transformers of sequences."""

from __future__ import annotations

from typing import Any


class SequenceOutputMixin:
    """Mixin of transformers that return sequences, which cannot be the columns of a frame."""

    def set_output(self, *, transform: Any = None) -> Any:
        """Do nothing, so that a Pipeline can set the output of its other steps.

        Sequences are returned as arrays or lists; for a pandas Series, as a Series with the same index.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : estimator
        """
        return self
