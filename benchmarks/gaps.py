"""Values missing at steps and irregular times: `gaps=True` against filled gaps, and against features made by hand.

    python benchmarks/gaps.py DATA_FOLDER   # run what is missing
    python benchmarks/gaps.py               # the tables again, from the runs kept

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
        n_steps = max(3, rng.poisson(48 * 0.75 * np.exp(0.45 * watched[i])))
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
