"""From objects to JSON and tensors, and back, for a closed list of types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from .._files import Tensors
from .._warnings import warn
from ..training import is_callback
from ._classes import Classes


@dataclass(frozen=True)
class Codec:
    """How the values of a type are written and read.

    Attributes
    ----------
    suits : callable
        Whether a value is of the type.
    pack : callable
        Function of the packer, the value and the path of the value; returns JSON.
    unpack : callable
        Function of the unpacker and that JSON; returns the value.
    shared : bool
        Whether a value that occurs twice is written once.
    """

    suits: Callable[[Any], bool]
    pack: Callable[[Packer, Any, str], Any]
    unpack: Callable[[Unpacker, Any], Any]
    shared: bool = False


class Packer:
    """Converts an object to JSON and tensors.

    Values of JSON stand for themselves; any other value is a dictionary with the name of its codec as the key.

    Parameters
    ----------
    codecs : dict of Codec
        Codecs by name; the first that suits a value is used.
    classes : Classes
        The classes that the file may name.
    owner : str
        Name of what is packed, for messages.
    """

    def __init__(self, codecs: dict[str, Codec], classes: Classes, owner: str):
        self.codecs, self.classes, self.owner = codecs, classes, owner
        self.tensors: Tensors = {}
        self.seen: dict[int, tuple[int, Any]] = {}  # the values are kept, so that no other object gets their id

    def pack(self, value: Any, path: str) -> Any:
        """Return the JSON of a value.

        Raises
        ------
        TypeError
            If files cannot hold the value. The message has its path.
        """
        if value is None or type(value) in (bool, int, str) or (type(value) is float and np.isfinite(value)):
            return value
        if type(value) is list:
            return [self.pack(item, _place(path, i, item)) for i, item in enumerate(value)]
        if id(value) in self.seen:
            return {"ref": self.seen[id(value)][0]}
        for name, codec in self.codecs.items():
            if codec.suits(value):
                number = {"id": len(self.seen)} if codec.shared else {}
                if codec.shared:
                    self.seen[id(value)] = len(self.seen), value
                return {name: codec.pack(self, value, path)} | number
        raise TypeError(self.refusal(value, path))

    def store(self, array: NDArray, path: str) -> str:
        """Store an array under a name that is its path, and return the name."""
        name = path
        while name in self.tensors:
            name += "'"
        self.tensors[name] = array
        return name

    def refusal(self, value: Any, path: str) -> str:
        """Return the text of the error for a value that files cannot hold."""
        kind, name = type(value), path or self.owner
        if path.split("[")[0] in ("callbacks", "_skl_callbacks") or is_callback(value):
            what = "has callbacks, which are objects of your program"
            todo = "Remove them before saving: estimator.set_params(callbacks=None)"
            return f"{self.owner} cannot be saved: {path} {what}. {todo}, or set_callbacks() for scikit-learn's."
        if callable(value) and not isinstance(value, BaseEstimator | torch.nn.Module):
            shown = getattr(value, "__qualname__", repr(value))
            return (
                f"{self.owner} cannot be saved: {name}={shown} is code, and reading code from a file would execute it. "
                f"Set {name} to an object of this package or to None, or keep the estimator with joblib.dump, which "
                "only you should load."
            )
        return (
            f"{self.owner} cannot be saved: {name} is a {kind.__module__}.{kind.__qualname__}, which is not on the "
            f"list of what files may hold. If it is a class of yours, pass classes=[{kind.__qualname__}] to save and "
            "to load; else keep the estimator with joblib.dump."
        )


class Unpacker:
    """Converts JSON and tensors, which a `Packer` made, back to an object.

    Parameters
    ----------
    codecs : dict of Codec
        Codecs by name.
    classes : Classes
        The classes that the file may name.
    tensors : dict of ndarray
        Arrays by name.
    device : str or None
        Device for all nets; by default, the device in the file.
    """

    def __init__(self, codecs: dict[str, Codec], classes: Classes, tensors: Tensors, device: str | None = None):
        self.codecs, self.classes, self.tensors, self.device = codecs, classes, tensors, device
        self.seen: dict[int, Any] = {}
        self.number: int | None = None
        self.missing_devices: set[str] = set()

    def unpack(self, node: Any) -> Any:
        """Return the value of a piece of JSON."""
        if isinstance(node, list):
            return [self.unpack(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "ref" in node:
            return self.seen[node["ref"]]
        self.number = number = node.get("id")
        ((name, content),) = ((key, value) for key, value in node.items() if key != "id")
        value = self.codecs[name].unpack(self, content)
        if number is not None:
            self.seen[number] = value
        return value

    def announce(self, value: Any) -> None:
        """Make an object known before its content is read, because the content may refer to it."""
        if self.number is not None:
            self.seen[self.number] = value

    def usable(self, device: Any) -> Any:
        """Return the device for a net or an estimator: that of the caller, that of the file, or else the CPU."""
        if self.device is not None:
            return self.device
        if not str(device).startswith("cpu") and not _works(device):
            self.missing_devices.add(str(device))
            return "cpu"
        return device

    def warn_of_devices(self, path: Any) -> None:
        """Warn if the file has a device that does not work here."""
        if self.missing_devices:
            names = ", ".join(sorted(self.missing_devices))
            warn(f"{path} was saved on the device {names}, which does not work here; device is set to 'cpu'.")


def _works(device: Any) -> bool:
    try:
        torch.zeros(1, device=device).item()
    except Exception:  # each backend raises its own class
        return False
    return True


def _place(path: str, i: int, item: Any) -> str:
    """Return the path of an item of a list: its name, if it is a named step of a pipeline."""
    if type(item) is tuple and len(item) > 1 and isinstance(item[0], str) and isinstance(item[1], BaseEstimator):
        first = path.rpartition("steps")[0] if path.endswith("steps") else f"{path}."
        return f"{first}{item[0]}"
    return f"{path}[{i}]"
