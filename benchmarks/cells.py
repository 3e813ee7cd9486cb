"""The recurrent cells: accuracy on few-label tasks at default parameters, and the time of training.

    python benchmarks/cells.py BENCH_FOLDER      # run what is missing
    python benchmarks/cells.py                   # the page again, from the runs kept

BENCH_FOLDER holds `protocol.py`, which cuts the tasks. Each run is kept in docs/cells.csv and not repeated. Times of
layers are medians of runs in turns: those of a cell over those of an LSTM. The page is docs/cells.md.
"""

import argparse
import time

import numpy as np
import torch
from quality import make_task
from runs import DOCS, Runs, shown

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.modules import CELLS, initialise

RUNS = Runs("cells", ("task", "labels", "cell", "objective", "seed"), ("accuracy", "seconds"))
LAYERS = Runs("cells_layers", ("cell", "steps"), ("ratio",))
TASKS = ("cricketx:0.1", "japanese_vowels:0.1", "two_patterns:12", "bonn_eeg:0.1", "har:0.01", "fsdd:0.01")
NAMES = ("gru", "lstm", "mingru", "rnn")
OBJECTIVES = ("supervised", "fixmatch")
SEEDS = 2
STEPS, ROWS, SIZE, TURNS = (30, 100, 400, 1000), 64, 64, 7


def main(folder):
    """Run what is missing, then write the page."""
    torch.set_num_threads(1)
    if folder:
        done = RUNS.read()
        for seed in range(SEEDS):
            for task in TASKS:
                for cell in NAMES:
                    for objective in OBJECTIVES:
                        if (*task.split(":"), cell, objective, str(seed)) not in done:
                            run(folder, task, cell, objective, seed)
        measured = LAYERS.read()
        for n_steps in STEPS:
            if (NAMES[0], str(n_steps)) not in measured:
                time_layers(n_steps)
    write(RUNS.read(), LAYERS.first())


def run(folder, task, cell, objective, seed):
    """Fit a classifier, and keep its accuracy on the test rows and the processor time of `fit`."""
    cut = make_task(folder, task, seed)
    started = time.process_time()
    model = SemiSupervisedRNNClassifier(objective, cell=cell, random_state=seed).fit(cut.X_train, cut.y_train)
    seconds = time.process_time() - started
    accuracy = model.score(cut.X_test, cut.y_test)
    RUNS.keep(*task.split(":"), cell, objective, seed, f"{accuracy:.4f}", f"{seconds:.1f}")


def time_layers(n_steps):
    """Keep the time of a forward and a backward pass of one layer of each cell, over that of an LSTM."""
    torch.set_flush_denormal(True)
    layers = {}
    for name in NAMES:
        layers[name] = CELLS[name](SIZE, SIZE, batch_first=True)
        initialise(layers[name], torch.Generator().manual_seed(0))
    x = torch.randn(ROWS, n_steps, SIZE).requires_grad_()
    times = []
    for _ in range(TURNS + 1):  # the first warms up
        turn = []
        for layer in layers.values():
            started = time.process_time()
            layer(x)[0].square().mean().backward()
            turn.append(time.process_time() - started)
        times.append(turn)
    medians = dict(zip(layers, np.median(times[1:], 0), strict=True))
    for name in NAMES:
        LAYERS.keep(name, n_steps, f"{medians[name] / medians['lstm']:.3f}")


def write(runs, layers):
    """Write docs/cells.md."""
    lines = [
        "# Recurrent cells",
        "",
        "Made by `python benchmarks/cells.py BENCH_FOLDER`. Accuracy (%) of the classifier on test rows at default",
        "parameters but for `cell`: mean ± standard deviation of the seeds. FixMatch is the default objective. Means",
        "and times are over the runs that all cells have: the processor time of `fit`, over that of the GRU's.",
        "A figure without a deviation is of one seed; an empty one was not run.",
        "",
    ]
    for objective in OBJECTIVES:
        lines += [f"## {objective}", "", "| task, labels | " + " | ".join(NAMES) + " |", "| --- " * 5 + "|"]
        for task in TASKS:
            name, labels = task.split(":")
            found = {c: [100 * m[0] for k, m in runs.items() if k[:4] == (name, labels, c, objective)] for c in NAMES}
            lines.append(f"| {name}, {labels} | " + " | ".join(shown(found[c]) for c in NAMES) + " |")
        pairs = [{k[2]: m for k, m in runs.items() if (*k[:2], k[3], k[4]) == pair} for pair in paired(runs, objective)]
        pairs = [pair for pair in pairs if len(pair) == len(NAMES)]
        if pairs:
            means = [np.mean([100 * pair[c][0] for pair in pairs]) for c in NAMES]
            times = [sum(pair[c][1] for pair in pairs) / sum(pair["gru"][1] for pair in pairs) for c in NAMES]
            lines += ["| mean | " + " | ".join(f"{mean:.1f}" for mean in means) + " |"]
            lines += ["| time | " + " | ".join(f"{t:.2f}" for t in times) + " |", ""]
    lines += [
        "## One layer",
        "",
        f"A forward and a backward pass of one layer of {SIZE} units on {ROWS} sequences, on one core: the processor",
        "time over that of `torch.nn.LSTM`, medians of runs in turns.",
        "",
        "| steps | " + " | ".join(NAMES) + " |",
        "| --- " * 5 + "|",
    ]
    for n in STEPS:
        cells = [f"{layers[name, str(n)]:.2f}" if (name, str(n)) in layers else "" for name in NAMES]
        lines.append(f"| {n:,} | " + " | ".join(cells) + " |")
    (DOCS / "cells.md").write_text("\n".join(lines) + "\n")


def paired(runs, objective):
    """Task, labels, objective and seed of the runs of an objective, each once."""
    return sorted({(*key[:2], key[3], key[4]) for key in runs if key[3] == objective})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where protocol.py is")
    main(parser.parse_args().folder)
