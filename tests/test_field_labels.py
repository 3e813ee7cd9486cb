"""How y is read: every container, every marker of unlabeled rows, and all that read y."""

import io
from functools import cache
from re import escape

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneGroupOut, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

import sklearn_rnn.sequences._batches
from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.model_selection import (
    LabelBudget,
    PartiallyLabeledSplit,
    WithUnlabeled,
    compare_to_supervised,
    cross_val_predict,
    make_labeled_scorer,
)
from sklearn_rnn.objectives import SelfTraining, SemiSupervisedVAE
from sklearn_rnn.plotting import CodesDisplay, LabelEfficiencyDisplay
from sklearn_rnn.preprocessing import (
    PerSequenceScaler,
    PerTimestep,
    SequenceDifferencer,
    SequenceImputer,
    SequenceMissingIndicator,
    SequenceResampler,
)

learned = pytest.mark.usefixtures("enough_steps")  # the toy is learned in one epoch
N = 24
TRUE = np.arange(N) % 2
KNOWN = np.arange(N) % 3 == 0  # 8 labels, 16 rows without one
X = np.random.default_rng(0).normal(size=(N, 6, 1)) + 8 * TRUE[:, None, None]
NAMES = np.where(TRUE == 1, "pos", "neg")


@pytest.fixture
def enough_steps(monkeypatch):
    """Give an epoch as many steps as the toy needs."""
    monkeypatch.setattr(sklearn_rnn.sequences._batches, "MIN_STEPS_PER_EPOCH", 8)


def small(**parameters):
    """Classifier that has the toy right after an epoch."""
    defaults = {"hidden_size": 4, "n_kernels": 8, "max_epochs": 1, "lr": 0.05, "random_state": 0}
    return SemiSupervisedRNNClassifier(**{"objective": "supervised"} | defaults | parameters)


def marked(labels, marker):
    """List of the labels, with the marker in the rows that have none."""
    return [label if known else marker for label, known in zip(labels.tolist(), KNOWN, strict=True)]


def read_back(values):
    """Column of a CSV file."""
    file = io.StringIO()
    pd.DataFrame({"y": values, "x": 0}).to_csv(file, index=False)
    file.seek(0)
    return pd.read_csv(file)["y"]


def arrow(values):
    return pytest.importorskip("pyarrow").array(values)


def objects(values):
    return np.array(values, dtype=object)


STRINGS = {  # containers in which some of the strings are missing
    "list_of_nan": lambda: marked(NAMES, np.nan),
    "list_of_none": lambda: marked(NAMES, None),
    "tuple_of_na": lambda: tuple(marked(NAMES, pd.NA)),
    "unicode": lambda: np.array(marked(NAMES, np.nan)),
    "object_of_nan": lambda: objects(marked(NAMES, np.nan)),
    "object_of_float32": lambda: objects(marked(NAMES, np.float32("nan"))),
    "object_of_nat": lambda: objects(marked(NAMES, pd.NaT)),
    "masked": lambda: np.ma.array(NAMES, mask=~KNOWN),
    "numpy_string": lambda: np.array(marked(NAMES, np.nan), dtype=np.dtypes.StringDType(na_object=np.nan)),
    "series": lambda: pd.Series(NAMES).where(KNOWN),
    "series_tolist": lambda: pd.Series(NAMES).where(KNOWN).tolist(),
    "series_object": lambda: pd.Series(NAMES, dtype=object).where(KNOWN),
    "series_string": lambda: pd.Series(NAMES, dtype="string").where(KNOWN),
    "series_category": lambda: pd.Series(NAMES).where(KNOWN).astype("category"),
    "read_csv": lambda: read_back(marked(NAMES, None)),
    "polars": lambda: pl.Series(marked(NAMES, None)),
    "polars_category": lambda: pl.Series(marked(NAMES, None), dtype=pl.Categorical),
    "arrow": lambda: arrow(marked(NAMES, None)),
}
NUMBERS = {  # containers of integers or booleans, of which some are missing, and the kind of their classes
    "Int64": (lambda: pd.Series(TRUE, dtype="Int64").where(KNOWN), "i"),
    "pandas_array": (lambda: pd.array(marked(TRUE, None), dtype="Int64"), "i"),
    "category": (lambda: pd.Series(TRUE).astype("category").where(KNOWN), "i"),
    "list": (lambda: marked(TRUE, None), "i"),
    "list_of_nan": (lambda: marked(TRUE, np.nan), "i"),
    "object": (lambda: objects(marked(TRUE, pd.NA)), "i"),
    "masked": (lambda: np.ma.array(TRUE, mask=~KNOWN), "i"),
    "polars": (lambda: pl.Series(marked(TRUE, None)), "i"),
    "arrow": (lambda: arrow(marked(TRUE, None)), "i"),
    "float": (lambda: np.where(KNOWN, TRUE, np.nan), "f"),
    "read_csv": (lambda: read_back(marked(TRUE, None)), "f"),
    "boolean": (lambda: pd.Series(TRUE == 1, dtype="boolean").where(KNOWN), "b"),
    "list_of_bool": (lambda: marked(TRUE == 1, np.nan), "b"),
    "polars_bool": (lambda: pl.Series(marked(TRUE == 1, None)), "b"),
}
each_container = pytest.mark.parametrize("make", STRINGS.values(), ids=STRINGS)


@cache
def fitted():
    return small().fit(X, TRUE)


@cache
def fitted_on_names():
    return small(missing_label=None, max_epochs=8).fit(X, NAMES)


# 53
@learned
@each_container
def test_nan_none_and_na_among_strings_are_unlabeled(make):
    clf = small(missing_label=None).fit(X, make())
    assert clf.classes_.tolist() == ["neg", "pos"]
    assert np.array_equal(clf.label_distributions_.max(1) == 1, KNOWN)
    assert clf.predict(X).tolist() == clf.transduction_.tolist() == NAMES.tolist()


@learned
@each_container
def test_all_that_read_y_agree_on_which_strings_are_missing(make):
    y, labeled = make(), np.flatnonzero(KNOWN)
    tested = np.concatenate([test for _, test in PartiallyLabeledSplit(2, None).split(X, y)])
    assert np.array_equal(np.sort(tested), labeled)
    hidden = hide_labels(y, 6, missing_label=None, random_state=0)
    kept = np.flatnonzero([label is not None for label in hidden])
    assert len(np.intersect1d(kept, labeled)) == len(kept) == 6
    assert hidden[kept].tolist() == NAMES[kept].tolist()
    clf = fitted_on_names()
    assert make_labeled_scorer("accuracy", missing_label=None)(clf, X, y) == clf.score(X, y) == 1


@learned
@pytest.mark.parametrize(
    "name",
    [
        "series",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("list_of_nan", "unicode", "series_string", "polars")),
    ],
)
def test_comparisons_and_budgets_read_missing_strings_too(name):
    y, clf = STRINGS[name](), small(missing_label=None)
    predicted = cross_val_predict(clf, X, y, cv=2, missing_label=None)
    assert predicted.tolist() == marked(NAMES, None)
    comparison = compare_to_supervised(clf, X, y, cv=2, missing_label=None)
    assert comparison.scores.tolist() == comparison.supervised_scores.tolist() == [1, 1]
    budget = LabelBudget(clf, 6, missing_label=None, random_state=0).fit(X, y)
    assert budget.predict(X).tolist() == NAMES.tolist()
    rounds = small(objective=SelfTraining(), missing_label=None).fit(X, y)
    assert rounds.transduction_.tolist() == NAMES.tolist()


@learned
def test_displays_read_missing_strings_too():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    y, clf = STRINGS["list_of_nan"](), small(missing_label=None)
    display = LabelEfficiencyDisplay.from_estimator(clf, X, y, n_labeled=[4], cv=2, missing_label=None)
    assert display.scores["SemiSupervisedRNNClassifier"].tolist() == [[1, 1]]
    legend = CodesDisplay(X[:, :, 0], y, missing_label=None).plot().ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["unlabeled", "neg", "pos"]


@pytest.mark.parametrize(
    ("y", "text", "marker"),
    [
        (np.array(["pos", "neg", "nan"] * 8), "nan", -1),
        (["pos", "neg", "nan"] * 8, "nan", -1),
        (["pos", "neg", "nan"] * 8, "nan", None),
        (pd.Series(["pos", "neg", "nan"] * 8), "nan", np.nan),
        (pd.Series(["pos", "neg", None] * 8, dtype=object).map(str), "None", None),
        (np.array(["pos", "neg", "<NA>"] * 8), "<NA>", np.nan),
    ],
)
def test_missing_labels_written_as_text_are_no_class(y, text, marker):
    sentence = f"y has a string dtype and contains {text!r}; use dtype object with None"
    with pytest.raises(ValueError, match=sentence):
        small(missing_label=marker).fit(X, y)
    assert len(small(missing_label=text).fit(X, y).classes_) == 2


@learned
@pytest.mark.parametrize(("make", "kind"), NUMBERS.values(), ids=NUMBERS)
def test_integers_and_booleans_stay_what_they_are_beside_a_missing_label(make, kind):
    y, clf = make(), small(missing_label=None)
    clf.fit(X, y)
    assert clf.classes_.dtype.kind == clf.predict(X).dtype.kind == kind
    assert np.array_equal(clf.predict(X), TRUE)
    assert clf.score(X, y) == accuracy_score(TRUE, clf.predict(X)) == 1
    assert np.array_equal(np.isnan(hide_labels(y, 8, missing_label=None)), ~KNOWN)


# 8: what scikit-learn's metrics read
TRUTHS = {
    "int": TRUE,
    "int8": TRUE.astype(np.int8),
    "bool": TRUE == 1,
    "unicode": NAMES,
    "object": NAMES.astype(object),
    "Int64": pd.Series(TRUE, dtype="Int64"),
    "object_of_int": TRUE.astype(object),
    "boolean": pd.Series(TRUE == 1, dtype="boolean"),
    "string": pd.Series(NAMES, dtype="string"),
}
SLOW = {"int8", "object", "Int64", "object_of_int", "string"}  # with -1 as the marker


each_truth_and_marker = pytest.mark.parametrize(
    ("true", "marker"),
    [
        pytest.param(true, marker, id=f"{name}-{marker}", marks=[pytest.mark.slow] if marker and name in SLOW else [])
        for name, true in TRUTHS.items()
        for marker in (None, -1)
    ],
)


@learned
@each_truth_and_marker
def test_hidden_labels_are_scored_by_accuracy_in_a_search(true, marker):
    y = hide_labels(true, 8, missing_label=marker, random_state=0)
    cv = PartiallyLabeledSplit(2, marker)
    scores = cross_val_score(small(missing_label=marker), X, y, cv=cv, scoring="accuracy", error_score="raise")
    assert scores.tolist() == [1, 1]


@learned
def test_a_search_on_labels_hidden_with_none_finds_the_better_candidate():
    y = hide_labels(TRUE, 8, missing_label=None, random_state=0)
    cv = PartiallyLabeledSplit(2, None)
    search = GridSearchCV(small(missing_label=None), {"lr": [1e-9, 0.01]}, cv=cv, scoring="accuracy").fit(X, y)
    assert search.best_params_ == {"lr": 0.01}
    assert search.best_score_ == 1


@learned
@each_truth_and_marker
def test_labels_keep_one_dtype_from_hiding_to_prediction(true, marker):
    y = hide_labels(true, 8, missing_label=marker, random_state=0)
    clf = small(missing_label=marker).fit(X, y)
    assert clf.predict(X).dtype == y.dtype
    assert hide_labels(true, N, missing_label=marker).dtype == y.dtype
    assert accuracy_score(np.asarray(true).tolist(), clf.predict(X)) == 1


@pytest.mark.parametrize("marker", [None, np.nan])
def test_integers_that_a_float_would_round_are_hidden_among_objects(marker):
    big = 2**60 + TRUE
    y = hide_labels(big, 8, missing_label=marker, random_state=0)
    assert small(missing_label=None).fit(X, y).classes_.tolist() == [2**60, 2**60 + 1]


@pytest.mark.parametrize("marker", [None, -1])
@pytest.mark.parametrize("name", ["int", "unicode"])
def test_cross_validated_predictions_have_the_dtype_of_hidden_labels(name, marker):
    y = hide_labels(TRUTHS[name], 8, missing_label=marker, random_state=0)
    assert cross_val_predict(small(missing_label=marker), X, y, cv=2, missing_label=marker).dtype == y.dtype


@pytest.mark.parametrize("name", ["unicode", "object", "int", "bool", "int8"])
def test_predictions_have_the_dtype_of_y_where_nothing_is_unlabeled(name):
    true = TRUTHS[name]
    assert small().fit(X, true).predict(X).dtype == true.dtype


# 64
SIGNS = {
    "two": (np.where(TRUE == 1, 1, -1), "only one class"),
    "two_floats": (np.where(TRUE == 1, 1.0, -1.0), "only one class"),
    "three": (np.arange(N) % 3 - 1, "-1 about as often as 1, 8 and 8 times"),
    "three_floats": (np.arange(N) % 3 - 1.0, "-1 about as often as 1, 8 and 8 times"),
    "mostly_flat": (np.repeat([-1, 0, 1], [6, 12, 6]), "-1 about as often as 1, 6 and 6 times"),
    "seldom_flat": (np.repeat([-1.0, 0, 1], [12, 2, 10]), "-1 about as often as 1, 12 and 10 times"),
    "series": (pd.Series(np.arange(N) % 3 - 1), "-1 about as often as 1, 8 and 8 times"),
    "five": (np.arange(N) % 5 - 2, "the negative class -2, and -1"),
}
HINT = "-1 is read as unlabeled; if it is a class, set missing_label to None"


@pytest.mark.parametrize(("y", "evidence"), SIGNS.values(), ids=SIGNS)
def test_minus_one_that_looks_like_a_class_warns_and_names_the_parameter(y, evidence):
    with pytest.warns(UserWarning, match=f"{evidence}.*{HINT}"):
        small().fit(X, y)
    with pytest.warns(UserWarning, match=HINT):
        hide_labels(y, fraction=0.9)
    clf = small(missing_label=None).fit(X, y)
    assert np.array_equal(clf.classes_, np.unique(y))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
@pytest.mark.parametrize("true", [TRUE, np.arange(N) % 3, TRUE + 1, np.arange(20) % 5 // 4, np.arange(25) % 5 > 0])
def test_ordinary_labels_do_not_warn(share, true):
    true = np.tile(true, 10)
    y = hide_labels(true, max(3, round(share * len(true))), random_state=0)
    assert set(hide_labels(y, 3, random_state=0)) == {-1, *np.unique(true).tolist()}


def test_another_marker_beside_minus_one_does_not_warn():
    y = np.where(KNOWN, np.arange(N) % 5 - 2, -9)
    assert small(missing_label=-9).fit(X, y).classes_.tolist() == [-2, -1, 0, 1, 2]


@learned
@pytest.mark.parametrize("n_labeled", [15, 16, 17])  # 7 to 9 rows of -1, as many as of 0 and of 1
def test_the_markers_that_this_package_sets_do_not_warn(n_labeled):
    y = hide_labels(TRUE, n_labeled, random_state=0)
    labeled = y != -1
    wrapped = WithUnlabeled(small(), X[~labeled]).fit(X[labeled], y[labeled])
    budget = LabelBudget(small(), n_labeled, random_state=0).fit(X, TRUE)
    for clf in (wrapped, budget):
        assert clf.predict(X).tolist() == TRUE.tolist()
    if n_labeled == 16:
        with pytest.warns(UserWarning, match="-1 about as often as 1, 8 and 8 times"):
            small().fit(X, y)


def test_one_class_beside_unlabeled_rows_of_this_package_is_not_taken_for_a_marker_that_is_wrong():
    with pytest.warns(UserWarning, match=r"y has only one class among its labeled samples: 1\.$"):
        WithUnlabeled(small(), X).fit(X[TRUE == 1], TRUE[TRUE == 1])


# 29
TEXT = {
    "list": list,
    "unicode": np.array,
    "object": objects,
    "series": pd.Series,
    "series_object": lambda y: pd.Series(y, dtype=object),
    "series_string": lambda y: pd.Series(y, dtype="string"),
    "series_category": lambda y: pd.Series(y, dtype="category"),
    "read_csv": lambda y: read_back(y),
    "polars": pl.Series,
    "arrow": arrow,
}
READERS = {
    "fit": lambda y: small().fit(X, y),
    "score": lambda y: fitted().score(X, y),
    "hide_labels": lambda y: hide_labels(y, 4),
    "split": lambda y: list(PartiallyLabeledSplit(2).split(X, y)),
    "get_n_splits": lambda y: PartiallyLabeledSplit(KFold(2)).get_n_splits(X, y),
    "scorer": lambda y: make_labeled_scorer("accuracy")(fitted(), X, y),
    "compare_to_supervised": lambda y: compare_to_supervised(small(), X, y, cv=2),
    "cross_val_predict": lambda y: cross_val_predict(small(), X, y, cv=2),
    "budget": lambda y: LabelBudget(small(), 4).fit(X, y),
    "with_unlabeled": lambda y: WithUnlabeled(small(), X).fit(X, y),
    "efficiency": lambda y: LabelEfficiencyDisplay.from_estimator(small(), X, y, n_labeled=[2]),
}
each_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)
each_text = pytest.mark.parametrize("make", TEXT.values(), ids=TEXT)


@each_reader
@each_text
def test_the_marker_as_text_is_refused_by_all_that_read_y_in_every_container(read, make):
    y = make(["a", "b", "-1"] * 8)
    sentence = "y has a string dtype and contains '-1'; use dtype object with -1, or missing_label='-1'"
    with pytest.raises(ValueError, match=escape(sentence)):
        read(y)


@each_text
def test_the_marker_as_text_is_read_where_missing_label_is_text(make):
    assert small(missing_label="-1").fit(X, make(["a", "b", "-1"] * 8)).classes_.tolist() == ["a", "b"]


def test_a_list_of_strings_may_hold_the_number():
    assert small().fit(X, ["a", "b", -1] * 8).classes_.tolist() == ["a", "b"]


@pytest.mark.parametrize("y", [np.array([0, 1, -1] * 8), np.array([0, 1, -1.0] * 8), [0, 1, -1] * 8])
def test_a_number_that_the_marker_names_as_text_is_refused(y):
    with pytest.raises(ValueError, match=r"y contains the number -1, but missing_label='-1' is a string; set missing_"):
        small(missing_label="-1").fit(X, y)


# 23
FORGOTTEN = {
    "none_among_ints": lambda: marked(TRUE, None),
    "nan_among_floats": lambda: np.where(KNOWN, TRUE, np.nan),
    "NA_in_Int64": NUMBERS["Int64"][0],
    "NA_in_boolean": NUMBERS["boolean"][0],
    "NA_in_strings": STRINGS["series_string"],
    "nan_among_strings": STRINGS["list_of_nan"],
    "null_in_polars": STRINGS["polars"],
}


@pytest.mark.parametrize("make", FORGOTTEN.values(), ids=FORGOTTEN)
@pytest.mark.parametrize("name", sorted(set(READERS) - {"score", "scorer"}))
def test_missing_labels_without_their_marker_are_refused_with_what_to_set(make, name):
    with pytest.raises(ValueError, match=r"Input y contains NaN\. Mark unlabeled rows with missing_label \(-1\)"):
        READERS[name](make())


# 21
DAYS = pd.date_range("2020", periods=2).repeat(N // 2)
DATES = {
    "datetime64": DAYS.to_numpy(),
    "series": pd.Series(DAYS),
    "time_zone": pd.Series(DAYS.tz_localize("UTC")),
    "nat": pd.Series(DAYS).where(KNOWN),
    "periods": pd.Series(DAYS.to_period("D")),
    "timedelta": DAYS.to_numpy() - np.datetime64("2020"),
    "list": list(DAYS),
    "polars": pl.Series(list(DAYS.to_pydatetime())),
}


@pytest.mark.parametrize("y", DATES.values(), ids=DATES)
@pytest.mark.parametrize("marker", [-1, None])
def test_dates_are_no_labels(y, marker):
    with pytest.raises(ValueError, match=r"y has labels of type \S+; use integers, strings or booleans\."):
        small(missing_label=marker).fit(X, y)


TAKES_A_MARKER = {
    "fit": lambda marker: small(missing_label=marker).fit(X, TRUE),
    "hide_labels": lambda marker: hide_labels(TRUE, 4, missing_label=marker),
    "split": lambda marker: list(PartiallyLabeledSplit(2, marker).split(X, TRUE)),
    "get_n_splits": lambda marker: PartiallyLabeledSplit(2, marker).get_n_splits(),
    "scorer": lambda marker: make_labeled_scorer("accuracy", missing_label=marker),
    "compare_to_supervised": lambda marker: compare_to_supervised(small(), X, TRUE, missing_label=marker),
    "cross_val_predict": lambda marker: cross_val_predict(small(), X, TRUE, missing_label=marker),
    "budget": lambda marker: LabelBudget(small(), missing_label=marker).fit(X, TRUE),
    "with_unlabeled": lambda marker: WithUnlabeled(small(), X, missing_label=marker).fit(X, TRUE),
    "codes": lambda marker: CodesDisplay(X[:, :, 0], TRUE, missing_label=marker).plot(),
    "efficiency": lambda marker: LabelEfficiencyDisplay.from_estimator(
        small(), X, TRUE, n_labeled=[4], missing_label=marker
    ),
}


@pytest.mark.parametrize(
    "marker",
    [[-1], np.array([-1, 0]), object(), b"?", pd.NaT, True, np.False_],
    ids=["list", "array", "object", "bytes", "NaT", "True", "False"],
)
@pytest.mark.parametrize("call", TAKES_A_MARKER.values(), ids=TAKES_A_MARKER)
def test_a_missing_label_that_no_row_can_hold_is_refused(call, marker):
    with pytest.raises(InvalidParameterError, match="The 'missing_label' parameter of "):
        call(marker)


@learned
@pytest.mark.parametrize("one", [None, np.nan, pd.NA, np.float32("nan")])
@pytest.mark.parametrize("other", [None, np.nan, pd.NA])
def test_markers_of_nothing_are_alike(one, other):
    y = marked(TRUE, None)
    budget = LabelBudget(small(missing_label=one), missing_label=other)
    assert clone(budget).fit(X, y).predict(X).tolist() == TRUE.tolist()


def test_numpy_markers_are_those_of_python():
    y = np.where(KNOWN, TRUE, -1)
    assert LabelBudget(small(), missing_label=np.int64(-1)).fit(X, y).classes_.tolist() == [0, 1]


# groups
GROUPS = {
    "all_nan": np.full(N, np.nan),
    "one_nan": np.where(np.arange(N) == 5, np.nan, np.arange(N) // 6),
    "none": [None if row == 5 else "abcd"[row // 6] for row in range(N)],
    "nan_among_strings": [np.nan if row == 5 else "abcd"[row // 6] for row in range(N)],
    "NA": pd.Series(np.arange(N) // 6, dtype="Int64").where(np.arange(N) != 5),
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_rows_without_a_group_are_refused(groups):
    with pytest.raises(ValueError, match=r"groups must have a group for each row, but row [05] has NaN or None\."):
        hide_labels(TRUE, 6, groups=groups)
    with pytest.raises(ValueError, match=r"groups must have a group for each row"):
        list(PartiallyLabeledSplit(LeaveOneGroupOut()).split(X, TRUE, groups))


def test_groups_of_strings_are_kept_whole_in_any_container():
    groups = pd.Series(list("abcd")).repeat(6)
    for given in (groups, groups.tolist(), groups.astype("category"), pl.Series(groups.tolist())):
        y = hide_labels(TRUE, 6, groups=given, random_state=0)
        assert sorted(np.unique(np.mean(y.reshape(4, 6) != -1, axis=1))) == [0, 1]


# small ones
@pytest.mark.parametrize("y", [[], np.array([]), pd.Series([], dtype="Int64")])
def test_an_empty_y_is_refused(y):
    with pytest.raises(ValueError, match=escape(f"inconsistent numbers of samples: [{N}, 0]")):
        small().fit(X, y)
    with pytest.raises(ValueError, match="y has no labeled sample; hide_labels reads missing_label=-1 as unlabeled"):
        hide_labels(y, 1)


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
def test_a_class_weight_that_is_negative_or_not_finite_is_refused(weight):
    with pytest.raises(ValueError, match=rf"class_weight must be finite and not negative, but is {weight}.* class 1\."):
        small(class_weight={0: 1, 1: weight}).fit(X, TRUE)


def test_a_class_to_sample_that_was_not_in_fit_is_named():
    clf = small(objective=SemiSupervisedVAE()).fit(X, TRUE)
    for y in ([None, 0], [0, np.nan], [0, pd.NA], [0, "0"], [0, 2], "0"):
        with pytest.raises(ValueError, match=r"y has the class .*, which was not in fit; choose from \[0, 1\]\."):
            clf.sample(2, y=y)


# 10, 12, 13
TAKE_SEQUENCES = [
    small(),
    RNNAutoencoderTransformer(hidden_size=4, n_kernels=8, max_epochs=1),
    PerTimestep(StandardScaler()),
    PerSequenceScaler(),
    SequenceDifferencer(),
    SequenceImputer(),
    SequenceMissingIndicator(),
    SequenceResampler(5),
]


@pytest.mark.parametrize("estimator", TAKE_SEQUENCES, ids=lambda e: type(e).__name__)
def test_estimators_and_transformers_refuse_x_in_the_same_sentences(estimator):
    table, y = X[:4, :, 0], TRUE[:4]
    with pytest.raises(TypeError, match=r"Sparse data was passed for X, but dense data is required\."):
        estimator.fit(sparse.csr_array(table), y)
    with pytest.raises(
        ValueError, match=rf"Found array with dim 4, while dim <= 3 is required by {type(estimator).__name__}\."
    ):
        estimator.fit(X[:4, :, :, None], y)
    with pytest.raises(ValueError, match=escape("All sequences must have the same number of features, got [2, 3].")):
        estimator.fit([np.zeros((4, k)) for k in (2, 3, 2, 3)], y)
