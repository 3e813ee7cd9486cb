"""Files of encoders: the weights that pretraining has learned, and what they fit."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from .._files import damaged, read_file, write_file
from ..modules import CELLS, POOLINGS, Architecture, Encoder, FusedEncoder
from ..sequences import Vocabulary
from ._held_options import as_option, gaps_of
from ._parameters import ARCHITECTURE

ENDING = ".safetensors"


@dataclass(frozen=True)
class SavedEncoder:
    """An encoder of a file.

    Attributes
    ----------
    encoder : Encoder
        The encoder, on the CPU.
    kind : {"table", "series", "tokens"}
        Kind of X that it was trained on.
    n_features_in : int
        Number of features per step; number of steps for 2-D input.
    feature_names : list of str or None
        Names of the columns, if X had any.
    vocabulary : Vocabulary or None
        The words and parts with a vector, if X was words; None also in older files.
    """

    encoder: Encoder
    kind: str
    n_features_in: int
    feature_names: list[str] | None
    vocabulary: Vocabulary | None


def is_encoder_file(source: Any) -> bool:
    """Whether the source of pretraining is the path of a file: a path object, or a string with the ending."""
    return isinstance(source, os.PathLike) or (isinstance(source, str) and source.endswith(ENDING))


def save_encoder(estimator: Any, path: Any) -> None:
    """Save the encoder of a fitted estimator, for ``pretraining="encoder.safetensors"``.

    Parameters
    ----------
    estimator : estimator
        A fitted `RNNAutoencoderTransformer`, `RNNNextItemRecommender`, classifier or regressor; or an
        `RNNOutlierDetector` that holds one.
    path : str or path
        The file; the name must end in ``.safetensors``, so that `pretraining` takes it for a file.

    Raises
    ------
    ValueError
        If the name has another ending.
    OSError
        If the file cannot be written; an older file is unchanged.
    """
    if not os.fspath(path).endswith(ENDING):
        raise ValueError(f"path must end in {ENDING!r}, so that `pretraining` takes it for a file; got {path!r}.")
    estimator = getattr(estimator, "autoencoder_", estimator)
    check_is_fitted(estimator)
    if not hasattr(estimator, "net_"):
        raise TypeError(f"estimator must have an encoder, but {type(estimator).__name__} has none.")
    if not hasattr(estimator, "transform"):
        raise TypeError(
            f"The encoder of {type(estimator).__name__} reads windows less their last value, so that it suits no other "
            "estimator. Save the estimator with io.save."
        )
    encoder = estimator.net_.module_.encoder
    if isinstance(encoder, FusedEncoder):
        raise TypeError(
            f"The encoder of {type(estimator).__name__} reads several inputs, which an encoder file cannot hold. Save "
            "the estimator with io.save, and pass pretraining=FrozenEstimator(io.load(path))."
        )
    content = {
        "architecture": asdict(encoder.architecture),
        "frozen": encoder.input.frozen,
        "kind": estimator._kind,
        "n_features_in": int(estimator.n_features_in_),
        "feature_names": names_of(estimator),
    }
    if encoder.architecture.n_parts:
        content["vocabulary"] = [estimator.words_.tolist(), estimator.parts_.tolist()]
    weights = {name: weight.cpu().numpy() for name, weight in encoder.state_dict().items()}
    write_file(path, "encoder", content, weights)


def read_encoder(path: Any) -> SavedEncoder:
    """Read an encoder file; the errors are those of `io.load_encoder`."""
    content, tensors, _ = read_file(path, "encoder")
    try:
        weights = {name: torch.from_numpy(array) for name, array in tensors.items()}
        architecture = Architecture(**content["architecture"])
        _check_choices(architecture, content)
        encoder = Encoder.restored(architecture, weights, content["frozen"])
        words = content.get("vocabulary")
        vocabulary = None if words is None else Vocabulary(*map(np.array, words))
        return SavedEncoder(
            encoder, content["kind"], content["n_features_in"], content.get("feature_names"), vocabulary
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise damaged(path, str(error)) from error


def _check_choices(a: Architecture, content: dict[str, Any]) -> None:
    """Raise an error if what no weight depends on is not what an estimator would have written."""
    fits = {
        "cell": a.cell in CELLS,
        "pooling": a.pooling in POOLINGS,
        "num_layers": type(a.num_layers) is int and a.num_layers > 0,
        "dropout": isinstance(a.dropout, int | float) and 0 <= a.dropout < 1,
        "frozen": type(content["frozen"]) is bool,
        "kind": content["kind"] in ("table", "series", "tokens"),
        "n_features_in": type(content["n_features_in"]) is int,
        "vocabulary": "vocabulary" not in content or _is_vocabulary(content["vocabulary"], a),
    }
    if wrong := [name for name, is_right in fits.items() if not is_right]:
        raise ValueError(f"it has an invalid {wrong[0]}")


def _is_vocabulary(lists: Any, a: Architecture) -> bool:
    """Whether these are lists of words and parts in order, as many as there are vectors; rare words may share one."""
    words, parts = lists
    in_order = all(all(isinstance(text, str) for text in texts) and sorted(set(texts)) == texts for texts in lists)
    return in_order and len(words) in (a.n_tokens - 1, a.n_tokens) and len(parts) == a.n_parts


def names_of(estimator: Any) -> list[str] | None:
    """Return the names of the columns that an estimator was fitted on, if there were any."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def check_same_data(source: str, kind: str, n_features_in: int, names: list[str] | None, params: Any) -> None:
    """Raise an error if X is not of the kind, or has not the columns, that the `source` was fitted on."""
    if (kind, n_features_in) != (params._kind, params.n_features_in_):
        raise ValueError(
            f"{source} was fitted on {kind} with {n_features_in} features, "
            f"but X is {params._kind} with {params.n_features_in_}."
        )
    current = names_of(params)
    if names is not None and current is not None and names != current:
        raise ValueError(f"{source} was fitted on the columns {names}, but X has {current}.")


def check_same_times(source: str, encoder: Any, sequences: Any) -> None:
    """Raise an error if an encoder reads its times from another column than X has them in."""
    inputs = [part.sequences for part in sequences.inputs.values()] if sequences.kind == "inputs" else [sequences]
    for part, of_x in zip(encoder.each, inputs, strict=True):
        column, of_encoder = -1 if of_x.times is None else of_x.times, getattr(part.architecture, "time_column", -1)
        if column != of_encoder:
            known = [f"in column {k}" if k >= 0 else "not given" for k in (of_encoder, column)]
            raise ValueError(
                f"{source} was fitted with the times of steps {known[0]}, but in X they are {known[1]}. Set Gaps.times."
            )


def check_same_inputs(pretrained: Any, params: Any) -> None:
    """Raise an error if a fitted estimator had other inputs, or other categories, or fuses them in another way."""
    fusion = pretrained.net_.module_.encoder.architecture.fusion
    if fusion != params.fusion:
        raise ValueError(
            f"pretraining has fusion={fusion!r}, but {type(params).__name__} has fusion={params.fusion!r}. Set the "
            "same value in both, because they share the encoder."
        )
    if pretrained.inputs_ != params.inputs_:
        raise ValueError(f"pretraining was fitted on the inputs {pretrained.inputs_}, but X has {params.inputs_}.")
    for name, members in params.inputs_.items():
        before, now = (e._inputs[name].get("columns", []) for e in (pretrained, params))
        for member, (categories, *_), (current, *_) in zip(members, before, now, strict=False):  # empty for sequences
            if categories != current:
                raise ValueError(
                    f"pretraining was fitted on X[{member!r}] with the categories {categories}, but it has {current}. "
                    "Fit the autoencoder on rows with all categories, or pass it unfitted."
                )


def check_same_parts(source: str, a: Architecture, params: Any) -> None:
    """Raise an error if only one of the `source` and X has words, or if they are words with other parts."""
    if a.n_parts == params._n_parts:
        return
    of_source, of_x = (f"words with {n} parts" if n else "token ids" for n in (a.n_parts, params._n_parts))
    raise ValueError(
        f"{source} was fitted on {of_source}, but X has {of_x}, whose numbers differ. Pass the name of an "
        "objective or an unfitted RNNAutoencoderTransformer, which is trained on X."
    )


def check_fits(saved: SavedEncoder, path: Any, params: Any) -> None:
    """Raise an error that names all that differs, if the encoder of a file does not have an estimator's architecture.

    Parameters
    ----------
    saved : SavedEncoder
        The encoder of the file.
    path : str or path
        The file.
    params : NetParameters
        The estimator, which has read X.
    """
    source, a, differing = f"pretraining: the encoder of {os.fspath(path)}", saved.encoder.architecture, {}
    for name in ARCHITECTURE:
        if name == "n_kernels" and a.n_tokens:  # tokens have none
            continue
        if getattr(params, name) not in (getattr(a, name), "auto"):
            differing[name] = getattr(a, name), getattr(params, name)
    if not a.n_tokens and a.gaps != (gaps_of(params) is not None):
        differing["gaps"] = a.gaps, not a.gaps
    option = as_option("embedding", params.embedding)
    if a.n_tokens and isinstance(option.init, str) and option.size != a.embedding_size:
        differing["embedding__size"] = a.embedding_size, option.size
    if differing:
        of_file, of_params = (", ".join(f"{n}={pair[i]!r}" for n, pair in differing.items()) for i in (0, 1))
        raise ValueError(
            f"{source} has {of_file}, but {type(params).__name__} has {of_params}. Set the values of the file, because "
            "its weights are used."
        )
    check_same_parts(source, a, params)
    check_same_data(source, saved.kind, saved.n_features_in, saved.feature_names, params)
