"""A tag for each step, at default parameters: words of UD English EWT, and steps of SKAB's series.

    python benchmarks/tagging.py SHARED              # run what is missing
    python benchmarks/tagging.py SHARED validation   # the runs that chose the defaults
    python benchmarks/tagging.py                     # the tables again, from the runs kept

SHARED holds `bench/tagging.py` with the protocol and the floor of words, and `data/load.py`. Words: 20, 100, 500 or all
2,001 sentences are tagged; accuracy on the words of 2,077 others. SKAB: in each of three splits, 10% of 24 series are
tagged; the balanced accuracy is over all steps of the other 11 series. Its floor is a gradient-boosted model
(`HistGradientBoostingClassifier`) on features of the window around each step. The defaults were chosen on sentences of
the training part whose tags no net had. Runs are kept in benchmarks/tagging.csv and benchmarks/tagging_validation.csv,
and not repeated. The tables are written to benchmarks/tagging.md.
"""

import sys
import time
from importlib import util
from pathlib import Path

import numpy as np
import torch
from runs import Runs, shown
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score

from sklearn_rnn import SemiSupervisedRNNTagger
from sklearn_rnn.preprocessing import PerSequenceScaler

HERE = Path(__file__).resolve().parent
MEASURED = ("score", "seconds")
RUNS = Runs("tagging", ("task", "labels", "method", "seed"), MEASURED, folder=HERE)
CHOICES = Runs("tagging_validation", ("labels", "method", "seed"), MEASURED, folder=HERE)
FLOORS = {"20": 0.643, "100": 0.785, "500": 0.868, "2001": 0.907}  # bench/tagging.py, three seeds
BUDGETS, METHODS, SEEDS = (20, 100, 500, 2001), ("auto", "supervised"), 3
VARIANTS = {  # of the defaults
    "default": {},
    "supervised": {"objective": "supervised"},
    "supervised, batch_size=64": {"objective": "supervised", "batch_size": 64},
    "fixmatch": {"objective": "fixmatch"},
    "mean_teacher": {"objective": "mean_teacher"},
    "self_training": {"objective": "self_training"},
    "dropout=0.5": {"dropout": 0.5},
    "hidden_size=128": {"hidden_size": 128},
    "lr=0.005": {"lr": 0.005},
    "pretraining next_step": {"pretraining": "next_step"},
}
WINDOWS = (5, 20, 60)  # steps to either side, of the features of the floor


def main(shared=None, what="test"):
    """Run what is missing, then write the tables."""
    if shared is not None and (Path(shared) / "bench" / "tagging.py").exists():
        torch.set_num_threads(1)
        words = protocol(Path(shared) / "bench" / "tagging.py")
        if what == "validation":
            choose(words)
        else:
            run_words(words)
            run_skab(words.load("skab"))
    elif shared is not None:
        print(f"{shared} has no bench/tagging.py: nothing is run, the tables are of the runs kept.")
    write()


def protocol(path):
    """Import the protocol."""
    spec = util.spec_from_file_location("protocol", path)
    module = util.module_from_spec(spec)
    sys.modules["protocol"] = module
    spec.loader.exec_module(module)
    return module


def run_words(words):
    """Run all budgets, methods and seeds that are not kept yet."""
    for seed in range(SEEDS):
        for labels in BUDGETS:
            for method in METHODS:
                if ("ud_ewt", str(labels), method, str(seed)) in RUNS.read():
                    continue
                task = words.task(labels, seed)
                tagger, seconds = timed(SemiSupervisedRNNTagger(method, random_state=seed), task.X, task.y)
                score = task.accuracy(tagger.predict(task.X_test))
                RUNS.keep("ud_ewt", labels, method, seed, f"{score:.4f}", f"{seconds:.0f}")


def timed(tagger, X, y):
    """Fit, and return the tagger and the seconds of CPU time."""
    started = time.process_time()
    tagger.fit(X, y)
    return tagger, time.process_time() - started


def choose(words):
    """Run the variants of the defaults that are missing, with 100 tagged sentences, scored on 500 others."""
    data = words.load("ud_ewt")
    for method, params in VARIANTS.items():
        if ("100", method, "0") in CHOICES.read():
            continue
        rows = np.random.RandomState(1000).permutation(data["train"])
        held_out, tagged = rows[:500], set(rows[500:600])
        y = [data["y"][i] if i in tagged else None for i in rows]
        tagger = SemiSupervisedRNNTagger(random_state=0).set_params(**params)
        tagger, seconds = timed(tagger, [data["X"][i] for i in rows], y)
        score = tagger.score([data["X"][i] for i in held_out], [data["y"][i] for i in held_out])
        CHOICES.keep(100, method, 0, f"{score:.4f}", f"{seconds:.0f}")


def run_skab(data):
    """Run the floor and the tagger on each split that is missing."""
    for seed in range(SEEDS):
        train, tagged, test = skab_split(data, seed)
        X, y = data["X"], data["anomaly"]
        y_test = np.concatenate([y[i] for i in test])
        for method in ("boosted trees", *METHODS):
            if ("skab", "10%", method, str(seed)) in RUNS.read():
                continue
            started = time.process_time()
            if method == "boosted trees":
                model = HistGradientBoostingClassifier(random_state=seed)
                model.fit(
                    np.concatenate([window_features(X[i]) for i in tagged]), np.concatenate([y[i] for i in tagged])
                )
                predicted = [model.predict(window_features(X[i])) for i in test]
            else:
                scaled = PerSequenceScaler().fit_transform([X[i] for i in [*train, *test]])
                tags = [y[i] if i in set(tagged) else None for i in train]
                tagger = SemiSupervisedRNNTagger(method, class_weight="balanced", random_state=seed)
                predicted = tagger.fit(scaled[: len(train)], tags).predict(scaled[len(train) :])
            score = balanced_accuracy_score(y_test, np.concatenate(predicted))
            RUNS.keep("skab", "10%", method, seed, f"{score:.4f}", f"{time.process_time() - started:.0f}")


def skab_split(data, seed):
    """Training series, those of them that are tagged (10%, at least two with both tags), and test series."""
    rows = np.random.RandomState(seed).permutation(len(data["X"]))
    train, test = rows[:24], rows[24:]
    both = [i for i in train if 0 < np.mean(data["anomaly"][i]) < 1]
    return train, both[: max(2, round(0.1 * len(train)))], test


def window_features(x):
    """Features (T, k) of the steps of a series: values, and means, deviations and extremes of windows around each."""
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)  # of the series, as the nets get it
    steps = np.arange(len(x))
    sums, squares = (np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(part, 0)]) for part in (x, x**2))
    parts = [x]
    for width in WINDOWS:
        first, stop = np.maximum(steps - width, 0), np.minimum(steps + width + 1, len(x))
        n = (stop - first)[:, None]
        mean = (sums[stop] - sums[first]) / n
        deviation = np.sqrt(np.maximum((squares[stop] - squares[first]) / n - mean**2, 0))
        before = (sums[steps] - sums[first]) / np.maximum(steps - first, 1)[:, None]
        parts += [mean, deviation, mean - before]
    return np.concatenate(parts, 1)


def write():
    """Write the tables: mean and standard deviation over seeds."""
    runs, choices = RUNS.read(), CHOICES.read()
    lines = ["# A tag for each step", "", "`python benchmarks/tagging.py SHARED`", ""]
    lines += ["| UD English EWT, tagged sentences | logistic regression | supervised | default |", "| --- " * 4 + "|"]
    for labels, floor in FLOORS.items():
        alone, default = (scores(runs, "ud_ewt", labels, method) for method in ("supervised", "auto"))
        lines.append(f"| {int(labels):,} | {floor:.3f} | {shown(alone, digits=3)} | {shown(default, digits=3)} |")
    lines += [
        "",
        "Accuracy on the words of 2,077 other sentences. With all 2,001 sentences tagged nothing is unlabeled: the",
    ]
    lines += ["default is then supervised training, but predicts with the moving average of its weights."]
    lines += ["", "| SKAB, 10% of the series tagged | boosted trees | supervised | default |", "| --- " * 4 + "|"]
    cells = [shown(scores(runs, "skab", "10%", m), digits=3) for m in ("boosted trees", "supervised", "auto")]
    lines += [f"| balanced accuracy | {' | '.join(cells)} |", ""]
    lines += ["24 series to train, of which 2 are tagged; 11 to test. A figure without a deviation is of one seed."]
    if choices:
        lines += ["", "## How the defaults were chosen", ""]
        lines += ["`python benchmarks/tagging.py SHARED validation`: tagged sentences of the training part, scored on"]
        lines += ["500 others of it, whose tags no net had. One seed.", ""]
        lines += ["| tagged sentences | method | accuracy | seconds of `fit` |", "| --- " * 4 + "|"]
        lines += [f"| {key[0]} | {key[1]} | {run[0]:.3f} | {run[1]:.0f} |" for key, run in choices.items()]
    (HERE / "tagging.md").write_text("\n".join(lines) + "\n")


def scores(runs, task, labels, method):
    """Scores of all seeds."""
    return [run[0] for key, run in runs.items() if key[:3] == (task, labels, method)]


if __name__ == "__main__":
    main(*sys.argv[1:])
