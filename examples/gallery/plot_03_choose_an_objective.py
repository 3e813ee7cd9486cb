"""
Choose an objective
===================

An objective says how a net learns from unlabeled sequences. Which one is best depends on the data. A search over
a few of them compares them on the labeled rows.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels, make_two_patterns
from sklearn_rnn.model_selection import PartiallyLabeledSplit, compare_to_supervised
from sklearn_rnn.objectives import VAT, MeanTeacher

X, true = make_two_patterns(200, n_steps=64, random_state=0)
y = hide_labels(true, 40, random_state=0)
clf = SemiSupervisedRNNClassifier(hidden_size=16, n_kernels=0, max_epochs=6, random_state=0)
objectives = {"objective": ["supervised", "fixmatch", MeanTeacher(weight=4), VAT()]}
search = GridSearchCV(clf, objectives, cv=PartiallyLabeledSplit(2)).fit(X, y)

# %%
# With few labels the scores are uncertain: differences smaller than the bars say nothing.
results = search.cv_results_
names = [str(objective).partition("(")[0] for objective in results["param_objective"]]
figure, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
ax.errorbar(results["mean_test_score"], names, xerr=results["std_test_score"], fmt="o", capsize=4)
ax.invert_yaxis()
ax.set(xlabel="accuracy on labeled rows that were held out", xlim=(0, 1.02))
ax.grid(axis="x", alpha=0.3)

# %%
# ``compare_to_supervised`` says in one sentence whether the unlabeled rows helped.
print(compare_to_supervised(search.best_estimator_.set_params(objective="fixmatch"), X, y, cv=2))
