"""Saving and loading estimators."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import sklearn
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from .._files import damaged, read_file, write_file
from .._warnings import warn
from ..estimators._trained import check_device
from ._classes import Classes
from ._codec import Packer, Unpacker
from ._objects import CODECS


def save(estimator: Any, path: Any, *, classes: Iterable[type] = ()) -> None:
    """Save an estimator or transformer to a file that can be loaded without trusting it.

    The file is in the safetensors format: tensors and JSON, no code. It holds the class, the parameters and all that
    was learned, so that the loaded estimator predicts the same bits, and can be fitted again, with `warm_start` too.
    An older file at the path is replaced when the new one is complete.

    Parameters
    ----------
    estimator : estimator
        Any estimator, transformer, objective or perturbation of this package, fitted or not; or a scikit-learn
        `Pipeline`, `FeatureUnion` or `ColumnTransformer` of these and of scikit-learn's scalers, linear models and the
        like.
    path : str or path
        The file, by habit ``*.safetensors``.
    classes : iterable of type, default=()
        Classes of yours that the estimator holds, such as an objective. `load` needs them too.

    Raises
    ------
    TypeError
        If the estimator holds what a file cannot hold, such as a function. The message names the parameter.
    OSError
        If the file cannot be written; an older file is unchanged.
    ImportError
        If safetensors is not installed.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier, io
    >>> X, y = np.random.default_rng(0).normal(size=(20, 8)), np.arange(20) % 2
    >>> clf = SemiSupervisedRNNClassifier(hidden_size=4, max_epochs=1, random_state=0).fit(X, y)
    >>> path = os.path.join(tempfile.mkdtemp(), "clf.safetensors")
    >>> io.save(clf, path)
    >>> bool((io.load(path).predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    if isinstance(estimator, type):
        raise TypeError(f"estimator must be an object, got the class {estimator.__name__}.")
    packer = Packer(CODECS, Classes(classes), type(estimator).__name__)
    content = packer.pack(estimator, "")
    write_file(path, "estimator", content, packer.tensors)


def load(path: Any, *, classes: Iterable[type] = (), device: Any = None) -> Any:
    """Load an estimator that `save` wrote.

    Nothing in the file is executed or unpickled. Only classes of a closed list are made: those of this package, and
    scikit-learn's that `save` can write.

    Parameters
    ----------
    path : str or path
        The file.
    classes : iterable of type, default=()
        Classes of yours that the file may name.
    device : str, torch.device or None, default=None
        Device on which the estimator computes, and its parameter `device`. By default that of the file; if it does
        not work here, the CPU, with a warning.

    Returns
    -------
    estimator : estimator

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is damaged, was not written by `save`, has a newer format, or names an unknown class; or if the `device`
        does not work here.
    """
    if device is not None:
        check_device(device)
    content, tensors, versions = read_file(path, "estimator")
    unpacker = Unpacker(CODECS, Classes(classes), tensors, None if device is None else str(device))
    try:
        estimator = unpacker.unpack(content)
    except (ImportError, MemoryError):  # of a package that is not installed, such as tokenizers, or of a small machine
        raise
    except Exception as error:  # a file that someone made may lead to any
        raise damaged(path, str(error)) from error
    unpacker.warn_of_devices(os.fspath(path))
    if versions.get("scikit-learn") != sklearn.__version__ and _holds_foreign(unpacker):
        warn(
            InconsistentVersionWarning(
                estimator_name=type(estimator).__name__,
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=versions.get("scikit-learn", "unknown"),
            )
        )
    return estimator


def _holds_foreign(unpacker: Unpacker) -> bool:
    """Whether a fitted estimator of scikit-learn was read."""
    values = [value for value in unpacker.seen.values() if isinstance(value, BaseEstimator)]
    return any(type(v).__module__.startswith("sklearn.") and hasattr(v, "n_features_in_") for v in values)
