"""
Find unusual sequences
======================

Sequences of different lengths; a few are noise. ``contamination`` says how many outliers to expect.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
from sklearn_rnn.datasets import make_sines

X, _ = make_sines(120, n_steps=24, n_classes=1, noise=0.1, ragged=True, random_state=0)  # a list of arrays
random = np.random.default_rng(0)
for i in range(4):
    X[i] = random.normal(size=X[i].shape)

autoencoder = RNNAutoencoderTransformer(hidden_size=16, lr=0.03, max_epochs=4, random_state=0)
detector = RNNOutlierDetector(autoencoder, contamination=4 / 120, cv=3)
outliers = np.flatnonzero(detector.fit_predict(X) == -1)
print(outliers)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
axes[0].hist(detector.score_samples(X), bins=30, color="#7f7f7f")
axes[0].axvline(detector.offset_, color="#d95f02", linestyle="--", label="threshold")
axes[0].set(xlabel="score (low: unusual)", ylabel="sequences")
axes[0].legend()
for i in range(4, 10):
    axes[1].plot(X[i], color="#bbbbbb", linewidth=1)
for i in outliers:
    axes[1].plot(X[i], color="#d95f02", linewidth=1.2)
axes[1].set(xlabel="step", ylabel="value", title="outliers, and six normal sequences")
