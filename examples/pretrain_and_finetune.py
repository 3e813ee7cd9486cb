"""Pretrain on unlabeled text, save the encoder; another process loads it and fine-tunes; a third one predicts.

The text is Python's reference manual: passages of its chapters, of which a few have a label. Each step is a process of
its own, so that nothing but files goes from one to the next. Takes about a minute of
processor time, and prints the accuracy with and without the encoder for three draws of the labels.

    python examples/pretrain_and_finetune.py           # all three steps
    python examples/pretrain_and_finetune.py pretrain FOLDER
    python examples/pretrain_and_finetune.py finetune FOLDER
    python examples/pretrain_and_finetune.py predict FOLDER
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier, io
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.text import TokenSequenceVectorizer

CHAPTERS = ["compound", "types", "specialnames", "debugger"]
N_WORDS, PER_CLASS, SEEDS = 25, 10, (0, 1, 2)
SIZES = {"hidden_size": 32, "random_state": 0}


def passages() -> tuple[list[str], np.ndarray]:
    """Passages of the chapters, and the chapter of each."""
    X, y = [], []
    for name in CHAPTERS:
        words = topics[name].split()
        parts = [" ".join(words[i : i + N_WORDS]) for i in range(0, len(words) - N_WORDS, N_WORDS)]
        X += parts
        y += [name] * len(parts)
    return X, np.array(y)


def split() -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Return passages to train on and to test on, and their chapters."""
    X, y = passages()
    return train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)


def pretrain(folder: Path) -> None:
    """Learn an encoder from text without labels, and save it with the vocabulary."""
    X, *_ = split()
    vectorizer = TokenSequenceVectorizer()
    autoencoder = RNNAutoencoderTransformer("contrastive", max_epochs=8, **SIZES).fit(vectorizer.fit_transform(X))
    io.save(vectorizer, folder / "vectorizer.safetensors")
    io.save_encoder(autoencoder, folder / "encoder.safetensors")
    print(f"pretrained on {len(X)} passages without labels; fine-tuning with {PER_CLASS} labels of each chapter")


def finetune(folder: Path) -> None:
    """Train a classifier from the encoder in the file, with few labels, and save it."""
    X, X_test, y, y_test = split()
    vectorizer = io.load(folder / "vectorizer.safetensors")
    encoder = str(folder / "encoder.safetensors")
    ids, ids_test = vectorizer.transform(X), vectorizer.transform(X_test)
    for pretraining in (None, encoder):
        scores = []
        for seed in SEEDS:
            few = hide_labels(y.astype(object), PER_CLASS * len(CHAPTERS), missing_label=None, random_state=seed)
            clf = SemiSupervisedRNNClassifier("supervised", pretraining=pretraining, missing_label=None, **SIZES)
            scores.append(100 * clf.set_params(random_state=seed).fit(ids, few).score(ids_test, y_test))
        name = "from scratch" if pretraining is None else "from the file"
        print(f"{name}: {np.mean(scores):.1f}% of the test passages ({', '.join(f'{s:.1f}' for s in scores)})")
    io.save(make_pipeline(vectorizer, clf), folder / "pipeline.safetensors")


def predict(folder: Path) -> None:
    """Load the pipeline, and name the chapters of raw text."""
    _, X_test, _, y_test = split()
    pipeline = io.load(folder / "pipeline.safetensors")
    for text, chapter, predicted in zip(X_test[:3], y_test, pipeline.predict(X_test[:3]), strict=False):
        print(f"{chapter:>14} -> {predicted:<14} {text[:60]}...")


STEPS = {"pretrain": pretrain, "finetune": finetune, "predict": predict}


def main() -> None:
    """Run one step, or each in a process of its own."""
    if len(sys.argv) == 3:
        STEPS[sys.argv[1]](Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for step in STEPS:
            subprocess.run([sys.executable, __file__, step, folder], check=True)
        for file in sorted(Path(folder).iterdir()):
            print(f"{file.name}: {file.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
