"""Frames, files and rows as users have them in the field: what goes in comes out with its values, order and meaning."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.semi_supervised import LabelSpreading

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import (
    from_aeon,
    from_long_frame,
    from_tslearn,
    make_sines,
    to_aeon,
    to_long_frame,
    to_tslearn,
)
from sklearn_rnn.model_selection import WithUnlabeled
from sklearn_rnn.preprocessing import PerSequenceScaler, PerTimestep, cut_windows, join_windows
from sklearn_rnn.text import TokenSequenceVectorizer

UNIX = [1700000001.0, 1700000009.0, 1700000009.5]
TABLE = {"id": ["b", "b", "a", "c", "a"], "t": [2, 1, 5, 0, 3], "x": [1.0, 2.0, 3.0, 4.0, 5.0]}


def lists(X):
    return [np.squeeze(x, axis=1).tolist() for x in X]


def as_polars(frame):
    return pl.DataFrame({name: [None if pd.isna(x) else x for x in frame[name]] for name in frame}, strict=False)


def arrow(table):
    return pytest.importorskip("pyarrow").table(table)


# What is converted is not rounded


def test_unix_times_in_a_long_frame_stay_apart():
    frame = pd.DataFrame({"id": 0, "at": UNIX, "whole": np.array(UNIX, dtype=np.int64)})
    (x,) = from_long_frame(frame, sequence="id")
    assert x[:, 0].tolist() == UNIX
    assert x[:, 1].tolist() == [1700000001, 1700000009, 1700000009]
    assert to_long_frame([x])["x0"].tolist() == UNIX


def test_float32_columns_stay_float32():
    frame = pd.DataFrame({"id": [0, 0], "x": np.array([0.5, 1], np.float32), "flag": [True, False]})
    assert from_long_frame(frame, sequence="id")[0].dtype == np.float32


@pytest.mark.parametrize("convert", [from_aeon, to_aeon, from_tslearn, to_tslearn])
@pytest.mark.parametrize("dtype", [float, np.int64, object])
@pytest.mark.parametrize("as_list", [False, True])
def test_conversions_do_not_round(convert, dtype, as_list):
    X = np.array(UNIX).astype(dtype).reshape(1, 3, 1)
    Z = convert(list(X) if as_list else X)
    assert np.ravel(Z[0]).tolist() == np.ravel(X).tolist()


def test_masked_values_are_missing_in_conversions():
    X = np.ma.masked_array([[[1.0], [1e20]]], mask=[[[False], [True]]])
    assert lists(from_tslearn(X)) == [[1.0]]
    assert np.isnan(from_aeon(X)[0, 0, 1])


def test_windows_of_unix_times_come_back_exactly():
    series = np.array([*UNIX, 1700000017.0])
    assert cut_windows(series, 2).ravel().tolist() == series.tolist()
    assert join_windows(cut_windows(series, 2), 4).tolist() == series.tolist()


@pytest.mark.parametrize("convert", [from_aeon, to_aeon, from_tslearn, to_tslearn, to_long_frame])
def test_conversions_say_how_datetimes_become_numbers(convert):
    X = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[s]").reshape(1, 2, 1)
    with pytest.raises(ValueError, match=r"X.* has dtype datetime64\[s\].* numpy.timedelta64\(1, 's'\)"):
        convert(X)


# Datetimes in long frames


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("form", [pd.DataFrame, as_polars])
def test_datetime_features_are_seconds_since_the_start_of_the_sequence(zone, form):
    texts = ["2024-03-31 01:59:58.0", "2024-03-31 03:00:01.5", "2030-01-01 00:00:00.0", None]
    times = pd.to_datetime(texts)
    frame = pd.DataFrame({"id": ["a", "a", "b", "b"], "at": times.tz_localize(zone)})
    X = from_long_frame(form(frame), sequence="id")
    hour = 3600 if zone is None else 0  # an hour that clocks in Berlin leave out
    assert lists(X)[0] == [0, hour + 3.5]
    assert X[1][0, 0] == 0
    assert np.isnan(X[1][1, 0])


def test_time_differences_are_seconds():
    frame = pd.DataFrame({"id": [0, 0], "took": pd.to_timedelta(["90s", None])})
    np.testing.assert_array_equal(from_long_frame(frame, sequence="id")[0], [[90], [np.nan]])


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_datetimes_order_the_steps_and_their_differences_are_seconds(zone):
    times = pd.to_datetime(["2024-03-31 03:00:01", "2024-03-31 01:59:59", "2024-01-01 00:00:00"]).tz_localize(zone)
    frame = pd.DataFrame({"id": [1, 1, 2], "at": times, "x": [1.0, 2, 3]})
    X = from_long_frame(frame, sequence="id", time="at", time_delta=True)
    assert [x.tolist() for x in X] == [[[2, 0], [1, 2 if zone else 3602]], [[3, 0]]]


def test_arrow_datetimes_with_a_zone_are_datetimes():
    pytest.importorskip("pyarrow")
    times = pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Europe/Berlin")
    frame = pd.DataFrame({"id": [1, 1], "at": times.astype("timestamp[us, tz=Europe/Berlin][pyarrow]")})
    assert lists(from_long_frame(frame, sequence="id")) == [[0, 86400]]


@pytest.mark.parametrize(
    "times", [[1.0, np.nan, np.inf], pd.to_datetime(["2024", None, None]), pd.array([1, None, None], "Int64")]
)
def test_steps_without_a_time_are_refused(times):
    frame = pd.DataFrame({"id": 0, "at": times, "x": 1.0})
    with pytest.raises(ValueError, match=r"2 row\(s\) have no finite time in 'at'"):
        from_long_frame(frame, sequence="id", time="at")


@pytest.mark.parametrize("name", ["id", "x"])
@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["2024-01-10", "2024-01-09"], "string '2024-01-10'"),
        (pd.period_range("2024", periods=2, freq="D"), "values of type Period"),
        ([pd.Timestamp("2024").to_pydatetime(), pd.Timestamp("2024", tz="UTC").to_pydatetime()], "to_datetime conv"),
        ([[1], [2, 3]], "values of type list"),
    ],
)
def test_times_and_features_that_are_no_numbers_are_named(name, values, what):
    frame = pd.DataFrame({"person": 0, "id": [1, 2], "x": [1.0, 2]})
    frame[name] = pd.Series(values, dtype=object)
    with pytest.raises(ValueError, match=f"'{name}' must have numbers, got (the )?.*{what}"):
        from_long_frame(frame, sequence="person", time="id")


def test_numbers_in_any_column_are_read():
    columns = {
        "nullable": pd.array([1, None], "Int64"),
        "flag": pd.array([True, None], "boolean"),
        "exact": [Decimal("1.5"), None],
        "category": pd.Categorical([7, None]),
    }
    frame = pd.DataFrame({"id": 0, **columns})
    for form in (
        frame,
        pl.DataFrame({"id": [0, 0], "n": [1, None], "f": [True, None], "d": [1.5, None], "c": [7, None]}),
    ):
        np.testing.assert_array_equal(from_long_frame(form, sequence="id")[0], [[1, 1, 1.5, 7], [np.nan] * 4])


# Ids


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame, arrow])
def test_ids_come_in_order_of_first_appearance_and_are_returned(form):
    ids = ["1", "10", "10", "2", "1"]
    frame = form({"id": ids, "x": [1.0, 2, 3, 4, 5], "y": ["one", "ten", "ten", "two", "one"]})
    X, y, names = from_long_frame(frame, sequence="id", label="y", return_ids=True)
    assert lists(X) == [[1, 5], [2, 3], [4]]
    assert y.tolist() == ["one", "ten", "two"]
    assert names.tolist() == ["1", "10", "2"]


@pytest.mark.parametrize("ids", [TABLE["id"], pd.Categorical(TABLE["id"], list("zcba")), [7, 7, 3, 9, 3]])
def test_ids_sort_where_asked(ids):
    X, names = from_long_frame(
        pd.DataFrame({**TABLE, "id": ids}).drop(columns="t"), sequence="id", sort=True, return_ids=True
    )
    assert sorted(names) == names.tolist() == sorted(set(ids))
    assert lists(X) == [[3, 5], [1, 2], [4]]


def test_ids_of_two_types_are_kept_apart_and_cannot_be_sorted():
    frame = pd.DataFrame({"id": pd.Series([1, "1", 1], dtype=object), "x": [1.0, 2, 3]})
    assert lists(from_long_frame(frame, sequence="id")) == [[1, 3], [2]]
    with pytest.raises(ValueError, match="sort=True cannot order the ids in 'id'"):
        from_long_frame(frame, sequence="id", sort=True)


def test_a_label_table_follows_the_ids():
    labels = pd.Series({"a": 0, "b": 1, "c": 2})
    X, ids = from_long_frame(pd.DataFrame(TABLE), sequence="id", time="t", return_ids=True)
    assert lists(X) == [[2, 1], [5, 3], [4]]
    assert labels.loc[ids].tolist() == [1, 0, 2]


def test_unused_categories_make_no_sequence():
    frame = pd.DataFrame({"id": pd.Categorical(["b", "a", "b"], ["a", "b", "c"]), "x": [1.0, 2, 3]})
    assert lists(from_long_frame(frame, sequence="id")) == [[1, 3], [2]]


@pytest.mark.parametrize(
    "ids",
    [
        [1, np.nan, 2, None],
        ["a", None, "b", np.nan],
        pd.array([1, None, 2, pd.NA], "Int64"),
        pd.Categorical([1, None, 2, None]),
    ],
)
@pytest.mark.parametrize("form", [pd.DataFrame, as_polars])
def test_rows_without_an_id_are_refused(ids, form):
    frame = form(pd.DataFrame({"id": ids, "x": 1.0}))
    with pytest.raises(ValueError, match=r"2 row\(s\) have no id in 'id'"):
        from_long_frame(frame, sequence="id")


def test_steps_with_the_same_time_keep_their_order():
    frame = pd.DataFrame({"id": [0, 1, 0, 0], "t": [5, 5, 5, 1], "x": [1.0, 2, 3, 4]})
    X = from_long_frame(frame, sequence="id", time="t", time_delta=True)
    assert [x.tolist() for x in X] == [[[4, 0], [1, 4], [3, 0]], [[2, 0]]]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint64", "float32", "Int8"])
def test_time_deltas_of_any_numbers_are_right(dtype):
    times = [100, 0] if dtype.startswith("u") else [100, -100]
    frame = pd.DataFrame({"id": 0, "t": pd.array(times, dtype), "x": [1.0, 2]})
    X = from_long_frame(frame, sequence="id", time="t", time_delta=True)
    assert X[0].tolist() == [[2, 0], [1, times[0] - times[1]]]


@pytest.mark.parametrize("labels", [pd.array([1, 1, None], "Int64"), pd.Series([True, True, None], dtype="boolean")])
@pytest.mark.parametrize("form", [pd.DataFrame, as_polars])
def test_missing_labels_stay_missing_and_the_others_keep_their_type(labels, form):
    frame = form(pd.DataFrame({"id": ["a", "a", "b"], "x": 1.0, "y": labels}))
    _, y = from_long_frame(frame, sequence="id", label="y")
    assert isinstance(y[0], bool if labels.dtype == "boolean" else int)
    assert y[1] is None or y[1] is pd.NA


@pytest.mark.parametrize("labels", [["yes", None, "no", None, None], [None, "yes", None, "no", None]])
def test_a_label_that_stands_in_some_rows_is_that_of_its_sequence(labels):
    frame = pd.DataFrame({"id": [*"aabbc"], "x": 1.0, "y": pd.Series(labels, dtype=object)})
    _, y = from_long_frame(frame, sequence="id", label="y")
    assert y.tolist() == ["yes", "no", None]


def test_two_labels_among_rows_without_one_are_refused():
    frame = pd.DataFrame({"id": [*"baaa"], "x": 1.0, "y": [1, np.nan, 1, 2]})
    with pytest.raises(ValueError, match="'y' must have one value for each sequence, but a has several"):
        from_long_frame(frame, sequence="id", label="y")


@pytest.mark.parametrize(
    ("strings", "advice", "makes"),
    [
        (["2024-01-10", "2024-01-09"], "pandas.to_datetime(frame['x']) converts", pd.to_datetime),
        (["10.01.2024", "9.01.2024"], "to_datetime(frame['x']) converts them to datetimes (dayfirst", pd.to_datetime),
        (["Jan 5, 2024", "Feb 5, 2024"], "pandas.to_datetime(frame['x'])", pd.to_datetime),
        (["10:00:30", "10:01:30"], "pandas.to_timedelta(frame['x'])", pd.to_timedelta),
        (["1.5", "-2"], "pandas.to_numeric(frame['x']) converts them to numbers", pd.to_numeric),
        (["1.5", "none"], "to_numeric(frame['x'], errors='coerce')", lambda x: pd.to_numeric(x, errors="coerce")),
        (["sit", "walk"], "drop it, or encode it (pandas.get_dummies)", lambda x: pd.get_dummies(x)["sit"]),
    ],
)
@pytest.mark.parametrize("form", [pd.DataFrame, as_polars])
def test_the_advice_for_strings_makes_features_of_them(strings, advice, makes, form):
    frame = pd.DataFrame({"id": 0, "x": strings})
    with pytest.raises(ValueError, match=f"column 'x' must have numbers.*{re.escape(advice)}"):
        from_long_frame(form(frame), sequence="id")
    from_long_frame(frame.assign(x=makes(frame["x"])), sequence="id")


@pytest.mark.parametrize(
    ("strings", "advice"),
    [
        (["2024-01-10", "2024-01-09"], "pandas.to_datetime(frame['at'])"),
        (["2", "1"], "pandas.to_numeric(frame['at'])"),
        (["late", "early"], "pass numbers or datetimes, or leave time out"),
    ],
)
def test_the_advice_for_strings_as_times_orders_the_steps(strings, advice):
    frame = pd.DataFrame({"id": 0, "at": strings, "x": [1.0, 2]})
    with pytest.raises(ValueError, match=f"time='at' must have numbers.*{re.escape(advice)}"):
        from_long_frame(frame, sequence="id", time="at")
    if advice.startswith("pandas"):
        frame["at"] = getattr(pd, advice.split("(")[0].split(".")[1])(frame["at"])
        assert from_long_frame(frame, sequence="id", time="at")[0].tolist() == [[2], [1]]


# Index levels, other frames


def test_a_panel_with_two_index_levels_is_read_as_its_columns_are():
    frame = pd.DataFrame({**TABLE, "y": [1, 1, 0, 2, 0]})
    options = {"sequence": "id", "time": "t", "label": "y", "return_ids": True}
    for panel in (frame.set_index(["id", "t"]), frame.set_index(["id", "t", "y"]), frame.set_index("id")):
        X, y, ids = from_long_frame(panel, **options)
        assert lists(X) == [[2, 1], [5, 3], [4]]
        assert (y.tolist(), ids.tolist()) == ([1, 0, 2], ["b", "a", "c"])


@pytest.mark.parametrize("form", [pl.DataFrame, arrow])
def test_other_frames_are_read_as_pandas_ones(form):
    X, y = from_long_frame(form({**TABLE, "y": [1, 1, 0, 2, 0]}), sequence="id", time="t", label="y", time_delta=True)
    assert [x.tolist() for x in X] == [[[2, 0], [1, 1]], [[5, 0], [3, 2]], [[4, 0]]]
    assert y.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (pd.DataFrame(TABLE).set_index("id"), {"sequence": "person"}, r"no column 'person'; .* index levels \['id'\]"),
        (pd.DataFrame(TABLE), {"sequence": "id", "time_delta": True}, "time_delta=True needs time"),
        (pd.DataFrame({"id": [1]}), {"sequence": "id"}, "frame has no feature"),
        (pd.DataFrame({"id": [], "x": []}), {"sequence": "id"}, "frame has no rows"),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), {"sequence": "id"}, "2 columns with the name 'id'"),
    ],
)
def test_frames_that_lack_something_are_refused(frame, options, message):
    with pytest.raises(ValueError, match=message):
        from_long_frame(frame, **options)


def test_what_is_no_frame_is_refused():
    with pytest.raises(TypeError, match="pandas DataFrame, a polars DataFrame or a pyarrow Table, got dict"):
        from_long_frame(TABLE, sequence="id")


# Uneven sampling


def test_a_class_that_is_visible_only_between_steps_needs_the_time_delta():
    random = np.random.default_rng(0)
    y = np.arange(200) % 2
    gaps = random.exponential(np.where(y, 1, 4)[:, None], (200, 20))
    frame = to_long_frame(random.normal(size=(200, 20, 1)))
    frame["time"] = np.cumsum(gaps, axis=1).ravel() + np.repeat(random.uniform(0, 1e3, 200), 20)
    scores = {}
    for time_delta in (False, True):
        X = from_long_frame(frame, sequence="sequence", time="time", time_delta=time_delta)
        clf = SemiSupervisedRNNClassifier("supervised", hidden_size=8, n_kernels=8, max_epochs=6, random_state=0)
        scores[time_delta] = clf.fit(X[:100], y[:100]).score(X[100:], y[100:])
    assert scores[True] >= 0.95
    assert scores[False] <= 0.65


# Windows of scores


def test_scores_of_whole_windows_are_joined_as_the_error_says():
    scores = np.array([1.0, 3.0])
    with pytest.raises(
        ValueError, match=r"windows must have shape .* got \(2,\); .* np.repeat\(scores\[:, None\], length"
    ):
        join_windows(scores, 3, stride=1)
    assert join_windows(np.repeat(scores[:, None], 2, axis=1), 3, stride=1).tolist() == [1, 2, 3]


# Unlabeled rows beside a Pipeline


def labeled_and_unlabeled(mean=50, deviation=10):
    X, y = make_sines(260, noise=0.1, random_state=0)
    X = X * deviation + mean
    return X[:20], y[:20], X[20:160], X[160:], y[160:]


def small():
    return SemiSupervisedRNNClassifier(hidden_size=8, n_kernels=8, max_epochs=4, random_state=0)


def test_unlabeled_rows_around_a_pipeline_are_scaled_as_the_labeled_ones():
    X, y, X_unlabeled, X_test, y_test = labeled_and_unlabeled()
    scaled = make_pipeline(PerTimestep(StandardScaler()), small())
    assert WithUnlabeled(scaled, X_unlabeled).fit(X, y).score(X_test, y_test) >= 0.9


@pytest.mark.parametrize("scaler", [PerTimestep(StandardScaler()), PerTimestep(MinMaxScaler()), PerSequenceScaler()])
@pytest.mark.parametrize("form", [np.asarray, list, lambda X: [x[:30, 0] for x in X]])
def test_unlabeled_rows_after_a_scaler_are_refused(scaler, form):
    X, y, X_unlabeled, *_ = labeled_and_unlabeled()
    pipeline = make_pipeline(scaler, WithUnlabeled(small(), form(X_unlabeled)))
    with pytest.raises(ValueError, match=r"on another scale.*WithUnlabeled\(make_pipeline\(transformer, classifier\)"):
        pipeline.fit(form(X), y)


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame])
def test_unlabeled_rows_of_a_table_after_a_scaler_are_refused(form):
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order]
    pipeline = make_pipeline(StandardScaler(), WithUnlabeled(LabelSpreading(), form(X[20:])))
    with pytest.raises(ValueError, match="on another scale"):
        pipeline.fit(form(X[:20]), y[:20])
    inside = WithUnlabeled(make_pipeline(StandardScaler(), LabelSpreading()), form(X[20:]))
    assert inside.fit(form(X[:20]), y[:20]).score(X[20:], y[20:]) >= 0.9


def test_unlabeled_rows_after_a_step_that_changes_their_form_are_refused():
    X, y, X_unlabeled, *_ = labeled_and_unlabeled()
    twice = [np.concatenate([rows, rows], axis=2) for rows in (X, X_unlabeled)]
    with pytest.raises(
        ValueError, match=r"it has 3 feature\(s\), and they have 2 feature\(s\).*put the Pipeline inside"
    ):
        make_pipeline(PerTimestep(PolynomialFeatures(degree=1)), WithUnlabeled(small(), twice[1])).fit(twice[0], y)
    documents = ["a good film", "a bad film"] * 4
    reader = TokenSequenceVectorizer(min_df=1)
    with pytest.raises(ValueError, match="it has tokens, and they have strings"):
        make_pipeline(reader, WithUnlabeled(small(), documents)).fit(documents, [0, 1] * 4)


@pytest.mark.parametrize(("shift", "factor"), [(0, 1), (2, 1), (0, 2), (0, 0.5), (1, 2)])
def test_labeled_rows_that_are_a_bit_different_are_learned_from(shift, factor):
    X, y, X_unlabeled, *_ = labeled_and_unlabeled(0, 1)
    clf = WithUnlabeled(small().set_params(max_epochs=1), X_unlabeled)
    assert clf.fit(X * factor + shift, y).classes_.tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_few_labeled_rows_with_heavy_tails_are_no_other_scale(seed):
    random = np.random.default_rng(seed)
    X = random.standard_cauchy((40, 1)) * np.exp(random.normal(size=(1, 6)) * 5)
    assert WithUnlabeled(LabelSpreading(), X[6:]).fit(X[:6], [0, 1] * 3).classes_.tolist() == [0, 1]


def test_no_unlabeled_rows_are_no_difference():
    X, y, X_unlabeled, *_ = labeled_and_unlabeled()
    assert WithUnlabeled(small().set_params(max_epochs=1), X_unlabeled[:0]).fit(X, y).classes_.tolist() == [0, 1]
