"""
Draw new sequences of a given class
===================================

``SemiSupervisedVAE`` learns to classify and to generate. Its ``sample`` draws sequences of a class, although only a
part of the training rows was labeled.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.objectives import SemiSupervisedVAE

X, true = load_digits(n_class=5, return_X_y=True)
X = X.reshape(-1, 8, 8)
y = hide_labels(true, 300, random_state=0)
clf = SemiSupervisedRNNClassifier(SemiSupervisedVAE(), hidden_size=64, max_epochs=20, random_state=0).fit(X, y)
print(f"accuracy on the unlabeled rows: {np.mean(clf.transduction_[y == -1] == true[y == -1]):.3f}")

# %%
# Eight draws of each digit; each row of pixels is a step.
drawn = clf.sample(40, y=np.repeat(np.arange(5), 8), random_state=0)
figure, axes = plt.subplots(5, 8, figsize=(6, 4), layout="constrained")
for ax, image in zip(axes.flat, drawn, strict=True):
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=16)
    ax.set_axis_off()
figure.suptitle("drawn digits, 0 to 4")
