"""
From a long table to sequences
==============================

Data often come as a long table: one row for each step, many rows for each patient or machine. Here forty machines are
switched on; the current rises and settles. Worn machines settle slowly. They are measured for 30 to 60 seconds, at
uneven times, and only ten of them have been inspected.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import from_long_frame, hide_labels
from sklearn_rnn.preprocessing import SequenceResampler

random = np.random.default_rng(0)
worn = np.arange(40) % 2
parts = []
for machine in range(40):
    at = np.sort(random.uniform(0, random.uniform(30, 60), size=random.integers(40, 80)))
    settling = random.normal(15 if worn[machine] else 5, 1)
    current = 5 + 4 * np.exp(-at / settling) + random.normal(0, 0.3, size=len(at))
    parts.append(pd.DataFrame({"machine": machine, "second": at, "current": current}))
table = pd.concat(parts).sample(frac=1, random_state=0)  # the rows may come in any order
print(table.head())

# %%
# ``from_long_frame`` makes one sequence of each machine, in the order of time. The steps are unevenly spaced, so
# ``time_delta=True`` adds the seconds since the step before as a feature.
X, machines = from_long_frame(table, sequence="machine", time="second", time_delta=True, return_ids=True)
truth = worn[machines]
print(len(X), "sequences; the first three:", [x.shape for x in X[:3]])

# %%
# Sequences of different lengths go into the classifier as they are. -1 marks a machine that was not inspected.
y = hide_labels(truth, 10, random_state=0)
clf = SemiSupervisedRNNClassifier(random_state=0).fit(X, y)
hidden = y == -1
print(f"{np.mean(clf.transduction_[hidden] == truth[hidden]):.0%} of the other machines are classified correctly")

# %%
# What the net read: the series themselves, and how their lengths differ.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for kind, name, style in ((0, "sound", "-"), (1, "worn", "--")):
    for i in np.flatnonzero(truth == kind)[:4]:
        seconds = np.cumsum(X[i][:, 1])
        left.plot(seconds, X[i][:, 0], style, color=f"C{kind}", alpha=0.8, label=name if i < 2 else None)
left.set(xlabel="time (s)", ylabel="current (A)")
left.legend()
right.hist([len(x) for x in X], color="0.5")
right.set(xlabel="steps in a sequence", ylabel="machines")

# %%
# A model that needs one length, such as those of scikit-learn, can have it too: resampled to 50 steps, in an array.
fixed = SequenceResampler(50).fit_transform(X)
print(np.shape(fixed))
