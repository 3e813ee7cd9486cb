"""Codecs of estimators, their parameters and their nets."""

from __future__ import annotations

from dataclasses import asdict
from inspect import Parameter, signature
from typing import Any

import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .._state import PicklableEstimator
from ..modules import Model, restored_encoder
from ..training import History, RecurrentNet
from ..training._net import ARGUMENTS
from ._codec import Codec, Packer, Unpacker
from ._values import VALUES


def _suits(value: Any) -> bool:
    return hasattr(value, "__dict__") and not isinstance(value, type | History | RecurrentNet)


def _pack_object(packer: Packer, value: Any, path: str) -> dict[str, Any]:
    key = packer.classes.key(type(value))
    if key is None:
        raise TypeError(packer.refusal(value, path))
    _check_memory(packer.owner, value, path)
    names = type(value)._get_param_names() if isinstance(value, BaseEstimator) else []
    content: dict[str, Any] = {"class": key, "parameters": {}, "attributes": {}}
    for name, held in vars(value).items():
        is_parameter = name in names
        separator = "" if not path else "__" if is_parameter else "."
        packed = packer.pack(held, f"{path}{separator}{name}")
        content["parameters" if is_parameter else "attributes"][name] = packed
    return content


def _check_memory(owner: str, value: Any, path: str) -> None:
    if isinstance(value, Pipeline) and value.memory is not None:
        name = f"{path}__memory" if path else "memory"
        raise TypeError(
            f"{owner} cannot be saved: {name}={value.memory!r} is a folder of pickles, which the loaded pipeline would "
            f"execute. Set {name}=None."
        )


def _unpack_object(unpacker: Unpacker, content: dict[str, Any]) -> Any:
    cls: Any = unpacker.classes.named(content["class"])
    value = cls.__new__(cls)
    unpacker.announce(value)
    parameters, attributes = (_named(unpacker, content[part]) for part in ("parameters", "attributes"))
    if issubclass(cls, BaseEstimator):
        parameters = _completed(cls, parameters)
        if issubclass(cls, PicklableEstimator) and "device" in parameters:
            parameters["device"] = unpacker.usable(parameters["device"])
    vars(value).update(parameters | attributes)
    _check_memory("the file", value, "")
    return value


def _named(unpacker: Unpacker, content: dict[str, Any]) -> dict[str, Any]:
    for name in content:
        if not name.isidentifier() or name.startswith("__"):
            raise ValueError(f"it names the attribute {name!r}")
    return {name: unpacker.unpack(node) for name, node in content.items()}


def _completed(cls: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Add the defaults of parameters that the version which wrote the file did not have."""
    known = cls._get_param_names()
    if unknown := sorted(parameters.keys() - set(known)):
        raise ValueError(
            f"{cls.__name__} has no parameter {unknown[0]!r} in this version; install the version of sklearn_rnn or "
            "scikit-learn that wrote the file"
        )
    defaults = {name: p.default for name, p in signature(cls).parameters.items() if p.default is not Parameter.empty}
    return {name: parameters[name] if name in parameters else defaults[name] for name in known}


def _pack_history(packer: Packer, history: History, path: str) -> Any:
    return packer.pack(list(history), path)


def _unpack_history(unpacker: Unpacker, content: Any) -> History:
    history = History()
    history.extend(unpacker.unpack(content))
    return history


def _pack_net(packer: Packer, net: RecurrentNet, path: str) -> dict[str, Any]:
    held = {name: getattr(net, name) for name in ARGUMENTS}
    held |= {"device": str(net.device), "list_keys": net.list_keys_, "history": net.history, "objective": net.objective}
    packed = {name: packer.pack(value, f"{path}.{name}") for name, value in held.items()}
    return packed | {"model": _pack_model(packer, net.module_, f"{path}.module_")}


def _unpack_net(unpacker: Unpacker, content: dict[str, Any]) -> RecurrentNet:
    held = {name: unpacker.unpack(node) for name, node in content.items() if name != "model"}
    if unknown := held.keys() - {*ARGUMENTS, "device", "list_keys", "history", "objective"}:
        raise ValueError(f"its net has the argument {sorted(unknown)[0]!r}")
    held["device"] = str(unpacker.usable(held["device"]))
    return RecurrentNet.restored(_unpack_model(unpacker, content["model"], held["objective"]), **held)


def _pack_model(packer: Packer, model: Model, path: str) -> dict[str, Any]:
    weights = {name: weight.cpu() for name, weight in model.state_dict().items()}
    return {
        "architecture": packer.pack(asdict(model.encoder.architecture), path),
        "frozen": model.encoder.input.frozen,
        "kernel_dropout": model.kernel_dropout,
        "task": packer.pack(model.task, f"{path}.task"),
        "weights": {name: packer.store(weight.numpy(), f"{path}.{name}") for name, weight in weights.items()},
    }


def _unpack_model(unpacker: Unpacker, content: dict[str, Any], objective: Any) -> Model:
    weights = {name: torch.from_numpy(unpacker.tensors[stored]) for name, stored in content["weights"].items()}
    inside = {name.removeprefix("encoder."): w for name, w in weights.items() if name.startswith("encoder.")}
    encoder = restored_encoder(unpacker.unpack(content["architecture"]), inside, content["frozen"])
    task = unpacker.unpack(content["task"])
    model = Model(encoder, task=task, parts=objective.parts(encoder, task))
    model.load_state_dict(weights)
    model.kernel_dropout = content["kernel_dropout"]
    return model


CODECS: dict[str, Codec] = VALUES | {
    "history": Codec(lambda v: type(v) is History, _pack_history, _unpack_history, shared=True),
    "net": Codec(lambda v: type(v) is RecurrentNet, _pack_net, _unpack_net, shared=True),
    "object": Codec(_suits, _pack_object, _unpack_object, shared=True),
}
