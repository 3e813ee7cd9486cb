"""A fit that was killed goes on from its checkpoint, and ends with the bits of one that was not."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from objective_cases import CLASSES, TINY, VATAndFixMatch
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, EpochTimer, LRScheduler

from sklearn_rnn import (
    Optimizer,
    Pretraining,
    RNNAutoencoderTransformer,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    _files,
    io,
)
from sklearn_rnn.io import Checkpoint
from sklearn_rnn.io._fingerprint import differences, fingerprint
from sklearn_rnn.objectives import MeanTeacher, NoisyStudent, SelfTraining, Supervised
from sklearn_rnn.sequences import read_sequences

SHORT = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 4, "random_state": 0, "batch_size": 8}


def data(n=24):
    random = np.random.default_rng(0)
    y = np.where(np.arange(n) < n // 2, np.arange(n) % 3, -1)
    return [random.normal(size=(random.integers(4, 12), 2)) for _ in range(n)], y


class Killed(Exception):
    """Stands for a process that is killed."""


class Kill(Callback):
    """Raises an error when a number of epochs have begun."""

    def __init__(self, after):
        self.after = after

    def on_epoch_begin(self, net, **kwargs):
        self.after -= 1
        if self.after < 0:
            raise Killed


def weights(estimator):
    return {name: w.numpy() for name, w in estimator.net_.module_.state_dict().items()}


def same(one, other):
    for name, weight in weights(one).items():
        np.testing.assert_array_equal(weight, weights(other)[name], err_msg=name)
    histories = [
        [{k: v for k, v in row.items() if k not in ("dur", "rows_per_second", "batches")} for row in e.history_]
        for e in (one, other)
    ]
    assert repr(histories[0]) == repr(histories[1])
    assert one.objective_.__dict__.keys() == other.objective_.__dict__.keys()


def killed_and_resumed(make, X, y, folder, after=(1, 2), callbacks=list, **options):
    """Fit without a break, and in pieces; check that the results are the same, and return the second."""
    whole = make(callbacks=callbacks()).fit(X, y)
    for n in after:
        keep = [Checkpoint(folder, **options)]
        try:
            make(callbacks=[*callbacks(), *keep, ("kill", Kill(n))]).fit(X, y)
        except Killed:
            assert os.listdir(folder)
    resumed = make(callbacks=[*callbacks(), Checkpoint(folder, **options)]).fit(X, y)
    same(whole, resumed)
    assert os.listdir(folder) == []
    return resumed


def classifier(*args, **kwargs):
    return lambda callbacks: SemiSupervisedRNNClassifier(*args, **SHORT | kwargs, callbacks=callbacks)


def test_row_42_a_killed_fit_goes_on_and_ends_with_the_same_bits(tmp_path):
    killed_and_resumed(classifier(), *data(), tmp_path, after=(1, 1, 1))


ROUNDS = [SelfTraining(threshold=0.3, n_rounds=3), NoisyStudent(threshold=0.3, n_rounds=3)]


@pytest.mark.parametrize("objective", ROUNDS, ids=lambda o: type(o).__name__)
def test_rounds_go_on_where_they_were(objective, tmp_path):
    killed_and_resumed(classifier(objective, max_epochs=2), *data(), tmp_path, after=(1, 2, 1))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", [*CLASSES, VATAndFixMatch], ids=lambda cls: cls.__name__)
def test_what_every_objective_remembers_is_kept(cls, tmp_path):
    X, y = data()
    kind = RNNAutoencoderTransformer if cls.needs == "sequences" else SemiSupervisedRNNClassifier
    killed_and_resumed(lambda callbacks: kind(cls(), **SHORT, callbacks=callbacks), X, y, tmp_path)
    if cls.needs == "targets":
        kind, y = SemiSupervisedRNNRegressor, np.where(y < 0, np.nan, y)
        killed_and_resumed(lambda callbacks: kind(cls(), **SHORT, callbacks=callbacks), X, y, tmp_path)


@pytest.mark.parametrize(
    "optimizer", ["sgd", Optimizer(torch.optim.RAdam), torch.optim.Adagrad], ids=["sgd", "RAdam", "Adagrad"]
)
def test_optimizers_go_on(optimizer, tmp_path):
    killed_and_resumed(classifier(Supervised(), optimizer=optimizer), *data(), tmp_path)


def test_early_stopping_goes_on_with_the_rows_that_were_held_out(tmp_path):
    options = {"early_stopping": True, "max_epochs": 12, "n_iter_no_change": 2, "validation_fraction": 0.3, "lr": 0.5}
    resumed = killed_and_resumed(classifier(MeanTeacher(), **options), *data(), tmp_path, after=(1, 2))
    assert 3 < resumed.n_iter_ < 12


def test_other_callbacks_go_on(tmp_path):
    def others():
        return [
            LRScheduler("StepLR", step_size=1, gamma=0.5),
            EpochScoring("accuracy", on_train=True, name="accuracy", lower_is_better=False),
            EarlyStopping("train_loss", patience=2, threshold=0.9, load_best=True),
        ]

    make = classifier(Supervised(), max_epochs=6)
    assert killed_and_resumed(make, *data(), tmp_path, callbacks=others).n_iter_ < 6


@pytest.mark.parametrize("source", ["reconstruction", Pretraining("next_step", freeze=0.4)], ids=["name", "object"])
def test_pretraining_goes_on_and_is_not_repeated(source, tmp_path):
    X, y = data()
    make = classifier(Supervised(), pretraining=source)
    with pytest.raises(Killed):
        make([Checkpoint(tmp_path), Kill(2)]).fit(X, y)
    assert sorted(os.listdir(tmp_path)) == ["pretraining.safetensors", "training.safetensors"]
    started = (tmp_path / "pretraining.safetensors").stat().st_mtime_ns
    with pytest.raises(Killed):
        make([Checkpoint(tmp_path), Kill(1)]).fit(X, y)
    content, *_ = io._checkpoint.read_file(tmp_path / "pretraining.safetensors", "checkpoint")
    assert content["dict"]["state"]["dict"]["finished"] is True
    assert (tmp_path / "pretraining.safetensors").stat().st_mtime_ns >= started
    same(make([Checkpoint(tmp_path)]).fit(X, y), make(None).fit(X, y))
    assert os.listdir(tmp_path) == []


def test_a_fit_without_a_seed_goes_on_with_the_seed_of_the_file(tmp_path):
    X, y = data()
    make = classifier(early_stopping=True, pretraining="reconstruction", random_state=None)
    with pytest.raises(Killed):
        make([Checkpoint(tmp_path), Kill(2)]).fit(X, y)
    content, *_ = io._checkpoint.read_file(tmp_path / "training.safetensors", "checkpoint")
    resumed = make([Checkpoint(tmp_path)]).fit(X, y)
    assert resumed.net_.seed == content["dict"]["state"]["dict"]["seed"]
    assert resumed.n_iter_ == 4


def test_files_are_written_as_often_as_was_asked(tmp_path):
    X, y = data()
    written = []

    class Watch(Callback):
        def on_epoch_begin(self, net, **kwargs):
            files = os.listdir(tmp_path)
            written.append((tmp_path / files[0]).stat().st_mtime_ns if files else 0)

    classifier(Supervised())([Checkpoint(tmp_path, every_n_epochs=2), Watch()]).fit(X, y)
    assert written[0] == written[1] == 0 < written[2] == written[3]
    written.clear()
    classifier(Supervised())([Checkpoint(tmp_path, every_seconds=0), Watch()]).fit(X, y)
    assert len(set(written)) == 4
    written.clear()
    classifier(Supervised())([Checkpoint(tmp_path, every_seconds=1e6), Watch()]).fit(X, y)
    assert set(written) == {0}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Folder with the checkpoint of a fit that was killed."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.raises(Killed):
        classifier(Supervised())([Checkpoint(folder), Kill(1)]).fit(*data())
    return folder


OTHER = {
    "hidden_size=4, but now hidden_size=5": {"hidden_size": 5},
    "max_epochs=4, but now max_epochs=5": {"max_epochs": 5},
    "objective=Supervised.*, but now objective=MeanTeacher": {"objective": MeanTeacher()},
    "lr='auto', but now lr=0.1": {"lr": 0.1},
    "random_state=0, but now random_state=1": {"random_state": 1},
}


@pytest.mark.parametrize("message", OTHER)
def test_other_parameters_are_refused_with_what_differs(begun, message):
    clf = classifier(Supervised())([Checkpoint(begun)]).set_params(**OTHER[message])
    with pytest.raises(ValueError, match=rf"training\.safetensors is a checkpoint of another fit, with {message}"):
        clf.fit(*data())


class Own(MeanTeacher):
    """An objective of the user."""


def scaled(factor):
    return lambda x, lengths, generator: x * factor


def pretrained(seed):
    """A fitted autoencoder that holds a callback, which files cannot hold."""
    params = {**TINY, "random_state": seed, "callbacks": [EpochTimer()]}
    return FrozenEstimator(RNNAutoencoderTransformer(**params).fit(data()[0]))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("objective", lambda: Own(weight=1), lambda: Own(weight=50)),
        ("augmentation", lambda: scaled(1.0), lambda: scaled(5.0)),
        ("augmentation", lambda: partial(np.multiply, 1.0), lambda: partial(np.multiply, 5.0)),
        ("pretraining", lambda: pretrained(0), lambda: pretrained(1)),
    ],
    ids=["own objective", "function", "partial", "encoder"],
)
def test_what_differs_within_objects_of_the_user_is_seen(name, first, second):
    sequences = read_sequences(SemiSupervisedRNNClassifier(), data()[0], reset=True)
    training = SimpleNamespace(sequences=sequences, targets=np.zeros(24), weights=None)
    found = []
    for make in (first, first, second):
        watch = SimpleNamespace(estimator=SemiSupervisedRNNClassifier(**{name: make()}, random_state=0))
        found.append(fingerprint(SimpleNamespace(net=SimpleNamespace(watch_=watch), training=training), True))
    assert differences(found[0], found[1]) == []
    (difference,) = differences(found[0], found[2])
    assert name in difference


def test_a_warm_start_from_other_weights_is_refused(tmp_path):
    X, y = data()
    clf = classifier(Supervised())([]).set_params(warm_start=True).fit(X, y)
    with pytest.raises(Killed):
        clf.set_params(callbacks=[Checkpoint(tmp_path), Kill(1)]).fit(X, y)
    fresh = classifier(Supervised())([Checkpoint(tmp_path)]).set_params(warm_start=True)
    with pytest.raises(ValueError, match=r"other weights to start from"):
        fresh.fit(X, y)


def test_what_is_no_data_in_the_history_is_left_out(tmp_path):
    class Record(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("thing", object())

    make = classifier(Supervised())
    whole = make([Record()]).fit(*data())
    with pytest.raises(Killed):
        make([Record(), Checkpoint(tmp_path), Kill(2)]).fit(*data())
    resumed = make([Record(), Checkpoint(tmp_path)]).fit(*data())
    for name, weight in weights(whole).items():
        np.testing.assert_array_equal(weights(resumed)[name], weight)
    assert resumed.n_iter_ == 4
    assert "thing" not in resumed.history_[0]


def test_other_data_are_refused_with_what_differs(begun):
    X, y = data()
    clf = classifier(Supervised())([Checkpoint(begun)])
    with pytest.raises(ValueError, match=r"another fit, with other values of X\."):
        clf.fit([X[0] + 1, *X[1:]], y)
    with pytest.raises(ValueError, match=r"with other values of X\."):
        clf.fit([X[0][:-1], *X[1:]], y)
    with pytest.raises(ValueError, match=r"with other values of y\."):
        clf.fit(X, np.where(np.arange(24) == 3, -1, y))
    with pytest.raises(ValueError, match=r"with another sample_weight\."):
        clf.fit(X, y, np.arange(24.0))
    with pytest.raises(ValueError, match="SemiSupervisedRNNClassifier, but this is SemiSupervisedRNNRegressor"):
        SemiSupervisedRNNRegressor(callbacks=[Checkpoint(begun)]).fit(X, np.where(y < 0, np.nan, y))
    assert not hasattr(clf, "net_")
    assert os.listdir(begun) == ["training.safetensors"]


def test_a_damaged_checkpoint_is_refused(begun, tmp_path):
    content = (begun / "training.safetensors").read_bytes()
    (tmp_path / "training.safetensors").write_bytes(content[:-9])
    with pytest.raises(ValueError, match=r"training\.safetensors is damaged"):
        classifier(Supervised())([Checkpoint(tmp_path)]).fit(*data())


@pytest.mark.parametrize("options", [{"every_n_epochs": 0}, {"every_n_epochs": 1.5}, {"every_seconds": -1}])
def test_invalid_intervals_are_refused(options, tmp_path):
    with pytest.raises(ValueError, match=f"{next(iter(options))} of Checkpoint must be"):
        classifier()([Checkpoint(tmp_path, **options)]).fit(*data())


def test_without_the_extra_the_error_comes_before_training(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"\[io\].*pip install safetensors"):
        classifier()([Checkpoint(tmp_path)]).fit(*data())


def test_a_full_disk_is_a_warning_and_training_goes_on(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(io._checkpoint, "write_file", full)
    with pytest.warns(UserWarning, match=r"Unable to write .*training\.safetensors: .*No space left"):
        clf = classifier(Supervised())([Checkpoint(tmp_path)]).fit(*data())
    assert clf.n_iter_ == 4


def test_what_a_kill_left_of_a_file_is_removed(tmp_path):
    (tmp_path / ".training.safetensors.0123.tmp").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    classifier(Supervised())([Checkpoint(tmp_path)]).fit(*data())
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_a_checkpoint_of_another_torch_warns(tmp_path, monkeypatch):
    versions = _files.versions()
    monkeypatch.setattr(_files, "versions", lambda: versions | {"torch": "1.0"})
    with pytest.raises(Killed):
        classifier(Supervised())([Checkpoint(tmp_path), Kill(1)]).fit(*data())
    with pytest.warns(UserWarning, match=r"written with torch 1\.0"):
        classifier(Supervised())([Checkpoint(tmp_path)]).fit(*data())


def test_a_clone_has_a_checkpoint_of_its_own(tmp_path):
    from sklearn.base import clone

    clf = clone(classifier(Supervised())([Checkpoint(tmp_path)]))
    assert clf.get_params()["callbacks__Checkpoint__folder"] == tmp_path
    same(clf.fit(*data()), classifier(Supervised())(None).fit(*data()))


FITS = """
import os, sys
import numpy as np
import sklearn_rnn.sequences._batches
from sklearn_rnn import SemiSupervisedRNNClassifier, io
from sklearn_rnn.objectives import VAT, FixMatch
sklearn_rnn.sequences._batches.MIN_STEPS_PER_EPOCH = 8
folder = sys.argv[1]
random = np.random.default_rng(0)
X = [random.normal(size=(random.integers(10, 20), 2)) for _ in range(100)]
y = np.where(np.arange(100) < 30, np.arange(100) % 3, -1)

def fit(name):
    callbacks = [io.Checkpoint(folder + "/kept")] if name == "kept" else None
    clf = SemiSupervisedRNNClassifier(
        FixMatch(threshold=0.5) + VAT(), hidden_size=8, n_kernels=8, max_epochs=10, random_state=0,
        early_stopping=True, n_iter_no_change=50, pretraining="reconstruction", callbacks=callbacks,
    ).fit(X, y)
    io.save(clf.set_params(callbacks=None), folder + "/" + name + ".safetensors")

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            print(os.getpid(), flush=True)
            fit(line.strip())
            status = 0
        finally:
            os._exit(status)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def fits(tmp_path):
    """Yield a process that forks a process for each fit, which then need not import anything."""
    command = [sys.executable, "-c", FITS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def begin(fits, name):
    """Begin a fit; return the number of its process."""
    print(name, file=fits.stdin, flush=True)
    return int(fits.stdout.readline())


def status(fits):
    """Wait until the fit has ended; return how it did."""
    return int(fits.stdout.readline())


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_row_42_kill_9_at_ten_random_moments(fits, tmp_path):
    begin(fits, "whole")
    started = time.perf_counter()
    assert status(fits) == 0
    seconds = time.perf_counter() - started
    n_resumed = 0
    for moment in np.random.default_rng(0).uniform(0, seconds / 7, 10):
        process = begin(fits, "kept")
        time.sleep(moment)
        os.kill(process, signal.SIGKILL)
        assert status(fits) == signal.SIGKILL
        n_resumed += (tmp_path / "kept" / "training.safetensors").exists()
    assert n_resumed
    begin(fits, "kept")
    assert status(fits) == 0
    same(*(io.load(tmp_path / f"{name}.safetensors") for name in ("whole", "kept")))
    assert os.listdir(tmp_path / "kept") == []
