"""What transformers of sequences answer to `set_output`."""

from __future__ import annotations

from typing import Any


class SequenceOutputMixin:
    """Mixin of transformers whose output is sequences, which cannot be the columns of a frame."""

    def set_output(self, *, transform: Any = None) -> Any:
        """Do nothing, so that a Pipeline can set the output of its other steps.

        Sequences stay arrays or lists; those of a pandas Series come back as a Series with the same index.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : estimator
        """
        return self
