"""Values missing at steps and irregular times: `gaps=True` against filled gaps, and against features made by hand.

    python benchmarks/gaps.py DATA_FOLDER          # run what is missing
    python benchmarks/gaps.py DATA_FOLDER clinical # of one set
    python benchmarks/gaps.py                      # the tables again, from the runs kept

DATA_FOLDER holds `load.py` with the sets of `SETS`. Runs are kept in benchmarks/gaps.csv and not repeated; writes
benchmarks/gaps.md. Classifiers learn from 10 labels a class and the other training sequences without labels; accuracy
is that of sequences that were not in fit, drawn from the published training part. The clinical set is generated, with
600 patients to learn from and 2000 others for the AUC.
"""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from runs import Runs, shown
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import Gaps, SemiSupervisedRNNClassifier
from sklearn_rnn.preprocessing import SequenceImputer, SequenceMissingIndicator

HERE = Path(__file__).resolve().parent
RUNS = Runs("gaps", ("set", "removed", "method", "labels", "seed"), ("score",), HERE)
SETS = ("har", "japanese_vowels", "cricketx", "ecg5000")
REMOVED = {"30% of the values": 0.3, "60% of the values": 0.6, "80% of the values": 0.8, "50% of the steps": None}
METHODS = ("complete", "gaps=True", "last value and indicator", "interpolated")
NETS = {"labels alone": {"objective": "supervised"}, "default objective": {}}
SEEDS = range(3)
MOST = 1000  # sequences of a set to learn from, and as many to score
VITALS = ("heart_rate", "pressure", "temperature", "breaths", "oxygen", "lactate")


def clinical(n, seed):
    """Patients of 48 hours: hours, six vital signs at irregular times, age and sex; and the outcome, of about 15%.

    The outcome depends on the level of the signs, their trend, and how often they are measured.
    """
    rng = np.random.default_rng(seed)
    level, trend, watched = rng.normal(size=(3, n))
    age, sex = rng.normal(size=n), rng.integers(0, 2, n)
    logit = -3.2 + 1.5 * level + 1.5 * trend + 1.2 * watched + 0.6 * age
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    of_level = np.array([0.7, -0.6, 0.3, 0.6, -0.4, 0.8])
    of_trend = np.array([0.8, -0.9, 0.4, 0.7, -0.6, 0.9])
    measured = np.array([0.8, 0.6, 0.25, 0.6, 0.7, 0.08])  # how probable each sign is at a step
    units = np.array([[85, 120, 37, 18, 96, 1.8], [15, 18, 0.6, 4, 2.5, 0.9]])
    X = []
    for i in range(n):
        n_steps = max(6, rng.poisson(48 * 0.4 * np.exp(0.45 * watched[i])))
        hours = np.sort(rng.uniform(0, 48, n_steps))
        wander = np.cumsum(rng.normal(size=(n_steps, 6)) * np.sqrt(np.diff(hours, prepend=0) / 24)[:, None], axis=0)
        signs = rng.normal(size=6) + of_level * level[i] + of_trend * trend[i] * hours[:, None] / 24
        signs = units[0] + units[1] * (signs + 0.5 * wander + 0.5 * rng.normal(size=(n_steps, 6)))
        signs[rng.random((n_steps, 6)) > measured * np.exp(0.2 * rng.normal(size=6))] = np.nan
        signs[:, rng.random(6) < 0.1] = np.nan  # never measured
        static = np.tile([age[i] * 15 + 60, sex[i]], (n_steps, 1))
        X.append(np.column_stack([hours, signs, static]).astype(np.float32))
    return X, y, logit


def summary(X):
    """Features made by hand: last, mean, least, largest, count, and slope of each sign, and the static columns."""
    rows = []
    for x in X:
        row = [len(x), *x[0, 7:]]
        for v in range(1, 7):
            seen = ~np.isnan(x[:, v])
            t, s = x[seen, 0], x[seen, v]
            slope = np.polyfit(t, s, 1)[0] if len(s) > 2 and np.ptp(t) > 1 else np.nan
            row += [s[-1], s.mean(), s.min(), s.max(), len(s), slope] if len(s) else [*[np.nan] * 4, 0, np.nan]
        rows.append(row)
    return np.array(rows, dtype=np.float64)


def by_hand(X, y, X_test, n_labels):
    """Scores of logistic regression and of boosted trees on the features made by hand."""
    features, tests = summary(X)[:n_labels], summary(X_test)
    logistic = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    trees = HistGradientBoostingClassifier(learning_rate=0.05, random_state=0)
    return {
        name: model.fit(features, y[:n_labels]).predict_proba(tests)[:, 1]
        for name, model in (("logistic regression", logistic), ("boosted trees", trees))
    }


def run_clinical(seed):
    """Measure the AUC of nets, and of features made by hand, with 100 and 300 labels."""
    (X, y, _), (X_test, y_test, logit) = clinical(600, seed), clinical(2000, 100 + seed)

    def is_missing(method, n_labels):
        return ("clinical", "", method, str(n_labels), str(seed)) not in RUNS.read()

    def keep(method, n_labels, scores):
        RUNS.keep("clinical", "", method, n_labels, seed, f"{roc_auc_score(y_test, scores):.4f}")

    for n_labels in (300, 100):
        if is_missing("boosted trees", n_labels):
            keep("the true probability", n_labels, logit)
            for method, scores in by_hand(X, y, X_test, n_labels).items():
                keep(method, n_labels, scores)
        partly = np.where(np.arange(len(y)) < n_labels, y, -1)
        for method, params in NETS.items():
            if is_missing(method, n_labels):
                clf = SemiSupervisedRNNClassifier(gaps=Gaps(times=0), random_state=seed, **params).fit(X, partly)
                keep(method, n_labels, clf.predict_proba(X_test)[:, 1])


def read(folder, name, seed):
    """Sequences to learn from and to score, of the published training part, with their classes."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    data = import_module("load").load(name)
    rows = np.random.default_rng(seed).permutation(data["train"])
    rows = rows[: 2 * MOST]
    X, y = [np.asarray(data["X"][i]) for i in rows], np.asarray(data["y"])[rows]
    half = len(rows) // 2
    return X[:half], y[:half], X[half:], y[half:]


def removed(X, share, seed):
    """Remove values, or steps where `share` is None, at random; sequences get a last column with the times of steps."""
    rng, out = np.random.default_rng(seed), []
    for x in X:
        x = np.column_stack([x, np.arange(len(x))]).astype(np.float32)
        if share is None:
            x = x[np.sort(rng.permutation(len(x))[: max(2, len(x) // 2)])]
        else:
            x[:, :-1][rng.random((len(x), x.shape[1] - 1)) < share] = np.nan
        out.append(x)
    return out


def method_data(method, X, X_test, share):
    """Parameters of the classifier and the sequences that it gets, for a method."""
    if method == "complete":
        return {}, X, X_test
    X, X_test = removed(X, share, 0), removed(X_test, share, 1)
    times = X[0].shape[1] - 1
    if method == "gaps=True":
        if share is None:
            return {"gaps": Gaps(times=times)}, X, X_test
        return {"gaps": True}, [x[:, :times] for x in X], [x[:, :times] for x in X_test]
    if share is None:  # times become the time since the step before
        X, X_test = (
            [np.column_stack([x[:, :-1], np.diff(x[:, -1], prepend=x[0, -1])]) for x in part] for part in (X, X_test)
        )
        return {}, X, X_test
    X, X_test = ([x[:, :times] for x in part] for part in (X, X_test))
    filler = SequenceMissingIndicator() if method == "last value and indicator" else SequenceImputer()
    X = filler.fit_transform(X)
    return {}, X, filler.transform(X_test)


def run_removed(folder, name, seed):
    """Measure accuracies with 10 labels a class on one set with values or steps removed."""
    X, y, X_test, y_test = read(folder, name, seed)
    partly = np.full(len(y), -1)
    for label in np.unique(y):
        partly[np.flatnonzero(y == label)[:10]] = label
    for what, share in REMOVED.items():
        for method in METHODS:
            key = (name, "" if method == "complete" else what, method, "10 a class", str(seed))
            if key in RUNS.read() or (share is None and method == "interpolated"):
                continue
            params, rows, tests = method_data(method, X, X_test, share)
            clf = SemiSupervisedRNNClassifier(random_state=seed, **params).fit(rows, partly)
            RUNS.keep(*key, f"{clf.score(tests, y_test):.4f}")


def write(runs):
    """Write the tables."""
    scores = {}
    for (name, what, method, labels, _), (score,) in runs.items():
        scores.setdefault((name, what, method, labels), []).append(score)
    lines = [
        "# Gaps and irregular times",
        "",
        "`python benchmarks/gaps.py DATA_FOLDER`; means over seeds, whose runs lie in gaps.csv.",
        "",
    ]
    lines += ["## Values and steps removed at random: accuracy in %, 10 labels a class", ""]
    lines += ["| set | removed | " + " | ".join(METHODS) + " |", "| --- " * (2 + len(METHODS)) + "|"]
    for name, what in dict.fromkeys(key[:2] for key in scores if key[0] != "clinical" and key[1]):
        keys = [(name, "" if m == "complete" else what, m, "10 a class") for m in METHODS]
        cells = [shown(100 * np.array(scores.get(key, []))) for key in keys]
        lines.append(f"| {name} | {what} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Steps that were removed leave no gaps to fill: there, the other column has the time since the step before",
        "as a feature.",
        "",
    ]
    lines += ["## Generated patients: AUC", "", "| method | 100 labels | 300 labels |", "| --- | --- | --- |"]
    for method in dict.fromkeys(key[2] for key in scores if key[0] == "clinical"):
        cells = [shown(scores.get(("clinical", "", method, n), []), digits=3) for n in ("100", "300")]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    (HERE / "gaps.md").write_text("\n".join(lines) + "\n")


def main(folder=None, *names):
    """Run what is missing of these sets, by default of all, then write the tables."""
    torch.set_num_threads(1)
    for seed in SEEDS if folder is not None else ():
        for name in names or (*SETS, "clinical"):
            run_clinical(seed) if name == "clinical" else run_removed(Path(folder), name, seed)
    write(RUNS.read())


if __name__ == "__main__":
    main(*sys.argv[1:])
