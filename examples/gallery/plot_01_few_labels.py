"""
Classify with few labels
========================

Digits, read row by row, are sequences of 8 steps. Of 1,000 training sequences 50 have a label. We compare logistic
regression, a net that learns from the labeled sequences, and one that learns from all of them.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels

digits = load_digits()
X, X_test, true, y_test = digits.images[:1000], digits.images[1400:], digits.target[:1000], digits.target[1400:]
y = hide_labels(true, 50, random_state=0)  # -1 marks unlabeled rows

# %%
# The nets have fewer units than the default, to be quick.
scores = {}
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
linear.fit(X[y >= 0].reshape(50, -1), y[y >= 0])
scores["logistic regression"] = linear.score(X_test.reshape(len(X_test), -1), y_test)
for name, objective in {"net, labeled rows": "supervised", "net, all rows": "fixmatch"}.items():
    clf = SemiSupervisedRNNClassifier(objective, hidden_size=32, max_epochs=16, random_state=0).fit(X, y)
    scores[name] = clf.score(X_test, y_test)

# %%
figure, ax = plt.subplots(figsize=(7, 2.2), layout="constrained")
bars = ax.barh(list(scores), list(scores.values()), color=["#bbbbbb", "#7f7f7f", "#1f77b4"])
ax.bar_label(bars, fmt="%.2f", padding=3)
ax.invert_yaxis()
ax.set(xlabel="test accuracy", xlim=(0, 1))

# %%
# ``transduction_`` has the labels of the training rows, known or predicted.
unlabeled = y == -1
print(f"{np.mean(clf.transduction_[unlabeled] == true[unlabeled]):.3f} of the unlabeled training rows are right")
