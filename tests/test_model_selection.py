"""Cross-validation of partially labeled data: the laws of the splitter, and scikit-learn's tools with it."""

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.model_selection import PartiallyLabeledSplit, cross_val_predict, make_labeled_scorer
from sklearn_rnn.objectives import MeanTeacher

GROUPED = [GroupKFold(2), LeaveOneGroupOut(), GroupShuffleSplit(3, random_state=0)]
PARTITIONING = [4, KFold(3), StratifiedKFold(4, shuffle=True, random_state=0), LeaveOneOut()]
OVERLAPPING = [RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0), ShuffleSplit(3, random_state=0)]
SEMI_SUPERVISED = [
    LabelSpreading(gamma=0.5),
    SelfTrainingClassifier(LogisticRegression()),
    SemiSupervisedRNNClassifier(MeanTeacher(threshold=0), hidden_size=4, max_epochs=2, random_state=0),
]
each_estimator = pytest.mark.parametrize("estimator", SEMI_SUPERVISED, ids=lambda e: type(e).__name__)


def make_toy(n=160, n_labeled=42):
    """Two classes, each of two clusters; most labels hidden."""
    X, y = make_classification(n, n_features=6, n_informative=3, class_sep=1.5, random_state=0)
    hidden = np.random.default_rng(0).permutation(n)[n_labeled:]
    y[hidden] = -1
    return X, y


def scores_by_hand(estimator, X, y, n_splits=4):
    """Accuracy on folds of the labeled rows; all other rows train."""
    labeled, scores = np.flatnonzero(y != -1), []
    for _, fold in StratifiedKFold(n_splits).split(labeled, y[labeled]):
        test = labeled[fold]
        train = np.delete(np.arange(len(y)), test)
        predicted = clone(estimator).fit(X[train], y[train]).predict(X[test])
        scores.append(np.mean(predicted == y[test]))
    return scores


def searched(search):
    n_splits = search.n_splits_
    return [search.cv_results_[f"split{k}_test_score"][0] for k in range(n_splits)]


@st.composite
def partly_labeled(draw):
    """Labels with every class in every group, some of them hidden, and groups."""
    n_groups, extra = draw(st.integers(2, 4)), draw(st.integers(0, 12))
    groups = np.tile(np.arange(n_groups), 8 + extra)
    y = np.repeat([0, 1], -(-len(groups) // 2))[: len(groups)]
    order = np.array(draw(st.permutations(range(len(y)))))
    y, groups = y[order], groups[order]
    hidden = np.array(draw(st.lists(st.booleans(), min_size=len(y), max_size=len(y))))
    for code in (0, 1):
        hidden[np.flatnonzero(y == code)[:4]] = False
    for group in range(n_groups):
        hidden[np.flatnonzero(groups == group)[0]] = False
    return np.where(hidden, -1, y), groups


@given(partly_labeled(), st.sampled_from(PARTITIONING))
@settings(deadline=None, max_examples=60)
def test_labeled_test_rows_partition_the_labeled_set(data, cv):
    y, _ = data
    tested = np.concatenate([test for _, test in PartiallyLabeledSplit(cv).split(y, y)])
    assert np.array_equal(np.sort(tested), np.flatnonzero(y != -1))


@given(partly_labeled(), st.sampled_from(PARTITIONING + OVERLAPPING + GROUPED))
@settings(deadline=None, max_examples=60)
def test_no_unlabeled_row_is_ever_tested_and_no_row_is_on_both_sides(data, cv):
    y, groups = data
    splitter = PartiallyLabeledSplit(cv)
    groups = groups if cv in GROUPED else None
    splits = list(splitter.split(y, y, groups))
    assert splitter.get_n_splits(y, y, groups) == len(splits)
    for train, test in splits:
        assert (y[test] != -1).all()
        assert not np.intersect1d(train, test).size


@given(partly_labeled(), st.sampled_from(GROUPED))
@settings(deadline=None, max_examples=60)
def test_no_group_is_on_both_sides_and_a_training_fold_holds_all_it_may(data, cv):
    y, groups = data
    for train, test in PartiallyLabeledSplit(cv).split(y, y, groups):
        assert not np.intersect1d(groups[train], groups[test]).size
        may = np.flatnonzero((y == -1) & ~np.isin(groups, groups[test]))
        assert np.array_equal(train[y[train] == -1], may)


@given(partly_labeled(), st.sampled_from(PARTITIONING + OVERLAPPING))
@settings(deadline=None, max_examples=60)
def test_without_groups_every_unlabeled_row_is_in_every_training_fold(data, cv):
    y, _ = data
    for train, _ in PartiallyLabeledSplit(cv).split(y, y):
        assert np.array_equal(train[y[train] == -1], np.flatnonzero(y == -1))


@given(partly_labeled(), st.integers(0, 2))
@settings(deadline=None, max_examples=30)
def test_a_time_series_split_trains_on_no_row_from_after_its_labeled_ones(data, gap):
    y, _ = data
    labeled = np.flatnonzero(y != -1)
    for train, test in PartiallyLabeledSplit(TimeSeriesSplit(3, gap=gap)).split(y, y):
        first_untrained = labeled[np.searchsorted(labeled, test[0]) - gap]
        assert train.max() < first_untrained
        assert np.isin(np.flatnonzero(y[:first_untrained] == -1), train).all()


@pytest.mark.parametrize("cv", [StratifiedGroupKFold(2), StratifiedShuffleSplit(2, random_state=0)])
def test_stratified_splitters_see_the_classes_of_labeled_rows(cv):
    _, y = make_toy()
    groups = np.arange(len(y)) % 8 if isinstance(cv, StratifiedGroupKFold) else None
    for _, test in PartiallyLabeledSplit(cv).split(y, y, groups):
        assert set(y[test]) == {0, 1}


def test_a_predefined_split_keeps_its_folds_of_all_rows():
    y = np.array([0, -1, 1, 0, -1, 1])
    splits = list(PartiallyLabeledSplit(PredefinedSplit([0, 0, -1, 1, 1, 1])).split(y, y))
    assert [test.tolist() for _, test in splits] == [[0], [3, 5]]
    assert [train.tolist() for train, _ in splits] == [[1, 2, 3, 4, 5], [0, 1, 2, 4]]


@pytest.mark.parametrize(
    ("y", "missing_label"),
    [
        (np.array([0, 1, -1, 0, 1, -1]), -1),
        (np.array(["a", "b", "?", "a", "b", "?"]), "?"),
        (np.array(["a", "b", None, "a", "b", None], dtype=object), None),
        (np.array(["a", "b", -1, "a", "b", -1], dtype=object), -1),
        (np.array([0.5, 1.5, np.nan, 0.7, 1.2, np.nan]), np.nan),
    ],
)
def test_the_marker_may_be_a_number_a_string_none_or_nan(y, missing_label):
    splits = list(PartiallyLabeledSplit(2, missing_label).split(y, y))
    assert np.array_equal(np.sort(np.concatenate([test for _, test in splits])), [0, 1, 3, 4])


@pytest.mark.parametrize(
    ("cv", "y", "error", "message"),
    [
        (1, [0, 1], InvalidParameterError, "The 'cv' parameter of PartiallyLabeledSplit must be an int in the range"),
        ([([0], [1])], [0, 1], InvalidParameterError, "The 'cv' parameter of PartiallyLabeledSplit must be"),
        (2, None, ValueError, "PartiallyLabeledSplit needs y"),
        (2, [-1, -1], ValueError, "y has no labeled sample; PartiallyLabeledSplit reads missing_label=-1"),
        (2, ["a", "-1"], ValueError, "y has a string dtype and contains '-1'"),
        (3, [0, 1, -1], ValueError, "n_splits=3"),
        (2, [0, 1, 1], ValueError, "inconsistent numbers of samples"),
        (LeaveOneGroupOut(), [0, 1], ValueError, "The 'groups' parameter should not be None"),
    ],
)
def test_the_splitter_refuses_what_it_cannot_split(cv, y, error, message):
    X = np.zeros((3 if y is None or (len(y) == 3 and y[-1] == -1) else 2, 1))
    with pytest.raises(error, match=message):
        list(PartiallyLabeledSplit(cv).split(X, y))


@each_estimator
def test_a_search_scores_the_labeled_rows_as_by_hand(estimator):
    X, y = make_toy()
    search = GridSearchCV(estimator, {}, cv=PartiallyLabeledSplit(4)).fit(X, y)
    assert searched(search) == scores_by_hand(estimator, X, y)


def test_scikit_learn_alone_is_wrong_on_the_toy():
    X, y = make_toy()
    naive = cross_val_score(SEMI_SUPERVISED[1], X, y, cv=4).mean()
    assert naive < np.mean(scores_by_hand(SEMI_SUPERVISED[1], X, y)) - 0.3


@each_estimator
def test_cross_validate_takes_metrics_that_unlabeled_rows_would_break(estimator):
    X, y = make_toy()
    names = ["roc_auc", "neg_log_loss", "f1_macro"]
    scorers = {name: make_labeled_scorer(name) for name in names}
    cv = PartiallyLabeledSplit(2)
    ours = cross_validate(estimator, X, y, cv=cv, scoring=scorers, return_train_score=True)
    plain = cross_validate(estimator, X, y, cv=cv, scoring=names)
    for name in names:
        assert np.array_equal(ours[f"test_{name}"], plain[f"test_{name}"])
        assert np.isfinite(ours[f"train_{name}"]).all()


def test_a_labeled_scorer_gives_the_metric_of_the_labeled_rows():
    X, y = make_toy()
    known, weights = y != -1, np.linspace(1, 2, len(y))
    clf = SEMI_SUPERVISED[1].fit(X, y)
    probabilities = clf.predict_proba(X[known])
    assert make_labeled_scorer("roc_auc")(clf, X, y) == roc_auc_score(y[known], probabilities[:, 1])
    assert make_labeled_scorer("neg_log_loss")(clf, X, y, sample_weight=weights) == -log_loss(
        y[known], probabilities, sample_weight=weights[known]
    )
    assert make_labeled_scorer(make_scorer(accuracy_score))(clf, X, y) == clf.score(X[known], y[known])
    with pytest.raises(ValueError, match="y has no labeled sample"):
        make_labeled_scorer("accuracy")(clf, X, np.full(len(y), -1))


def test_a_labeled_scorer_refuses_a_metric_that_is_no_scorer():
    X, y = make_toy()
    with pytest.raises(ValueError, match="looks like it is a metric function"):
        make_labeled_scorer(accuracy_score)(SEMI_SUPERVISED[1].fit(X, y), X, y)


def test_a_labeled_scorer_reads_object_labels():
    X, y = make_toy()
    names = np.where(y == -1, None, np.where(y == 1, "one", "other"))
    clf = clone(SEMI_SUPERVISED[2]).set_params(missing_label=None).fit(X, names)
    scorer = make_labeled_scorer("accuracy", missing_label=None)
    assert scorer(clf, X, names) == clf.score(X, names)


@each_estimator
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_cross_val_predict_predicts_each_labeled_row_once_and_marks_the_others(estimator, method):
    X, y = make_toy()
    predicted = cross_val_predict(estimator, X, y, cv=4, method=method)
    known = y != -1
    if method == "predict":
        assert (predicted[~known] == -1).all()
        fold_scores = scores_by_hand(estimator, X, y)
        sizes = [len(test) for _, test in PartiallyLabeledSplit(4).split(X, y)]
        assert np.mean(predicted[known] == y[known]) == pytest.approx(np.average(fold_scores, weights=sizes))
    else:
        assert np.isnan(predicted[~known]).all()
        assert predicted[known].sum(1) == pytest.approx(1)


def test_cross_val_predict_gives_a_column_to_a_class_that_a_fold_has_not_seen():
    X, y = make_toy(40, 30)
    y[np.flatnonzero(y == 0)[0]] = 2
    clf = SelfTrainingClassifier(LogisticRegression())
    with pytest.warns(RuntimeWarning, match="A training fold has 2 of 3 classes; the others get 0"):
        predicted = cross_val_predict(clf, X, y, cv=KFold(3), method="predict_proba")
    assert predicted[y == 2][:, 2] == 0
    with pytest.warns(RuntimeWarning, match="the others get -"):
        predicted = cross_val_predict(clf, X, y, cv=KFold(3), method="predict_log_proba")
    assert (predicted[y == 2][:, 2] == np.finfo(float).min).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cv": ShuffleSplit(2, random_state=0)}, "cv that tests each labeled sample once"),
        ({"missing_label": None}, "missing_label=None, but SemiSupervisedRNNClassifier has missing_label=-1"),
    ],
)
def test_cross_val_predict_refuses_what_would_be_silently_wrong(parameters, message):
    X, y = make_toy()
    with pytest.raises(ValueError, match=message):
        cross_val_predict(SEMI_SUPERVISED[2], X, y, **parameters)


@pytest.mark.parametrize("marker", [None, np.nan, "?"])
def test_cross_val_predict_takes_a_marker_that_no_row_has(marker):
    X, y = make_toy()
    X, y = X[y >= 0], y[y >= 0]
    predicted = cross_val_predict(LogisticRegression(), X, y, cv=2, missing_label=marker)
    assert np.isin(predicted, y).all()


def test_cross_val_predict_cuts_fit_parameters_to_the_training_rows():
    X, y = make_toy()
    weights = np.where(np.arange(len(y)) < 80, 1.0, 1e-3)
    plain = cross_val_predict(SEMI_SUPERVISED[2], X, y, cv=2, method="predict_proba")
    weighted = cross_val_predict(
        SEMI_SUPERVISED[2], X, y, cv=2, method="predict_proba", params={"sample_weight": weights}
    )
    assert not np.allclose(plain, weighted, equal_nan=True)


@each_estimator
def test_a_learning_curve_is_drawn_over_labeled_and_unlabeled_rows(estimator):
    X, y = make_toy()
    cv = PartiallyLabeledSplit(StratifiedKFold(2))
    sizes, _, test_scores = learning_curve(estimator, X, y, cv=cv, train_sizes=[0.6, 1.0], shuffle=True, random_state=0)
    assert sizes[-1] == len(y) - 21
    assert test_scores[-1] == pytest.approx(cross_val_score(estimator, X, y, cv=cv), abs=0.2)


def test_a_randomized_search_works_as_a_grid_search():
    X, y = make_toy()
    search = RandomizedSearchCV(LabelSpreading(), {"gamma": [0.5]}, n_iter=1, cv=PartiallyLabeledSplit(4)).fit(X, y)
    assert searched(search) == scores_by_hand(LabelSpreading(gamma=0.5), X, y)


def test_successive_halving_gives_the_better_half_more_epochs():
    X, y = make_toy()
    search = HalvingGridSearchCV(
        clone(SEMI_SUPERVISED[2]),
        {"lr": [1e-9, 0.01, 0.02]},
        resource="max_epochs",
        min_resources=1,
        max_resources=3,
        cv=PartiallyLabeledSplit(2),
        scoring=make_labeled_scorer("neg_log_loss"),
    ).fit(X, y)
    assert search.n_resources_ == [1, 3]
    assert search.best_params_["lr"] > 1e-9
    assert search.best_estimator_.n_iter_ == 3


def test_successive_halving_refuses_folds_that_change():
    X, y = make_toy()
    cv = PartiallyLabeledSplit(StratifiedKFold(2, shuffle=True))
    with pytest.raises(ValueError, match="consistent folds"):
        HalvingGridSearchCV(LabelSpreading(), {"gamma": [1]}, cv=cv).fit(X, y)


@pytest.mark.filterwarnings("ignore")
def test_optuna_searches_with_the_splitter():
    optuna = pytest.importorskip("optuna")
    integration = pytest.importorskip("optuna_integration")
    X, y = make_toy()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {"gamma": optuna.distributions.FloatDistribution(0.5, 0.5)}
    search = integration.OptunaSearchCV(LabelSpreading(), space, cv=PartiallyLabeledSplit(4), n_trials=1).fit(X, y)
    assert search.best_score_ == pytest.approx(np.mean(scores_by_hand(LabelSpreading(gamma=0.5), X, y)))


def test_groups_are_routed_to_the_splitter():
    X, y = make_toy()
    groups = np.arange(len(y)) % 5
    cv = PartiallyLabeledSplit(LeaveOneGroupOut())
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(LabelSpreading(), {"gamma": [0.5]}, cv=cv).fit(X, y, groups=groups)
    plain = GridSearchCV(LabelSpreading(), {"gamma": [0.5]}, cv=cv).fit(X, y, groups=groups)
    assert search.n_splits_ == 5
    assert searched(search) == searched(plain)


def test_sample_weight_is_routed_to_fit_and_to_a_labeled_scorer():
    X, y = make_toy()
    weights = np.where(np.arange(len(y)) % 2, 1.0, 1e-3)
    parameters = {"cv": PartiallyLabeledSplit(2), "return_train_score": True}
    plain = cross_validate(SEMI_SUPERVISED[2], X, y, **parameters)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_labeled_scorer(make_scorer(accuracy_score).set_score_request(sample_weight=True))
        parameters["params"] = {"sample_weight": weights}
        routed = cross_validate(SEMI_SUPERVISED[2], X, y, scoring=scorer, **parameters)
        scored = cross_validate(SEMI_SUPERVISED[2], X, y, **parameters)
    assert np.array_equal(routed["train_score"], scored["train_score"])
    assert np.array_equal(routed["test_score"], scored["test_score"])
    assert not np.array_equal(routed["train_score"], plain["train_score"])
