"""
Look at sequences in two dimensions
===================================

An autoencoder turns each sequence, whatever its length, into one row: its embedding, or code. No label is used.
"""

# %%
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.plotting import CodesDisplay

X, y = load_digits(n_class=4, return_X_y=True)
X = X.reshape(-1, 8, 8)
autoencoder = RNNAutoencoderTransformer(hidden_size=32, max_epochs=8, random_state=0).fit(X)
codes = autoencoder.transform(X)
print(codes.shape)

# %%
# The first two principal components, with the true classes as colours:
display = CodesDisplay(codes, y).plot()
display.ax_.set_title("embeddings of four digits")

# %%
# Any clustering takes the embeddings.
clusters = KMeans(4, random_state=0).fit_predict(codes)
print(np.array([np.bincount(clusters[y == digit], minlength=4) for digit in range(4)]))  # a row for each digit
