"""The columns with the times of steps, of several inputs."""

from __future__ import annotations

from typing import Any

from ._frame_columns import Groups


def check_times(times: Any, groups: Groups) -> None:
    """Raise an error if `times` of several inputs are a column of none of them, or alone in one."""
    if times is None:
        return
    if isinstance(times, dict):
        if unknown := [key for key in times if key not in groups]:
            raise ValueError(f"Gaps.times names the inputs {unknown}, but X has {list(groups)}.")
        return
    if not isinstance(times, str):
        raise ValueError(
            f"Gaps.times={times!r} is a position, but X has the inputs {list(groups)}. Pass a dictionary, such as "
            f"Gaps(times={{{next(iter(groups))!r}: {times!r}}})."
        )
    holds = [key for key, members in groups.items() if times in members]
    if not holds:
        raise ValueError(f"Gaps.times={times!r} is no column of X, which has the inputs {groups}.")
    if groups[holds[0]] == [times]:
        raise ValueError(
            f"Gaps.times={times!r} is an input without other columns. Group it with the columns that were measured at "
            f"these times: inputs={{'vitals': [{times!r}, ...], ...}}."
        )


def times_of_input(times: Any, key: str, members: list[Any]) -> Any:
    """Return the name or the position of the column of times of an input, or None."""
    column = times.get(key) if isinstance(times, dict) else times if times in members else None
    return place_of(column, members)


def place_of(times: Any, members: list[Any]) -> Any:
    """Return the position of a column that is one of several members, else its name or position as it is."""
    return members.index(times) if len(members) > 1 and times in members else times
