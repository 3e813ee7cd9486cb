"""Checking that all parts of an estimator have the same marker of unlabeled rows."""

from __future__ import annotations

from typing import Any

from ..tasks import is_same


def check_marker(estimator: Any, missing_label: Any) -> None:
    """Raise an error if the estimator, or a part of it, has another marker of unlabeled rows."""
    for name, value in estimator.get_params().items():
        if name.split("__")[-1] == "missing_label" and not is_same(value, missing_label):
            raise ValueError(
                f"missing_label={missing_label!r}, but {type(estimator).__name__} has {name}={value!r}; set the same "
                "value in both."
            )
