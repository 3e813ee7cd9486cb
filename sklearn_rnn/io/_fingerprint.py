"""What a fit depends on: its parameters and its data."""

from __future__ import annotations

import json
import os
from functools import partial
from hashlib import blake2b
from numbers import Integral
from textwrap import shorten
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from .._files import hash_array
from ..estimators import Pretraining
from ..estimators._encoder_file import is_encoder_file
from ..sequences import Futures, SeveralInputs
from ._classes import Classes
from ._codec import Codec, Packer
from ._objects import CODECS

WITHOUT = {"callbacks", "verbose"}  # parameters that do not change the weights
DATA = {
    "X": "other values of X",
    "y": "other values of y",
    "sample_weight": "another sample_weight",
    "start": "other weights to start from (warm_start=True)",
}
Fingerprint = dict[str, Any]


def fingerprint(loop: Any, is_seeded: bool) -> Fingerprint:
    """Return what the weights of a fit depend on, with digests of what is large.

    Parameters
    ----------
    loop : Loop
        The training loop, before the first round.
    is_seeded : bool
        Whether `random_state` counts: in pretraining, it is drawn from the random state of the estimator.
    """
    estimator, training = loop.net.watch_.estimator, loop.training
    without = WITHOUT
    if not (is_seeded and isinstance(estimator.random_state, Integral)):  # the file has the seed that was drawn
        without = WITHOUT | {"random_state"}
    parameters = {name: value for name, value in estimator.get_params(deep=False).items() if name not in without}
    return {
        "class": type(estimator).__name__,
        "parameters": {name: [_digest_of(value), _shown(value)] for name, value in parameters.items()},
        "data": {
            "X": _digest_of_sequences(training.sequences),
            "y": None if isinstance(training.targets, Futures) else _digest(training.targets),  # futures are in X
            "sample_weight": None if training.weights is None else _digest(training.weights),
            "start": _digest_of_start(loop) if estimator.warm_start and "random_state" not in without else None,
        },
    }


def differences(kept: Fingerprint, current: Fingerprint) -> list[str]:
    """Return what differs, as parts of a sentence."""
    if kept["class"] != current["class"]:
        return [f"{kept['class']}, but this is {current['class']}"]
    found, names = [], kept["parameters"].keys() | current["parameters"].keys()
    for name in sorted(names):
        (digest, before), (now, after) = (f["parameters"].get(name, [None, "unknown"]) for f in (kept, current))
        if digest != now:
            same = before == after  # such as two encoders of the same parameters
            found.append(f"another {name}" if same else f"{name}={before}, but now {name}={after}")
    return found + [text for name, text in DATA.items() if kept["data"].get(name) != current["data"].get(name)]


def _digest_of(value: Any) -> str:
    """Return a digest of a parameter; of what cannot be read, such as an open file, only the class counts."""
    source = value.objective if isinstance(value, Pretraining) else value
    packer = Packer(COMPARED, Classes(), "")
    try:
        text = json.dumps(packer.pack(value, ""))
    except (TypeError, RecursionError):
        return _name(type(value))
    arrays = [packer.tensors[name] for name in sorted(packer.tensors)]
    if is_encoder_file(source) and os.path.exists(source):
        arrays.append(np.fromfile(source, np.uint8))
    return _digest(np.frombuffer(text.encode(), np.uint8), *arrays)


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _is_code(value: Any) -> bool:
    return isinstance(value, FunctionType | MethodType | partial)


def _pack_code(packer: Packer, value: Any, path: str) -> Any:
    """Return what a function does: its instructions, constants, defaults and enclosed values."""
    if isinstance(value, partial):
        return packer.pack([value.func, list(value.args), value.keywords], path)
    if isinstance(value, MethodType):
        return packer.pack([value.__func__, value.__self__], path)
    enclosed = [cell.cell_contents for cell in value.__closure__ or ()]
    given = packer.pack([enclosed, value.__defaults__, value.__kwdefaults__], path)
    return [_name(value), _instructions(value.__code__), given]


def _instructions(code: CodeType) -> list[Any]:
    constants = [_instructions(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), constants]


def _pack_any(packer: Packer, value: Any, path: str) -> Any:
    """Return the class and the attributes of any object, without callbacks."""
    held = {name: held for name, held in vars(value).items() if name not in WITHOUT}
    return [_name(type(value)), {str(name): packer.pack(item, f"{path}.{name}") for name, item in held.items()}]


def _never(*_: Any) -> Any:
    raise TypeError("only compared")


COMPARED: dict[str, Codec] = {
    "code": Codec(_is_code, _pack_code, _never, shared=True),
    "history": Codec(
        CODECS["history"].suits, lambda packer, v, path: None, _never
    ),  # it has the time that each epoch took
    **{name: codec for name, codec in CODECS.items() if name not in ("history", "object")},
    "class": Codec(lambda v: isinstance(v, type), lambda packer, v, path: _name(v), _never),
    "object": Codec(lambda v: hasattr(v, "__dict__"), _pack_any, _never, shared=True),
}


def _digest_of_start(loop: Any) -> str:
    return _digest(*(weight.cpu().numpy() for weight in loop.module.state_dict().values()))


def _shown(value: Any) -> str:
    return shorten(repr(value), 80, placeholder="...")


def _digest_of_sequences(sequences: Any) -> str:
    """Return a digest of all values as a net gets them, which are read in blocks."""
    if isinstance(sequences, SeveralInputs):
        inputs = list(sequences.inputs.values())
        return _digest(*(x.places for x in inputs)) + "".join(_digest_of_sequences(x.sequences) for x in inputs)
    digest = blake2b(digest_size=16)
    digest.update(f"{sequences.kind} {sequences.n_features}".encode())
    for rows in sequences.blocks():
        hash_array(digest, sequences.batch(rows)[0])
    parts = [sequences.lengths] if sequences.origin is None else [sequences.lengths, sequences.origin]
    return digest.hexdigest() + _digest(*parts)


def _digest(*arrays: Any) -> str:
    digest = blake2b(digest_size=16)
    for array in arrays:
        hash_array(digest, array)
    return digest.hexdigest()
