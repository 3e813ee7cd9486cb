"""Codecs of values: containers, numbers, arrays, tensors and the names of types."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch

from .._extras import extra
from .._sklearn import is_pandas_na
from ._codec import Codec, Packer, Unpacker

TEXT = re.compile(r"[<>|]([US])(\d+)")
TIMES = re.compile(r"[<>][mM]8\[\w+\]")
NUMBERS = re.compile(r"[<>|](?:b1|[iu][1248]|f[248])")
PYTHON = {cls.__name__: cls for cls in (bool, int, float, str, object)}


def _pack_items(packer: Packer, values: Any, path: str) -> list[Any]:
    pairs = isinstance(values, tuple) and len(values) > 1 and isinstance(values[0], str)  # named, as in a pipeline
    return [packer.pack(value, path if pairs and i == 1 else f"{path}[{i}]") for i, value in enumerate(values)]


def _pack_set(packer: Packer, values: Any, path: str) -> list[Any]:
    return _pack_items(packer, sorted(values, key=repr), path)


def _pack_dict(packer: Packer, values: dict, path: str) -> Any:
    if all(type(key) is str for key in values):
        return {key: packer.pack(value, f"{path}.{key}") for key, value in values.items()}
    return [[packer.pack(key, path), packer.pack(value, f"{path}[{key!r}]")] for key, value in values.items()]


def _unpack_dict(unpacker: Unpacker, content: Any) -> dict:
    if isinstance(content, dict):
        return {key: unpacker.unpack(value) for key, value in content.items()}
    return {unpacker.unpack(key): unpacker.unpack(value) for key, value in content}


def _checked_type(text: str, *patterns: re.Pattern) -> np.dtype:
    if not any(pattern.fullmatch(text) for pattern in patterns):
        raise ValueError(f"it has the data type {text!r}")
    return np.dtype(text)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray | np.matrix)


def _pack_array(packer: Packer, array: Any, path: str) -> dict[str, Any]:
    array = np.asarray(array)
    kind = array.dtype.str
    if array.dtype == object:
        values = [packer.pack(value, f"{path}[{i}]") for i, value in enumerate(array.ravel().tolist())]
        return {"values": values, "shape": list(array.shape)}
    content: dict[str, Any] = {}
    if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
        content["order"], array = "F", array.T  # products of matrices may differ in the last bits with the order
    if text := TEXT.fullmatch(kind):
        content |= {"type": kind, "shape": list(array.shape)}
        if text[2] != "0" and array.size:
            array = np.ascontiguousarray(array).reshape(-1).view(np.uint32 if text[1] == "U" else np.uint8)
        else:
            array = np.zeros(0, np.uint8)
    elif TIMES.fullmatch(kind):
        content["type"], array = kind, array.view(np.int64)
    elif not NUMBERS.fullmatch(kind):
        raise TypeError(packer.refusal(array, path) + f" Its data type is {array.dtype}.")
    elif not array.dtype.isnative:
        content["type"] = kind
    return {"name": packer.store(array, path), **content}


def _unpack_array(unpacker: Unpacker, content: dict[str, Any]) -> np.ndarray:
    if "values" in content:
        values = unpacker.unpack(content["values"])
        array = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):  # which may be an array
            array[i] = value
        return array.reshape(content["shape"])
    array = unpacker.tensors[content["name"]]
    if "type" in content:
        dtype = _checked_type(content["type"], TEXT, TIMES, NUMBERS)
        if NUMBERS.fullmatch(content["type"]):  # of another byte order
            array = array.astype(dtype)
        else:
            array = array.view(dtype) if dtype.itemsize and array.size else np.zeros(0, dtype)
        if "shape" in content:
            array = array.reshape(content["shape"]) if array.size else np.zeros(content["shape"], dtype)
    return array.T if content.get("order") == "F" else array


def _pack_tensor(packer: Packer, tensor: torch.Tensor, path: str) -> str:
    return packer.store(tensor.detach().cpu().numpy(), path)


def _pack_scalar(packer: Packer, value: Any, path: str) -> list[Any]:
    if not (NUMBERS.fullmatch(value.dtype.str) or value.dtype.kind == "U"):
        raise TypeError(packer.refusal(value, path))
    return [value.dtype.str, packer.pack(value.item(), path)]


def _unpack_scalar(unpacker: Unpacker, content: Any) -> Any:
    kind, value = content
    return _checked_type(kind, NUMBERS, TEXT).type(unpacker.unpack(value))


def _pack_random(packer: Packer, random: np.random.RandomState, path: str) -> Any:
    return packer.pack(random.get_state(legacy=False), path)


def _unpack_random(unpacker: Unpacker, content: Any) -> np.random.RandomState:
    random = np.random.RandomState(0)
    random.set_state(unpacker.unpack(content))
    return random


def _optimizer_name(value: Any) -> str | None:
    name = getattr(value, "__name__", "")
    is_optimizer = isinstance(value, type) and issubclass(value, torch.optim.Optimizer)
    return name if is_optimizer and getattr(torch.optim, name, None) is value else None


def _unpack_optimizer(unpacker: Unpacker, name: str) -> type:
    if _optimizer_name(cls := getattr(torch.optim, name, None)) != name:
        raise ValueError(f"it names the optimizer {name!r}")
    return cls  # type: ignore[return-value]


def _is_ufunc(value: Any) -> bool:
    return isinstance(value, np.ufunc) and getattr(np, value.__name__, None) is value


def _unpack_ufunc(unpacker: Unpacker, name: str) -> Any:
    if not _is_ufunc(function := getattr(np, name, None)):
        raise ValueError(f"it names the function {name!r}")
    return function


def _is_number_type(value: Any) -> bool:
    return (
        isinstance(value, type) and issubclass(value, np.generic) and NUMBERS.fullmatch(np.dtype(value).str) is not None
    )


def _is_tokenizer(value: Any) -> bool:
    return type(value).__name__ == "Tokenizer" and type(value).__module__.split(".")[0] == "tokenizers"


def _unpack_tokenizer(unpacker: Unpacker, text: str) -> Any:
    return extra("tokenizers", "text").Tokenizer.from_str(text)


def _unpack_na(unpacker: Unpacker, content: Any) -> Any:
    return extra("pandas", "frames").NA


VALUES: dict[str, Codec] = {
    "float": Codec(lambda v: type(v) is float, lambda p, v, path: repr(v), lambda u, c: float(c)),
    "tuple": Codec(lambda v: type(v) is tuple, _pack_items, lambda u, c: tuple(u.unpack(c))),
    "set": Codec(lambda v: type(v) is set, _pack_set, lambda u, c: set(u.unpack(c))),
    "frozenset": Codec(lambda v: type(v) is frozenset, _pack_set, lambda u, c: frozenset(u.unpack(c))),
    "dict": Codec(lambda v: type(v) in (dict, OrderedDict), _pack_dict, _unpack_dict),
    "bytes": Codec(lambda v: type(v) is bytes, lambda p, v, path: v.hex(), lambda u, c: bytes.fromhex(c)),
    "slice": Codec(
        lambda v: type(v) is slice,
        lambda p, v, path: p.pack([v.start, v.stop, v.step], path),
        lambda u, c: slice(*u.unpack(c)),
    ),
    "array": Codec(_is_array, _pack_array, _unpack_array, shared=True),
    "tensor": Codec(
        lambda v: type(v) in (torch.Tensor, torch.nn.Parameter),
        _pack_tensor,
        lambda u, c: torch.from_numpy(u.tensors[c]),
        shared=True,
    ),
    "number": Codec(lambda v: isinstance(v, np.generic), _pack_scalar, _unpack_scalar),
    "dtype": Codec(
        lambda v: isinstance(v, np.dtype) and NUMBERS.fullmatch(v.str) is not None,
        lambda p, v, path: v.str,
        lambda u, c: _checked_type(c, NUMBERS),
    ),
    "device": Codec(lambda v: isinstance(v, torch.device), lambda p, v, path: str(v), lambda u, c: torch.device(c)),
    "path": Codec(lambda v: isinstance(v, PurePath), lambda p, v, path: str(v), lambda u, c: Path(c)),
    "random_state": Codec(lambda v: type(v) is np.random.RandomState, _pack_random, _unpack_random, shared=True),
    "optimizer": Codec(
        lambda v: _optimizer_name(v) is not None, lambda p, v, path: _optimizer_name(v), _unpack_optimizer
    ),
    "ufunc": Codec(_is_ufunc, lambda p, v, path: v.__name__, _unpack_ufunc),
    "number_type": Codec(
        _is_number_type, lambda p, v, path: np.dtype(v).str, lambda u, c: _checked_type(c, NUMBERS).type
    ),
    "type": Codec(
        lambda v: isinstance(v, type) and PYTHON.get(v.__name__) is v,
        lambda p, v, path: v.__name__,
        lambda u, c: PYTHON[c],
    ),
    "tokenizer": Codec(_is_tokenizer, lambda p, v, path: v.to_str(), _unpack_tokenizer, shared=True),
    "missing": Codec(is_pandas_na, lambda p, v, path: True, _unpack_na),
}
