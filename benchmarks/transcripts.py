"""Strings of spoken digits, transcribed from a tenth of the transcripts.

    python benchmarks/transcripts.py DATA_FOLDER             # run what is missing
    python benchmarks/transcripts.py DATA_FOLDER validation  # the runs that chose the defaults
    python benchmarks/transcripts.py                         # the table again, from the runs kept

DATA_FOLDER holds `load.py` and fsdd: 3,000 recordings of ten digits by six speakers, as log mel energies. Recordings of
one speaker are joined to strings of 3 to 5 digits, in random order, each recording in one string. The level of each
channel of a string is subtracted; all else is at the defaults.

`recordings`: the published split; strings of the test set are new recordings of the same six speakers. `speakers`: four
speakers train, and the two others (theo, yweweler) are the test set. A seed draws the strings, those that are
transcribed, and the net. Defaults were chosen on 300 of the training recordings, never on the test set. Runs are kept
in benchmarks/transcripts.csv and benchmarks/transcripts_validation.csv, and not repeated. The table is written to
benchmarks/transcripts.md.
"""

import sys
import time
from importlib import util
from pathlib import Path

import numpy as np
import torch
from runs import Runs, shown
from sklearn.pipeline import make_pipeline

from sklearn_rnn import SemiSupervisedRNNTranscriber
from sklearn_rnn.model_selection import label_error_rate
from sklearn_rnn.objectives import IteratedPseudoLabel
from sklearn_rnn.perturbations import Light
from sklearn_rnn.preprocessing import PerSequenceScaler

HERE = Path(__file__).resolve().parent
MEASURED = ("label_error_rate", "greedy", "seconds")
RUNS = Runs("transcripts", ("split", "method", "seed"), MEASURED, folder=HERE)
CHOICES = Runs("transcripts_validation", ("split", "method", "seed"), MEASURED, folder=HERE)
METHODS = {  # objective, fraction of the strings that are transcribed
    "pseudo-labels, 10%": ("auto", 0.1),
    "transcripts alone, 10%": ("supervised", 0.1),
    "all transcripts": ("supervised", 1.0),
}
VARIANTS = {  # of the defaults, with a tenth of the transcripts
    "default": {},
    "transcripts alone": {"objective": "supervised"},
    "transcripts alone, no SpecAugment": {"objective": "supervised", "augmentation": Light(shift=0)},
    "threshold=0": {"objective": IteratedPseudoLabel(threshold=0)},
    "threshold=0.9": {"objective": IteratedPseudoLabel(threshold=0.9)},
}
SEEDS = 3
TEST_SPEAKERS = (4, 5)
N_VALIDATION = 300


def main(folder=None, what="test"):
    """Run what is missing, then write the table."""
    if folder is not None and (Path(folder) / "load.py").exists():
        torch.set_num_threads(1)
        (choose if what == "validation" else run_missing)(loaded(folder))
    elif folder is not None:
        print(f"{folder} has no load.py: nothing is run, the table is of the runs kept.")
    write(RUNS.read(), CHOICES.read())


def loaded(folder):
    """Return the data set."""
    spec = util.spec_from_file_location("load", Path(folder) / "load.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load("fsdd")


def run_missing(data):
    """Run each method once for each seed and split."""
    for seed in range(SEEDS):
        for split in ("recordings", "speakers"):
            for method, (objective, share) in METHODS.items():
                if (split, method, str(seed)) not in RUNS.read():
                    measures = run(data, *rows_of(data, split), seed, share, {"objective": objective})
                    RUNS.keep(split, method, seed, *measures)


def choose(data):
    """Run the variants of the defaults on a part of the training recordings."""
    for variant, options in VARIANTS.items():
        if ("validation", variant, "0") not in CHOICES.read():
            CHOICES.keep("validation", variant, 0, *run(data, *rows_of(data, "validation"), 0, 0.1, options))


def rows_of(data, split):
    """Positions of the recordings to train on, and of those to test on."""
    if split == "recordings":
        return data["train"], data["test"]
    if split == "speakers":
        is_test = np.isin(data["groups"], TEST_SPEAKERS)
        return np.flatnonzero(~is_test), np.flatnonzero(is_test)
    drawn = np.random.default_rng(99).permutation(data["train"])
    return np.sort(drawn[N_VALIDATION:]), np.sort(drawn[:N_VALIDATION])


def joined(data, rows, seed):
    """Return strings of 3 to 5 recordings of one speaker, and their transcripts; up to two recordings are left over."""
    draws, X, y = np.random.default_rng(seed), [], []
    for speaker in np.unique(data["groups"][rows]):
        left = draws.permutation(rows[data["groups"][rows] == speaker])
        while len(left) >= 3:
            n = draws.integers(3, 6)
            part, left = left[:n], left[n:]
            X.append(np.concatenate([data["X"][i] for i in part]))
            y.append(data["y"][part])
    return X, y


def run(data, train, test, seed, share, options):
    """Return the label error rates of beam search and of the best path on the test strings, and the seconds of fit."""
    X, y = joined(data, train, seed)
    X_test, y_test = joined(data, test, 1000)
    known = np.random.default_rng(seed).permutation(len(X)) < round(share * len(X))
    partly = [labels if is_known else None for labels, is_known in zip(y, known, strict=True)]
    transcriber = SemiSupervisedRNNTranscriber(**options, random_state=seed)
    pipeline = make_pipeline(PerSequenceScaler(with_std=False), transcriber)
    started = time.process_time()
    pipeline.fit(X, partly)
    seconds = time.process_time() - started
    rates = []
    for decoding in ("beam", "greedy"):
        transcriber.set_params(decoding=decoding)
        rates.append(label_error_rate(y_test, pipeline.predict(X_test)))
    return *(round(rate, 4) for rate in rates), round(seconds)


def write(runs, choices):
    """Write the table."""
    lines = [
        "# Transcripts of spoken digits",
        "",
        "Label error rates in percent, of beam search and of the best path, and CPU seconds of `fit`; mean and",
        "standard deviation over seeds. `benchmarks/transcripts.py` says how they were measured.",
        "",
        "| test strings | method | seeds | error | greedy | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for split in ("recordings", "speakers"):
        for method in METHODS:
            found = [measures for key, measures in runs.items() if key[:2] == (split, method)]
            lines += row(f"new {split}", method, found)
    lines += ["", "One seed on 300 of the training recordings, a tenth of the strings transcribed:", ""]
    lines += ["| test strings | method | seeds | error | greedy | seconds |", "| --- | --- | --- | --- | --- | --- |"]
    for (split, variant, _), measures in choices.items():
        lines += row(split, variant, [measures])
    (HERE / "transcripts.md").write_text("\n".join(lines) + "\n")


def row(split, method, found):
    """Return the line of a method, if it was run."""
    if not found:
        return []
    error, greedy, seconds = np.array(found).T
    shown_errors = [shown(100 * values) for values in (error, greedy)]
    return [f"| {split} | {method} | {len(found)} | {' | '.join(shown_errors)} | {seconds.mean():.0f} |"]


if __name__ == "__main__":
    main(*sys.argv[1:])
