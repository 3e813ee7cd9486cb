"""Parameters that are written once: default, constraint and docstring text in one place."""

from __future__ import annotations

from dataclasses import field, fields
from inspect import cleandoc
from textwrap import indent
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)


def parameter(default: Any, constraint: list[Any], kind: str, text: str, *, positional: bool = False) -> Any:
    """Return a field of a dataclass estimator.

    Parameters
    ----------
    default : object
        Default value.
    constraint : list
        What scikit-learn's validation accepts.
    kind : str
        Type, as in a numpydoc docstring.
    text : str
        Description.
    positional : bool, default=False
        Whether the parameter can be given by position.
    """
    metadata = {"constraint": constraint, "kind": kind, "text": cleandoc(text)}
    return field(default=default, kw_only=not positional, metadata=metadata)


def documented(cls: Class) -> Class:
    """Class decorator: fill in the docstring of a dataclass estimator, and the constraints of its parameters.

    The line ``%(parameters)s`` becomes the description of the parameters: the positional ones, those of the class
    itself, those of its bases. ``%(NAME)s`` becomes ``cls._texts[NAME]``.
    """
    own: Any = cls

    def place(f: Any) -> tuple[bool, int]:
        return f.kw_only, next(
            i for i, base in enumerate(own.__mro__) if f.name in vars(base).get("__annotations__", {})
        )

    parameters = sorted(fields(own), key=place)
    own._parameter_constraints = {f.name: f.metadata["constraint"] for f in parameters}
    texts = {"parameters": "\n".join(map(_described, parameters)), **getattr(own, "_texts", {})}
    doc = cleandoc(own.__doc__)
    for name, text in texts.items():
        doc = doc.replace(f"%({name})s", text.strip("\n"))
    own.__doc__ = doc
    return cls


def _described(f: Any) -> str:
    default = f.default if not isinstance(f.default, str) else f'"{f.default}"'
    return f"{f.name} : {f.metadata['kind']}, default={default}\n{indent(f.metadata['text'], '    ')}"
