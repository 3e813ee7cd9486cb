"""Files of tensors and JSON: written whole or not at all, and checked when they are read."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from platform import python_version
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._extras import extra

FORMAT = 1  # of the files that this version writes, and the newest that it reads
CONTENT, LARGEST = "__content__", 1 << 24  # tensor of a JSON that is too long for the header of a file
READERS = {
    "estimator": "sklearn_rnn.io.load",
    "encoder": "sklearn_rnn.io.load_encoder",
    "checkpoint": "sklearn_rnn.io.Checkpoint",
}
Tensors = dict[str, NDArray]


def write_file(path: Any, kind: str, content: Any, tensors: Mapping[str, NDArray]) -> None:
    """Write tensors and JSON to a safetensors file, which replaces an older one when it is complete.

    Parameters
    ----------
    path : str or path
        The file.
    kind : str
        What it holds, a key of `READERS`.
    content : object
        Dictionaries, lists, strings and finite numbers.
    tensors : dict of ndarray
        Arrays by name.

    Raises
    ------
    OSError
        If the file cannot be written, such as on a full disk. An older file at the path is unchanged.
    """
    numpy = extra("safetensors.numpy", "io")
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    arrays = {name: _native(array) for name, array in tensors.items()}
    if len(text) > LARGEST:
        arrays[CONTENT], text = np.frombuffer(text.encode(), np.uint8), ""
    metadata = {"sklearn_rnn": str(FORMAT), "kind": kind, "versions": json.dumps(versions()), "content": text}
    write_bytes(path, numpy.save(arrays, metadata | {"digest": _digest(metadata, arrays)}))


def read_file(path: Any, kind: str) -> tuple[Any, Tensors, dict[str, str]]:
    """Read a file that `write_file` wrote. Nothing in the file is executed.

    Returns
    -------
    content : object
        The JSON.
    tensors : dict of ndarray
        Arrays by name.
    versions : dict of str
        Versions of the packages that wrote the file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If the file is damaged, foreign, of another kind or of a newer format. The message has the path.
    """
    safetensors = extra("safetensors", "io")
    with open(path, "rb"):  # a file that cannot be opened is no damaged file
        pass
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            _check_header(path, kind, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        digest = metadata.pop("digest", None)
        if digest != _digest(metadata, tensors):
            raise damaged(path, "its content does not have the digest that was written")
        text = metadata["content"] or tensors.pop(CONTENT).tobytes().decode()
        return json.loads(text), tensors, _read_versions(metadata)
    except (
        safetensors.SafetensorError,
        AttributeError,
        KeyError,
        TypeError,
        RecursionError,
        UnicodeError,
        json.JSONDecodeError,
    ) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Any, reason: str) -> ValueError:
    """Error for a file that cannot be read."""
    short = shorten(reason, 300, placeholder=" ...").rstrip(".")
    return ValueError(f"{os.fspath(path)} is damaged, or was not written by sklearn_rnn.io: {short}.")


def _check_header(path: Any, kind: str, metadata: dict[str, str]) -> None:
    written = metadata.get("sklearn_rnn", "")
    if not (written.isdecimal() and len(written) < 10):
        raise damaged(path, "it has no format number of sklearn_rnn")
    if int(written) > FORMAT:
        by = _read_versions(metadata).get("sklearn_rnn", "unknown")
        raise ValueError(
            f"{os.fspath(path)}: file format {int(written)} is newer than this version reads ({FORMAT}). It was "
            f"written by sklearn_rnn {by}; install that version."
        )
    if metadata.get("kind") != kind:
        found = metadata.get("kind")
        reader = f" Use {READERS[found]}." if found in READERS else ""
        raise ValueError(f"{os.fspath(path)} holds a file of the kind {found!r}, not {kind!r}.{reader}")


def _read_versions(metadata: dict[str, str]) -> dict[str, str]:
    """Return the versions in the header of a file; JSON that is none, or no dictionary of text, is a TypeError."""
    try:
        read = json.loads(metadata.get("versions", "{}"))
    except ValueError as error:  # also of numbers with too many digits
        raise TypeError(str(error)) from error
    if not isinstance(read, dict) or not all(isinstance(text, str) for text in read.values()):
        raise TypeError("its versions are no text")
    return read


def _native(array: NDArray) -> NDArray:
    """Return an array in one block of memory and in the byte order of this machine, as safetensors writes it."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return np.ascontiguousarray(native).reshape(np.shape(array))


def versions() -> dict[str, str]:
    """Return the versions of this package and of those that it computes with."""
    from . import __version__

    names = ("numpy", "scikit-learn", "skorch", "torch", "safetensors")
    return {"sklearn_rnn": __version__, "python": python_version()} | {name: version(name) for name in names}


def _digest(metadata: Mapping[str, str], arrays: Mapping[str, NDArray]) -> str:
    """Return a digest of all that a file holds."""
    digest = blake2b(digest_size=16)
    for name, text in sorted(metadata.items()):
        digest.update(f"{name}\0{text}\0".encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\0".encode())
        hash_array(digest, array)
    return digest.hexdigest()


def hash_array(digest: blake2b, array: NDArray) -> None:
    """Add the type, the shape and the values of an array to a digest."""
    digest.update(f"{array.dtype.str}{array.shape}\0".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def write_bytes(path: Any, data: bytes) -> None:
    """Write a file beside the path, and put it in the place of an older one when it is on the disk."""
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Write the entries of a folder to the disk, where the system can do so."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
