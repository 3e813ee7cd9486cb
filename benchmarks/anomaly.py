"""Outliers at default parameters: steps of 34 long series (SKAB), and heartbeats (ECG5000).

    python benchmarks/anomaly.py DATA_FOLDER   # run what is missing
    python benchmarks/anomaly.py               # the tables again, from the runs kept

DATA_FOLDER holds `load.py` with the sets "skab" and "ecg5000". Writes docs/anomaly.md. Runs are kept in
docs/anomaly.csv and not repeated, so it goes on where it stopped.
"""

import sys
import time
from importlib import import_module

import numpy as np
import torch
from runs import DOCS, Runs
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
from sklearn_rnn.preprocessing import cut_windows, join_windows

RUNS = Runs("anomaly", ("set", "series", "method", "seed"), ("tn", "fp", "fn", "tp", "auroc", "seconds"))
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
        run_beats(load("ecg5000"))
        run_series(load("skab"))
    write(RUNS.read())


def run_series(data):
    """Fit on the first steps of each series with an anomaly, and judge all its steps, as SKAB's leaderboard does."""
    for name, series, anomaly in zip(data["names"], data["X"], data["anomaly"], strict=True):
        for method in METHODS if anomaly.any() else ():
            if ("skab", name, method, "0") not in RUNS.read():
                started = time.perf_counter()
                detector = made_detector(method, 0).fit(cut_windows(series[:N_NORMAL], WINDOW, stride=1))
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


def write(runs):
    """Write the tables of docs/anomaly.md."""
    page = DOCS / "anomaly.md"
    lines = [page.read_text().partition("<!-- tables -->")[0] + "<!-- tables -->", ""]
    lines += ["| SKAB | series | method | F1 | false alarms (%) | misses (%) | AUROC |", "| --- " * 7 + "|"]
    for method in METHODS:
        skab = {key[1]: run for key, run in runs.items() if key[0] == "skab" and key[2] == method}
        for part in ("", "other", "valve1", "valve2"):
            chosen = [run for name, run in skab.items() if name.startswith(part)]
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
