"""IMDB: an encoder pretrained on all 75,000 reviews, then few labels; a small net on two cores, a large one on a GPU.

    python benchmarks/imdb.py BENCH_FOLDER                              # minutes for each run, on one core
    python benchmarks/imdb.py BENCH_FOLDER --labels 10 all --seeds 5
    python benchmarks/imdb.py BENCH_FOLDER --device cuda --hidden-size 512 --pretext next_step --epochs 10 --jobs 4
    python benchmarks/imdb.py                                           # the table again, from the runs kept

BENCH_FOLDER is as for `quality.py`. The encoder is kept in build/, the runs in docs/imdb.csv; neither is made twice. On
a GPU the net is trained under autocast to half precision.
"""

import argparse
import math
import time
import warnings
from pathlib import Path

import joblib
import torch
from quality import DEFAULT, TAUGHT, VOTE, make_task, vote
from runs import DOCS, Runs, shown
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import Contrastive, NextStep
from sklearn_rnn.text import TokenSequenceVectorizer

RUNS = Runs("imdb", ("net", "labels", "seed"), ("net alone", "vote", "taught", "seconds", "pretraining seconds"))
BUILD = Path(__file__).resolve().parent.parent / "build"
PRETEXTS = {"contrastive": Contrastive(crop=0.5), "next_step": NextStep()}
MAX_TOKENS = 400  # of a review
EPOCHS = {"10": 48, "50": 48, "200": 48, "all": 4}  # by labels for each class


def main(arguments):
    """Run what is missing, then write the table."""
    if arguments.folder:
        torch.set_num_threads(1)
        jobs = [(labels, seed) for seed in range(arguments.seeds) for labels in arguments.labels]
        missing = [job for job in jobs if (name_of(arguments), job[0], str(job[1])) not in RUNS.read()]
        if missing:
            pretrained(arguments, make_task(arguments.folder, f"imdb:{arguments.labels[0]}", 0).X_train)
        joblib.Parallel(n_jobs=arguments.jobs)(joblib.delayed(run)(arguments, *job) for job in missing)
    write_table(RUNS.read())


def name_of(arguments):
    """Return what tells this net from others."""
    pretext = f"{arguments.pretext}, {arguments.epochs} epochs" if arguments.pretext != "none" else "no pretraining"
    batches = "" if arguments.batch_size == 64 else f" in batches of {arguments.batch_size}"
    patches = "" if arguments.patch_size == "auto" else f"patches of {arguments.patch_size}, "
    return f"{arguments.hidden_size} units, {patches}{pretext}{batches}, {arguments.device}".replace(
        " 1 epochs", " 1 epoch"
    )


def autocast(arguments):
    """Return a context of half precision on a GPU."""
    return torch.autocast("cuda", torch.bfloat16, enabled=arguments.device.startswith("cuda"))


def pretrained(arguments, documents):
    """Return the vectorizer and the encoder, both fitted on all documents, and the seconds that took."""
    path = BUILD / f"imdb {name_of(arguments)}.joblib"
    if not path.exists():
        started = time.perf_counter()
        vectorizer = TokenSequenceVectorizer(max_length=MAX_TOKENS)
        ids, encoder = vectorizer.fit_transform(documents), None
        if arguments.pretext != "none":
            encoder = RNNAutoencoderTransformer(
                PRETEXTS[arguments.pretext],
                max_epochs=arguments.epochs,
                batch_size=arguments.batch_size,
                hidden_size=arguments.hidden_size,
                patch_size=arguments.patch_size,
                device=arguments.device,
                random_state=0,
            )
            with autocast(arguments):
                encoder.fit(ids)
        BUILD.mkdir(exist_ok=True)
        joblib.dump((vectorizer, encoder, time.perf_counter() - started), path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)  # whole, or not there
    return joblib.load(path)


def run(arguments, labels, seed):
    """Fine-tune, score on the test rows, and keep the accuracies."""
    torch.set_num_threads(1)
    cut = make_task(arguments.folder, f"imdb:{labels}", seed)
    vectorizer, encoder, seconds = pretrained(arguments, cut.X_train)
    started = time.perf_counter()
    clf = SemiSupervisedRNNClassifier(
        pretraining=None if encoder is None else FrozenEstimator(encoder),
        max_epochs=EPOCHS[labels],
        hidden_size=arguments.hidden_size,
        patch_size=arguments.patch_size,
        device=arguments.device,
        random_state=seed,
    )
    with autocast(arguments), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = vote(make_pipeline(FrozenEstimator(vectorizer), clf), cut)
    took = (f"{s:.0f}" for s in (time.perf_counter() - started, seconds))
    RUNS.keep(name_of(arguments), labels, seed, *(f"{scores[name]:.4f}" for name in (DEFAULT, VOTE, TAUGHT)), *took)


def write_table(done):
    """Write docs/imdb.md."""
    lines = [
        "# IMDB, pretrained on 75,000 reviews",
        "",
        "Made by `python benchmarks/imdb.py BENCH_FOLDER`. Reviews are cut after "
        f"{MAX_TOKENS} words; the encoder is pretrained once on all",
        "of them, without labels, then the default objective, FixMatch, is trained from each seed's labels for "
        f"{EPOCHS['50']} epochs ({EPOCHS['all']} with all",
        "labels). The vote is with logistic regression on TF-IDF of words and pairs; another such model learns",
        "what the net says of all 75,000 reviews. Accuracy (%) on 25,000 test reviews; labels are counted for each",
        "class. Seconds are means: to pretrain with those for the vocabulary, for a run with those for TF-IDF, linear",
        "models and test rows. cuda is one NVIDIA H100, in half precision.",
        "",
        "| net | labels | seeds | accuracy | in a vote | TF-IDF it taught | s to pretrain | s for a run |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for net, labels in dict.fromkeys(key[:2] for key in done):
        *accuracies, seconds, before = zip(*(m for key, m in done.items() if key[:2] == (net, labels)), strict=True)
        cells = [net, labels, str(len(seconds))]
        cells += [shown(100 * value for value in values if not math.isnan(value)) for values in accuracies]
        cells += [f"{sum(values) / len(values):.0f}" for values in (before, seconds)]
        lines.append("| " + " | ".join(cells) + " |")
    (DOCS / "imdb.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where protocol.py is")
    parser.add_argument("--labels", nargs="+", choices=EPOCHS, default=["50", "200"], help="for each class")
    parser.add_argument("--pretext", choices=["none", *PRETEXTS], default="contrastive")
    parser.add_argument("--epochs", type=int, default=1, help="of pretraining")
    parser.add_argument("--batch-size", type=int, default=64, help="of pretraining")
    parser.add_argument("--hidden-size", type=int, default=64)
    parser.add_argument("--patch-size", type=lambda n: n if n == "auto" else int(n), default="auto", help="words")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    main(parser.parse_args())
