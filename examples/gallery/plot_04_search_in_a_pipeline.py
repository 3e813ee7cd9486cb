"""
Search parameters in a Pipeline
===============================

A Pipeline of a transformer and a net is searched as any other. ``PartiallyLabeledSplit`` tests on labeled rows only,
and trains on the other labeled rows and all unlabeled ones.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels, make_sines
from sklearn_rnn.model_selection import PartiallyLabeledSplit
from sklearn_rnn.preprocessing import SequenceResampler

X, true = make_sines(200, n_steps=40, n_classes=3, noise=0.5, ragged=True, random_state=0)  # of different lengths
y = hide_labels(true, 30, random_state=0)

pipeline = Pipeline(
    [
        ("resample", SequenceResampler(24)),
        ("clf", SemiSupervisedRNNClassifier("supervised", max_epochs=5, random_state=0)),
    ]
)
grid = {"resample": [SequenceResampler(24), "passthrough"], "clf__hidden_size": [8, 16, 32]}
search = GridSearchCV(pipeline, grid, cv=PartiallyLabeledSplit(2)).fit(X, y)
print(search.best_params_)

# %%
results = search.cv_results_
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for name, style in {"24 steps": "o-", "as they are": "s--"}.items():
    rows = [i for i, p in enumerate(results["params"]) if (p["resample"] == "passthrough") == (name != "24 steps")]
    sizes = [results["params"][i]["clf__hidden_size"] for i in rows]
    ax.errorbar(
        sizes, results["mean_test_score"][rows], results["std_test_score"][rows], fmt=style, capsize=4, label=name
    )
ax.set(xlabel="hidden_size", ylabel="accuracy, held-out labels", xticks=[8, 16, 32])
ax.legend()
