"""What an object has learned in training: its attributes whose names end in an underscore."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def remembered(thing: Any) -> dict[str, Any]:
    """Return the attributes that end in an underscore; of a value with a `state_dict`, what that method returns."""
    return {name: _state(value) for name, value in vars(thing).items() if name.endswith("_")}


def remember(thing: Any, state: dict[str, Any]) -> None:
    """Set the attributes that `remembered` returned."""
    for name, value in state.items():
        current: Any = getattr(thing, name, None)
        if hasattr(current, "load_state_dict"):
            current.load_state_dict(value)
        else:
            setattr(thing, name, value.to(current.device) if isinstance(current, Tensor) else value)


def _state(value: Any) -> Any:
    has_state = hasattr(value, "state_dict") and not isinstance(value, type)
    return value.state_dict() if has_state else value
