"""Cross-validation of any semi-supervised estimator on partially labeled data."""

from ._predict import cross_val_predict
from ._scorer import make_labeled_scorer
from ._split import PartiallyLabeledSplit

__all__ = ["PartiallyLabeledSplit", "cross_val_predict", "make_labeled_scorer"]
