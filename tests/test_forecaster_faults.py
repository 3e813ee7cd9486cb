"""What bad input gets from the forecaster, scikit-learn's checks, and the plot."""

import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator
from test_check_estimator import name_of
from test_forecaster import HORIZON, frame, series, tiny

from sklearn_rnn import RNNForecaster, io
from sklearn_rnn.plotting import ForecastDisplay
from sklearn_rnn.sequences import next_times


def with_nan(X, step, column):
    X = np.array(X)
    X[step, column] = np.nan
    return X


def constant(X, column):
    X = np.array(X)
    X[:, column] = 5
    return X


FAULTS = {
    "short": (series(16), {}, "X has 16 time step(s), but context=12 and horizon=5 need at least 17. Lower context or"),
    "short series": ([series(16)] * 2, {}, "The longest series of X has 16 time step(s), but context=12 and horizon=5"),
    "no context": ([series(), series(11)], {}, "X[1] has 11 time step(s), but context=12 steps are read before each"),
    "nan": (with_nan(series(), 7, 2), {}, "Input X contains NaN.\nX has NaN at step 7 in column 2. To fill gaps: prep"),
    "last nan": (with_nan(series(), -1, slice(None)), {}, "X has NaN at step 159 in column 0"),
    "nan in a frame": (frame().where(frame() < 105), {}, "in column 'b'. To fill gaps: preprocessing.SequenceImputer"),
    "nan in a list": (
        [series(), with_nan(series(), 7, 2)],
        {},
        "X[1] has NaN at step 7. With gaps=True, estimators read NaN as not seen; preprocessing.SequenceImp",
    ),
    "infinity": (
        series() * 1e39,
        {},
        "Input X contains infinity or a value too large for dtype('fl",
    ),
    "constant": (
        constant(series(), 1),
        {},
        "Column 1 of X is constant (5), so there is nothing to learn for a forec",
    ),
    "constant series": (np.ones(100), {}, "X is constant (1), so there is nothing to learn for a forecast. Check the"),
    "no steps": (np.empty((0, 2)), {}, "Found array with 0 sample(s) (shape=(0, 2)) while a minimum of 1 is required"),
    "no features": (np.empty((9, 0)), {}, "Found array with 0 feature(s) (shape=(9, 0)) while a minimum of 1 is requi"),
    "4-D": (np.ones((2, 3, 4, 5)), {}, "Found array with dim 4, while dim <= 3 is required by RNNForecaster"),
    "complex": (series() * 1j, {}, "Complex data not supported"),
    "text": (["a", "b"] * 20, {}, "X is strings. Convert them to token ids"),
    "unknown target": (frame(), {"targets": ["z"]}, "targets has the column 'z', but X has the columns ['a', 'b', 'c'"),
    "name of no column": (
        series(),
        {"targets": ["a"]},
        "targets has the name 'a', but X has no column names. Pass a",
    ),
    "position": (series(), {"future": [4]}, "future has the column 4, but X has 4 columns, from 0 to 3."),
    "kind of column": (series(), {"targets": [1.5]}, "targets must hold names or positions of columns, got 1.5."),
    "twice": (series(), {"targets": [1, 1]}, "targets has a column twice: [1, 1]."),
    "both": (frame(), {"targets": ["a", "b"], "future": ["b"]}, "Columns ['b'] are in targets and in future. What is"),
    "only future": (series()[:, :1], {"future": [0]}, "No column is left to forecast: X has no columns but those in f"),
    "period": (series(), {"period": 13}, "period=13 must be at most context=12. Raise context."),
    "held out": (series(20), {"early_stopping": True}, "hold out the last 5 time step(s), which leaves too few for co"),
    "few scores": (series(40), {"conformal": True}, "conformal=True has 1 window(s) held out, too few for quantiles="),
    "quantiles": (series(), {"quantiles": (0.9, 0.1)}, "quantiles must be ascending and between 0 and 1, got [0.9,"),
    "pretraining": (series(), {"pretraining": "fixmatch"}, "pretraining='fixmatch' is not an unsupervised objective"),
    "horizon": (series(), {"horizon": 0}, "The 'horizon' parameter of RNNForecaster must be an int in the range [1, "),
    "channels": (series(), {"channels": "both"}, "The 'channels' parameter of RNNForecaster must be a str among"),
}


@pytest.mark.parametrize(("X", "params", "message"), FAULTS.values(), ids=FAULTS)
def test_bad_input_is_refused_with_what_to_do(X, params, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tiny(**params).fit(X)


def test_sparse_data_are_refused():
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        tiny().fit(csr_matrix(series()))


UNSORTED = frame().iloc[[*range(50), 51, 50, *range(52, 160)]]
INDEXES = {
    "unsorted": (
        UNSORTED,
        r"index of X is not sorted: step 51 \(2024-01-03 02:00:00\) is earlier .* X\.sort_index",
    ),
    "twice": (frame().iloc[[*range(9), 8, *range(9, 160)]], r"has 2024-01-01 08:00:00 twice, at steps 8 and 9. Keep"),
    "irregular": (frame().drop(frame().index[30]), r"index of X is irregular: 2024-01-02 05:00:00 is followed by 2024"),
    "in a list": ([frame(), frame().drop(frame().index[30])], r"index of X\[1\] is irregular"),
    "column": (frame().reset_index(names="time"), r"X has times in the columns \['time'\]. Set .* X.set_index\('time'"),
}


@pytest.mark.parametrize(("X", "message"), INDEXES.values(), ids=INDEXES)
def test_a_time_index_must_ascend_in_equal_steps(X, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(X)


@pytest.mark.parametrize("frequency", ["MS", "ME", "QS", "B", "D", "15min"])
def test_steps_of_a_calendar_are_equal_and_go_on(frequency):
    times = pd.date_range("2020-01-01", periods=45, freq=frequency)
    X = pd.Series(series(40)[:, 0], index=pd.DatetimeIndex(times[:40].to_numpy()))  # which does not know its frequency
    assert tiny().fit(X).predict().shape == (HORIZON,)
    assert (next_times(X.index, 5) == times[40:]).all()


def test_periods_and_time_differences_go_on():
    periods = pd.period_range("2020-01", periods=9, freq="M")
    assert (next_times(periods[:6], 3) == periods[6:]).all()
    differences = pd.timedelta_range("1h", periods=9, freq="2h")
    assert (next_times(differences[:6], 3) == differences[6:]).all()


def test_predict_refuses_what_fit_did_not_see():
    X = frame()
    forecaster = tiny(targets=["a", "b"], future=["c"]).fit(X)
    future = np.ones((HORIZON, 1))
    faults = [
        ((X[["a", "b", "c"]],), {}, "Feature names seen at fit time, yet now missing"),
        ((X[["b", "a", "c", "d"]],), {}, "Feature names must be in the same order"),
        ((X.iloc[:11],), {}, r"X has 11 time step\(s\), but context=12 steps are read before each forecast"),
        (([X.iloc[:11]],), {}, r"X\[0\] has 11 time step\(s\)"),
        ((X.iloc[::2],), {}, r"steps of X are 2 hours apart, but RNNForecaster was fitted with steps of 1 hours"),
        ((X,), {"future": None}, r"Columns \['c'\] are known ahead: pass their values for the 5 step"),
        ((X,), {"future": X[["a"]][:HORIZON]}, r"future lacks the columns \['c'\]; it has \['a'\]"),
        (
            (X,),
            {"future": np.ones((4, 1))},
            r"future must have a row for each of 5 step\(s\) and the columns \['c'\]; g",
        ),
        (([X, X],), {}, r"and the columns \['c'\], for each of 2 series; got the shape \(5, 1\)"),
        ((X,), {"future": future * np.nan}, "future contains NaN or infinity"),
    ]
    for arguments, options, message in faults:
        with pytest.raises(ValueError, match=message):
            forecaster.predict(*arguments, **{"future": future, **options})
    with pytest.raises(ValueError, match="future was passed, but no columns are known ahead"):
        tiny().fit(X).predict(future=future)
    with pytest.raises(ValueError, match="X has 3 features, but RNNForecaster is expecting 4 features as input"):
        tiny().fit(X.to_numpy()).predict(X.to_numpy()[:, :3])
    np.testing.assert_array_equal(forecaster.predict(future=X[:HORIZON]), forecaster.predict(future=X[["c"]][:HORIZON]))


@pytest.mark.parametrize("export", [io.to_onnx, io.save_encoder])
def test_what_would_be_in_other_units_is_not_exported(export, tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(TypeError, match=r"RNNForecaster .*\bio\.save\."):
        export(tiny().fit(series()), tmp_path / "forecaster.safetensors")
    assert not list(tmp_path.iterdir())


def test_scores_need_a_context_and_a_horizon():
    forecaster = tiny().fit(series())
    with pytest.raises(ValueError, match=r"X has 16 time step.* TimeSeriesSplit\(test_size=17\) or more"):
        forecaster.score(series(16))
    with pytest.raises(ValueError, match="stride == 0, must be >= 1"):
        forecaster.backtest(series(), stride=0)
    with pytest.raises(NotFittedError):
        tiny().predict()


def test_a_constant_column_that_is_only_read_does_no_harm():
    forecaster = tiny(targets=[0], future=[1]).fit(constant(constant(series(), 1), 2))
    assert np.isfinite(forecaster.predict(future=np.full((HORIZON, 1), 5))).all()


def test_integers_and_large_levels_lose_nothing():
    X = (100 * series()[:, :2]).round()
    forecasts = tiny().fit(X).predict()
    np.testing.assert_array_equal(tiny().fit(X.astype(np.int64)).predict(), forecasts)
    far = tiny().fit(X + 2.0**40).predict() - 2.0**40
    np.testing.assert_allclose(far, forecasts, atol=0.01)


NOT_FOR_SERIES = {  # of scikit-learn's checks, and why
    "check_fit1d": "a 1-D X is one series",
    "check_fit2d_predict1d": "a 1-D X is one series, with another number of features",
    "check_methods_subset_invariance": "rows are steps, not samples: a forecast follows all of them",
    "check_methods_sample_order_invariance": "rows are steps, whose order matters",
    "check_fit2d_1sample": "one step is no series; the error says how many are needed",
}
CHECKS = list(estimator_checks_generator(RNNForecaster(1, context=2, hidden_size=4, max_epochs=1, random_state=0)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=lambda i: name_of(CHECKS[i][1]))
def test_scikit_learn_checks_pass_but_those_for_rows_that_are_samples(number):
    estimator, check = CHECKS[number]
    if name_of(check) in NOT_FOR_SERIES:
        with pytest.raises(Exception, match=r"."):
            check(estimator)
    else:
        check(estimator)


def test_the_checks_that_do_not_apply_are_five():
    assert NOT_FOR_SERIES.keys() <= {name_of(check) for _, check in CHECKS}
    assert len(CHECKS) > 40


# The plot


@pytest.fixture
def shown():
    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


def test_a_plot_has_history_forecast_interval_and_truth_at_the_times_of_the_frame(shown):
    X = frame()
    forecaster = tiny(targets=["b", "a"]).fit(X[:100])
    display = ForecastDisplay.from_estimator(forecaster, X[:100], truth=X[100:], column="a", n_history=30)
    lines = display.lines_
    np.testing.assert_array_equal(lines["history"].get_ydata(), X["a"][70:100])
    np.testing.assert_array_equal(lines["forecast"].get_ydata(), forecaster.predict(X[:100])[:, 1])
    np.testing.assert_array_equal(lines["truth"].get_ydata(), X["a"][100:105])
    assert (lines["forecast"].get_xdata() == X.index[100:105].to_numpy()).all()
    assert display.ax_.get_ylabel() == "a"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["interval 80%", "history", "truth", "forecast"]


def test_a_plot_without_times_counts_steps_from_the_forecast(shown):
    X = series()[:, 0]
    forecaster = tiny(loss="absolute").fit(X)
    display = ForecastDisplay.from_estimator(forecaster, X)
    assert display.lines_["forecast"].get_xdata().tolist() == [0, 1, 2, 3, 4]
    assert len(display.lines_["history"].get_xdata()) == 4 * HORIZON
    assert display.interval is None
    with pytest.raises(ValueError, match=r"column=2 is not forecast; choose from \[0\]"):
        ForecastDisplay.from_estimator(forecaster, X, column=2)
    with pytest.raises(ValueError, match="X must be one series"):
        ForecastDisplay.from_estimator(forecaster, [X[:, None], X[:, None]])
