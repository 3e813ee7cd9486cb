"""Table and picture of `quality.py --small`: does the default ever lose to the labels alone, or to a floor?"""

import numpy as np
from runs import DOCS, Runs, shown

RUNS = Runs("quality_small", ("task", "labels", "method", "seed"), ("accuracy", "seconds"))
BUDGETS = {"5": "five labels of each class", "10%": "labels for a tenth of the rows"}
MARGINS = {"supervised": 1, "floor": 2}  # points that the default may lose


def write(done, default):
    """Write docs/quality_small.md and its picture from accuracies by (task, labels, method, seed)."""
    names = sorted({key[0] for key in done}, key=str.lower)
    columns = ("floor", "supervised", default)
    lines = [
        "# Small sets: accuracy (%) at default parameters",
        "",
        "Made by `python benchmarks/quality.py BENCH_FOLDER --small`: thirteen sets of the UCR archive and generated",
        "control charts, 70% of the series to train and 30% to test. Mean ± standard deviation over seeds, which draw",
        "the split, the labels and the weights. The gain is over `supervised`, paired by seed, ± its standard error.",
        "The floor is the better, each time, of extra trees and logistic regression on quantiles, spectra and",
        "differences.",
    ]
    gains = {}
    for budget, words in BUDGETS.items():
        rows, means = [], []
        for name in names:
            table = paired(done, name, budget, columns)
            if not len(table):
                continue
            gain = table[:, 2] - table[:, 1]
            error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.nan
            gains[name, budget] = gain.mean(), error
            means.append(table.mean(0))
            shown_error = f" ± {error:.1f}" if len(gain) > 1 else ""
            cells = [name, str(len(table)), *(shown(column) for column in table.T), f"{gain.mean():+.1f}{shown_error}"]
            rows.append("| " + " | ".join(cells) + " |")
        if rows:
            mean = np.mean(means, 0)
            total = ["mean", "", *(f"{value:.1f}" for value in mean), f"{mean[2] - mean[1]:+.1f}"]
            titles = ["set", "seeds", *columns, "gain"]
            lines += ["", f"## With {words}", "", "| " + " | ".join(titles) + " |", "| --- " * len(titles) + "|", *rows]
            lines += ["| " + " | ".join(total) + " |", "", *losses(names, budget, means, gains)]
    lines += ["", "![gain of the unlabeled rows on each set](quality_small.png)"]
    (DOCS / "quality_small.md").write_text("\n".join(lines) + "\n")
    draw(names, gains)


def paired(done, name, budget, columns):
    """Accuracies (seeds, columns) of the seeds for which all columns were run."""
    seeds = sorted({key[3] for key in done if key[:2] == (name, budget)})
    rows = [[100 * done.get((name, budget, method, seed), np.nan) for method in columns] for seed in seeds]
    table = np.array(rows).reshape(-1, len(columns))
    return table[~np.isnan(table).any(1)]


def losses(names, budget, means, gains):
    """Lines that name the sets on which the default loses."""
    known = [name for name in names if (name, budget) in gains]
    lost = [name for name in known if gains[name, budget][0] < -MARGINS["supervised"]]
    surely = [name for name in lost if sum(gains[name, budget]) < -MARGINS["supervised"]]  # False for one seed
    below = [name for name, mean in zip(known, means, strict=True) if mean[2] < mean[0] - MARGINS["floor"]]
    worse, far = MARGINS["supervised"], MARGINS["floor"]
    return [
        f"More than {worse} point below the labels alone: {', '.join(lost) or 'none'}; by more than a standard error: "
        f"{', '.join(surely) or 'none'}. More than {far} below the floor: {', '.join(below) or 'none'}."
    ]


def draw(names, gains):
    """Draw docs/quality_small.png: the gain on each set, a panel for each budget."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    budgets = {budget: words for budget, words in BUDGETS.items() if any(key[1] == budget for key in gains)}
    figure, axes = plt.subplots(1, len(budgets), figsize=(10, 4.6), layout="constrained", sharey=True, squeeze=False)
    for axis, (budget, words) in zip(axes[0], budgets.items(), strict=True):
        for place, name in enumerate(reversed(names)):
            if (name, budget) in gains:
                gain, error = gains[name, budget]
                color = "tab:blue" if gain >= 0 else "tab:orange"
                axis.barh(place, gain, xerr=error, color=color, capsize=3)
        axis.set_yticks(range(len(names)), list(reversed(names)))
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set(title=words, xlabel="gain of the unlabeled rows (points of accuracy)")
        axis.grid(axis="x", alpha=0.3)
    figure.savefig(DOCS / "quality_small.png", dpi=110)
