"""
Fill gaps
=========

``SequenceImputer`` interpolates. With an autoencoder it also uses what sequences of these data look like.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.preprocessing import SequenceImputer

random = np.random.default_rng(0)
X = np.sin(np.linspace(0, 6, 20) + random.uniform(0, 6, size=(200, 1))) + random.normal(0, 0.05, (200, 20))
gappy = X.copy()
gappy[:, 8:15] = np.nan

autoencoder = RNNAutoencoderTransformer(hidden_size=16, lr=0.03, max_epochs=8, random_state=0)
filled = {
    "interpolated": SequenceImputer().fit_transform(gappy),
    "by an autoencoder": SequenceImputer(autoencoder).fit(X[:150]).transform(gappy),
}
for name, values in filled.items():
    print(f"{name}: error {np.sqrt(np.mean((values - X)[150:, 8:15] ** 2)):.2f}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
for ax, i in zip(axes, (150, 151, 152), strict=True):
    ax.plot(X[i], color="#bbbbbb", linewidth=4, label="true")
    for (name, values), style in zip(filled.items(), ("--", "-"), strict=True):
        ax.plot(range(7, 16), values[i, 7:16], style, label=name)
    ax.set_xlabel("step")
axes[0].set_ylabel("value")
axes[0].legend(fontsize=8)
