"""Few labels against many, with and without the unlabeled rows."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch
from scipy import stats
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_blobs, make_moons
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score, validation_curve
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_rnn import SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor
from sklearn_rnn.datasets import hide_labels, make_sines
from sklearn_rnn.model_selection import (
    LabelBudget,
    PartiallyLabeledSplit,
    WithUnlabeled,
    compare_to_supervised,
)
from sklearn_rnn.objectives import MeanTeacher
from sklearn_rnn.plotting import LabelEfficiencyDisplay

SPREADING = LabelSpreading(gamma=20)
WITHOUT_THRESHOLD = MeanTeacher(threshold=0)


def moons(n_labeled=16):
    X, y = make_moons(300, noise=0.08, random_state=0)
    return X, hide_labels(y, n_labeled, random_state=0)


def tiny(objective=WITHOUT_THRESHOLD, **parameters):
    return SemiSupervisedRNNClassifier(objective, hidden_size=4, max_epochs=2, random_state=0, **parameters)


def test_a_budget_fits_what_hiding_labels_by_hand_fits():
    X, y = make_blobs(80, random_state=0)
    budget = LabelBudget(SPREADING, 6, random_state=3).fit(X, y)
    by_hand = clone(SPREADING).fit(X, hide_labels(y, 6, random_state=3))
    assert np.array_equal(budget.predict_proba(X), by_hand.predict_proba(X))
    assert budget.score(X, y) == by_hand.score(X, y)
    assert is_classifier(budget)
    assert budget.classes_.tolist() == [0, 1, 2]


def test_a_validation_curve_over_budgets_rises():
    X, y = moons(120)
    _, scores = validation_curve(
        LabelBudget(SPREADING, random_state=0),
        X,
        y,
        param_name="n_labeled",
        param_range=[2, 8, 80],
        cv=PartiallyLabeledSplit(3),
    )
    assert np.all(np.diff(scores.mean(1)) >= 0)


def test_a_budget_of_none_keeps_all_labels_and_the_estimators_parameters_can_be_searched():
    X, y = moons()
    search = GridSearchCV(LabelBudget(SPREADING), {"estimator__gamma": [1, 20]}, cv=PartiallyLabeledSplit(2))
    plain = GridSearchCV(LabelSpreading(), {"gamma": [1, 20]}, cv=PartiallyLabeledSplit(2))
    assert search.fit(X, y).best_score_ == plain.fit(X, y).best_score_


def test_a_budget_offers_only_what_its_estimator_does():
    assert not hasattr(LabelBudget(LabelSpreading()), "decision_function")
    assert hasattr(LabelBudget(SelfTrainingClassifier(LogisticRegression())), "decision_function")


def test_a_budget_refuses_a_marker_that_its_estimator_reads_as_a_class():
    X, y = make_sines(20, random_state=0)
    pipeline = make_pipeline(tiny(missing_label=None))
    with pytest.raises(ValueError, match="has semisupervisedrnnclassifier__missing_label=None; set the same value"):
        LabelBudget(pipeline, 4).fit(X, y)


def test_a_budget_routes_sample_weight():
    X, y = make_sines(20, random_state=0)
    weights = np.where(np.arange(20) < 10, 1.0, 1e-3)
    plain = LabelBudget(tiny(), 10, random_state=0).fit(X, y, sample_weight=weights)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = LabelBudget(tiny(), 10, random_state=0)
        routed.fit(X, y, sample_weight=weights)
    without = LabelBudget(tiny(), 10, random_state=0).fit(X, y)
    assert np.array_equal(plain.predict_proba(X), routed.predict_proba(X))
    assert not np.array_equal(plain.predict_proba(X), without.predict_proba(X))


@pytest.mark.filterwarnings("ignore")
def test_a_budget_passes_scikit_learns_checks_but_the_one_that_uses_the_marker_as_a_class():
    for estimator, check in estimator_checks_generator(LabelBudget(LabelSpreading())):
        if getattr(check, "func", check).__name__ != "check_classifiers_classes":
            check(estimator)


def test_unlabeled_moons_help_label_spreading():
    X, y = moons()
    comparison = compare_to_supervised(SPREADING, X, y, cv=PartiallyLabeledSplit(4), supervised=KNeighborsClassifier(1))
    assert comparison.gain == pytest.approx(np.mean(comparison.scores - comparison.supervised_scores))
    assert comparison.interval[0] < comparison.gain < comparison.interval[1]
    assert np.array_equal(comparison.scores, cross_val_score(SPREADING, X, y, cv=PartiallyLabeledSplit(4)))


def test_the_interval_is_that_of_the_corrected_resampled_t_test():
    X, y = moons(60)
    cv = ShuffleSplit(6, test_size=0.25, random_state=0)
    comparison = compare_to_supervised(SPREADING, X, y, cv=cv, supervised=LogisticRegression(), confidence=0.9)
    differences = comparison.scores - comparison.supervised_scores
    error = np.sqrt((1 / 6 + 15 / 45) * differences.var(ddof=1))
    assert comparison.interval == pytest.approx(stats.t.interval(0.9, 5, differences.mean(), error))


def test_without_unlabeled_rows_a_supervised_net_is_compared_with_itself():
    X, y = make_sines(30, random_state=0)
    comparison = compare_to_supervised(tiny(objective="supervised"), X, y, cv=2)
    assert comparison.gain == 0
    assert "made no difference" in str(comparison)


def test_the_supervised_twin_has_no_pretraining_and_sees_labeled_rows_only():
    X, y = make_sines(40, random_state=0)
    partly = hide_labels(y, 12, random_state=0)
    labeled = partly != -1
    pipeline = make_pipeline(tiny(pretraining="reconstruction"))
    comparison = compare_to_supervised(pipeline, X, partly, cv=2)
    alone = cross_val_score(tiny(objective="supervised"), X[labeled], y[labeled], cv=2)
    assert np.array_equal(comparison.supervised_scores, alone)


def test_the_verdict_names_help_and_harm():
    X, y = moons(40)
    flipped = SelfTrainingClassifier(LogisticRegression(), threshold=0.5)
    better = compare_to_supervised(SPREADING, X, y, cv=8, supervised=LogisticRegression(C=1e-3))
    worse = compare_to_supervised(LabelSpreading(gamma=1e-3), X, y, cv=8, supervised=KNeighborsClassifier(1))
    assert str(better).startswith("The unlabeled data helped: ")
    assert str(worse).startswith("The unlabeled data hurt: ")
    assert "[" in str(compare_to_supervised(flipped, X, y, cv=2, supervised=LogisticRegression()))


def test_unlabeled_rows_that_come_with_the_estimator_are_learned_from():
    X, y = moons()
    known = y != -1
    with_unlabeled = WithUnlabeled(SPREADING, X[~known]).fit(X[known], y[known])
    order = np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)])
    assert np.array_equal(with_unlabeled.predict_proba(X), clone(SPREADING).fit(X[order], y[order]).predict_proba(X))


@pytest.mark.parametrize("form", [np.asarray, list, pd.DataFrame, pl.DataFrame, torch.from_numpy])
def test_unlabeled_rows_may_be_arrays_lists_and_frames(form):
    X, _ = make_sines(20, random_state=0)
    names = np.where(np.arange(20) % 2, "a", "b")
    X = X[:, :, 0] if form in (pd.DataFrame, pl.DataFrame) else X
    clf = WithUnlabeled(tiny(), form(X[8:])).fit(form(X[:8]), names[:8])
    assert clf.classes_.tolist() == ["a", "b"]
    assert clf.predict(form(X)).shape == (20,)
    assert len(clf.estimator_.transduction_) == 20


def test_a_display_measures_as_a_validation_curve_does():
    X, y = moons(100)
    cv = PartiallyLabeledSplit(3)
    display = LabelEfficiencyDisplay.from_estimator(SPREADING, X, y, n_labeled=[4, 20], cv=cv)
    budget = LabelBudget(SPREADING, random_state=0)
    _, scores = validation_curve(budget, X, y, param_name="n_labeled", param_range=[4, 20], cv=cv)
    assert np.array_equal(display.scores["LabelSpreading"], scores)
    assert np.array_equal(display.lines_["LabelSpreading"].get_ydata(), scores.mean(1))
    plt.close(display.figure_)


def test_a_display_draws_several_methods_into_one_picture():
    X, y = moons(100)
    figure, ax = plt.subplots()
    methods = {"spreading": SPREADING, "self-training": SelfTrainingClassifier(LogisticRegression())}
    display = LabelEfficiencyDisplay.from_estimators(
        methods, X, y, n_labeled=[4, 20], scoring="roc_auc", ax=ax, cv=ShuffleSplit(2, random_state=0)
    )
    assert display.ax_ is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(methods)
    assert ax.get_ylabel().startswith("roc_auc")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["4", "20"]
    plt.close(figure)


def test_unlabeled_rows_among_those_of_a_fit_are_refused():
    X, y = moons()
    with pytest.raises(ValueError, match=r"WithUnlabeled has them in X_unlabeled .* pass X\[labeled\], y\[labeled\]"):
        WithUnlabeled(SPREADING, X[y == -1]).fit(X, y)


@pytest.mark.parametrize("frame_of", [pd.DataFrame, lambda X, columns: pl.DataFrame(X, schema=columns)])
def test_frames_take_unlabeled_arrays(frame_of):
    X, y = moons()
    known = y != -1
    frame = frame_of(X[known], columns=["a", "b"])
    clf = WithUnlabeled(SPREADING, X[~known]).fit(frame, y[known])
    assert clf.estimator_.feature_names_in_.tolist() == ["a", "b"]
    assert len(clf.estimator_.transduction_) == len(X)


def test_meta_estimators_fit_where_metadata_is_routed():
    X, y = moons()
    known = y != -1
    clf = WithUnlabeled(SPREADING, X[~known])
    with sklearn.config_context(enable_metadata_routing=True):
        for meta in (CalibratedClassifierCV(clf, cv=2), BaggingClassifier(clf, n_estimators=2, random_state=0)):
            assert meta.fit(X[known], y[known]).predict(X).shape == (len(X),)


@pytest.mark.parametrize(
    ("searched", "grid"),
    [
        (SemiSupervisedRNNClassifier(), {"objective": ["vat"]}),
        (SemiSupervisedRNNClassifier(), [{"pretraining": [None]}]),
        (SemiSupervisedRNNClassifier(), {"objective__weight": [1, 4]}),
        (SPREADING, {"estimator__objective": [SemiSupervisedRNNClassifier("vat")]}),
    ],
)
def test_a_search_over_the_objective_has_no_supervised_copy(searched, grid):
    X, y = moons()
    search = GridSearchCV(searched, grid)
    with pytest.raises(ValueError, match=r"searches over .*(objective|pretraining).* pass the estimator to compare"):
        compare_to_supervised(search, X, y)


@pytest.mark.parametrize("n_labeled", [[], 4, [4.0], [None, 4], [0, 4]])
def test_wrong_budgets_are_an_error_that_names_them(n_labeled):
    with pytest.raises(ValueError, match="The 'n_labeled' parameter of LabelEfficiencyDisplay must be a sequence"):
        LabelEfficiencyDisplay.from_estimator(SPREADING, *moons(), n_labeled=n_labeled)


def test_budgets_may_come_from_an_iterator_and_estimators_may_not_be_empty():
    display = LabelEfficiencyDisplay.from_estimator(SPREADING, *moons(), n_labeled=iter([4, 8]), cv=2)
    assert list(display.n_labeled) == [4, 8]
    with pytest.raises(ValueError, match="must have an estimator, but is empty"):
        LabelEfficiencyDisplay.from_estimators({}, *moons(), n_labeled=[4])


def test_the_supervised_side_of_a_comparison_has_the_rows_of_which_some_numbers_are_known():
    X = np.random.default_rng(0).normal(size=(40, 6))
    y = np.c_[X.mean(1), X.std(1)]
    y[20:30, 0], y[30:] = np.nan, np.nan
    n_rows = []

    class Counting(SemiSupervisedRNNRegressor):
        def fit(self, X, y, sample_weight=None):
            n_rows.append((len(y), int(np.isfinite(y).sum())))
            return super().fit(X, y, sample_weight)

    regressor = Counting("supervised", hidden_size=4, n_kernels=8, max_epochs=1, random_state=0)
    compare_to_supervised(regressor, X, y, cv=2, missing_label=np.nan)
    assert n_rows == [(30, 30), (30, 30), (20, 30), (20, 30)]
