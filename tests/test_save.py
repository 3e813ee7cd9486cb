"""A saved and loaded estimator is the same estimator (law 6), and a file executes nothing."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from objective_cases import CLASSES, TINY, VATAndFixMatch
from safetensors.numpy import save_file
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from skorch.callbacks import EpochScoring

from sklearn_rnn import (
    Embedding,
    Optimizer,
    Pretraining,
    RNNAutoencoderTransformer,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    _files,
    io,
    perturbations,
    preprocessing,
)
from sklearn_rnn.io._objects import CODECS
from sklearn_rnn.modules import CELLS, POOLINGS
from sklearn_rnn.objectives import VAT, FixMatch, MeanTeacher, Reconstruction, Supervised
from sklearn_rnn.perturbations import Compose, Jitter, Light, Perturbation
from sklearn_rnn.preprocessing import PerTimestep
from sklearn_rnn.text import TokenSequenceVectorizer

METHODS = (
    "predict",
    "predict_proba",
    "predict_quantiles",
    "transform",
    "score_samples",
    "decision_function",
    "reconstruct",
)
FITTED = ("transduction_", "label_distributions_", "classes_", "n_iter_", "offset_", "vocabulary_")


def data(kind="series", n=24):
    random = np.random.default_rng(0)
    y = np.where(np.arange(n) < n // 2, np.arange(n) % 3, -1)
    if kind == "tokens":
        return [random.integers(0, 9, random.integers(4, 12)) for _ in range(n)], y
    if kind == "table":
        return random.normal(size=(n, 9)), y
    return [random.normal(size=(random.integers(4, 12), 2)) for _ in range(n)], y


def answers(estimator, X):
    found = {name: getattr(estimator, name)(X) for name in METHODS if hasattr(estimator, name)}
    return found | {name: getattr(estimator, name) for name in FITTED if hasattr(estimator, name)}


def same(one, other):
    """Whether two results are equal, bit for bit, and of the same type."""
    assert type(one) is type(other)
    if isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            same(one[name], other[name])
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other or (one != one and other != other)


def through_file(estimator, folder, **options):
    path = folder / "file.safetensors"
    io.save(estimator, path, **options)
    return io.load(path, **options)


def check(estimator, X, folder):
    """Save and load, and return the loaded estimator, which gives the same answers."""
    loaded = through_file(estimator, folder)
    assert repr(loaded) == repr(estimator)
    same(answers(loaded, X), answers(estimator, X))
    return loaded


SHORT = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0}
FREE_TEXT = ["up up down", "down left", "left up", "right"] * 6
FAST = {
    "numbers": lambda: (SemiSupervisedRNNClassifier(**SHORT), *data()),
    "tokens": lambda: (SemiSupervisedRNNClassifier(embedding=Embedding(4), **SHORT), *data("tokens")),
    "table": lambda: (SemiSupervisedRNNRegressor(loss="quantile", **SHORT), data("table")[0], np.arange(24.0)),
    "autoencoder": lambda: (RNNAutoencoderTransformer(**SHORT), *data()),
    "detector": lambda: (RNNOutlierDetector(RNNAutoencoderTransformer(**SHORT), cv=2), *data()),
    "sum": lambda: (SemiSupervisedRNNClassifier(VAT() + FixMatch(weight=0.5), **SHORT), *data()),
    "text": lambda: (
        make_pipeline(TokenSequenceVectorizer(), SemiSupervisedRNNClassifier(embedding=Embedding(4), **SHORT)),
        FREE_TEXT,
        data()[1],
    ),
    "pipeline": lambda: (
        make_pipeline(PerTimestep(StandardScaler()), RNNAutoencoderTransformer(**SHORT), PCA(3), LogisticRegression()),
        *data(),
    ),
}


@pytest.mark.parametrize("name", FAST)
def test_a_loaded_estimator_answers_the_same_and_is_fitted_the_same(name, tmp_path):
    estimator, X, y = FAST[name]()
    loaded = check(estimator.fit(X, y), X, tmp_path)
    if hasattr(estimator, "warm_start"):
        again = [e.set_params(warm_start=True).fit(X, y) for e in (estimator, loaded)]
        same(*(answers(e, X) for e in again))
    else:
        same(answers(clone(loaded).fit(X, y), X), answers(estimator, X))


OPTIONS = [
    SemiSupervisedRNNClassifier(
        MeanTeacher(weight=4, ramp=0.5),
        pretraining=Pretraining(Reconstruction(), freeze=0.3),
        embedding=Embedding(8, init=np.eye(8)),
        optimizer=Optimizer(torch.optim.RAdam, weight_decay=0.5),
        augmentation=Compose([("jitter", Jitter(0.1)), ("light", Light())]),
        missing_label=None,
        class_weight={"a": 1.0, "b": np.float64(2)},
        random_state=np.random.RandomState(7),
        device=torch.device("cpu"),
    ),
    SemiSupervisedRNNClassifier(pretraining=RNNAutoencoderTransformer("next_step"), missing_label=float("nan")),
    SemiSupervisedRNNClassifier(missing_label=pd.NA, pretraining=Path("encoder.safetensors")),
    SemiSupervisedRNNRegressor(lr=np.float32(0.01), quantiles=np.array([0.2, 0.8])),
    RNNOutlierDetector(cv=ShuffleSplit(1, test_size=0.2, random_state=0)),
    TokenSequenceVectorizer(analyzer="char", stop_words=frozenset({"a"})),
    VAT() + FixMatch(),
    Light(shift=0.2),
    FeatureUnion([("a", RNNAutoencoderTransformer()), ("b", PCA(2))]),
]


@pytest.mark.parametrize("estimator", OPTIONS, ids=lambda e: type(e).__name__)
def test_parameters_of_what_is_not_fitted_are_kept(estimator, tmp_path):
    loaded = through_file(estimator, tmp_path)
    for name, value in estimator.get_params().items():
        other = loaded.get_params()[name]
        assert type(other) is type(value)
        if isinstance(value, np.random.RandomState):
            assert value.rand() == other.rand()
        elif not isinstance(value, BaseEstimator):
            assert repr(other) == repr(value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cls", [*CLASSES, VATAndFixMatch], ids=lambda cls: cls.__name__)
def test_law_6_holds_for_every_objective(cls, tmp_path):
    X, y = data()
    estimators = [RNNAutoencoderTransformer] if cls.needs == "sequences" else [SemiSupervisedRNNClassifier]
    estimators += [SemiSupervisedRNNRegressor] if cls.needs == "targets" else []
    for kind in estimators:
        targets = np.where(y < 0, np.nan, y) if kind is SemiSupervisedRNNRegressor else y
        estimator = kind(cls(), **TINY).fit(X, targets)
        loaded = check(estimator, X, tmp_path)
        if hasattr(estimator, "sample"):
            same(loaded.sample(3, random_state=0), estimator.sample(3, random_state=0))
        again = [e.set_params(warm_start=True).fit(X, targets) for e in (estimator, loaded)]
        same(*(answers(e, X) for e in again))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["series", "tokens"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_law_6_holds_for_every_cell_and_pooling(cell, pooling, kind, tmp_path):
    X, y = data(kind)
    for bidirectional in (False, True):
        sizes = {"num_layers": 2, "bidirectional": bidirectional, "cell": cell, "pooling": pooling}
        check(SemiSupervisedRNNClassifier(Supervised(), **TINY, **sizes).fit(X, y), X, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in perturbations.__all__ if n not in ("Perturbation", "Steps", "Compose")])
def test_every_perturbation_is_kept(name, tmp_path):
    X, y = data()
    change = getattr(perturbations, name)()
    check(SemiSupervisedRNNClassifier(augmentation=change, **TINY).fit(X, y), X, tmp_path)


TRANSFORMERS = [
    preprocessing.PerSequenceScaler(),
    preprocessing.SequenceDifferencer(),
    preprocessing.SequenceResampler(5),
    preprocessing.SequenceMissingIndicator(),
    preprocessing.SequenceImputer(RNNAutoencoderTransformer(**TINY)),
    *(
        PerTimestep(transformer)
        for transformer in (
            StandardScaler(),
            MinMaxScaler(),
            SimpleImputer(),
            QuantileTransformer(n_quantiles=5),
            PowerTransformer(),
            FunctionTransformer(np.arcsinh),
            PCA(1).set_output(transform="default"),
        )
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: repr(t)[:40])
def test_transformers_of_sequences_are_kept(transformer, tmp_path):
    X, y = data()
    transformer = clone(transformer).fit(X)
    same(through_file(transformer, tmp_path).transform(X), transformer.transform(X))
    pipeline = make_pipeline(clone(transformer), SemiSupervisedRNNClassifier(**TINY)).fit(X, y)
    check(pipeline, X, tmp_path)


@pytest.mark.parametrize(
    "names",
    [["a", "bé", "c"], [3, 5, 7], [False, True, False], [0.0, 1.0, 2.0], np.array(["x", "y", "z"], object)],
    ids=["strings", "integers", "booleans", "floats", "objects"],
)
def test_classes_of_any_type_are_kept(names, tmp_path):
    X, _ = data("table", 9)
    clf = SemiSupervisedRNNClassifier(Supervised(), **SHORT).fit(X, np.resize(names, 9))
    loaded = check(clf, X, tmp_path)
    assert loaded.classes_ is loaded.net_.module_.task.classes


@pytest.mark.parametrize("dtype", [">i4", ">f8", ">U2"])
def test_classes_in_the_byte_order_of_other_machines_are_kept(dtype, tmp_path):
    X, _ = data("table", 9)
    y = np.resize(np.array([3, 5, 7]), 9).astype(dtype)
    loaded = check(SemiSupervisedRNNClassifier(Supervised(), **SHORT).fit(X, y), X, tmp_path)
    assert list(loaded.classes_) == list(np.unique(y))


def test_a_device_that_does_not_work_is_said_before_a_file_is_called_damaged(tmp_path):
    X, y = data()
    io.save(SemiSupervisedRNNClassifier(**SHORT).fit(X, y), tmp_path / "clf.safetensors")
    with pytest.raises(ValueError, match="device='gpu' was requested but does not work here"):
        io.load(tmp_path / "clf.safetensors", device="gpu")


@pytest.mark.parametrize("versions", ["[]", "1" * 5000, '{"sklearn_rnn": 1}'])
@pytest.mark.parametrize("number", ["1", "9"])
def test_versions_that_are_none_are_a_damaged_file(versions, number, tmp_path):
    path = tmp_path / "made.safetensors"
    metadata = {"sklearn_rnn": number, "kind": "estimator", "versions": versions, "content": "1"}
    save_file({}, path, metadata | {"digest": _files._digest(metadata, {})})
    with pytest.raises(ValueError, match=r"made\.safetensors is damaged"):
        io.load(path)


def test_what_the_parts_of_an_estimator_share_they_share_when_loaded(tmp_path):
    X, y = data()
    frozen = FrozenEstimator(RNNAutoencoderTransformer(**SHORT).fit(X))
    loaded = through_file(SemiSupervisedRNNClassifier(pretraining=frozen, **SHORT).fit(X, y), tmp_path)
    assert loaded.net_.objective is loaded.objective_
    assert loaded.net_.history is loaded.history_
    assert loaded.history_[:, "train_loss"]
    loaded.fit(X, y)


def test_requests_of_metadata_and_the_container_of_outputs_are_kept(tmp_path):
    with config_context(enable_metadata_routing=True):
        clf = SemiSupervisedRNNClassifier().set_output(transform="pandas").set_fit_request(sample_weight=False)
        loaded = through_file(clf, tmp_path)
        assert loaded.get_metadata_routing().fit.requests == {"sample_weight": False}
    assert loaded._sklearn_output_config == {"transform": "pandas"}


def test_arrays_in_an_array_of_objects_are_kept(tmp_path):
    vectors = np.empty(2, dtype=object)
    vectors[0], vectors[1] = np.arange(3.0), np.arange(3.0)
    loaded = through_file(Embedding(3, vectors), tmp_path)
    same(loaded.init.tolist(), vectors.tolist())


@pytest.mark.slow
def test_subwords_are_kept(tmp_path):
    pytest.importorskip("tokenizers")
    X = ["training and untrained nets", "netting the trains", "unrestrained nets"] * 8
    vectorizer = TokenSequenceVectorizer(analyzer="subword", max_features=60).fit(X)
    same(through_file(vectorizer, tmp_path).transform(X), vectorizer.transform(X))


class Mine(VAT):
    """An objective of the user's."""


class Flip(Perturbation):
    """A perturbation of the user's."""

    def perturb(self, x, steps, generator):
        return -x


def test_classes_of_the_user_are_named_by_the_user(tmp_path):
    X, y = data()
    clf = SemiSupervisedRNNClassifier(Mine(), augmentation=Flip(), **SHORT).fit(X, y)
    with pytest.raises(TypeError, match=r"augmentation is a .*Flip.*pass classes=\[Flip\]"):
        io.save(clf, tmp_path / "clf")
    loaded = through_file(clf, tmp_path, classes=[Mine, Flip])
    same(answers(loaded, X), answers(clf, X))
    with pytest.raises(ValueError, match=r"file.safetensors.*Flip.*classes="):
        io.load(tmp_path / "file.safetensors")


REFUSED = {
    "a lambda": (SemiSupervisedRNNClassifier(augmentation=lambda x, n, g: x), r"augmentation=.*lambda.* is code"),
    "a callback": (
        SemiSupervisedRNNClassifier(callbacks=[EpochScoring("accuracy")]),
        r"callbacks.*set_params\(callbacks=None",
    ),
    "a nested lambda": (
        RNNOutlierDetector(RNNAutoencoderTransformer(augmentation=lambda x, n, g: x)),
        r"autoencoder__augmentation=.*joblib",
    ),
    "a function in a pipeline": (
        make_pipeline(TokenSequenceVectorizer(tokenizer=str.split), SemiSupervisedRNNClassifier()),
        r"tokensequencevectorizer__tokenizer=split is code|tokensequencevectorizer__tokenizer=str.split is code",
    ),
    "a folder of pickles": (make_pipeline(PCA(), memory="/tmp/x"), "memory='/tmp/x' is a folder of pickles"),
    "a foreign class": (make_pipeline(Flip(), PCA()), r"flip is a .*Flip"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_saved_is_named_with_what_to_do(name, tmp_path):
    estimator, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        io.save(estimator, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_a_class_is_no_estimator(tmp_path):
    with pytest.raises(TypeError, match="got the class SemiSupervisedRNNClassifier"):
        io.save(SemiSupervisedRNNClassifier, tmp_path / "file")


def test_a_file_of_another_device_is_computed_here(tmp_path):
    X, y = data()
    clf = SemiSupervisedRNNClassifier(**SHORT).fit(X, y)
    expected = clf.predict_proba(X)
    clf.device = clf.net_.device = "cuda:7"
    io.save(clf, tmp_path / "clf")
    with pytest.warns(UserWarning, match="saved on the device cuda:7"):
        loaded = io.load(tmp_path / "clf")
    same(loaded.predict_proba(X), expected)
    same(loaded.fit(X, y).predict_proba(X), expected)
    assert io.load(tmp_path / "clf", device="cpu").device == "cpu"


# Files


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A small file, the X, and the probabilities."""
    X, y = data("table")
    clf = SemiSupervisedRNNClassifier(Supervised(), patch_size=2, **SHORT).fit(X, y)
    path = tmp_path_factory.mktemp("files") / "clf.safetensors"
    io.save(clf, path)
    return path, X, clf.predict_proba(X)


def rewritten(path, change, target):
    """Write a file whose content was changed, with a digest that is right."""
    content, tensors, _ = _files.read_file(path, "estimator")
    _files.write_file(target, "estimator", json.loads(change(json.dumps(content))), tensors)


def test_row_44_a_file_that_is_cut_is_refused_with_its_path(written, tmp_path):
    path, *_ = written
    data, cut = path.read_bytes(), tmp_path / "cut.safetensors"
    for end in [*range(0, len(data), 1000), len(data) - 1]:
        cut.write_bytes(data[:end])
        with pytest.raises(ValueError, match=r"cut\.safetensors"):
            io.load(cut)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_row_44_a_file_with_a_flipped_byte_is_refused_or_the_same(written, tmp_path, data):
    path, X, expected = written
    content, flipped = bytearray(path.read_bytes()), tmp_path / "flipped.safetensors"
    header = 8 + int.from_bytes(content[:8], "little")
    place = data.draw(st.one_of(st.integers(0, header - 1), st.integers(0, len(content) - 1)))
    content[place] ^= data.draw(st.integers(1, 255))
    flipped.write_bytes(content)
    try:
        loaded = io.load(flipped)
    except ValueError as error:
        message = str(error)
    else:
        same(loaded.predict_proba(X), expected)
        return
    assert "flipped.safetensors" in message


FOREIGN = {
    "text": b"hello, this is no model file",
    "nothing": b"",
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
    "a long header": (1 << 40).to_bytes(8, "little") + b"{}",
    "no header": (2).to_bytes(8, "little") + b"{}",
    "an archive": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_row_44_foreign_files_are_refused_with_their_path(name, tmp_path):
    (tmp_path / "foreign").write_bytes(FOREIGN[name])
    with pytest.raises(ValueError, match=r"foreign.* not written by sklearn_rnn\.io"):
        io.load(tmp_path / "foreign")


def test_row_44_a_safetensors_file_of_others_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.ones(3)}, tmp_path / "theirs.safetensors")
    with pytest.raises(ValueError, match=r"theirs\.safetensors is damaged, or was not written by sklearn_rnn.io"):
        io.load(tmp_path / "theirs.safetensors")


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.load(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        io.load(tmp_path)


def test_row_45_a_newer_format_is_refused(written, tmp_path, monkeypatch):
    path, *_ = written
    content, tensors, _ = _files.read_file(path, "estimator")
    monkeypatch.setattr(_files, "FORMAT", 2)
    _files.write_file(tmp_path / "newer.safetensors", "estimator", content, tensors)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"newer\.safetensors: file format 2 is newer than this version reads \(1\)"):
        io.load(tmp_path / "newer.safetensors")


NAMES = [
    "os.system",
    "subprocess.Popen",
    "sklearn_rnn.io.save",
    "sklearn_rnn.text.read_vectors",
    "antigravity.this",
    "builtins.eval",
    "sklearn.pipeline.joblib",
    "sklearn_rnn.estimators.os",
]


@pytest.mark.parametrize("name", NAMES)
def test_row_46_an_unknown_class_is_refused_and_nothing_is_imported(name, written, tmp_path):
    path, *_ = written
    bad = tmp_path / "bad.safetensors"
    rewritten(path, lambda text: text.replace("sklearn_rnn.estimators.SemiSupervisedRNNClassifier", name), bad)
    before = set(sys.modules)
    with pytest.raises(ValueError, match=rf"bad\.safetensors.*class '{name}', which is not on the list"):
        io.load(bad)
    assert set(sys.modules) == before


HOSTILE = {
    "an attribute that is special": ('"n_iter_"', '"__class__"'),
    "a parameter that is unknown": ('"hidden_size"', '"hidden_sizes"'),
    "an optimizer that is none": ('"optimizer": "adamw"', '"optimizer": {"optimizer": "lr_scheduler"}'),
    "a function that is none": ('"augmentation": "auto"', '"augmentation": {"ufunc": "load"}'),
    "a type of objects": ('"augmentation": "auto"', '"augmentation": {"number": ["|O", 1]}'),
    "an unknown codec": ('"augmentation": "auto"', '"augmentation": {"eval": "1"}'),
    "a tensor that is missing": ('"name": "classes_"', '"name": "classes"'),
    "a net of another size": ('"cell": "gru"', '"cell": "lstm"'),
    "a reference to nothing": ('"augmentation": "auto"', '"augmentation": {"ref": 999}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_someone_made_is_refused_with_its_path(name, written, tmp_path):
    path, *_ = written
    before, after = HOSTILE[name]
    rewritten(path, lambda text: text.replace(before, after), tmp_path / "made.safetensors")
    with pytest.raises(ValueError, match=r"made\.safetensors"):
        io.load(tmp_path / "made.safetensors")


def places(node, path=()):
    """Paths of all nodes of JSON."""
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


WORDS = st.sampled_from(["os.system", "sklearn_rnn.text.TokenSequenceVectorizer", "gru", "", "__class__", "fit", "1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS, inner, max_size=3)
        | st.builds(lambda name, value: {name: value}, st.sampled_from([*CODECS, "ref"]), inner)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* was saved on the device")
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_file_that_someone_made_is_refused_with_its_path_whatever_it_says(written, tmp_path, data):
    content, tensors, _ = _files.read_file(written[0], "estimator")
    path = data.draw(st.sampled_from(list(places(content))[1:]))
    node = content
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = data.draw(JSON)
    _files.write_file(tmp_path / "made.safetensors", "estimator", content, tensors)
    message = "made.safetensors"
    try:
        io.load(tmp_path / "made.safetensors")
    except ValueError as error:
        message = str(error)
    assert "made.safetensors" in message


def test_a_deep_content_is_refused(tmp_path):
    deep = json.loads('{"tuple":[' * 400 + "]}" * 400)
    _files.write_file(tmp_path / "deep", "estimator", deep, {})
    with pytest.raises(ValueError, match="deep"):
        io.load(tmp_path / "deep")


def test_a_long_content_is_no_part_of_the_header(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "LARGEST", 100)
    _, X, y = FAST["detector"]()
    check(FAST["detector"]()[0].fit(X, y), X, tmp_path)
    header = int.from_bytes((tmp_path / "file.safetensors").read_bytes()[:8], "little")
    assert header < 10_000
    assert not list(tmp_path.glob(".*"))


def test_a_folder_of_pickles_is_refused_in_a_file_too(tmp_path):
    pipeline = make_pipeline(PCA())
    io.save(pipeline, tmp_path / "file")
    rewritten(tmp_path / "file", lambda text: text.replace('"memory": null', '"memory": "/tmp/x"'), tmp_path / "bad")
    with pytest.raises(ValueError, match="folder of pickles"):
        io.load(tmp_path / "bad")


def test_an_older_file_gets_the_defaults_of_newer_parameters(written, tmp_path):
    path, X, expected = written
    rewritten(path, lambda text: text.replace('"max_length": null, ', ""), tmp_path / "older")
    loaded = io.load(tmp_path / "older")
    assert loaded.max_length is None
    same(loaded.predict_proba(X), expected)


def test_another_version_of_scikit_learn_warns_for_its_estimators(tmp_path, monkeypatch):
    pca = PCA(1).fit(data("table")[0])
    monkeypatch.setattr(_files, "versions", lambda: {"sklearn_rnn": "0.1", "scikit-learn": "1.0"})
    io.save(pca, tmp_path / "file")
    with pytest.warns(UserWarning, match="from version 1.0"):
        io.load(tmp_path / "file")


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(written, tmp_path):
    path = tmp_path / "clf.safetensors"
    link = tmp_path / "link"
    link.symlink_to(path)
    for _ in range(2):
        io.save(SemiSupervisedRNNClassifier(), link)
    assert sorted(os.listdir(tmp_path)) == ["clf.safetensors", "link"]
    assert link.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file sizes")
def test_row_43_on_a_full_disk_the_old_file_is_whole(tmp_path):
    import resource

    path = tmp_path / "file.safetensors"
    io.save(Light(), path)
    before = path.read_bytes()
    fitted = RNNAutoencoderTransformer(max_epochs=1, hidden_size=4).fit(np.zeros((9, 4)))
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, old[1]))  # Python ignores the signal
    try:
        with pytest.raises(OSError, match="File too large"):
            io.save(fitted, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["file.safetensors"]
    io.load(path)


@pytest.mark.slow
@pytest.mark.full_epochs
def test_a_file_of_the_default_classifier_is_small_and_loads_fast(tmp_path):
    from time import process_time

    X, y = data("series", 200)
    clf = SemiSupervisedRNNClassifier(random_state=0).fit(X, y)
    path = tmp_path / "clf.safetensors"
    io.save(clf, path)
    _, tensors, _ = _files.read_file(path, "estimator")
    assert path.stat().st_size < 2 * sum(tensor.nbytes for tensor in tensors.values())
    io.load(path)  # imports
    times = []
    for _ in range(5):
        started = process_time()
        io.load(path)
        times.append(process_time() - started)
    assert min(times) < 0.05


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (lambda: io.save(Light(), tmp_path / "file"), lambda: io.load(tmp_path / "file")):
        with pytest.raises(ImportError, match=r"\[io\].*pip install safetensors"):
            call()
