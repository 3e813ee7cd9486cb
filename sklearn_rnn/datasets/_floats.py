"""Numbers of any type as floats that do not round them."""

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
    """Convert to float32, or to float64 where that would round; what is missing or masked becomes NaN.

    Parameters
    ----------
    values : array-like
        Numbers.
    name : str
        Whose they are, for errors.
    ndim : int, default=1
        Number of dimensions.
    source : str, default=None
        Expression that gives the values, for errors; `name` by default.
    words : str, default=ENCODE
        What to do where values are words.

    Raises
    ------
    ValueError
        Values are no numbers or have another number of dimensions; `name` says whose they are.
    """
    array = values if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {array.shape}.")
    if array.dtype.kind in "OUST":
        array = _numbers(array.astype(object), name, source or name, words)
    if array.dtype.kind in "mM":
        raise ValueError(
            f"{name} has dtype {array.dtype}, but must have numbers; make seconds of its times: "
            "(times - times[0]) / numpy.timedelta64(1, 's')."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must have numbers, got dtype {array.dtype}.")
    return np.ma.filled(array.astype(float_like(array.dtype), copy=False), np.nan)


def _numbers(array: NDArray, name: str, source: str, words: str) -> NDArray[np.float64]:
    """Read objects as numbers; strings are none, whatever they spell."""
    flat = np.ravel(array)
    known = ~find_nothing(flat)
    if strings := [value for value in flat[known] if isinstance(value, str | bytes)]:
        text, advice = _what_to_make_of(strings, source, words)
        raise ValueError(f"{name} must have numbers, got the string {text!r}; {advice}.")
    numbers = np.full(len(flat), np.nan)
    try:
        numbers[known] = flat[known]
    except (TypeError, ValueError) as error:
        kind = type(flat[known][0]).__name__
        hint = "; pandas.to_datetime makes datetimes" if "date" in kind or kind == "Timestamp" else ""
        raise ValueError(f"{name} must have numbers, got values of type {kind}{hint}.") from error
    return numbers.reshape(array.shape)


def _what_to_make_of(strings: list[Any], source: str, words: str) -> tuple[Any, str]:
    """Return a string that shows what the strings are, and what to do with them."""
    others = [text for text in strings if not _is_number(text)]
    if not others:
        return strings[0], f"pandas.to_numeric({source}) makes numbers"
    first = others[0].decode(errors="replace") if isinstance(others[0], bytes) else others[0]
    if DATE.match(first.strip()):
        order = "" if first.strip()[:4].isdigit() else " (dayfirst=True where the day comes before the month)"
        return others[0], f"pandas.to_datetime({source}) makes datetimes{order}"
    if CLOCK.match(first.strip()):
        return others[0], f"pandas.to_timedelta({source}) makes time differences"
    if len(others) < len(strings):
        return others[0], f"pandas.to_numeric({source}, errors='coerce') makes NaN of what is no number"
    return others[0], words


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
