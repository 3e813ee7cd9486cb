"""
Several inputs: series, rare values, age and sex
================================================

The class of these invented patients depends on the trend of the pulse and on the sex together: a rising pulse is a bad
sign in one sex, and a good one in the other. No column alone shows it. Some rows have no laboratory values.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.inspection import integrated_gradients

rng = np.random.default_rng(0)
n = 400
sex, trend = rng.choice(["f", "m"], n), rng.choice([-1, 1], n)
y = ((sex == "f") == (trend > 0)).astype(int)
pulse = [70 + 6 * trend[i] * np.linspace(-1, 1, 20 + i % 9) + rng.normal(0, 2, 20 + i % 9) for i in range(n)]
lab = [rng.normal(size=(2 + i % 3, 3)) if i % 4 else None for i in range(n)]
X = pd.DataFrame({"pulse": pulse, "lab": lab, "age": rng.normal(60, 10, n), "sex": sex})
few = np.where(np.arange(300) < 160, y[:300], -1)

# %%
# Each column of sequences is an input with an encoder of its own; age and sex are the input "static".
clf = SemiSupervisedRNNClassifier("supervised", hidden_size=16, n_kernels=16, max_epochs=8, random_state=0)
clf.fit(X[:300], few)
print(clf.inputs_)
print(f"accuracy on new patients: {clf.score(X[300:], y[300:]):.2f}")

# %%
# Without the sex, the pulse says nothing:
alone = clone(clf).fit(X[["pulse", "lab", "age"]][:300], few)
print(f"without the sex: {alone.score(X[['pulse', 'lab', 'age']][300:], y[300:]):.2f}")

# %%
# Attributions say which input, and which steps, a prediction is based on. Those of the steps of an input add up to its
# part in the log-odds. The laboratory values are noise, but with few labels the net has learned some of it by chance.
attributions = integrated_gradients(clf, X[300:], target=1, n_points=16)
sizes = {name: np.mean([np.abs(np.sum(x)) for x in of_rows]) for name, of_rows in attributions.items()}
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.barh(list(sizes), list(sizes.values()))
ax.set(xlabel="mean size of the attribution of a row, log-odds", title="what the predictions are based on")
ax.invert_yaxis()
plt.show()
