"""One of the processes of `test_processes.py`, or all of them if there is one: fits, and saves weights and answers."""

import os
import sys

import numpy as np
import torch
from skorch.callbacks import Callback, LRScheduler

import sklearn_rnn.sequences._batches
from sklearn_rnn import (
    RNNAutoencoderTransformer,
    RNNForecaster,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    SemiSupervisedRNNTagger,
)
from sklearn_rnn.modules import _encoder
from sklearn_rnn.objectives import VAT, Contrastive, FixMatch, MeanTeacher, Reconstruction, RecurrentGAN, Supervised

STEPS = 6  # of an epoch of few rows
rng = np.random.default_rng(0)
y = np.arange(61) % 3
X = [x[: 9 + i % 7] + y[i] for i, x in enumerate(rng.normal(size=(61, 16, 2)).astype(np.float32))]
FEW = np.where(np.arange(61) < 13, y, -1)
SERIES = np.sin(np.arange(300) / 5) + 0.1 * rng.normal(size=300)
PARAMS = {"hidden_size": 8, "n_kernels": 16, "max_epochs": 2, "batch_size": 7, "random_state": 0}
CLASSIFIERS = {
    "supervised": {"objective": Supervised()},
    "mean_teacher": {"objective": MeanTeacher(threshold=0.4)},
    "fixmatch": {"objective": FixMatch(threshold=0.4, guard=True)},
    "stopped_early": {
        "objective": FixMatch(threshold=0.4),
        "early_stopping": True,
        "n_iter_no_change": 1,
        "max_epochs": 9,
    },
    "vat": {"objective": VAT()},
    "two_layers": {"objective": Supervised(), "num_layers": 2, "bidirectional": True, "dropout": 0.3},
    "pretrained": {"objective": Supervised(), "pretraining": "reconstruction"},
    "one_row": {"objective": Supervised(), "batch_size": 1},
    "scheduled": {"objective": Supervised(), "callbacks": [LRScheduler("StepLR", step_size=1)]},
}
AUTOENCODERS = {
    "reconstruction": Reconstruction(),
    "feeding": Reconstruction(feed="steps", own_share=0.5),
    "contrastive": Contrastive(),
    "gan": RecurrentGAN(),
}


class Count(Callback):
    """Counts its calls."""

    n_calls = 0

    def on_epoch_end(self, net, **kwargs):
        type(self).n_calls += 1


def four():
    """Yield the names of four objectives, and fitted estimators with their answers."""
    for name in ("supervised", "mean_teacher", "fixmatch"):
        clf = SemiSupervisedRNNClassifier(**PARAMS | CLASSIFIERS[name], callbacks=[Count()]).fit(X, FEW)
        yield name, clf, clf.label_distributions_
    autoencoder = RNNAutoencoderTransformer(Reconstruction(), **PARAMS).fit(X)
    yield "reconstruction", autoencoder, autoencoder.transform(X)


def in_parts(clf):
    """Fit a classifier whose batches are divided, because they need more memory than they may."""
    most, _encoder.MAX_KEPT = _encoder.MAX_KEPT, 8_000
    try:
        return clf.fit(X, FEW)
    finally:
        _encoder.MAX_KEPT = most


def results():
    """Yield names and fitted estimators with their answers, for many more cases."""
    clf = in_parts(SemiSupervisedRNNClassifier(**PARAMS | CLASSIFIERS["fixmatch"]))
    yield "in_parts", clf, clf.label_distributions_
    for name, params in CLASSIFIERS.items():
        clf = SemiSupervisedRNNClassifier(**PARAMS | {"callbacks": [Count()]} | params).fit(X, FEW)
        yield name, clf, clf.label_distributions_
    for name, objective in AUTOENCODERS.items():
        autoencoder = RNNAutoencoderTransformer(objective, **PARAMS).fit(X)
        yield name, autoencoder, autoencoder.transform(X)
    regressor = SemiSupervisedRNNRegressor(MeanTeacher(), **PARAMS).fit(X, np.where(FEW < 0, np.nan, FEW))
    yield "regressor", regressor, regressor.predict(X)
    steps = [np.where(np.arange(len(x)) % 2, label, -1) for x, label in zip(X, FEW, strict=True)]
    tagger = SemiSupervisedRNNTagger(**PARAMS).fit(X, steps)
    yield "tagger", tagger, np.concatenate(tagger.predict_proba(X))
    forecaster = RNNForecaster(horizon=3, context=12, max_epochs=2, random_state=0).fit(SERIES)
    yield "forecaster", forecaster, forecaster.predict(SERIES)
    unseeded = SemiSupervisedRNNClassifier(Supervised(), **PARAMS | {"random_state": None}).fit(X, FEW)
    yield "unseeded", unseeded, unseeded.predict_proba(X)


def main(path, kind):
    """Fit, and save what came out in `path`, which has {rank} in its name."""
    rank = int(os.environ.get("RANK", "0"))
    torch.set_num_threads(1)
    sklearn_rnn.sequences._batches.MIN_STEPS_PER_EPOCH = STEPS
    if kind == "failing":
        fail(rank)
    np.savez(path.format(rank=rank), **saved(four() if kind == "four" else results()))


def fail(rank):
    """Fit with labels of its own, which is refused; then die in the second process."""
    try:
        SemiSupervisedRNNClassifier(**PARAMS).fit(X, np.roll(FEW, rank))
    except ValueError as error:
        print(error, file=sys.stderr)

    def die(values, lengths, generator):
        if rank == 1:
            os._exit(3)
        return values

    SemiSupervisedRNNClassifier(Supervised(), augmentation=die, **PARAMS).fit(X, FEW)


def saved(fits):
    """Return weights, losses and answers by name."""
    saved, Count.n_calls = {}, 0
    for name, estimator, answers in fits:
        saved[f"{name}.answers"] = answers
        saved[f"{name}.losses"] = np.array(estimator.history_[:, "train_loss"])
        for part, weight in estimator.net_.module_.state_dict().items():
            saved[f"{name}.{part}"] = weight.numpy()
    saved["n_calls"] = np.array(Count.n_calls)
    return saved


if __name__ == "__main__":
    main(*sys.argv[1:])
