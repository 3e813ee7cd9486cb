"""Cross-validation of any semi-supervised estimator on partially labeled data."""

from ._budget import LabelBudget
from ._compare import SupervisedComparison, compare_to_supervised
from ._predict import cross_val_predict
from ._scorer import make_labeled_scorer
from ._split import PartiallyLabeledSplit
from ._unlabeled import WithUnlabeled

__all__ = [
    "LabelBudget",
    "PartiallyLabeledSplit",
    "SupervisedComparison",
    "WithUnlabeled",
    "compare_to_supervised",
    "cross_val_predict",
    "make_labeled_scorer",
]
