"""Other libraries: what is missing is named, Pipelines pass sequences on, and the snippets of their page run."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn._extras import extra
from sklearn_rnn.datasets import to_long_frame
from sklearn_rnn.plotting import CodesDisplay
from sklearn_rnn.preprocessing import (
    PerSequenceScaler,
    PerTimestep,
    SequenceDifferencer,
    SequenceImputer,
    SequenceMissingIndicator,
    SequenceResampler,
)
from sklearn_rnn.text import TokenSequenceVectorizer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "other_libraries.md"
TINY = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0}
X = np.random.default_rng(0).standard_normal((12, 9, 2)).astype(np.float32)
LISTED = [x[: 5 + i % 4] for i, x in enumerate(X)]
Y = np.arange(12) % 2
STEPS = [
    PerTimestep(StandardScaler()),
    PerSequenceScaler(),
    SequenceDifferencer(),
    SequenceImputer(),
    SequenceMissingIndicator(),
    SequenceResampler(6),
]


@pytest.mark.parametrize(
    ("package", "name", "call"),
    [
        ("pandas", "frames", lambda: to_long_frame(LISTED)),
        ("matplotlib.pyplot", "plot", lambda: CodesDisplay(X[:, 0], Y).plot()),
        ("aeon.datasets", "datasets", lambda: extra("aeon.datasets", "datasets")),
        ("tokenizers", "text", lambda: TokenSequenceVectorizer("subword").fit(["a b", "a b"])),
    ],
)
def test_what_lacks_a_package_names_the_line_that_installs_it_from_a_clone(package, name, call, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package.split('.')[0]}.*pip install '\.\[{name}\]'"):
        call()


@pytest.mark.parametrize("rows", [X, X[:, :, 0], LISTED], ids=["3-D", "2-D", "list"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_sequences_stay_sequences_in_a_pipeline_that_is_to_make_frames(step, rows):
    pipeline = make_pipeline(step)
    expected = pipeline.fit_transform(rows)
    np.testing.assert_equal(pipeline.set_output(transform="pandas").fit_transform(rows), expected)
    with config_context(transform_output="polars"):
        np.testing.assert_equal(make_pipeline(step).fit_transform(rows), expected)


def test_codes_of_sequences_become_frames_with_their_names():
    pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNAutoencoderTransformer(**TINY))
    expected = pipeline.fit_transform(LISTED)
    frame = pipeline.set_output(transform="pandas").fit_transform(LISTED)
    assert list(frame.columns[:2]) == ["rnnautoencodertransformer0", "rnnautoencodertransformer1"]
    assert np.array_equal(frame.to_numpy(), expected)


def test_a_pipeline_that_is_to_make_frames_classifies_as_before():
    pipeline = make_pipeline(PerTimestep(StandardScaler()), SemiSupervisedRNNClassifier("supervised", **TINY))
    expected = pipeline.fit(X, Y).predict_proba(X)
    assert np.array_equal(pipeline.set_output(transform="pandas").fit(X, Y).predict_proba(X), expected)


def test_token_ids_stay_lists_where_frames_are_asked_for():
    pipeline = make_pipeline(TokenSequenceVectorizer(min_df=1)).set_output(transform="pandas")
    ids = pipeline.fit_transform(["the cat sat", "the dog sat"])
    assert [row.tolist() for row in ids] == [[2, 3, 1], [2, 4, 1]]


BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf8"), flags=re.DOTALL)
CHECKS = {
    "optuna": lambda n: n["best"].lr == n["study"].best_params["lr"],
    "mlflow": lambda n: len(n["losses"]) == 5,
    "dask": lambda n: len(n["scores"]) == 2 and min(n["scores"]) > 0.4,
    "ray": lambda n: len(n["scores"]) == 2 and min(n["scores"]) > 0.4,
    "captum": lambda n: n["attributions"].shape == (5, 8, 8) and bool(n["attributions"].any()),
    "shap": lambda n: np.allclose(n["contributions"].sum(3), 0, atol=1e-4),  # probabilities add up to 1
    "cleanlab": lambda n: set(n["suspects"]) <= set(n["labeled"]) and len(n["suspects"]) < 40,
    "skactiveml": lambda n: len(set(n["asked"])) == 5 and bool((n["y"][n["asked"]] == -1).all()),
    "mapie": lambda n: n["sets"][np.arange(len(n["sets"])), n["true"][250:], 0].mean() > 0.75,
    "tslearn": lambda n: bool(np.isnan(n["padded"]).any()) and n["clf"].score(n["padded"], n["true"]) > 0.4,
    "aeon": lambda n: n["clf"].n_features_in_ == 6 and n["clf"].score(n["from_aeon"](n["motions"]), n["names"]) > 0.4,
    "sktime": lambda n: n["clf"].n_features_in_ == 6 and n["clf"].score(n["from_aeon"](n["motions"]), n["names"]) > 0.4,
}


def client_of(block):
    return next(name for name in CHECKS if re.search(rf"^(import|from) {name}", block, re.MULTILINE))


@pytest.mark.filterwarnings("default")  # other libraries' own
@pytest.mark.parametrize("block", BLOCKS[1:], ids=client_of)
def test_the_snippet_of_another_library_runs(block, monkeypatch, tmp_path):
    client = client_of(block)
    pytest.importorskip(client, exc_type=ImportError)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    exec(compile(BLOCKS[0] + "\n" + block, PAGE.name, "exec"), names)
    assert CHECKS[client](names)


def test_each_library_of_the_page_has_one_snippet():
    assert sorted(map(client_of, BLOCKS[1:])) == sorted(CHECKS)
