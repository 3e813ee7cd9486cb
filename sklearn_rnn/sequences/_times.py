"""The time index of a frame: ascending, and with equal steps."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

TIMES = ("DatetimeIndex", "TimedeltaIndex", "PeriodIndex")


def time_index(X: Any) -> Any:
    """Return the time index of a pandas object; None if it has none."""
    index = getattr(X, "index", None)
    return index if type(index).__name__ in TIMES else None


def check_times(X: Any, name: str) -> int | None:
    """Raise an error if X has a time index that does not ascend in equal steps.

    Months, quarters, business days and the like are equal steps.

    Returns
    -------
    spacing : int or None
        Median time between two steps, in nanoseconds; for periods, in periods. None without a time index.
    """
    index = time_index(X)
    if index is None or len(index) < 2:
        return None
    times = index.asi8 if not hasattr(index, "as_unit") else index.as_unit("ns").asi8
    changes = np.diff(times)
    if (changes <= 0).any():
        i = int(np.argmax(changes <= 0)) + 1
        if changes[i - 1] == 0:
            raise ValueError(
                f"The time index of {name} has {index[i]} twice, at steps {i - 1} and {i}. Keep one of them: "
                f"{name}[~{name}.index.duplicated()]."
            )
        raise ValueError(
            f"The time index of {name} is not sorted: step {i} ({index[i]}) is earlier than the step before "
            f"({index[i - 1]}). Sort it: {name}.sort_index()."
        )
    median = int(np.median(changes))
    if (changes != changes[0]).any() and not _has_frequency(index):
        i = int(np.argmax(changes != median))
        raise ValueError(
            f"The time index of {name} is irregular: {index[i]} is followed by {index[i + 1]}. Bring it to equal "
            f"steps, with {name}.asfreq(...) or {name}.resample(...).mean(), and fill the gaps with "
            "preprocessing.SequenceImputer."
        )
    return median


def _has_frequency(index: Any) -> bool:
    """Whether steps of different lengths are those of a calendar, such as months."""
    return type(index).__name__ != "PeriodIndex" and _frequency(index) is not None


def _frequency(index: Any) -> Any:
    """Return the frequency of an index; None if it is not known and cannot be inferred."""
    if (known := getattr(index, "freq", None)) is not None or len(index) < 3:
        return known
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a new type of the result
        return pd.infer_freq(index)


def next_times(index: Any, n: int) -> Any:
    """Return the `n` times after the end of a time index of equal steps."""
    import pandas as pd

    if type(index).__name__ == "PeriodIndex":
        return pd.period_range(index[-1] + 1, periods=n, freq=index.freq)
    frequency = _frequency(index)
    if frequency is None:
        return index[-1] + (index[-1] - index[-2]) * np.arange(1, n + 1)
    kind = pd.timedelta_range if type(index).__name__ == "TimedeltaIndex" else pd.date_range
    return kind(index[-1], periods=n + 1, freq=frequency)[1:]
