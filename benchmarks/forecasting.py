"""Forecasts of ETTh1 and of monthly airline passengers, at default parameters.

    python benchmarks/forecasting.py SHARED_FOLDER [HORIZONS]  # run what is missing, such as of horizons 24,96
    python benchmarks/forecasting.py                           # the tables again, from the runs kept

SHARED_FOLDER holds `bench/forecasting.py`, which cuts ETTh1 as Informer and its successors do (12 / 4 / 4 months of
hours, context 96, all windows of the test part, 7 channels, standardised by the training part), and `data/load.py`
with the set "airline". The net learns from the training part alone; the validation part was used to choose the
defaults, and here only to correct intervals. Runs are kept in benchmarks/forecasting.csv and not repeated. The tables
are written to benchmarks/forecasting.md.
"""

import sys
import time
from importlib import util
from pathlib import Path

import numpy as np
import torch
from runs import Runs, shown
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklearn_rnn import RNNForecaster

HERE = Path(__file__).resolve().parent
RUNS = Runs(
    "forecasting", ("set", "horizon", "method", "seed"), ("mse", "mae", "coverage", "processor", "wall"), folder=HERE
)
HORIZONS, SEEDS = (24, 48, 96, 192, 336, 720), range(3)
PUBLISHED = {  # MSE at 96, 192, 336 and 720 steps, from 96
    "SegRNN": (0.368, 0.408, 0.444, 0.446),
    "iTransformer": (0.386, 0.441, 0.487, 0.503),
    "DLinear": (0.386, 0.437, 0.481, 0.519),
}


def main(folder=None, horizons=None):
    """Run what is missing, then write the tables."""
    if folder is not None:
        if not (Path(folder) / "bench" / "forecasting.py").exists():
            print(f"Skipped: there is no bench/forecasting.py in {folder}.")
            return
        protocol = imported(Path(folder) / "bench" / "forecasting.py")
        chosen = HORIZONS if horizons is None else [int(h) for h in horizons.split(",")]
        floors(protocol, chosen)
        for seed in SEEDS:
            airline(imported(Path(folder) / "data" / "load.py").load("airline")["X"][:, 0], seed)
            for horizon in chosen:
                etth1(protocol.task(horizon=horizon), seed)
                if horizon == 24:
                    intervals(protocol.task(horizon=horizon), seed)
    write(RUNS.read())


def floors(protocol, horizons):
    """Run what needs no net."""
    for horizon in horizons:
        for name, floor in (("seasonal naive", protocol.seasonal_naive), ("linear", protocol.linear)):
            if ("etth1", str(horizon), name, "0") not in RUNS.read():
                task = protocol.task(horizon=horizon)
                keep("etth1", horizon, name, 0, *task.score(floor(task)))


def imported(path):
    """Return the module in a file."""
    spec = util.spec_from_file_location(f"{path.stem}_of_{path.parent.name}", path)
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def keep(name, horizon, method, seed, mse, mae, coverage=np.nan, seconds=np.nan, wall=np.nan):
    """Add a run."""
    cells = f"{mse:.4f}", f"{mae:.4f}", f"{coverage:.4f}", f"{seconds:.0f}", f"{wall:.0f}"
    RUNS.keep(name, horizon, method, seed, *cells)


def timed(forecaster, X):
    """Fit, and return processor and wall time in seconds."""
    started, clock = time.process_time(), time.time()
    forecaster.fit(X)
    return time.process_time() - started, time.time() - clock


def etth1(task, seed):
    """Error on the test part, and the fraction of its values in the intervals."""
    if ("etth1", str(task.horizon), "default", str(seed)) in RUNS.read():
        return
    forecaster = RNNForecaster(task.horizon, context=task.context, random_state=seed)
    times = timed(forecaster, task.train)
    keep("etth1", task.horizon, "default", seed, *task.score(forecaster.predict), covered(task, forecaster), *times)


def intervals(task, seed):
    """Fit on the training and the validation part, of which the second corrects the intervals."""
    if ("etth1", str(task.horizon), "conformal", str(seed)) in RUNS.read():
        return
    X = np.concatenate([task.train, task.val[task.context :]])
    forecaster = RNNForecaster(
        task.horizon, context=task.context, conformal=True, validation_fraction=0.25, random_state=seed
    )
    times = timed(forecaster, X)
    keep("etth1", task.horizon, "conformal", seed, *task.score(forecaster.predict), covered(task, forecaster), *times)


def covered(task, forecaster):
    """Fraction of the values of the test part in their intervals."""
    X, Y = task.windows(task.test)
    inside = []
    for i in range(0, len(X), 512):
        intervals = forecaster.predict_interval(np.ascontiguousarray(X[i : i + 512]))
        inside.append((intervals[..., 0] <= Y[i : i + 512]) & (intervals[..., 1] >= Y[i : i + 512]))
    return np.concatenate(inside).mean()


def airline(X, seed):
    """Search in time-ordered folds, and forecast from all origins in the last three years, which `fit` did not see."""
    if ("airline", "12", "search", str(seed)) in RUNS.read():
        return
    forecaster = RNNForecaster(12, context=24, period=12, random_state=seed)
    times = timed(forecaster, X[:108])
    future = np.lib.stride_tricks.sliding_window_view(X[108:], 12)
    naive = np.lib.stride_tricks.sliding_window_view(X[96:-12], 12)
    for method, made in (("default", forecaster.backtest(X[84:])), ("seasonal naive", naive)):
        keep("airline", 12, method, seed, np.square(made - future).mean(), np.abs(made - future).mean(), np.nan, *times)
    search = GridSearchCV(forecaster, {"dropout": [0.1, 0.3]}, cv=TimeSeriesSplit(3))
    times = timed(search, X)
    keep("airline", 12, "search", seed, np.nan, -search.best_score_, np.nan, *times)


def write(runs):
    """Write the tables: means and standard deviations over seeds."""
    lines = ["# Forecasts", "", "`python benchmarks/forecasting.py SHARED_FOLDER`", ""]
    lines += ["ETTh1: mean squared error over all windows of the test part, context 96, one default for all horizons."]
    lines += ["", "| method | " + " | ".join(map(str, HORIZONS)) + " |", "| --- " * (len(HORIZONS) + 1) + "|"]
    for method in ("default", "linear", "seasonal naive"):
        lines.append(f"| {method} | " + " | ".join(cells(runs, method, 0, 3)) + " |")
    for name, errors in PUBLISHED.items():
        lines.append(f"| {name}, published | | | " + " | ".join(f"{error:.3f}" for error in errors) + " |")
    for measure, name, digits in ((1, "mean absolute error", 3), (3, "fit, processor seconds on one thread", 0)):
        lines.append(f"| default, {name} | " + " | ".join(cells(runs, "default", measure, digits)) + " |")
    lines += ["", "Share of the test values of ETTh1 in intervals of 80%, at horizon 24:", ""]
    lines += ["| method | share in % |", "| --- | --- |"]
    for method, text in (("default", "quantiles 0.1 and 0.9"), ("conformal", "corrected on the validation part")):
        values = [100 * run[2] for key, run in runs.items() if key[:3] == ("etth1", "24", method)]
        lines.append(f"| {text} | {shown(values)} |")
    lines += [
        "",
        "Airline passengers, 12 months ahead from each month of the last three years that leaves 12, after a fit",
    ]
    lines += ["on the nine years before:", ""]
    lines += ["| method | mean absolute error, thousands | root mean squared error |", "| --- | --- | --- |"]
    for method in ("default", "seasonal naive"):
        found = [run for key, run in runs.items() if key[:3] == ("airline", "12", method)]
        lines.append(f"| {method} | {shown(run[1] for run in found)} | {shown(run[0] ** 0.5 for run in found)} |")
    found = [run[1] for key, run in runs.items() if key[:3] == ("airline", "12", "search")]
    lines += ["", "In `GridSearchCV` with `TimeSeriesSplit(3)` over two values of `dropout`, the best mean error is"]
    lines += [f"{shown(found, digits=2)} times that of the seasonal naive forecast."]
    lines += ["", "± is the standard deviation over three seeds."]
    (HERE / "forecasting.md").write_text("\n".join(lines) + "\n")


def cells(runs, method, measure, digits):
    """Return a cell of the table for each horizon."""
    return [
        shown([run[measure] for key, run in runs.items() if key[:3] == ("etth1", str(h), method)], digits=digits)
        for h in HORIZONS
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
