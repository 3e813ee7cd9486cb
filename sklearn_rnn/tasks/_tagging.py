"""One class for each step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..modules import linear
from ..sequences import any_of_row
from ._base import Targets
from ._classes import ClassTask
from ._step_labels import flat_labels


class Tagging(ClassTask):
    """The task of a tagger: outputs are logits (m, K) of the m steps of all rows, answers are their probabilities.

    The head answers for all steps of a patch at once.

    Parameters
    ----------
    missing_label : int, float, str, None or nan
        Marks the unlabeled steps of y, and in the place of an array unlabeled rows.
    class_weight : dict, "balanced" or None
        Weights of the classes in the loss of labeled steps.
    estimator : str
        Name of the estimator, for messages.
    """

    name = "tagging"
    by_step = True

    def read(self, y: Any, n: Any, last: Any = None, sample_weight: Any = None) -> Targets:
        """Learn the classes, and return the class numbers of all steps; `n` is the lengths of the sequences."""
        if y is None:
            raise ValueError(f"This {self.estimator} estimator requires y to be passed, but the target y is None.")
        numbers = self.read_classes(flat_labels(y, n, self.missing_label, self.estimator), last).numbers
        return Targets(numbers, np.flatnonzero(any_of_row(numbers >= 0, n)), lengths=n)

    def head(self, encoder: Any) -> nn.Module:
        """Return the linear layer from a state to the logits of the steps of its patch, blank."""
        return linear(encoder.recurrence.out_features, encoder.architecture.patch_size * self.n_outputs)

    def strata(self, targets: NDArray) -> NDArray[np.int64]:
        """Return one stratum: sequences have no class."""
        return np.zeros(len(targets), dtype=np.int64)
