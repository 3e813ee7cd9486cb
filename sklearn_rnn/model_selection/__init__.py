"""Cross-validation on partially labeled data and on sequences of items."""

from ..tasks import label_error_rate
from ._budget import LabelBudget
from ._compare import SupervisedComparison, compare_to_supervised
from ._next_item import LeaveLastOut, leave_last_out, split_by_time
from ._predict import cross_val_predict
from ._ranking_scorer import make_ranking_scorer
from ._scorer import make_labeled_scorer
from ._split import PartiallyLabeledSplit
from ._unlabeled import WithUnlabeled

__all__ = [
    "LabelBudget",
    "LeaveLastOut",
    "PartiallyLabeledSplit",
    "SupervisedComparison",
    "WithUnlabeled",
    "compare_to_supervised",
    "cross_val_predict",
    "label_error_rate",
    "leave_last_out",
    "make_labeled_scorer",
    "make_ranking_scorer",
    "split_by_time",
]
