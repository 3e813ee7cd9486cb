"""One class for each sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import Tags
from sklearn.utils import ClassifierTags
from torch import Tensor

from ._base import Targets
from ._classes import ClassTask


class Classification(ClassTask):
    """The task of a classifier: outputs are logits (n, K), answers are probabilities (n, K).

    Parameters
    ----------
    missing_label : int, float, str, None or nan
        Marks the unlabeled rows of y.
    class_weight : dict, "balanced" or None
        Weights of the classes in the loss of labeled rows.
    estimator : str
        Name of the estimator, for messages.
    """

    name = "classification"

    def read(self, y: Any, n: Any, last: Any = None, sample_weight: Any = None) -> Targets:
        """Learn the classes, and return class numbers; with a `last` task, the classes must be the same."""
        labels = self.read_classes(y, last)
        return Targets(labels.numbers, labels.labeled)

    def exported(self, answers: Tensor) -> dict[str, Tensor]:
        """Return the `"probabilities"` (n, K), and the class numbers (n,) as `"labels"`."""
        return {"probabilities": answers, "labels": answers.argmax(1)}

    def strata(self, targets: NDArray) -> NDArray[np.int64]:
        """Return the class numbers."""
        return targets

    def tags(self, tags: Tags) -> Tags:
        """Return the tags of a classifier."""
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags
