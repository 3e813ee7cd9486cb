"""
How many labels are enough?
===========================

``LabelEfficiencyDisplay`` hides labels, and draws the score against the number of labels that stay.
"""

# %%
from sklearn.datasets import load_digits

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.plotting import LabelEfficiencyDisplay

X, y = load_digits(n_class=5, return_X_y=True)
X = X.reshape(-1, 8, 8)[:500]

small = {"hidden_size": 16, "max_epochs": 6, "random_state": 0}
methods = {
    "labeled rows": SemiSupervisedRNNClassifier("supervised", **small),
    "all rows": SemiSupervisedRNNClassifier("fixmatch", **small),
}
display = LabelEfficiencyDisplay.from_estimators(methods, X, y[:500], n_labeled=[10, 20, 50], cv=2)

# %%
# The unlabeled rows help most where labels are few. ``display.scores`` has a score for each budget and draw.
for name, scores in display.scores.items():
    print(name, scores.mean(axis=1).round(2))
