"""The estimator of docs/add_an_estimator.md works like those of the package, and adds nothing elsewhere."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import sklearn_rnn.sequences._batches
from sklearn_rnn import io

PAGE = Path(__file__).resolve().parent.parent / "docs" / "add_an_estimator.md"


@pytest.fixture(scope="module")
def page():
    """Names after all code of the page has run, with fewer steps in an epoch than for a user."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf8"), flags=re.DOTALL)
    names = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sklearn_rnn.sequences._batches, "MIN_STEPS_PER_EPOCH", 8)
        exec(compile("\n".join(blocks), PAGE.name, "exec"), names)
    return names


def test_the_estimator_of_the_page_learns_the_rates_of_counts(page):
    assert page["correlation"] > 0.9
    known = ~np.isnan(page["few"])
    np.testing.assert_array_equal(page["counter"].transduction_[known], page["counts"][known])


def test_its_search_compares_objectives(page):
    assert page["search"].best_params_["objective"] in ("supervised", "vat")


def test_its_docstring_has_the_shared_parameters(page):
    text = page["SemiSupervisedRNNCounter"].__doc__
    assert "hidden_size : int, default=64" in text
    assert "%(" not in text


def test_what_is_no_count_is_refused_with_its_name(page):
    with pytest.raises(ValueError, match=r"y must hold counts .* for SemiSupervisedRNNCounter"):
        page["SemiSupervisedRNNCounter"]().fit(page["X"], page["few"] - 10)


def test_it_is_cloned_and_starts_from_pretraining(page):
    counter = page["SemiSupervisedRNNCounter"]("supervised", pretraining="reconstruction", hidden_size=4, max_epochs=1)
    fitted = clone(counter).set_params(random_state=0).fit(page["X"], page["few"])
    assert np.isfinite(fitted.predict(page["X"])).all()


def test_it_is_saved_and_loaded_with_its_classes_and_exported(page, tmp_path):
    counter = page["SemiSupervisedRNNCounter"]("supervised", hidden_size=4, max_epochs=1, random_state=0)
    counter.fit(page["X"], page["few"])
    classes = [page["SemiSupervisedRNNCounter"], page["Counts"]]
    io.save(counter, tmp_path / "counter.safetensors", classes=classes)
    loaded = io.load(tmp_path / "counter.safetensors", classes=classes)
    np.testing.assert_array_equal(loaded.predict(page["X"]), counter.predict(page["X"]))
    with pytest.raises(ValueError, match="SemiSupervisedRNNCounter"):
        io.load(tmp_path / "counter.safetensors")
    pytest.importorskip("onnx")
    session = pytest.importorskip("onnxruntime")
    io.to_onnx(counter, tmp_path / "counter.onnx")
    outputs = session.InferenceSession(tmp_path / "counter.onnx").get_outputs()
    assert [output.name for output in outputs] == ["answers"]


def test_the_page_names_what_a_task_can_define(page):
    named = set(
        re.findall(r"`(\w+)(?:\([^`]*\))?`", PAGE.read_text().split("| define |")[1].split("## The estimator")[0])
    )
    assert {name for name in named if hasattr(page["Task"], name)} >= {
        name for name in vars(page["Task"]) if not name.startswith("_") and name not in ("n_classes", "n_readings")
    } - {"class_weights", "agreement"}
