"""What pretraining adds: accuracy fine-tuned from each pretext, and of a linear model or an SVM on frozen codes.

    python benchmarks/pretraining.py BENCH_FOLDER                       # fine-tuned, 10% labels
    python benchmarks/pretraining.py BENCH_FOLDER --frozen              # frozen codes
    python benchmarks/pretraining.py BENCH_FOLDER --pretexts none contrastive --objectives mean_teacher --seeds 2
    python benchmarks/pretraining.py                                    # the tables again, from the runs kept

BENCH_FOLDER is as for `quality.py`. Runs are kept in docs/pretraining.csv and not repeated, so it goes on where it
stopped.
"""

import argparse
import time

import numpy as np
import torch
from quality import make_task
from runs import DOCS, Runs, shown
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier

RUNS = Runs("pretraining", ("task", "labels", "objective", "pretraining", "seed"), ("accuracy", "seconds"))
PRETEXTS = (
    *("none", "reconstruction", "denoising", "composite"),
    *("masked_reconstruction", "next_step", "contrastive"),
)
TASKS = ("cricketx:0.1", "har:0.1", "fsdd:0.1")
PROBES = {
    "logistic regression": (StandardScaler(), LogisticRegression(max_iter=2000)),
    "SVM": (FunctionTransformer(), SVC(kernel="linear")),  # of codes as they are
}
FROZEN = {
    "japanese_vowels:all": "logistic regression",
    **{f"two_patterns:{labels}": "SVM" for labels in (12, 23, 45, 89)},
}


def main(arguments):
    """Run what is missing, then write the tables."""
    done = RUNS.first()
    if arguments.folder:
        torch.set_num_threads(1)
        for seed in range(arguments.seeds):
            for pretext in arguments.pretexts:
                if arguments.frozen:
                    run_frozen(arguments.folder, pretext, seed, done)
                else:
                    run_tuned(arguments, pretext, seed, done)
        done = RUNS.first()
    write_tables(done)


def keep(key, accuracy, started):
    """Append a run to the file."""
    RUNS.keep(*key, f"{accuracy:.4f}", f"{time.perf_counter() - started:.1f}")


def run_tuned(arguments, pretext, seed, done):
    """Fine-tune at default parameters and score on the test rows."""
    for task in arguments.tasks:
        for objective in arguments.objectives:
            key, started = (*task.split(":"), objective, pretext, str(seed)), time.perf_counter()
            if key not in done:
                cut = make_task(arguments.folder, task, seed)
                pretraining = None if pretext == "none" else pretext
                clf = SemiSupervisedRNNClassifier(objective, pretraining=pretraining, random_state=seed)
                keep(key, clf.fit(cut.X_train, cut.y_train).score(cut.X_test, cut.y_test), started)


def run_frozen(folder, pretext, seed, done):
    """Fit codes on all training rows of a set once, and a model on those of the labeled rows of each budget."""
    codes = {}  # of the training and the test rows of a set, whose budgets share them
    for task, probe in FROZEN.items():
        key, started = (*task.split(":"), probe, pretext, str(seed)), time.perf_counter()
        if key not in done and pretext != "none":
            cut = make_task(folder, task, seed)
            if key[0] not in codes:
                encoder = RNNAutoencoderTransformer(pretext, random_state=seed).fit(cut.X_train)
                codes[key[0]] = encoder.transform(cut.X_train), encoder.transform(cut.X_test)
            train, test = codes[key[0]]
            scaler, model = clone(PROBES[probe])
            scaled, known = scaler.fit_transform(train), cut.labeled  # scaled by all rows
            model.fit(scaled[known], cut.y_train[known])
            keep(key, model.score(scaler.transform(test), cut.y_test), started)


def by_seed(done, task, objective, pretext):
    """Accuracies (%) by seed."""
    start = (*task.split(":"), objective, pretext)
    return {key[4]: 100 * accuracy for key, accuracy in done.items() if key[:4] == start}


def write_tables(done):
    """Write docs/pretraining.md between its marks."""
    page = DOCS / "pretraining.md"
    before, _, rest = page.read_text().partition("<!-- tables -->\n")
    _, _, after = rest.partition("<!-- end -->")
    lines = []
    for objective in dict.fromkeys(key[2] for key in done if key[2] not in PROBES):
        lines += tuned_table(done, objective)
    lines += frozen_table(done)
    page.write_text(before + "<!-- tables -->\n" + "\n".join(lines) + "\n<!-- end -->" + after)


def tuned_table(done, objective):
    """Lines of the table of gains over no pretraining, paired by seed."""
    lines = [f"### Fine-tuned with `{objective}`", ""]
    lines += ["| pretraining | " + " | ".join(f"{task}, gain (seeds)" for task in TASKS) + " | mean gain |"]
    lines += ["| --- " * (len(TASKS) + 2) + "|"]
    for pretext in PRETEXTS:
        cells, means = [], []
        for task in TASKS:
            none, own = (by_seed(done, task, objective, name) for name in ("none", pretext))
            gains = [own[seed] - none[seed] for seed in own if seed in none]
            if not gains:
                cells.append("")
                continue
            means.append(np.mean(gains))
            gain = "" if pretext == "none" else f", {shown(gains, '+')}"
            cells.append(f"{shown(own.values())}{gain} ({len(gains)})")
        mean = f"{np.mean(means):+.1f}" if len(means) == len(TASKS) and pretext != "none" else ""
        if means:
            lines.append("| " + " | ".join([pretext, *cells, mean]) + " |")
    return [*lines, ""]


def frozen_table(done):
    """Lines of the table of frozen codes."""
    lines = ["### Frozen codes", "", "| pretraining | " + " | ".join(f"{t}, {p}" for t, p in FROZEN.items()) + " |"]
    lines += ["| --- " * (len(FROZEN) + 1) + "|"]
    for pretext in PRETEXTS[1:]:
        runs = [by_seed(done, task, probe, pretext).values() for task, probe in FROZEN.items()]
        if any(runs):
            lines.append("| " + " | ".join([pretext, *(f"{shown(r)} ({len(r)})" if r else "" for r in runs)]) + " |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where protocol.py is")
    parser.add_argument("--tasks", nargs="+", default=TASKS, help="NAME:LABELS")
    parser.add_argument("--pretexts", nargs="+", default=PRETEXTS)
    parser.add_argument("--objectives", nargs="+", default=["supervised"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--frozen", action="store_true", help="codes with a linear model or an SVM")
    main(parser.parse_args())
