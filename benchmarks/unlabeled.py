"""What unlabeled sequences bring: the picture of the README, on scikit-learn's digits.

    python benchmarks/unlabeled.py

Each image is a sequence of 8 rows of 8 pixels. 1,200 are for training, few of them labeled, and 597 for testing. Each
of five seeds draws other labels and other weights. Writes docs/unlabeled.png and docs/unlabeled.md; finished runs are
kept in docs/unlabeled.csv and not repeated.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from runs import DOCS, Runs, shown
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.plotting import LabelEfficiencyDisplay

RUNS = Runs("unlabeled", ("method", "labels", "seed"), ("accuracy",))
BUDGETS, SEEDS = (20, 50, 100, 200), range(5)
FLOOR = "logistic regression, without a net"
METHODS = {
    "net, labeled and unlabeled rows": SemiSupervisedRNNClassifier(),
    "net, labeled rows": SemiSupervisedRNNClassifier("supervised"),
    # max_iter=0: it learns from the labeled rows only
    FLOOR: make_pipeline(
        FunctionTransformer(np.reshape, kw_args={"shape": (-1, 64)}),
        StandardScaler(),
        SelfTrainingClassifier(LogisticRegression(max_iter=2000), max_iter=0),
    ),
}


def measure():
    """Return the test accuracies of each method, of shape (budgets, seeds); run what is missing."""
    done = RUNS.first()
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8).astype(np.float32)
    X, X_test, y, y_test = train_test_split(X, y, train_size=1200, stratify=y, random_state=0)
    for n in BUDGETS:
        for seed in SEEDS:
            few = hide_labels(y, n, random_state=seed)
            for name, method in METHODS.items():
                if (name, str(n), str(seed)) not in done:
                    if name != FLOOR:
                        method.set_params(random_state=seed)
                    accuracy = method.fit(X, few).score(X_test, y_test)
                    done[name, str(n), str(seed)] = accuracy
                    RUNS.keep(name, n, seed, f"{accuracy:.4f}")
    return {name: np.array([[done[name, str(n), str(seed)] for seed in SEEDS] for n in BUDGETS]) for name in METHODS}


def draw(scores):
    """Write the picture."""
    figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    LabelEfficiencyDisplay(
        BUDGETS, {name: 100 * s for name, s in scores.items()}, score_name="test accuracy in %"
    ).plot(ax)
    for container, style in zip(ax.containers, ("D-", "s--", "o:"), strict=True):  # told apart in greyscale, too
        container[0].set(marker=style[0], linestyle=style[1:])
    ax.legend(loc="lower right")
    ax.set_xlabel("labels among 1,200 images, read row by row")
    figure.savefig(DOCS / "unlabeled.png", dpi=130)


def write(scores):
    """Write the table."""
    lines = [
        "# What unlabeled rows bring (accuracy in %)",
        "",
        "Made by `python benchmarks/unlabeled.py` on scikit-learn's digits. Each image is a sequence of 8 rows of 8",
        "pixels. 1,200 images are for training and 597 for testing. The defaults are used. Values are mean ± standard",
        f"deviation over {len(SEEDS)} seeds, which draw the labels and the weights. Logistic regression gets all 64",
        "pixels of an image at once.",
        "",
        "![Accuracy against the number of labels](unlabeled.png)",
        "",
        "| labels | " + " | ".join(scores) + " |",
        "| --- " * (len(scores) + 1) + "|",
    ]
    for k, n in enumerate(BUDGETS):
        lines.append(f"| {n} | " + " | ".join(shown(100 * values[k]) for values in scores.values()) + " |")
    (DOCS / "unlabeled.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    scores = measure()
    draw(scores)
    write(scores)
