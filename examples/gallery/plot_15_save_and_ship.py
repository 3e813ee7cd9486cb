"""
Save a model, and predict without torch
=======================================

``io.save`` writes any estimator to a file that executes nothing when it is loaded. ``io.to_onnx`` writes a net for
programs that have neither torch nor this package.
"""

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime

from sklearn_rnn import SemiSupervisedRNNClassifier, io
from sklearn_rnn.datasets import hide_labels, make_sines

X, true = make_sines(120, n_steps=24, n_classes=3, noise=0.5, random_state=0)
y = hide_labels(true, 30, random_state=0)
clf = SemiSupervisedRNNClassifier("supervised", hidden_size=16, max_epochs=4, random_state=0).fit(X, y)

folder = Path(tempfile.mkdtemp())
io.save(clf, folder / "clf.safetensors")
loaded = io.load(folder / "clf.safetensors")
print("the same bits:", np.array_equal(loaded.predict_proba(X), clf.predict_proba(X)))

# %%
# One ONNX file serves all lengths and numbers of sequences. Its inputs are padded values, and the true lengths.
io.to_onnx(clf, folder / "clf.onnx")
session = onnxruntime.InferenceSession(folder / "clf.onnx")
inputs = {"values": X.astype(np.float32), "lengths": np.full(len(X), 24)}
probabilities, labels = session.run(["probabilities", "labels"], inputs)

figure, ax = plt.subplots(figsize=(4, 3.6), layout="constrained")
ax.plot([0, 1], [0, 1], color="#bbbbbb")
ax.plot(clf.predict_proba(X).ravel(), probabilities.ravel(), ".", markersize=4)
ax.set(xlabel="probabilities of the estimator", ylabel="probabilities of onnxruntime")
