"""An exported net answers in onnxruntime as the estimator does."""

import json
import sys
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest
from objective_cases import CLASSES
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    Embedding,
    RNNAutoencoderTransformer,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    io,
)
from sklearn_rnn.modules import CELLS, POOLINGS
from sklearn_rnn.objectives import Supervised
from sklearn_rnn.preprocessing import PerTimestep

SHORT = {"hidden_size": 8, "n_kernels": 6, "max_epochs": 1, "random_state": 0, "embedding": Embedding(8)}
METHODS = {
    "probabilities": "predict_proba",
    "predictions": "predict",
    "quantiles": "predict_quantiles",
    "embeddings": "transform",
}


def sequences(kind, lengths, seed=0):
    random = np.random.default_rng(seed)
    if kind == "tokens":
        return [random.integers(0, 9, n) for n in lengths]
    level = 1e6 if kind == "levels" else 0
    return [level + random.normal(size=(n, 2)).cumsum(0) for n in lengths]


def fitted(cls=SemiSupervisedRNNClassifier, kind="series", n=24, y=None, **params):
    X = sequences(kind, np.random.default_rng(1).integers(4, 12, n))
    return cls(**SHORT | params).fit(X, np.arange(n) % 3 if y is None else y)


def padded(X, longest=None, fill=7, dtype=np.float32):
    """Values with padding that is not zero, and lengths."""
    lengths = np.array([len(x) for x in X])
    values = np.full((len(X), longest or lengths.max(), *X[0].shape[1:]), fill, dtype)
    for row, x in zip(values, X, strict=True):
        row[: len(x)] = x
    return {"values": values, "lengths": lengths}


def agrees(estimator, folder, kind="series", sizes=((1, 1), (5, 40), (3, 400), (64, 90)), tolerance=1e-5):
    """Check the outputs for random lengths up to 400 and batches up to 64; return the session."""
    io.to_onnx(estimator, folder / "net.onnx")
    session = onnxruntime.InferenceSession(folder / "net.onnx")
    names = [output.name for output in session.get_outputs()]
    dtype = {"tokens": np.int64, "levels": np.float64}.get(kind, np.float32)
    for n, longest in sizes:
        lengths = np.random.default_rng(n).integers(1, longest + 1, n)
        X = sequences(kind, lengths, n)
        for steps in (None, longest + 5):
            got = dict(zip(names, session.run(None, padded(X, steps, dtype=dtype)), strict=True))
            labels = got.pop("labels", None)
            for name, values in got.items():
                expected = getattr(estimator, METHODS[name])(X)
                np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance)
            if labels is not None:
                np.testing.assert_array_equal(labels, got["probabilities"].argmax(1))
    return session


@pytest.mark.parametrize("kind", ["series", "tokens", "levels"])
def test_a_classifier_answers_the_same(kind, tmp_path):
    session = agrees(fitted(kind=kind), tmp_path, kind)
    assert [o.name for o in session.get_outputs()] == ["probabilities", "labels"]


@pytest.mark.parametrize(
    "params", [{}, {"loss": "quantile"}, {"y": np.arange(48.0).reshape(24, 2)}, {"y": np.arange(24.0) * 1e5}]
)
def test_a_regressor_answers_in_units_of_y(params, tmp_path):
    regressor = fitted(SemiSupervisedRNNRegressor, **params)
    session = agrees(regressor, tmp_path)
    assert [o.name for o in session.get_outputs()] == ["predictions", "quantiles"][: 1 + ("loss" in params)]


def test_an_autoencoder_embeds_the_same(tmp_path):
    agrees(fitted(RNNAutoencoderTransformer), tmp_path)


def test_a_2_d_array_goes_in_as_it_is(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 9))
    clf = SemiSupervisedRNNClassifier(**SHORT).fit(X, np.arange(20) % 2)
    io.to_onnx(clf, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    got = session.run(None, {"values": X.astype(np.float32), "lengths": np.full(20, 9)})[0]
    np.testing.assert_allclose(got, clf.predict_proba(X), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*longer than max_length", "ignore:X has .* token ids outside")
def test_long_sequences_are_cut_and_unknown_tokens_are_known_as_such(tmp_path):
    clf = fitted(kind="tokens", max_length=6)
    io.to_onnx(clf, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    X = [np.array([3, 99, 12, 4, 5, 6, 7, 8]), np.array([1, 2])]
    got = session.run(None, padded(X, dtype=np.int64))[0]
    np.testing.assert_allclose(got, clf.predict_proba(X), rtol=0, atol=1e-5)


def test_padding_of_nan_changes_nothing(tmp_path):
    clf = fitted()
    io.to_onnx(clf, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    X = sequences("series", [3, 9])
    got = session.run(None, padded(X, fill=np.nan))[0]
    np.testing.assert_allclose(got, clf.predict_proba(X), rtol=0, atol=1e-5)


def test_the_metadata_have_the_classes_and_the_constants(tmp_path):
    clf = fitted(y=np.resize(["a", "b"], 24), max_length=30)
    io.to_onnx(clf, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    metadata = {name: json.loads(v) for name, v in session.get_modelmeta().custom_metadata_map.items()}
    assert metadata["classes"] == ["a", "b"]
    assert metadata["max_length"] == 30
    assert metadata["estimator"] == "SemiSupervisedRNNClassifier"
    np.testing.assert_allclose(metadata["mean"], clf.net_.module_.encoder.input.mean.numpy())
    onnx.checker.check_model(onnx.load(tmp_path / "net.onnx"), full_check=True)


def test_exporting_changes_nothing_of_the_estimator(tmp_path):
    clf = fitted()
    X = sequences("series", [5, 3])
    before, mode = clf.predict_proba(X), clf.net_.module_.training
    io.to_onnx(clf, tmp_path / "net.onnx")
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    assert clf.net_.module_.training == mode
    assert all(w.requires_grad for w in clf.net_.module_.head.parameters())


def test_what_has_no_net_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "net.onnx"
    X = sequences("series", [5] * 9)
    with pytest.raises(NotFittedError):
        io.to_onnx(SemiSupervisedRNNClassifier(), path)
    with pytest.raises(TypeError, match="is a Pipeline; pass its last step"):
        io.to_onnx(make_pipeline(PerTimestep(StandardScaler()), SemiSupervisedRNNClassifier()), path)
    with pytest.raises(TypeError, match="RNNOutlierDetector has none; pass its `autoencoder_`"):
        io.to_onnx(RNNOutlierDetector(RNNAutoencoderTransformer(**SHORT), cv=2).fit(X), path)
    with pytest.raises(TypeError, match="PerTimestep has none"):
        io.to_onnx(PerTimestep(StandardScaler()).fit(X), path)
    assert not path.exists()


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    clf = fitted()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"\[onnx\].*pip install onnx"):
        io.to_onnx(clf, tmp_path / "net.onnx")


SHAPES = [
    *(("gru", pooling, True) for pooling in POOLINGS),
    *((cell, "last", False) for cell in CELLS),
    *((cell, "mean_max", True) for cell in CELLS if cell != "gru"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "pooling", "bidirectional"), SHAPES)
def test_every_cell_pooling_and_direction_answers_the_same(cell, pooling, bidirectional, tmp_path):
    sizes = {"cell": cell, "pooling": pooling, "bidirectional": bidirectional, "objective": Supervised()}
    for kind, patch_size, num_layers in (("series", 1, 1), ("series", 4, 2), ("tokens", 4, 2), ("tokens", "auto", 1)):
        clf = fitted(kind=kind, patch_size=patch_size, num_layers=num_layers, **sizes)
        agrees(clf, tmp_path, kind, ((1, 1), (3, 400), (33, 40)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", [c for c in CLASSES if c.needs == "sequences"], ids=lambda cls: cls.__name__)
def test_the_embeddings_of_every_objective_are_the_same(cls, tmp_path):
    for kind in ("series", "tokens"):
        agrees(fitted(partial(RNNAutoencoderTransformer, cls()), kind), tmp_path, kind)


@pytest.mark.slow
@pytest.mark.full_epochs
@pytest.mark.parametrize("kind", ["series", "tokens"])
def test_the_defaults_answer_the_same(kind, tmp_path):
    X = sequences(kind, np.random.default_rng(1).integers(50, 100, 60))
    y = np.where(np.arange(60) < 20, np.arange(60) % 2, -1)
    clf = SemiSupervisedRNNClassifier(random_state=0, max_epochs=3).fit(X, y)
    random = np.random.default_rng(0)
    sizes = [(int(random.integers(1, 65)), int(random.integers(1, 401))) for _ in range(5)]
    agrees(clf, tmp_path, kind, sizes)
