"""
Forecast a long series, with intervals
======================================

Twelve weeks of the hourly load of a plant, which is lower on days off. The days off are known ahead.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from sklearn_rnn import RNNForecaster
from sklearn_rnn.plotting import ForecastDisplay

random = np.random.default_rng(0)
hours = pd.date_range("2026-01-05", periods=24 * 7 * 12, freq="h")
day_off = np.asarray(hours.day_of_week >= 5, dtype=float)
noise = np.convolve(random.normal(size=len(hours) + 5), np.ones(6) / 3, mode="valid")
load = 50 + 12 * np.sin(2 * np.pi * (hours.hour - 8) / 24) * (1 - 0.7 * day_off) - 8 * day_off + noise
X = pd.DataFrame({"load": load, "day off": day_off}, index=hours)
train, test = X[: -24 * 14], X[-24 * 14 :]

forecaster = RNNForecaster(24, context=48, period=24, future=["day off"], conformal=True, random_state=0)
forecaster.fit(train)

# %%
# The score is minus the error over all origins in a series, divided by that of the seasonal naive forecast (the day
# before again).
print(f"{-forecaster.score(test):.2f} times the error of the day before")

# %%
# We forecast from Friday evening. The column `day off` is known ahead, so the net knows that Saturday is free.
friday = test.index[24 * 5 - 1]
known = test[test.index <= friday]
ahead = test[test.index > friday][:24]
display = ForecastDisplay.from_estimator(forecaster, known, truth=ahead, future=ahead[["day off"]])

# %%
# The share of new values inside their intervals, over origins six hours apart, should be near 80%.
origins = np.arange(48, len(test) - 24 + 1, 6)
inside = []
for origin in origins:
    lower, upper = forecaster.predict_interval(test[:origin], future=test[["day off"]][origin : origin + 24])[:, 0].T
    truth = test["load"].to_numpy()[origin : origin + 24]
    inside.append((lower <= truth) & (truth <= upper))
print(f"{100 * np.mean(inside):.0f}% of the values lie in their interval")

# %%
# ``TimeSeriesSplit`` cuts the rows of one series: each fold is scored on what follows the rows it learned from.
quick = RNNForecaster(24, context=48, period=24, future=["day off"], hidden_size=16, max_epochs=12, random_state=0)
scores = cross_val_score(quick, train, cv=TimeSeriesSplit(3))
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
ax.bar(["fold 1", "fold 2", "fold 3"], -scores, color="C0")
ax.axhline(1, color="#7f7f7f", linestyle="--")
ax.set_ylabel("error / that of the day before")
