"""
Predict numbers, with a range
=============================

The frequency of noisy sines, known for 60 of 400. ``loss="quantile"`` gives a range for each prediction.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import SemiSupervisedRNNRegressor

random = np.random.default_rng(0)
frequency = random.uniform(1, 4, 400)
steps = np.linspace(0, 1, 40)
X = np.sin(2 * np.pi * (frequency[:, None] * steps + random.uniform(size=(400, 1)))) + random.normal(0, 0.3, (400, 40))
y = np.where(np.arange(400) < 60, frequency, np.nan)  # NaN: unknown

reg = SemiSupervisedRNNRegressor(loss="quantile", quantiles=(0.1, 0.5, 0.9), hidden_size=32, random_state=0)
reg.fit(X[:300], y[:300])
low, middle, high = reg.predict_quantiles(X[300:]).T
print(f"{np.mean((frequency[300:] > low) & (frequency[300:] < high)):.2f} of the test rows lie in their range of 80%")

# %%
# Here the ranges are wider than they should be: check them on rows that were held out, as above.
figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ax.errorbar(frequency[300:], middle, [np.maximum(middle - low, 0), np.maximum(high - middle, 0)], fmt="o", alpha=0.6)
ax.plot([1, 4], [1, 4], color="#7f7f7f", linestyle="--")
ax.set(xlabel="true frequency", ylabel="predicted: median, and 10% to 90%")
