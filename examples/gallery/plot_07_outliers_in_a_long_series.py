"""
Find the anomaly in a long series
=================================

A long series is cut into windows. The detector learns from the first part, which is normal, and says for each window
whether it is an outlier. Joined, the windows' decisions give a verdict for each step.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import KFold

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
from sklearn_rnn.preprocessing import cut_windows, join_windows

random = np.random.default_rng(0)
series = np.sin(np.arange(300) / 3) + random.normal(0, 0.1, 300)
series[220:250] = random.normal(0, 1, 30)  # the anomaly

# %%
# Windows overlap, so folds must not be shuffled.
autoencoder = RNNAutoencoderTransformer(hidden_size=16, lr=0.03, max_epochs=4, random_state=0)
detector = RNNOutlierDetector(autoencoder, cv=KFold(3)).fit(cut_windows(series[:150], 20, stride=1))
windows = cut_windows(series, 20, stride=1)
decisions = detector.decision_function(windows)  # below 0: outlier
by_step = join_windows(np.repeat(decisions[:, None], 20, axis=1), 300, stride=1)
errors = -join_windows(detector.score_steps(windows), 300, stride=1)

# %%
figure, (above, below) = plt.subplots(2, figsize=(8, 4), sharex=True, layout="constrained")
above.plot(series, color="#1f77b4", linewidth=1)
above.fill_between(np.arange(300), -3, 3, where=by_step < 0, color="#d95f02", alpha=0.3, label="called an outlier")
above.set(ylabel="value", ylim=(-3, 3))
above.axvline(150, color="#7f7f7f", linestyle=":", label="end of the part for fit")
above.legend(loc="upper left")
below.plot(errors, color="#7f7f7f")
below.set(xlabel="step", ylabel="error of the step")
