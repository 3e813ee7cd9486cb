"""The options of an estimator: reading them from its parameters, and setting nested ones."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from .._sklearn import plain_parameters
from ._advice import example_of
from ._options import Embedding, Gaps, Optimizer, Pretraining

OPTIONS: dict[str, type] = {"embedding": Embedding, "gaps": Gaps, "optimizer": Optimizer, "pretraining": Pretraining}


def gaps_of(params: Any) -> Gaps | None:
    """Return a checked copy of the object that the parameter `gaps` stands for; None if values must not be missing."""
    return as_option("gaps", params.gaps) if getattr(params, "gaps", False) else None


def as_option(name: str, value: Any) -> Any:
    """Return a checked copy of the object that a parameter's value stands for; numpy's numbers become Python's.

    Parameters
    ----------
    name : {"embedding", "gaps", "optimizer", "pretraining"}
        The parameter.
    value : object
        An object, or a value of its first parameter; None and a bool stand for the default object.
    """
    option = wrapped(name, value)
    option._validate_params()
    option = copy(option)  # a clone would lose the attributes of a fitted autoencoder
    plain_parameters(option)
    return option


def wrapped(name: str, value: Any) -> Any:
    """Return the object that the value of a parameter stands for."""
    cls = OPTIONS[name]
    if isinstance(value, cls):
        return value
    return cls() if value is None or isinstance(value, bool | np.bool_) else cls(value)


def set_option(estimator: Any, name: str, nested: dict[str, Any]) -> None:
    """Set parameters of an option, such as ``embedding__size``, and take them out of `nested`.

    If the value of the parameter is not an object yet, but a name, None, or what the object may hold, the object is
    made. On an error nothing is set.

    Parameters
    ----------
    estimator : estimator
        Has the parameter `name`.
    name : {"embedding", "gaps", "optimizer", "pretraining"}
        The parameter.
    nested : dict
        Nested parameters of the estimator and their values.
    """
    cls: Any = OPTIONS[name]
    value, names = getattr(estimator, name), cls._get_param_names()
    keys = [key for key in nested if key.startswith(f"{name}__")]
    if name == "pretraining" and value is None:
        raise ValueError(f"{keys[0]} cannot be set, because pretraining is None. Set pretraining too.")
    of_option = {key: key.partition("__")[2] for key in keys}
    if not isinstance(value, cls | str | type | None):  # such as an objective, which has parameters of its own
        of_option = {key: rest for key, rest in of_option.items() if rest.partition("__")[0] in names}
    if not of_option:
        return
    option = wrapped(name, value)
    for key, rest in of_option.items():
        held, _, more = rest.partition("__")
        if more and isinstance(object_name := getattr(option, held, None), str):
            refuse_name(key, object_name)
    option.set_params(**{rest: nested[key] for key, rest in of_option.items()})
    setattr(estimator, name, option)
    for key in of_option:
        del nested[key]


def refuse_name(key: str, value: str, auto: str = "") -> None:
    """Refuse to set the nested parameter `key` of an object that is given by its name alone."""
    first = key.rpartition("__")[0]
    last = first.rpartition("__")[2]
    article = "an" if last[0] in "aeiou" else "a"
    raise ValueError(
        f"{key} sets a parameter of {article} {last} object, but {first}={value!r} is a name. Pass an "
        f"object{example_of(first, value, auto)}."
    )
