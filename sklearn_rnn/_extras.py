"""Packages that are imported only where they are used, and the line that installs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(module: str, name: str) -> Any:
    """Import a module that comes with the extra called `name`.

    Raises
    ------
    ImportError
        It is not installed. The message has the line that installs it from a clone.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise ImportError(
            f"This needs {package}, which cannot be imported ({error}). In a clone of sklearn_rnn: "
            f"pip install '.[{name}]'; elsewhere: pip install {package}"
        ) from error
