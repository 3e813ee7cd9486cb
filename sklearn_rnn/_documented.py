"""Parameters that are written once: their default, constraint and description."""

from __future__ import annotations

from dataclasses import field, fields
from inspect import cleandoc
from textwrap import indent
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)


def parameter(default: Any, constraint: list[Any], kind: str, text: str, *, positional: bool = False) -> Any:
    """Return a field of a dataclass that is an estimator or objective.

    Parameters
    ----------
    default : object
        Default value.
    constraint : list
        Constraint for scikit-learn's validation.
    kind : str
        Type, as in a numpydoc docstring.
    text : str
        Description.
    positional : bool, default=False
        Whether the parameter can be passed by position.
    """
    metadata = {"constraint": constraint, "kind": kind, "text": cleandoc(text)}
    return field(default=default, kw_only=not positional, metadata=metadata)


def documented(cls: Class) -> Class:
    """Class decorator: complete the docstring of a dataclass, and set the constraints of its parameters.

    The line ``%(parameters)s`` is replaced by the descriptions of the parameters: first those that can be passed by
    position, then those of the class itself, then those of its bases. ``%(NAME)s`` is replaced by ``cls._texts[NAME]``.
    """
    documented_class: Any = cls

    def place(f: Any) -> tuple[bool, int, int]:
        """Return the place of a parameter: its kind, the class that defines it, and its place there."""
        annotations = [list(vars(base).get("__annotations__", {})) for base in documented_class.__mro__]
        i = next(i for i, names in enumerate(annotations) if f.name in names)
        return f.kw_only, i, annotations[i].index(f.name)

    parameters = sorted(fields(documented_class), key=place)
    documented_class._parameter_constraints = {f.name: f.metadata["constraint"] for f in parameters}
    texts = {"parameters": "\n".join(map(_described, parameters)), **getattr(documented_class, "_texts", {})}
    doc = cleandoc(documented_class.__doc__)
    for name, text in texts.items():
        doc = doc.replace(f"%({name})s", text.strip("\n"))
    documented_class.__doc__ = doc
    return cls


def _described(f: Any) -> str:
    default = f.default if not isinstance(f.default, str) else f'"{f.default}"'
    return f"{f.name} : {f.metadata['kind']}, default={default}\n{indent(f.metadata['text'], '    ')}"
