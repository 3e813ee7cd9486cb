"""Time and accuracy beside other libraries, on one core; prints tables, and writes docs/peers.md and docs/peers.png.

    python3.11 -m venv PEERS && PEERS/bin/pip install -r benchmarks/peers_requirements.txt
    PYTHONPATH=. PEERS/bin/python benchmarks/peers.py [BENCH_FOLDER]

Each run is a process of its own, kept on one core, in turns with the others. Runs are kept in benchmarks/peers.csv and
not made twice. BENCH_FOLDER holds `protocol.py`, for MiniRocket on few labels.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
from runs import DOCS, Runs, shown

HERE = Path(__file__).resolve().parent
RUNS = Runs("peers", ("part", "task", "peer", "round"), ("epoch", "fit", "predict", "accuracy"), folder=HERE)
N_ROUNDS = 3
MOST_SPREAD = 3  # ratio of the longest to the shortest time of an epoch, above which none is shown
SHAPES = {"H 32, T 30": (32, 30), "H 64, T 100": (64, 100)}
PEERS = {
    "lstm": ("loop", "tuned", "skorch", "keras", "aeon", "sklearn_rnn"),
    "gru": ("loop", "keras", "sklearn_rnn"),
    "mingru": ("sklearn_rnn",),
}
NAMES = {
    "loop": "loop of torch's tutorials",
    "tuned": "tuned torch loop",
    "skorch": "skorch, as its documentation shows it",
    "keras": "Keras 3 on jax",
    "aeon": "aeon's RecurrentRegressor (tensorflow)",
    "sklearn_rnn": "sklearn_rnn",
}
FEW_LABELS = ("cricketx:0.1", "two_patterns:12")
GROWTH = {
    "rows": [(n, 100, 8) for n in (1600, 4800, 16000, 48000)],
    "steps": [(1600, n_steps, 8) for n_steps in (30, 100, 300, 1000)],
    "features": [(1600, 100, n_features) for n_features in (1, 8, 64, 256)],
    "labels": [(1600, 100, 8, n_labels) for n_labels in (16, 64, 256, 1024)],
}
WITHOUT_LOOP = "labels"  # unlabeled rows, which the loop cannot use
ALONE = {
    "OMP_NUM_THREADS": "1",
    "KERAS_BACKEND": "jax",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def main(arguments):
    """Make the runs that are missing, then write the tables and the picture."""
    for k in map(str, range(N_ROUNDS)):
        for cell, peers in PEERS.items():
            for shape in SHAPES:
                for peer in peers:
                    run("net", f"{cell}, {shape}", peer, k)
        for task in FEW_LABELS if arguments else ():
            for peer in ("minirocket", "supervised", "auto"):
                run("few labels", task, peer, k, arguments[0])
    for what, sizes in GROWTH.items():
        for size in sizes:
            for peer in ("sklearn_rnn",) if what == WITHOUT_LOOP else ("loop", "sklearn_rnn"):
                run("growth", f"{what}, {' '.join(map(str, size))}", peer, "0")
    done = RUNS.read()
    text = tables(done)
    (DOCS / "peers.md").write_text(text, encoding="utf8")
    print(text)
    draw(done)


def run(part, task, peer, k, bench=""):
    """Measure in a process on one core, unless that was done."""
    if (part, task, peer, k) in RUNS.read():
        return
    command = [sys.executable, str(HERE / "peers_run.py"), part, task, peer, k, bench]
    path = os.pathsep.join([str(HERE.parent), bench, str(Path(bench).parent / "data")])
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ALONE | {"PYTHONPATH": path})
    if done.returncode:
        raise RuntimeError(f"{part}, {task}, {peer}: {done.stderr[-2000:]}")
    RUNS.keep(part, task, peer, k, *done.stdout.split()[-4:])


def tables(done):
    """Return the page."""
    lines = [
        "# Beside other libraries",
        "",
        "Measured by `benchmarks/peers.py`, on one core of two, each fit in a process of its own, while other "
        f"work ran on the second core. Times are medians of {N_ROUNDS} runs, with the shortest and the longest; ratios "
        "are those of medians. Most runs were made in turns, some of Keras and aeon after the others. Growth was "
        "measured once.",
        "",
        "## The same net",
        "",
        "One recurrent layer in one direction, whose last state goes to a linear layer. There are 2,000 sequences of "
        "8 numbers a step, 10 epochs of batches of 64, and Adam with a learning rate of 0.004. A pulse comes up in two "
        "of the columns; the class says in which of them it comes first. aeon has no recurrent classifier, so its "
        "regressor gets numbers.",
        "",
        "The time of an epoch is what more epochs add to a fit of few. A dash: the libraries that compile a net in "
        "each fit need seconds for it, and the difference of two fits was within its noise, in one run negative. A fit "
        "is the whole first fit of a process, with what a library compiles.",
        "",
        "The net of `sklearn_rnn` is larger than the others: each step, with its change since the step before, first "
        "goes through a linear layer and layer normalisation, so that the recurrence reads as many numbers as it has "
        "units, 32 or 64, where the others read 8. That is 1.8 times the multiplications with 64 units. Where the data "
        "have 64 features, both recurrences read 64 numbers: see the last table.",
        "",
        "| net | library | epoch, ms | of the loop's | fit, s | prediction, ms | accuracy |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for cell, peers in PEERS.items():
        for shape in SHAPES:
            for peer in peers:
                task = f"{cell}, {shape}"
                base = task if cell in ("lstm", "gru") else f"lstm, {shape}"
                lines += row(done, task, peer, base)
    lines += ["", "The minimal GRU is compared with the loop of the LSTM.", ""]
    lines += few_labels(done)
    lines += [
        "## Growth",
        "",
        "Time of an epoch of an LSTM of 64 units as one size grows: rows (100 steps of 8 numbers), steps (1,600 rows), "
        "features (1,600 rows of 100 steps); and the time of an epoch of the default objective, FixMatch, as more of "
        "1,600 rows have a label. An epoch of `sklearn_rnn` has at least 25 batches, which are 1,600 rows.",
        "",
        "![Curves on log axes: the time of an epoch, by rows, steps, features and labels](peers.png)",
        "",
        "| what grows | size | loop of torch's tutorials, ms | sklearn_rnn, ms |",
        "| --- | --- | --- | --- |",
    ]
    for what, points in curves(done).items():
        for size, *times in points:
            loop, ours = (f"{1000 * time:,.0f}" if time else "" for time in times)
            lines.append(f"| {what} | {size:,} | {loop} | {ours} |")
    return "\n".join(lines) + "\n"


def row(done, task, peer, base):
    """Return the line of a peer, if it was measured."""
    rounds = [k for k in map(str, range(N_ROUNDS)) if ("net", task, peer, k) in done]
    if not rounds:
        return []
    runs = [done["net", task, peer, k] for k in rounds]
    epoch, fit, predict, accuracy = (median(run[i] for run in runs) for i in range(4))
    of_loop = median(
        done["net", base, "loop", k][0] for k in map(str, range(N_ROUNDS)) if ("net", base, "loop", k) in done
    )
    times = [run[0] for run in runs]
    is_clear = min(times) > max(times) / MOST_SPREAD
    epochs = f"{1000 * epoch:,.0f} ({1000 * min(times):,.0f} to {1000 * max(times):,.0f})"
    measured = (epochs, f"{epoch / of_loop:.2f}") if is_clear else ("-", "-")
    cells = (*measured, f"{fit:.1f}", f"{1000 * predict:,.0f}", f"{accuracy:.3f}")
    return [f"| {task} | {NAMES[peer]} | {' | '.join(cells)} |"]


def few_labels(done):
    """Return the lines of MiniRocket and the default, if they were measured."""
    names = {"minirocket": "MiniRocket and a ridge classifier", "supervised": "labels alone", "auto": "default"}
    lines = []
    for task in FEW_LABELS:
        for peer, name in names.items():
            rounds = [k for k in map(str, range(N_ROUNDS)) if ("few labels", task, peer, k) in done]
            if rounds:
                runs = np.array([done["few labels", task, peer, k] for k in rounds])
                fit, predict = np.median(runs[:, 1:3], axis=0)
                lines.append(f"| {task} | {name} | {fit:.1f} | {predict:.2f} | {shown(100 * runs[:, 3])} |")
    if not lines:
        return []
    head = ["| task, labels | model | fit, s | prediction, s | accuracy |", "| --- | --- | --- | --- | --- |"]
    why = (
        "Median times and mean accuracies (%) ± standard deviations over three seeds, which also draw the labels anew: "
        "46 labeled rows of cricketx, whose test set has 156 rows, and 12 of two_patterns, with 3,999. MiniRocket has "
        "compiled before. `sklearn_rnn` is at its defaults, bidirectional, with random kernels."
    )
    return ["## Few labels", "", why, "", *head, *lines, ""]


def curves(done):
    """Return sizes and times of an epoch in the loop, if it has one, and in ours, by what grows."""
    found = {}
    for place, (what, sizes) in enumerate(GROWTH.items()):
        for size in sizes:
            task = f"{what}, {' '.join(map(str, size))}"
            loop, ours = (done.get(("growth", task, peer, "0"), [None])[0] for peer in ("loop", "sklearn_rnn"))
            if ours is not None:
                found.setdefault(what, []).append((size[place], loop, ours))
    return found


def draw(done):
    """Draw the growth on log axes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    found = curves(done)
    figure, axes = plt.subplots(1, len(GROWTH), figsize=(11, 3), sharey=True, layout="constrained")
    for ax, (what, points) in zip(axes, found.items(), strict=True):
        sizes, loop, ours = zip(*points, strict=True)
        if None not in loop:
            ax.loglog(sizes, loop, "o--", color="0.5", label=NAMES["loop"])
        ax.loglog(sizes, ours, "o-", color="tab:blue", label="sklearn_rnn")
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()
        ax.set_xlabel(what)
    axes[0].set_ylabel("seconds of an epoch")
    axes[0].legend(frameon=False)
    figure.savefig(DOCS / "peers.png", dpi=130)


if __name__ == "__main__":
    main(sys.argv[1:])
