"""
Watch a net learn
=================

``history_`` has the numbers of each epoch: the loss terms, and what the unlabeled rows are predicted to be.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels

X, true = load_digits(n_class=5, return_X_y=True)
X = X.reshape(-1, 8, 8)
y = hide_labels(true, 25, random_state=0)
clf = SemiSupervisedRNNClassifier(hidden_size=16, max_epochs=12, random_state=0).fit(X, y)
print(list(clf.history_[-1]))

# %%
# ``matching`` is the unlabeled term of FixMatch. It starts at zero, because no prediction is confident at first.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharex=True, layout="constrained")
epochs = range(1, len(clf.history_) + 1)
for name, style in {"supervised": "-", "matching": "--"}.items():
    left.plot(epochs, [epoch[name] for epoch in clf.history_], style, label=name)
for name, style in {"confident": "-", "class_entropy": "--"}.items():
    right.plot(epochs, [epoch[name] for epoch in clf.history_], style, label=name)
left.set(xlabel="epoch", ylabel="loss")
right.set(xlabel="epoch", ylabel="fraction of unlabeled rows; entropy")
left.legend()
right.legend()
