"""Accuracy on few-label tasks, supervised against Mean Teacher, paired by seed, at default parameters.

    python benchmarks/quality.py BENCH_FOLDER [NAME:LABELS ...]

BENCH_FOLDER holds `protocol.py`, which cuts the tasks. Runs are kept in docs/quality.csv and not
repeated; the table is docs/quality.md.
"""

import csv
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier

DOCS = Path(__file__).resolve().parent.parent / "docs"
RUNS = DOCS / "quality.csv"
SEEDS = range(5)
METHODS = ("supervised", "mean_teacher")
TASKS = ("japanese_vowels:1.0", "two_patterns:12", "cricketx:0.1", "japanese_vowels:0.1")


def make(protocol, name, labels, seed):
    """Cut a task; a budget of 1.0 labels every training row."""
    task = protocol.make_task(name, labels if labels != 1.0 else 0.5, seed)
    if labels == 1.0:
        data = protocol.load(name)
        task.y_train = np.asarray(data["y"])[data["train"]]
    return task


def score(task, method, seed):
    """Return the accuracy on the test rows of a method at its defaults."""
    if method == "autoencoder + linear":
        probe = make_pipeline(
            RNNAutoencoderTransformer(random_state=seed), StandardScaler(), LogisticRegression(max_iter=2000)
        )
        return probe.fit(task.X_train, task.y_train).score(task.X_test, task.y_test)
    clf = SemiSupervisedRNNClassifier(method, random_state=seed)
    return clf.fit(task.X_train, task.y_train).score(task.X_test, task.y_test)


def main(folder, wanted):
    """Run what is missing and write the table."""
    sys.path.insert(0, folder)
    protocol = import_module("protocol")
    torch.set_num_threads(1)
    done = {}
    if RUNS.exists():
        with RUNS.open() as f:
            done = {tuple(row[:4]): float(row[4]) for row in list(csv.reader(f))[1:]}
    else:
        RUNS.write_text("task,labels,method,seed,accuracy,seconds\n")
    for item in wanted:
        name, labels = item.split(":")
        budget = float(labels) if "." in labels else int(labels)
        methods = ("mean_teacher", "autoencoder + linear") if labels == "1.0" else METHODS
        for seed in SEEDS:
            for method in methods:
                key = (name, labels, method, str(seed))
                if key in done:
                    continue
                start = time.perf_counter()
                done[key] = score(make(protocol, name, budget, seed), method, seed)
                with RUNS.open("a") as f:
                    csv.writer(f).writerow([*key, f"{done[key]:.4f}", f"{time.perf_counter() - start:.1f}"])
                print(*key, f"{done[key]:.3f}", flush=True)
    write_table(done)


def write_table(done):
    """Write docs/quality.md: mean and standard deviation over seeds, and the paired gain."""
    tasks = list(dict.fromkeys((k[0], k[1]) for k in done))
    methods = list(dict.fromkeys(k[2] for k in done))
    lines = ["# Accuracy (%) at default parameters, five seeds", ""]
    lines += ["Made by `python benchmarks/quality.py BENCH_FOLDER`; mean ± standard deviation.", ""]
    lines += ["| task | labels | " + " | ".join(methods) + " | gain, paired |"]
    lines += ["| --- " * (len(methods) + 3) + "|"]
    for name, labels in tasks:
        cells, by = [], {}
        for method in methods:
            runs = {k[3]: v for k, v in done.items() if k[:3] == (name, labels, method)}
            by[method] = runs
            values = 100 * np.array(list(runs.values()))
            cells.append(f"{values.mean():.1f} ± {values.std():.1f}" if len(values) else "")
        pairs = [s for s in by.get("supervised", {}) if s in by.get("mean_teacher", {})]
        gains = 100 * np.array([by["mean_teacher"][s] - by["supervised"][s] for s in pairs])
        cells.append(f"{gains.mean():+.1f} ± {gains.std():.1f}" if len(gains) else "")
        lines.append(f"| {name} | {labels} | " + " | ".join(cells) + " |")
    (DOCS / "quality.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or TASKS)
