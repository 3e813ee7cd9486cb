"""Advice in error messages: what to pass instead of an invalid value."""

from __future__ import annotations

import inspect
from typing import Any

from sklearn.base import BaseEstimator

from .. import perturbations
from ..objectives import from_name, objective_names
from ..training import is_callback


def advice_for(parameter: str, value: Any) -> str:
    """Return a sentence that says what to pass instead of an invalid value; empty if that is not known."""
    if parameter == "callbacks" and is_callback(value):
        return " Put it in a list: callbacks=[...]."
    if isinstance(value, type) and issubclass(value, BaseEstimator):
        return f" Pass an instance, {value.__name__}()."
    if parameter.endswith("augmentation") and isinstance(value, str):
        named = {name.lower(): name for name in perturbations.__all__}
        name = named.get(value.replace("_", "").lower())
        return f" Pass an object, {'such as ' if name is None else ''}perturbations.{name or 'Light'}()."
    return ""


def example_of(parameter: str, name: str, auto: str) -> str:
    """Return the end of a sentence, with an object for a name; `auto` is the name of the default objective."""
    name = auto if parameter == "objective" and name == "auto" else name
    tasks = ("classification", "tagging", "transcription", "representation")
    if any(name in objective_names(task) for task in tasks):
        return f", such as {parameter}={type(from_name(name)).__name__}()"
    example = {"augmentation": "Light", "strong_augmentation": "Strong"}.get(parameter)
    return f", such as {parameter}=perturbations.{example}()" if example else ""


def check_arguments(augmentation: Any, parameter: str) -> None:
    """Raise an error for a function that cannot be called with the arguments of an augmentation."""
    try:
        signature = inspect.signature(augmentation)
    except ValueError:  # a function in C has no signature
        return
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise TypeError(
            f"{parameter} must be a callable with the arguments (values, lengths, generator), got {signature}."
        ) from error
