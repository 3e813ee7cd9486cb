"""The code of the documents runs."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import test_objectives as laws
from objective_cases import TINY, toy

import sklearn_rnn.sequences._batches
from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import VAT, SemiSupervisedObjective
from sklearn_rnn.tasks import Task

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def code(name):
    """All code of a page, in order, as one script."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(encoding="utf8"), flags=re.DOTALL)
    return compile("\n".join(blocks), name, "exec")


@pytest.mark.slow
@pytest.mark.full_epochs
@pytest.mark.filterwarnings("ignore:The y.*SelfTraining|y contains no unlabeled samples")
def test_the_code_of_the_page_on_partial_labels_runs():
    matplotlib.use("Agg")
    exec(code("partial_labels.md"), {"__name__": "page"})


@pytest.mark.slow
@pytest.mark.full_epochs
def test_the_first_page_is_short_and_prints_what_it_says(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf8")
    assert len(text.splitlines()) < 100
    exec(code("../README.md"), {"__name__": "page"})
    told = dict(re.findall(r"^(supervised|fixmatch) (0\.\d\d)$", text, re.MULTILINE))
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert printed.keys() == told.keys()
    for name, score in told.items():
        assert abs(float(printed[name]) - float(score)) < 0.03  # processors differ in last bits


QUICK = ("what_goes_in", "irregular_times", "training", "large_data", "forecasting", "speech")
LONG = ("inputs", "getting_started", "few_labels", "perturbations")  # the other pages have tests of their own below


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)])
def test_the_code_of_a_guide_runs(name, tmp_path, monkeypatch):
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    exec(code(f"{name}.md"), {"__name__": "page"})


MADE = {"gallery", "objectives", "reference"}  # folders of docs that `make docs` writes


def test_links_between_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("benchmarks/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf8")):
            if target.partition("/")[0] in MADE:
                continue  # checked where the site is built
            here = page.parent / target
            assert here.exists() or here.with_suffix(".md").exists(), f"{page.name}: {target}"


@pytest.mark.slow
@pytest.mark.full_epochs
def test_the_code_of_the_page_on_pretraining_runs(capsys):
    exec(code("pretraining.md"), {"__name__": "page"})
    assert float(capsys.readouterr().out) > 0.85


@pytest.mark.slow
def test_the_code_of_the_page_on_uses_without_labels_runs():
    matplotlib.use("Agg")
    names = {"__name__": "page"}
    exec(code("without_labels.md"), names)
    assert {*range(230, 240)} <= {*np.flatnonzero(names["by_step"] < 0)}
    assert 215 < names["errors"].argmax() < 255
    assert np.isfinite(names["filled"]).all()


def test_the_code_of_the_page_on_text_runs():
    matplotlib.use("Agg")
    names = {"__name__": "page"}
    exec(code("text.md"), names)
    hidden = [i for i, label in enumerate(names["y"]) if label is None]
    chapters = np.repeat(["debugger", "compound"], 75)
    assert np.mean(names["clf"].transduction_[hidden] == chapters[hidden]) > 0.65


@pytest.mark.slow
@pytest.mark.full_epochs
def test_the_code_of_the_page_on_what_comes_next_runs(capsys):
    names = {"__name__": "page"}
    exec(code("next_item.md"), names)
    assert [x.tolist() for x in names["films"]] == [["Alien", "Heat"], ["Big", "Heat", "Alien"]]
    assert names["model"].score_samples([list("red tea."), list("der aet.")])[0] > -6
    assert capsys.readouterr().out.splitlines()[-1] in ("tea.", "cups.", "milk.")


@pytest.mark.slow
@pytest.mark.full_epochs
def test_the_code_of_the_page_on_tagging_runs():
    matplotlib.use("Agg")
    names = {"__name__": "page"}
    exec(code("tagging.md"), names)
    assert names["tagger"].predict([["the", "cow", "barks"]])[0].tolist() == ["DET", "NOUN", "VERB"]
    assert names["machine"].score(names["series"], names["states"]) > 0.9
    assert names["search"].best_params_["patch_size"] in (2, 8)
    matplotlib.pyplot.close(names["display"].figure_)


def test_the_code_of_the_page_on_saving_runs():
    pytest.importorskip("onnxruntime")
    names = {"__name__": "page"}
    exec(code("saving.md"), names)
    assert names["classes"] == [0, 1]
    assert names["mine"].objective_.__class__ is names["Mine"]
    assert not list((names["folder"] / "run1").iterdir())


@pytest.fixture(scope="module")
def page():
    """Names after all code of the page on objectives has run, with fewer steps in an epoch than for a user."""
    names = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sklearn_rnn.sequences._batches, "MIN_STEPS_PER_EPOCH", 10)
        exec(code("add_an_objective.md"), names)
    return names


def test_the_objective_of_the_page_learns(page, capsys):
    assert page["clf"].score(page["X"], page["y"]) > 0.85
    assert page["clf"].history_[-1]["r_drop"] > 0


def test_the_objective_with_a_teacher_of_the_page_learns(page):
    assert page["taught"].score(page["X"], page["y"]) > 0.85
    assert page["taught"].history_[-1]["soft_labels"] > 0
    assert page["taught"].objective_.alignment_ is None


both = pytest.mark.parametrize("name", ["RDrop", "SoftLabels"])


@both
@pytest.mark.parametrize(
    "law",
    [
        laws.test_the_same_seed_gives_the_same_bits,
        laws.test_clones_are_unfitted_and_fit_the_same,
    ],
)
def test_the_objectives_of_the_page_keep_the_laws(page, name, law):
    law(page[name])


@both
@pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
def test_the_objectives_of_the_page_keep_the_laws_of_numbers_and_tokens(page, name, tokens):
    laws.test_the_unlabeled_term_alone_trains_the_encoder(page[name], tokens)
    laws.test_without_weight_it_trains_what_supervised_trains(page[name], tokens)
    laws.test_padding_changes_neither_loss_nor_gradient(page[name], tokens, patch_size=3)


def test_the_objective_of_the_page_adds_up_with_others(page):
    X, _, y = toy(30)
    clf = SemiSupervisedRNNClassifier(page["RDrop"]() + VAT(), **TINY).fit(X, y)
    assert {"supervised", "r_drop", "vat"} <= set(clf.history_[0])


def test_the_page_names_what_there_is_to_define():
    text = (DOCS / "add_an_objective.md").read_text()
    called = set(re.findall(r"^\| `model\.task\.(\w+)", text, re.MULTILINE))
    named = set(re.findall(r"^\| `(?:self\.)?(\w+)", text, re.MULTILINE)) - {"model"}
    assert {"answers", "distance", "divergence"} <= called <= set(dir(Task))
    assert named <= set(dir(SemiSupervisedObjective)) | {"sample"}  # which few define
    assert {"needs", "start", "after_step", "predictor", "finish", "observe", "troubles"} <= named
