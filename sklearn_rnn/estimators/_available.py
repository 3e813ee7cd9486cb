"""Methods that an estimator has if its objective has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..objectives import from_name, objective_names


def objective_can(method: str) -> Callable[[Any], bool]:
    """Return a function for `available_if` that checks whether an estimator's objective has this method."""

    def check(estimator: Any) -> bool:
        objective = getattr(estimator, "objective_", estimator.objective)
        if isinstance(objective, str):
            objective = estimator._auto if objective == "auto" else objective
            if objective not in objective_names(estimator.task_name):
                return True  # fit will raise the error
            objective = from_name(objective)
        return hasattr(objective, method)

    return check
