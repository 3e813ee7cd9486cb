"""How the defaults of the regressor were chosen: four tasks, labeled rows alone.

    python benchmarks/regression_defaults.py SHARED_FOLDER [SEEDS]

SHARED_FOLDER holds `data/load.py` with the sets "cmapss" and "etth1", and `bench/remaining_life.py`. The tasks, none of
which has a row of a test set: the ink in the middle of scikit-learn's digits (100 labels), cycles left of turbofan
engines (7 of 70 training engines labeled, 30 others to judge), the mean oil temperature of the next day (etth1, 200
windows of four days from the first half, judged on the second) and the frequency of noisy waves (100 labels). Prints
the root mean squared error divided by the standard deviation of the truth. Kept in benchmarks/regression_defaults.md.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits

from sklearn_rnn import SemiSupervisedRNNRegressor

torch.set_num_threads(1)


class Before(SemiSupervisedRNNRegressor):
    """Regressor with a layer norm before the recurrence, whose changes and kernels may be noise."""

    _layer_norm, _drops_noise = True, False


CANDIDATES = {
    "layer norm and noise, rate 0.008, mean and maximum": Before(lr=0.008, pooling="mean_max"),
    "rate 0.004, mean and maximum": SemiSupervisedRNNRegressor(lr=0.004, pooling="mean_max"),
    "rate 0.004, last states": SemiSupervisedRNNRegressor(lr=0.004),
    "the defaults: rate 0.002, last states": SemiSupervisedRNNRegressor(),
}


def digits(seed):
    """Images row by row, and the ink in their four middle columns."""
    images = load_digits().images.astype(np.float32)
    X = images[np.random.RandomState(seed).permutation(len(images))]
    y = X[:, :, 2:6].mean((1, 2))
    return X[:100], y[:100], X[1400:], y[1400:]


def waves(seed):
    """Waves of random phase and height under noise, and their frequencies."""
    random, n = np.random.RandomState(seed), 400
    y, phase = random.uniform(0.2, 0.8, n), random.uniform(0, 6.3, n)
    heights, noise = random.uniform(0.5, 2, (n, 1)), random.normal(0, 0.4, (n, 60))
    X = (np.sin(y[:, None] * np.arange(60) + phase[:, None]) * heights + noise)[:, :, None].astype(np.float32)
    return X[:100], y[:100], X[100:], y[100:]


def temperature(load):
    """Four days of etth1, and the mean of its last column over the next day."""
    series, steps, ahead = load("etth1")["X"], 96, 24
    half = len(series) // 2

    def windows(starts):
        X = np.stack([series[start : start + steps] for start in starts]).astype(np.float32)
        return X, np.array([series[start + steps : start + steps + ahead, -1].mean() for start in starts])

    def task(seed):
        first = np.random.RandomState(seed).choice(half - steps - ahead, 200, replace=False)
        second = half + np.arange(0, len(series) - half - steps - ahead, 17)
        return (*windows(first), *windows(second[:300]))

    return task


def engines(load, protocol):
    """Windows of training engines, of which 7 are labeled, and of 30 others."""
    d, length = load("cmapss"), protocol.LENGTH
    columns = [list(d["columns"]).index(f"sensor{i}") for i in protocol.SENSORS]
    series = [x[:, columns] for x in d["X"]]

    def windows(ends_of):
        pairs = [(i, end) for i, ends in ends_of.items() for end in ends]
        X = np.stack([series[i][end - length : end] for i, end in pairs])
        return X, np.array([min(len(series[i]) - end, protocol.CAP) for i, end in pairs], dtype=float)

    def task(seed):
        random = np.random.RandomState(100 + seed)
        order = random.permutation(np.array(d["train"]))
        known = windows({i: range(length, len(series[i]) + 1) for i in order[30:37]})
        judged = windows({i: random.randint(length, len(series[i]) + 1, 5) for i in order[:30]})
        return (*known, *judged)

    return task


def main(folder, seeds="3"):
    """Print a row for each candidate."""
    for part in ("data", "bench"):
        sys.path.insert(0, str(Path(folder) / part))  # before this folder, which has a remaining_life.py too
    import remaining_life
    from load import load

    tasks = {"digits": digits, "engines": engines(load, remaining_life), "waves": waves, "etth1": temperature(load)}
    print("| candidate | " + " | ".join(tasks) + " | mean |")
    print("| --- " * (len(tasks) + 2) + "|")
    for name, candidate in CANDIDATES.items():
        errors = []
        for task in tasks.values():
            of_seeds = []
            for seed in range(int(seeds)):
                X, y, X_new, y_new = task(seed)
                regressor = clone(candidate).set_params(random_state=seed)
                predicted = regressor.fit(X, y).predict(X_new)
                of_seeds.append(np.sqrt(np.mean((predicted - y_new) ** 2)) / np.std(y_new))
            errors.append(np.mean(of_seeds))
        print(f"| {name} | " + " | ".join(f"{error:.3f}" for error in (*errors, np.mean(errors))) + " |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
