"""Objectives: what the nets are trained for, one algorithm a class.

Each has a name, its class's in snake case: `"mean_teacher"` is `MeanTeacher()`.
"""

import re

from ._base import Batch, Objective, Task
from ._mean_teacher import MeanTeacher
from ._reconstruction import Reconstruction
from ._supervised import Supervised

__all__ = ["Batch", "MeanTeacher", "Objective", "Reconstruction", "Supervised", "objective_names"]

_NAMED: dict[str, type[Objective]] = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower(): cls for cls in (MeanTeacher, Reconstruction, Supervised)
}


def objective_names(task: Task) -> list[str]:
    """Names of the objectives for `"classification"` or for `"representation"`."""
    return sorted(name for name, cls in _NAMED.items() if cls.task == task)


def from_name(name: str) -> Objective:
    """Return the objective of that name, with its defaults."""
    return _NAMED[name]()
