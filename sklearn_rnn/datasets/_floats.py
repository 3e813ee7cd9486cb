"""Converting numbers of any type to floats without rounding them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sequences import float_like
from ..tasks import find_nothing

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})\b"
    rf"|\d{{1,2}}[ -]({MONTHS})[a-z]*[ -]\d|({MONTHS})[a-z]* \d{{1,2}}, \d{{4}}",
    re.IGNORECASE,
)
CLOCK = re.compile(r"\d{1,2}:\d\d:\d\d(\.\d+)?$")
ENCODE = "drop it, or encode it (pandas.get_dummies)"


def as_floats(values: Any, name: str, *, ndim: int = 1, source: str | None = None, words: str = ENCODE) -> NDArray:
    """Convert to float32, or to float64 if float32 would round; missing and masked values become NaN.

    Parameters
    ----------
    values : array-like
        Numbers.
    name : str
        Name of the values, for errors.
    ndim : int, default=1
        Number of dimensions.
    source : str, default=None
        Expression for the values in advice; `name` by default.
    words : str, default=ENCODE
        Advice if values are words.

    Raises
    ------
    ValueError
        If values are not numbers or have another number of dimensions.
    """
    array = values if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {array.shape}.")
    if array.dtype.kind in "OUST":
        array = _numbers(array.astype(object), name, source or name, words)
    if array.dtype.kind in "mM":
        raise ValueError(
            f"{name} has dtype {array.dtype}, but must have numbers; convert its times to seconds: "
            "(times - times[0]) / numpy.timedelta64(1, 's')."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must have numbers, got dtype {array.dtype}.")
    return np.ma.filled(array.astype(float_like(array.dtype), copy=False), np.nan)


def _numbers(array: NDArray, name: str, source: str, words: str) -> NDArray[np.float64]:
    """Convert objects to numbers; it is an error if one is a string, even of digits."""
    flat = np.ravel(array)
    known = ~find_nothing(flat)
    if strings := [value for value in flat[known] if isinstance(value, str | bytes)]:
        text, advice = _advice_for(strings, source, words)
        raise ValueError(f"{name} must have numbers, got the string {text!r}; {advice}.")
    numbers = np.full(len(flat), np.nan)
    try:
        numbers[known] = flat[known]
    except (TypeError, ValueError) as error:
        kind = type(flat[known][0]).__name__
        hint = "; pandas.to_datetime converts them to datetimes" if "date" in kind or kind == "Timestamp" else ""
        raise ValueError(f"{name} must have numbers, got values of type {kind}{hint}.") from error
    return numbers.reshape(array.shape)


def _advice_for(strings: list[Any], source: str, words: str) -> tuple[Any, str]:
    """Return an example of the strings, and advice on how to convert them."""
    not_numbers = [text for text in strings if not _is_number(text)]
    if not not_numbers:
        return strings[0], f"pandas.to_numeric({source}) converts them to numbers"
    first = not_numbers[0].decode(errors="replace") if isinstance(not_numbers[0], bytes) else not_numbers[0]
    if DATE.match(first.strip()):
        order = "" if first.strip()[:4].isdigit() else " (dayfirst=True if the day comes before the month)"
        return not_numbers[0], f"pandas.to_datetime({source}) converts them to datetimes{order}"
    if CLOCK.match(first.strip()):
        return not_numbers[0], f"pandas.to_timedelta({source}) converts them to time differences"
    if len(not_numbers) < len(strings):
        return not_numbers[
            0
        ], f"pandas.to_numeric({source}, errors='coerce') converts values that are no numbers to NaN"
    return not_numbers[0], words


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
