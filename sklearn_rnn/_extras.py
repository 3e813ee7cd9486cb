"""Optional packages, which are imported when they are used, and the command that installs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(module: str, name: str) -> Any:
    """Import a module of an optional package, which the extra called `name` installs.

    Raises
    ------
    ImportError
        If it cannot be imported. The message has the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise ImportError(
            f"This needs {package}, which cannot be imported ({error}). In a clone of sklearn_rnn: "
            f"pip install '.[{name}]'; elsewhere: pip install {package}"
        ) from error
