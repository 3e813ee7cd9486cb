"""Pictures and sounds of digits, paired by class: both inputs against each alone, with few labels.

    python benchmarks/inputs.py DATA_FOLDER              # run what is missing
    python benchmarks/inputs.py                          # the table again, from the runs kept
    python benchmarks/inputs.py DATA_FOLDER validation   # fusions and input dropout on held-out training pairs

DATA_FOLDER holds `load.py` with the set "fsdd"; the pictures are scikit-learn's digits, read row by row. Each sound
is paired with a picture of the same digit, drawn with the seed. Of 1000 pairs to train on, 2 of each digit have a
label; 300 other pairs are predicted. "half" means that a random half of the rows lacks this input, in training and
in the test. Writes docs/inputs_results.md. Runs are kept in docs/inputs.csv and not repeated.
"""

import sys
import time
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from runs import DOCS, Runs, shown
from sklearn.datasets import load_digits

from sklearn_rnn import SemiSupervisedRNNClassifier

RUNS = Runs("inputs", ("inputs", "fusion", "seed"), ("accuracy", "seconds"))
TRIED = Runs(
    "inputs_validation",
    ("inputs", "fusion", "input_dropout", "seed"),
    ("accuracy", "seconds"),
    DOCS.parent / "benchmarks",
)
N_TRAINING, N_TEST, N_LABELS, SEEDS = 1000, 300, 2, range(3)
INPUTS = {  # fraction of the rows that lack each input; None if it is not used
    "picture": (0, None),
    "sound": (None, 0),
    "picture and sound": (0, 0),
    "picture and half of the sounds": (0, 0.5),
    "half of the pictures and sound": (0.5, 0),
}


def main(folder=None, mode="test"):
    """Run what is missing, then write the table."""
    torch.set_num_threads(1)
    if folder is not None and mode == "validation":
        validate(Path(folder))
        return
    for fusion, seed, inputs in product(("concat", "gate"), SEEDS, INPUTS) if folder is not None else ():
        if " " not in inputs and fusion == "gate":
            continue
        if (inputs, fusion, str(seed)) not in RUNS.read():
            RUNS.keep(inputs, fusion, seed, *run(Path(folder), inputs, seed, "test", fusion=fusion))
    write(RUNS.read())


def validate(folder):
    """Try fusions and input dropout on pairs of the training part."""
    for seed in range(10, 12):
        for inputs in ("picture and sound", "picture and half of the sounds"):
            for fusion in ("concat", "gate"):
                for p in (0.1, 0.3, 0.5):
                    if (inputs, fusion, str(p), str(seed)) not in TRIED.read():
                        options = {"fusion": fusion, "input_dropout": p}
                        TRIED.keep(inputs, fusion, p, seed, *run(folder, inputs, seed, "validation", **options))


def run(folder, inputs, seed, part, **options):
    """Fit on pairs, and return the accuracy on others and the seconds that it took."""
    started = time.perf_counter()
    X, y, X_test, y_test = pairs(folder, seed, part)
    random = np.random.default_rng(seed)
    labeled = np.concatenate([random.permutation(np.flatnonzero(y == k))[:N_LABELS] for k in range(10)])
    partly = np.full(len(y), -1)
    partly[labeled] = y[labeled]
    X, X_test = (lacking(frame, INPUTS[inputs], random) for frame in (X, X_test))
    clf = SemiSupervisedRNNClassifier(random_state=seed, **options).fit(X, partly)
    return f"{clf.score(X_test, y_test):.4f}", f"{time.perf_counter() - started:.1f}"


def pairs(folder, seed, part):
    """Return pairs to train on and pairs to predict, with their classes; no picture or sound is in both."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    sounds, pictures = import_module("load").load("fsdd"), load_digits()
    random = np.random.default_rng(seed)
    order = random.permutation(sounds["train"])
    sound_rows = (
        order[:N_TRAINING],
        (order[N_TRAINING:] if part == "validation" else random.permutation(sounds["test"])),
    )
    picture_rows = (
        np.arange(900),
        (np.arange(900, 1300) if part == "validation" else np.arange(1300, len(pictures.images))),
    )
    result = []
    for of_sounds, of_pictures in zip(sound_rows, picture_rows, strict=True):
        of_sounds = of_sounds[: N_TRAINING if len(result) == 0 else N_TEST]
        y = sounds["y"][of_sounds]
        drawn = [random.choice(of_pictures[pictures.target[of_pictures] == k]) for k in y]
        columns = {
            "picture": [pictures.images[i].astype(np.float32) for i in drawn],
            "sound": [sounds["X"][i] for i in of_sounds],
        }
        result += [pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()}), y]
    return result


def lacking(frame, fractions, random):
    """Return a frame without the columns that are not used, and with missing inputs in fractions of the rows."""
    frame = frame.copy()
    for name, fraction in zip(("picture", "sound"), fractions, strict=True):
        if fraction is None:
            frame = frame.drop(columns=name)
        elif fraction:
            frame.loc[random.permutation(len(frame))[: round(fraction * len(frame))], name] = None
    return frame


def write(runs):
    """Write the table of docs/inputs_results.md."""
    page = DOCS / "inputs_results.md"
    lines = [page.read_text().partition("<!-- table -->")[0] + "<!-- table -->", ""]
    lines += ["| inputs | fusion | accuracy, % | of each seed | seconds |", "| --- " * 5 + "|"]
    for inputs, fusion in dict.fromkeys(key[:2] for key in runs):
        found = np.array([run for key, run in runs.items() if key[:2] == (inputs, fusion)])
        each = ", ".join(f"{100 * a:.1f}" for a in found[:, 0])
        lines.append(f"| {inputs} | {fusion} | {shown(100 * found[:, 0])} | {each} | {found[:, 1].mean():.0f} |")
    page.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
