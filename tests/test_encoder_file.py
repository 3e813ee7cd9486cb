"""An encoder goes from one estimator to another through a file."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sklearn_rnn import (
    Embedding,
    Pretraining,
    RNNAutoencoderTransformer,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    _files,
    io,
)
from sklearn_rnn.preprocessing import SequenceDifferencer

SHORT = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0, "embedding": Embedding(4)}


def data(kind="series", n=24):
    random = np.random.default_rng(0)
    y = np.where(np.arange(n) < n // 2, np.arange(n) % 2, -1)
    if kind == "tokens":
        return [random.integers(0, 9, random.integers(4, 12)) for _ in range(n)], y
    level = 1e6 if kind == "levels" else 0  # so large that values are relative to an origin
    return [level + random.normal(size=(random.integers(4, 12), 2)) for _ in range(n)], y


@pytest.mark.parametrize("kind", ["series", "tokens", "levels"])
@pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor])
def test_a_file_pretrains_as_the_fitted_autoencoder_does(cls, kind, tmp_path):
    X, y = data(kind)
    autoencoder = RNNAutoencoderTransformer(**SHORT).fit(X)
    path = tmp_path / "encoder.safetensors"
    io.save_encoder(autoencoder, path)
    expected = cls(pretraining=FrozenEstimator(autoencoder), **SHORT).fit(X, y).predict(X)
    for pretraining in (str(path), Path(path), Pretraining(str(path), lr_factor=0.5), Pretraining(path)):
        estimator = cls(pretraining=pretraining, **SHORT)
        np.testing.assert_array_equal(clone(estimator).fit(X, y).predict(X), expected)
        io.save(estimator, tmp_path / "estimator")
        np.testing.assert_array_equal(io.load(tmp_path / "estimator").fit(X, y).predict(X), expected)


def test_a_loaded_encoder_has_the_weights(tmp_path):
    X, y = data("tokens")
    clf = SemiSupervisedRNNClassifier(**SHORT).fit(X, y)
    io.save_encoder(clf, tmp_path / "encoder.safetensors")
    encoder = io.load_encoder(tmp_path / "encoder.safetensors")
    assert encoder.architecture == clf.net_.module_.encoder.architecture
    assert encoder.input.frozen == clf.net_.module_.encoder.input.frozen
    for name, weight in clf.net_.module_.encoder.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], weight)


def test_a_detector_gives_the_encoder_of_its_autoencoder(tmp_path):
    X, _ = data()
    detector = RNNOutlierDetector(RNNAutoencoderTransformer(**SHORT), cv=2).fit(X)
    io.save_encoder(detector, tmp_path / "encoder.safetensors")
    assert io.load_encoder(tmp_path / "encoder.safetensors").architecture.hidden_size == 4


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoders") / "encoder.safetensors"
    io.save_encoder(RNNAutoencoderTransformer(**SHORT, patch_size=2).fit(data()[0]), path)
    return path


@pytest.mark.parametrize(
    ("different", "message"),
    [
        ({"hidden_size": 5}, "has hidden_size=4, but SemiSupervisedRNNClassifier has hidden_size=5"),
        ({"cell": "lstm", "num_layers": 2}, "has cell='gru', num_layers=1, but .* has cell='lstm', num_layers=2"),
        ({"patch_size": 3}, "patch_size=2, but .* patch_size=3"),
        ({"pooling": "last", "n_kernels": 0}, "pooling='mean_max', n_kernels=4, but"),
    ],
)
def test_an_encoder_of_another_architecture_is_refused_with_all_that_differs(path, different, message):
    clf = SemiSupervisedRNNClassifier(pretraining=str(path), **SHORT | different)
    with pytest.raises(ValueError, match=rf"pretraining: the encoder of .*encoder\.safetensors .*{message}"):
        clf.fit(*data())


def test_an_encoder_of_vectors_of_another_size_is_refused(tmp_path):
    X, y = data("tokens")
    io.save_encoder(RNNAutoencoderTransformer(**SHORT).fit(X), tmp_path / "e.safetensors")
    clf = SemiSupervisedRNNClassifier(pretraining=tmp_path / "e.safetensors", **SHORT | {"embedding": Embedding(5)})
    with pytest.raises(ValueError, match=r"embedding__size=4, but .* embedding__size=5"):
        clf.fit(X, y)


def test_an_encoder_of_other_data_is_refused(path):
    X, y = data("tokens")
    with pytest.raises(ValueError, match="fitted on series with 2 features, but X is tokens with 1"):
        SemiSupervisedRNNClassifier(pretraining=path, **SHORT).fit(X, y)
    with pytest.raises(ValueError, match="fitted on series with 2 features, but X is series with 1"):
        SemiSupervisedRNNClassifier(pretraining=path, **SHORT).fit([x[:, :1] for x in data()[0]], y)


@pytest.mark.parametrize("form", ["file", "frozen"])
def test_columns_in_another_order_are_refused(form, tmp_path):
    X, y = data()
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    autoencoder = RNNAutoencoderTransformer(**SHORT).fit(frames)
    io.save_encoder(autoencoder, tmp_path / "encoder.safetensors")
    pretraining = str(tmp_path / "encoder.safetensors") if form == "file" else FrozenEstimator(autoencoder)
    clf = SemiSupervisedRNNClassifier(pretraining=pretraining, **SHORT)
    clf.fit(frames, y)
    clf.fit(X, y)  # without names nothing can be compared
    with pytest.raises(ValueError, match=r"fitted on the columns \['a', 'b'\], but X has \['b', 'a'\]"):
        clf.fit([frame[["b", "a"]] for frame in frames], y)


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_layers", -1), ("pooling", "zz"), ("pooling", None), ("dropout", 5), ("frozen", "yes"), ("kind", [1])],
)
def test_a_file_with_invalid_choices_is_refused_with_the_path(name, value, path, tmp_path):
    content, tensors, _ = _files.read_file(path, "encoder")
    (content if name in content else content["architecture"])[name] = value
    _files.write_file(tmp_path / "bad.safetensors", "encoder", content, tensors)
    with pytest.raises(ValueError, match=rf"bad\.safetensors is damaged.*invalid {name}"):
        io.load_encoder(tmp_path / "bad.safetensors")


def test_files_that_hold_no_encoder_are_refused(path, tmp_path):
    X, y = data()
    io.save(SequenceDifferencer(), tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"holds a file of the kind 'estimator', not 'encoder'. Use .*io.load"):
        SemiSupervisedRNNClassifier(pretraining=tmp_path / "other.safetensors").fit(X, y)
    with pytest.raises(ValueError, match=r"holds a file of the kind 'encoder', not 'estimator'. Use .*load_encoder"):
        io.load(path)
    with pytest.raises(FileNotFoundError):
        SemiSupervisedRNNClassifier(pretraining="none.safetensors").fit(X, y)
    with pytest.raises(ValueError, match=r"pretraining='encoder' is not an unsupervised objective; .*safetensors"):
        SemiSupervisedRNNClassifier(pretraining="encoder").fit(X, y)


def test_weights_that_do_not_fit_are_refused_with_the_path(path, tmp_path):
    content, tensors, _ = _files.read_file(path, "encoder")
    content["architecture"]["hidden_size"] = 7
    _files.write_file(tmp_path / "bad.safetensors", "encoder", content, tensors)
    with pytest.raises(ValueError, match=r"bad\.safetensors is damaged.*size mismatch"):
        io.load_encoder(tmp_path / "bad.safetensors")


@pytest.mark.slow
def test_the_example_pretrains_fine_tunes_and_predicts_in_three_processes():
    example = Path(__file__).resolve().parent.parent / "examples" / "pretrain_and_finetune.py"
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert "from the file: " in done.stdout
    assert done.stdout.count(" -> ") == 3


def test_what_has_no_encoder_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        io.save_encoder(RNNAutoencoderTransformer(), tmp_path / "encoder.safetensors")
    with pytest.raises(TypeError, match="SequenceDifferencer has none"):
        io.save_encoder(SequenceDifferencer().fit(data()[0]), tmp_path / "encoder.safetensors")
    with pytest.raises(ValueError, match=r"path must end in '.safetensors'"):
        io.save_encoder(RNNAutoencoderTransformer(), tmp_path / "encoder.pth")
