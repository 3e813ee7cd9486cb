"""What the generative objectives learn, and how what they draw looks and serves.

    python benchmarks/generative.py PART [--folder FOLDER] [--seeds N]

PART is `bound` (variational autoencoder of digits: bound of held-out rows, active units, pictures), `synthetic`
(train on drawn digits, test on real ones), `told` (how well a net tells drawn rows from real ones) or `tables`
(docs/generative.md from the runs kept). FOLDER holds `load.py`; ../shared/data by default. Finished
runs are kept in docs/generative.csv and not repeated.
"""

import argparse
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from runs import DOCS, Runs, shown
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import minmax_scale
from torch.nn.functional import binary_cross_entropy_with_logits

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import AdversarialAutoencoder, RecurrentGAN, SemiSupervisedVAE, Variational
from sklearn_rnn.preprocessing import cut_windows

RUNS = Runs("generative", ("part", "data", "method", "seed", "measure"), ("value",))
PATCHES = {"digits": 1, "sines": 4, "etth1": 4, "ecg5000": 6}
N_TRAIN = 1200  # of the 1797 digits
PLAIN = {"augmentation": None, "dropout": 0.0}
DRAWERS = {
    "variational": (Variational(), {"max_epochs": 40}),
    "adversarial_autoencoder": (AdversarialAutoencoder(), {"max_epochs": 40}),
    "recurrent_gan": (RecurrentGAN(), {"max_epochs": 60}),
}


def main(arguments):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    if arguments.part == "told":
        for seed in range(arguments.seeds):
            for data in arguments.data:
                for method in arguments.methods:
                    once("told", data, method, seed, lambda d=data, m=method, s=seed: told(arguments.folder, d, m, s))
    if arguments.part == "bound":
        for seed in range(arguments.seeds):
            once("bound", "digits", "variational", seed, lambda s=seed: bound(s))
    if arguments.part == "synthetic":
        for seed in range(arguments.seeds):
            once("synthetic", "digits", "semi_supervised_vae", seed, lambda s=seed: synthetic(s))
    write_page()


def once(part, data, method, seed, measured):
    """Keep the measures of a run, unless they are there."""
    key, started = (part, data, method, str(seed)), time.perf_counter()
    if all(run[:4] != key for run in RUNS.read()):
        for name, value in measured().items():
            RUNS.keep(*key, name, f"{value:.4f}")
        RUNS.keep(*key, "seconds", f"{time.perf_counter() - started:.1f}")


def digits(seed=0):
    """Digits as 8 steps of 8 values, and their classes, to train on and to test on."""
    data = load_digits()
    X, order = (data.images / 16).astype(np.float32), np.random.default_rng(seed).permutation(len(data.target))
    some, others = order[:N_TRAIN], order[N_TRAIN:]
    return X[some], data.target[some], X[others], data.target[others]


# How good the bound is


def bound(seed):
    """Bound of held-out digits in nats a value, by epochs, active units, and pictures for seed 0."""
    X, _, held_out, _ = digits(seed)
    measures = {}
    for epochs in (6, 24, 60):
        model = RNNAutoencoderTransformer(Variational(), max_epochs=epochs, random_state=seed).fit(X)
        measures[f"bound after {epochs} epochs"] = model.score(held_out) / 64
    measures["bound of the rows trained on"] = model.score(X) / 64
    measures["active units"] = model.history_[-1]["active_units"]
    measures["divergence"] = sum(value for name, value in model.history_[-1].items() if name.startswith("kl_of_units_"))
    if seed == 0:
        draw_digits([held_out[:24], model.reconstruct(held_out[:24]), model.sample(24, random_state=0)])
    return measures


def draw_digits(rows):
    """Draw docs/generative_digits.png."""
    plt = pyplot()
    figure, axes = plt.subplots(3, 1, figsize=(9, 2.2), layout="constrained")
    for axis, images, title in zip(axes, rows, ("held out", "rebuilt from 16 codes", "drawn"), strict=True):
        sheet = np.concatenate([np.pad(image, 1) for image in images[:24]], axis=1)
        axis.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(title, fontsize=9, loc="left")
        axis.axis("off")
    figure.savefig(DOCS / "generative_digits.png", dpi=110)


# How drawn rows serve


def synthetic(seed):
    """Accuracy on held-out digits of a net trained on real ones, and on as many drawn ones."""
    X, y, held_out, truth = digits(seed)
    drawer = SemiSupervisedRNNClassifier(SemiSupervisedVAE(), max_epochs=60, random_state=seed).fit(X, y)
    drawn = drawer.sample(len(X), y=y, random_state=seed)
    if seed == 0:
        draw_classes(drawer)
    nets = (SemiSupervisedRNNClassifier("supervised", random_state=seed) for _ in range(2))
    real, synthetic = (net.fit(rows, y).score(held_out, truth) for net, rows in zip(nets, (X, drawn), strict=True))
    return {"trained on real": real, "trained on drawn": synthetic, "of the drawer": drawer.score(held_out, truth)}


def draw_classes(drawer):
    """Draw docs/generative_classes.png: twelve of each class."""
    plt = pyplot()
    drawn = drawer.sample(120, y=np.repeat(drawer.classes_, 12), random_state=0).reshape(10, 12, 8, 8)
    sheet = np.concatenate([np.concatenate([np.pad(image, 1) for image in row], axis=1) for row in drawn])
    figure, axis = plt.subplots(figsize=(5, 4.2), layout="constrained")
    axis.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    axis.axis("off")
    figure.savefig(DOCS / "generative_classes.png", dpi=110)


# How drawn rows are told from real ones


def sines(n=1000, n_steps=24, n_features=5, seed=0):
    """TimeGAN's: sines of random frequency and phase, between 0 and 1."""
    random = np.random.default_rng(seed)
    frequency, phase = random.uniform(0, 0.1, (2, n, 1, n_features))
    return ((np.sin(frequency * np.arange(n_steps)[None, :, None] + phase) + 1) / 2).astype(np.float32)


def windows(series, n=1000, n_steps=24, seed=0):
    """TimeGAN's way with a long series (T, F): windows at random, each feature between 0 and 1."""
    starts = np.random.default_rng(seed).permutation(len(series) - n_steps)[:n]
    return cut_windows(minmax_scale(series).astype(np.float32), n_steps, stride=1)[starts]


def real_rows(folder, data):
    """Rows (n, T, F) to imitate."""
    if data == "sines":
        return sines()
    if data == "digits":
        return digits()[0]
    sys.path.insert(0, str(folder))
    everything = import_module("load").load(data)
    if data == "etth1":
        return windows(everything["X"])
    return everything["X"][everything["y"] == 0][:1000]


def told(folder, data, method, seed):
    """Return how far from a guess nets are that tell drawn rows from real ones, on held-out rows.

    TimeGAN's judge has half as many units as there are features; a whole net has the classifier's defaults.
    """
    X = real_rows(folder, data)
    objective, parameters = DRAWERS[method]
    model = RNNAutoencoderTransformer(
        objective, **PLAIN, **parameters, patch_size=PATCHES[data], random_state=seed
    ).fit(X)
    drawn = model.sample(len(X), random_state=seed)
    if seed == 0:
        draw_lines(data, method, X, drawn)
    rows, fake = np.concatenate([X, drawn]).reshape(2 * len(X), X.shape[1], -1), np.repeat([0, 1], len(X))
    order = np.random.default_rng(seed).permutation(len(rows))
    some, others = np.split(order, [round(0.8 * len(order))])
    net = SemiSupervisedRNNClassifier("supervised", augmentation=None, random_state=seed)
    scores = {
        "told by TimeGAN's judge": judged(rows, fake, some, others, max(1, rows.shape[2] // 2), seed),
        "told by a GRU of 32 units": judged(rows, fake, some, others, 32, seed),
        "told by a whole net": net.fit(rows[some], fake[some]).score(rows[others], fake[others]),
    }
    return {name: abs(score - 0.5) for name, score in scores.items()}


def judged(rows, fake, some, others, n_units, seed):
    """Accuracy of TimeGAN's discriminator on the `others`: last state of a GRU, 2000 steps of Adam, batches of 128."""
    torch.manual_seed(seed)
    X, y = torch.from_numpy(rows).float(), torch.from_numpy(fake).float()
    gru, score = torch.nn.GRU(X.shape[2], n_units, batch_first=True), torch.nn.Linear(n_units, 1)
    adam = torch.optim.Adam([*gru.parameters(), *score.parameters()])
    for _ in range(2000):
        batch = some[torch.randint(len(some), (128,))]
        loss = binary_cross_entropy_with_logits(score(gru(X[batch])[1][0])[:, 0], y[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        return ((score(gru(X[others])[1][0])[:, 0] > 0) == y[others].bool()).float().mean().item()


def draw_lines(data, method, real, drawn):
    """Draw docs/generative_DATA_METHOD.png: the first feature of twenty rows."""
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True, layout="constrained")
    for axis, rows, title in zip(axes, (real, drawn), (f"{data}, real", f"drawn by {method}"), strict=True):
        axis.plot(np.reshape(rows[:20], (20, rows.shape[1], -1))[:, :, 0].T, lw=0.8)
        axis.set_title(title, fontsize=9)
    figure.savefig(DOCS / f"generative_{data}_{method}.png", dpi=110)


def pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


# The page


def write_page():
    """Write the table of docs/generative.md between its markers."""
    runs = {}
    for (part, data, method, _, measure), (value,) in RUNS.read().items():
        runs.setdefault((part, data, method, measure), []).append(value)
    lines = ["| part | data | method | measure | seeds | mean ± deviation |", "| --- " * 6 + "|"]
    for (part, data, method, measure), values in sorted(runs.items()):
        if measure != "seconds":
            lines.append(f"| {part} | {data} | {method} | {measure} | {len(values)} | {shown(values, digits=3)} |")
    page = DOCS / "generative.md"
    head, _, _ = (
        page.read_text().partition("<!-- runs -->") if page.exists() else ("# Generative objectives\n\n", "", "")
    )
    page.write_text(head + "<!-- runs -->\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=("bound", "synthetic", "told", "tables"))
    parser.add_argument("--folder", type=Path, default=DOCS.parent.parent / "shared" / "data", help="where load.py is")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", nargs="+", default=["sines", "digits"])
    parser.add_argument("--methods", nargs="+", default=list(DRAWERS))
    main(parser.parse_args())
