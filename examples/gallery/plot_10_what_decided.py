"""
Which steps decided?
====================

``SeriesAttributionDisplay`` draws a series, and how much each value contributed to the log-odds of the predicted class.
"""

# %%
import numpy as np

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.inspection import integrated_gradients
from sklearn_rnn.plotting import SeriesAttributionDisplay

random = np.random.default_rng(0)
y = np.arange(200) % 2
X = random.normal(0, 0.3, size=(200, 40, 2))
X[y == 1, 20:26, 0] += 1.5  # class 1 has a bump in the first feature, at steps 20 to 25
few = np.where(np.arange(200) < 30, y, -1)
clf = SemiSupervisedRNNClassifier(hidden_size=16, max_epochs=6, random_state=0).fit(X, few)

SeriesAttributionDisplay.from_estimator(clf, X[1])

# %%
# The numbers behind it. They add up to the difference from the log-odds of a sequence that says nothing.
attributions = integrated_gradients(clf, X[1:2])[0]  # (40, 2)
print(attributions[:, 0].argsort()[-6:])  # the steps of the bump
