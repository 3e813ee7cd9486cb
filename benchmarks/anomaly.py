"""Outliers at default parameters: false alarms on new rows, steps of 34 long series (SKAB), and heartbeats (ECG5000).

    python benchmarks/anomaly.py DATA_FOLDER   # run what is missing
    python benchmarks/anomaly.py               # the tables again, from the runs kept

DATA_FOLDER holds `load.py` with the sets "skab" and "ecg5000". Writes docs/anomaly.md. Runs are kept in
docs/anomaly.csv and docs/false_alarms.csv and not repeated, so it goes on where it stopped.
"""

import sys
import time
from importlib import import_module

import numpy as np
import torch
from runs import DOCS, Runs
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
from sklearn_rnn.datasets import make_sines
from sklearn_rnn.preprocessing import cut_windows, join_windows

RUNS = Runs("anomaly", ("set", "series", "method", "seed"), ("tn", "fp", "fn", "tp", "auroc", "seconds"))
LEVELS = (0.02, 0.05, 0.1, "auto")  # of contamination
ALARMS = Runs(
    "false_alarms",
    ("set", "n", "seed", "scores"),
    (*(f"alarms_{level}" for level in LEVELS), *(f"misses_{level}" for level in LEVELS), "auroc"),
)
SEEDS = range(4)
METHODS = ("autoencoder", "PCA")
N_NORMAL, WINDOW = 400, 16  # steps of a series of SKAB to fit on, and of a window
CHOSEN_ON = "valve2"  # the series on which the window was chosen


def main(folder=None):
    """Run what is missing, then write the tables."""
    torch.set_num_threads(1)
    if folder is not None:
        sys.path.insert(0, str(folder))
        load = import_module("load").load
        run_new_rows()
        run_beats(load("ecg5000"))
        run_series(load("skab"))
    write(RUNS.read(), ALARMS.read())


def run_new_rows():
    """Fit on normal rows, and judge new normal rows and outliers, by thresholds of held-out and of fitted rows."""
    for seed in range(5):
        for n in (100, 200, 400):
            for name, make in (("digits", digits), ("sines", sines)):
                if (name, str(n), str(seed), "fitted") not in ALARMS.read():
                    keep_alarms((name, n, seed), *make(n, seed))


def keep_alarms(key, X, normal, outliers):
    """Add two runs: with the threshold from held-out rows, and with that from the rows that the net was fitted on."""
    detector = RNNOutlierDetector(RNNAutoencoderTransformer(random_state=key[-1])).fit(X)
    fitted = RNNOutlierDetector(FrozenEstimator(detector.autoencoder_)).fit(X)
    for scores, judge in (("held out", detector), ("fitted", fitted)):
        normals, others = judge.score_samples(normal), judge.score_samples(outliers)
        offsets = [judge.set_params(contamination=level)._threshold(judge.score_samples(X)) for level in LEVELS]
        alarms, misses = [(normals < t).mean() for t in offsets], [(others >= t).mean() for t in offsets]
        auroc = roc_auc_score(np.repeat([0, 1], [len(normals), len(others)]), -np.append(normals, others))
        ALARMS.keep(*key, scores, *(f"{share:.4f}" for share in (*alarms, *misses, auroc)))


def digits(n, seed):
    """Rows of images: 0 to 4 are normal (901 images), 5 to 9 outliers."""
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    normal = X[np.random.RandomState(seed).permutation(np.flatnonzero(y < 5))]
    return normal[:n], normal[n:], X[y >= 5]


def sines(n, seed):
    """Noisy sines of one period are normal; those of two and three, and noise, are outliers."""
    normal, _ = make_sines(n + 1000, n_classes=1, random_state=seed)
    X, y = make_sines(900, n_classes=3, random_state=seed + 100)
    noise = np.random.RandomState(seed).normal(size=(300, 40, 1))
    return normal[:n], normal[n:], np.concatenate([X[y > 0], noise])


def run_series(data):
    """Fit on the first steps of each series with an anomaly, and judge all its steps, as SKAB's leaderboard does."""
    for name, series, anomaly in zip(data["names"], data["X"], data["anomaly"], strict=True):
        for method in METHODS if anomaly.any() else ():
            if ("skab", name, method, "0") not in RUNS.read():
                started = time.perf_counter()
                detector = made_detector(method, 0).set_params(cv=KFold(5))  # windows overlap
                detector.fit(cut_windows(series[:N_NORMAL], WINDOW, stride=1))
                decisions = detector.decision_function(cut_windows(series, WINDOW, stride=1))
                by_step = join_windows(np.repeat(decisions[:, None], WINDOW, axis=1), len(series), stride=1)
                keep(("skab", name, method, 0), anomaly == 1, by_step, started)


def run_beats(data):
    """Fit on the normal heartbeats of the training rows, and judge the test rows."""
    X, y = data["X"], data["y"]
    normal = data["train"][y[data["train"]] == 0]
    for method in METHODS:
        for seed in SEEDS if method == "autoencoder" else (0,):
            if ("ecg5000", "all", method, str(seed)) not in RUNS.read():
                started = time.perf_counter()
                decisions = made_detector(method, seed).fit(X[normal]).decision_function(X[data["test"]])
                keep(("ecg5000", "all", method, seed), y[data["test"]] > 0, decisions, started)


def made_detector(method, seed):
    """Return the one detector of all runs, or a floor: the same threshold on the likelihood of the values under PCA."""
    if method == "autoencoder":
        return RNNOutlierDetector(RNNAutoencoderTransformer(random_state=seed))
    return RNNOutlierDetector(make_pipeline(FunctionTransformer(flat), StandardScaler(), PCA(0.9, random_state=0)))


def flat(X):
    """All values of a sequence in a row."""
    return X.reshape(len(X), -1)


def keep(key, outlier, decisions, started):
    """Add a run to those kept."""
    counts = confusion_matrix(outlier, decisions < 0, labels=[False, True]).ravel()
    auroc = roc_auc_score(outlier, -decisions)
    RUNS.keep(*key, *counts, f"{auroc:.4f}", f"{time.perf_counter() - started:.1f}")


def judged(runs):
    """F1, false alarms and misses (%) of counts added up, and the mean AUROC."""
    tn, fp, fn, tp = np.sum(runs, axis=0)[:4]
    f1 = f"{2 * tp / (2 * tp + fp + fn):.3f} | {100 * fp / (fp + tn):.1f} | {100 * fn / (fn + tp):.1f}"
    return f"{f1} | {np.mean([run[4] for run in runs]):.3f} |"


def alarm_table(runs):
    """False alarms on new normal rows and misses (%) at each level, and the AUROC; means over seeds."""
    columns = [f"{what}, {level}" for what in ("alarms", "misses") for level in LEVELS]
    lines = ["| set | rows | seeds | threshold from | " + " | ".join(columns) + " | AUROC |"]
    lines.append("| --- " * 13 + "|")
    for name, n in sorted({key[:2] for key in runs}, key=lambda pair: (pair[0], int(pair[1]))):
        for scores in ("fitted", "held out"):
            chosen = [run for key, run in runs.items() if (*key[:2], key[3]) == (name, n, scores)]
            mean = np.mean(chosen, axis=0)
            cells = [*(f"{100 * share:.1f}" for share in mean[:8]), f"{mean[8]:.3f}"]
            lines.append(f"| {name} | {n} | {len(chosen)} | {scores} rows | " + " | ".join(cells) + " |")
    return [*lines, ""]


def judged_by_all(runs):
    """Names of the series of SKAB that every method has judged."""
    names = [{key[1] for key in runs if key[0] == "skab" and key[2] == method} for method in METHODS]
    return sorted(set.intersection(*names))


def write(runs, alarms):
    """Write the tables of docs/anomaly.md."""
    page = DOCS / "anomaly.md"
    lines = [page.read_text().partition("<!-- tables -->")[0] + "<!-- tables -->", "", *alarm_table(alarms)]
    lines += ["| SKAB | series | method | F1 | false alarms (%) | misses (%) | AUROC |", "| --- " * 7 + "|"]
    for method in METHODS:
        skab = {name: runs["skab", name, method, "0"] for name in judged_by_all(runs)}
        for part in ("", "other", "valve1", "valve2"):
            chosen = [run for name, run in skab.items() if name.startswith(part)]
            if not chosen:
                continue
            lines.append(f"| {part or 'all'} | {len(chosen)} | {method} | {judged(chosen)}")
        rest = [run for name, run in skab.items() if not name.startswith(CHOSEN_ON)]
        lines.append(f"| all but {CHOSEN_ON} | {len(rest)} | {method} | {judged(rest)}")
    lines += ["", "| ECG5000, test rows | seeds | method | F1 | false alarms (%) | misses (%) | AUROC |"]
    lines += ["| --- " * 7 + "|"]
    for method in METHODS:
        beats = [run for key, run in runs.items() if key[0] == "ecg5000" and key[2] == method]
        lines.append(f"| normal or not | {len(beats)} | {method} | {judged(beats)}")
    page.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
