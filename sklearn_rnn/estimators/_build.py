"""From parameters and data to a model: architecture, encoder, head, parts of the objective."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from .._warnings import warn
from ..modules import (
    Architecture,
    Encoder,
    FusedArchitecture,
    FusedEncoder,
    Model,
    NumberInput,
    StaticArchitecture,
    StaticEncoder,
    StaticInput,
    TokenInput,
    changes_since_seen,
    initialise,
    step_mask,
)
from ..objectives import Objective
from ..sequences import Sequences, SeveralInputs
from ..tasks import Task
from ._held_options import as_option, gaps_of
from ._parameters import ARCHITECTURE
from ._token_vectors import cooccurrence_vectors, frequencies, given_shape, given_vectors
from ._word_vectors import word_vectors

MAX_TOKENS, SPARSE = 1_000_000, 100  # above MAX_TOKENS ids, at least one id in SPARSE must occur in the data
SAMPLE_NUMBERS = 1 << 19  # numbers whose changes are computed together
PART_STEPS = 1 << 16  # words from which the scale of the vectors of parts is learned
LONG = 50  # median lengths; a sequence that is longer may take most of the time
SCALE_STEPS, SCALE_BLOCKS = 1 << 16, 8  # steps, in blocks of rows, from which the random kernels are scaled
SMOOTH = 0.9  # largest size of the changes of the changes in smooth series, relative to the changes
SCALE_LENGTH = 4  # longest sequence among these steps, in median lengths


def build_model(params: Any, sequences: Any, objective: Objective, task: Task, seed: int, encoder: Any = None) -> Model:
    """Return a model with new weights; if an `encoder` is given, it keeps its weights.

    Parameters
    ----------
    params : NetParameters
        Parameters of the architecture.
    sequences : Sequences
        Training data, from which the scales of numbers or the vectors of tokens are learned.
    objective : Objective
        Makes its parts.
    task : Task
        Makes the head.
    seed : int
        Seeds the weights.
    encoder : Encoder, default=None
        A pretrained encoder.
    """
    generator, is_given = torch.Generator().manual_seed(seed), encoder is not None
    if encoder is None:
        encoder = new_encoder(params, sequences)
        initialise(encoder, generator)
    model = Model(encoder, task=task, parts=objective.parts(encoder, task))
    initialise(model.head, generator)
    if is_given:
        _set_noise(params, encoder)
    else:
        for part, of_part in zip(encoder.each, inputs_of(sequences), strict=True):
            _set_input(params, part, of_part, generator)
    initialise(model.parts, generator)  # last, so that no other draw depends on the objective
    return model


def resumed_model(params: Any, last: Model, objective: Objective, task: Task, seed: int) -> Model:
    """Return a copy of the model of the last fit; it is an error if the parameters ask for another architecture.

    Parts of the objective keep their weights if names and shapes are those of the last fit; else they get new ones.
    """
    model = deepcopy(last)  # the last fit is kept until this one has finished an epoch
    option = as_option("embedding", params.embedding)
    for a in [part.architecture for part in model.encoder.each if isinstance(part, Encoder)]:
        if not a.n_tokens:
            _check_same("gaps", gaps_of(params) is not None, a.gaps)
        for name in ARCHITECTURE:
            _check_same(name, getattr(params, name), getattr(a, name))
        if isinstance(option.init, str):
            _check_same("embedding__size", option.size, a.embedding_size)
    if isinstance(model.encoder, FusedEncoder):
        _check_same("fusion", params.fusion, model.encoder.architecture.fusion)
    model.task = task
    _set_noise(params, model.encoder)
    parts = nn.ModuleDict(objective.parts(model.encoder, task))
    if _shapes(parts) != _shapes(model.parts):
        initialise(parts, torch.Generator().manual_seed(seed))
        model.parts = parts.to(next(model.parameters()).device)
    return model


def new_encoder(params: Any, sequences: Any) -> Any:
    """Return an encoder for `sequences`, blank; for several inputs, their encoders and the fusion."""
    if not isinstance(sequences, SeveralInputs):
        if sequences.kind == "static":
            return StaticEncoder(static_architecture(params, sequences))
        return Encoder(architecture(params, sequences))
    parts = {name: new_encoder(params, part.sequences).architecture for name, part in sequences.inputs.items()}
    rates = {"dropout": float(params.dropout), "input_dropout": float(params.input_dropout)}
    return FusedEncoder(FusedArchitecture(parts, params.fusion, int(params.hidden_size), **rates))


def inputs_of(sequences: Any) -> list[Sequences]:
    """Return the sequences of each input, without rows that do not have it."""
    if isinstance(sequences, SeveralInputs):
        return [part.sequences for part in sequences.inputs.values()]
    return [sequences]


def _set_input(params: Any, encoder: Any, sequences: Sequences, generator: torch.Generator) -> None:
    """Learn the scales of numbers, or the vectors of tokens, of one input."""
    if isinstance(encoder.input, TokenInput):
        _set_vectors(params, encoder, encoder.input, sequences, generator)
    elif isinstance(encoder.input, NumberInput):
        set_scales(encoder.input, sequences, params._drops_noise)
    elif isinstance(encoder.input, StaticInput):
        values = sequences.values[:, 0].astype(np.float64)
        known = ~np.isnan(values)
        count = np.maximum(known.sum(0), 1)
        mean = np.where(known, values, 0).sum(0) / count
        deviation = np.sqrt(np.square(np.where(known, values - mean, 0)).sum(0) / count)
        encoder.input.standardise(torch.from_numpy(mean), torch.from_numpy(deviation))


def _set_noise(params: Any, encoder: Any) -> None:
    """Set the dropout of a trained encoder, and which vectors are frozen."""
    encoder.set_dropout(float(params.dropout))
    if isinstance(encoder, FusedEncoder):
        encoder.set_input_dropout(float(params.input_dropout))
    for part in encoder.each:
        freeze_vectors(params, part, part.input.frozen)


def static_architecture(params: Any, sequences: Sequences) -> StaticArchitecture:
    """Return the architecture of an encoder of static columns; categories are numbered from 0."""
    assert sequences.static is not None
    categories, has_missing = sequences.static
    return StaticArchitecture(categories, has_missing, int(params.hidden_size), float(params.dropout))


def architecture(params: Any, sequences: Sequences) -> Architecture:
    """Return the architecture of an encoder for `sequences`."""
    option = as_option("embedding", params.embedding)
    n_tokens, embedding_size = 0, option.size
    if sequences.kind == "tokens":
        n_tokens, embedding_size = _vocabulary(option, sequences)
    return Architecture(
        n_features=sequences.n_features - (sequences.times is not None),
        n_tokens=n_tokens,
        cell=params.cell,
        hidden_size=int(params.hidden_size),
        num_layers=int(params.num_layers),
        bidirectional=bool(params.bidirectional),
        dropout=float(params.dropout),
        pooling=params._pooling(n_tokens > 0),
        patch_size=_patch_size(params, sequences),
        n_kernels=int(params.n_kernels),
        embedding_size=int(embedding_size),
        layer_norm=params._layer_norm or n_tokens > 0,
        second_changes=params._second_changes and n_tokens == 0 and are_smooth(sequences),
        n_columns=params._n_columns,
        n_parts=params._n_parts,
        gaps=sequences.gaps,
        time_column=-1 if sequences.times is None else sequences.times,
    )


def are_smooth(sequences: Sequences) -> bool:
    """Whether, in the median feature, the changes of the changes are smaller than the changes themselves."""
    steps = sampled_steps(sequences)
    features = [k for k in range(sequences.n_features) if k != sequences.times]
    first, second = (changes_of(*steps, order)[features] for order in (1, 2))
    return bool((second < SMOOTH * first).float().mean() > 0.5)


def changes_of(values: torch.Tensor, lengths: torch.Tensor | None, order: int) -> torch.Tensor:
    """Root mean square (F,) of the changes of this order in steps (n, T, F); 0 if no sequence is long enough.

    If values are missing, they are the changes since a value was last seen.
    """
    squares = counts = torch.zeros(values.shape[2], dtype=torch.float64)
    n_rows = max(1, SAMPLE_NUMBERS // (values.shape[1] * values.shape[2]))
    for first in range(0, len(values), n_rows):
        rows = slice(first, first + n_rows)
        differences, seen = values[rows].double(), ~values[rows].isnan()
        for _ in range(order):
            differences, seen = changes_since_seen(differences, seen)
        if lengths is not None:
            seen = seen & step_mask(lengths[rows], values.shape[1])[..., None]
        squares = squares + differences.square().where(seen, 0).sum((0, 1))
        counts = counts + seen.sum((0, 1))
    return squares.div(counts.clamp_min(1)).sqrt().float()


def freeze_vectors(params: Any, encoder: Encoder, auto: bool) -> None:
    """Freeze the vectors of tokens or train them, as the parameters say; `auto` is whether `"auto"` freezes them."""
    frozen = as_option("embedding", params.embedding).frozen
    encoder.input.freeze(auto if frozen == "auto" else bool(frozen))


def _patch_size(params: Any, sequences: Sequences) -> int:
    if params.patch_size != "auto":
        return int(params.patch_size)
    median, longest = float(np.median(sequences.lengths)), int(sequences.lengths.max())
    total = params.batch_size * longest  # number of steps in a batch with the longest sequence
    if params.max_length is None and longest > LONG * median and total > sequences.lengths.sum():
        warn(
            f"The longest of {len(sequences)} sequences has {longest} steps, but patch_size is chosen for the median "
            f"length, {median:g} steps; long sequences may take most of the time. Set max_length or patch_size."
        )
    return params._auto_patch_size(sequences)


def _vocabulary(option: Any, sequences: Sequences) -> tuple[int, int]:
    """Return the number of token ids and the width of their vectors."""
    n_tokens = int(sequences.ids.max()) + 1
    if not isinstance(option.init, str):
        return given_shape(option.init, n_tokens)
    if n_tokens > MAX_TOKENS and n_tokens > SPARSE * (n_seen := len(np.unique(sequences.ids))):
        raise ValueError(
            f"X has token ids up to {n_tokens - 1}, but only {n_seen} different ids, and each id up to the "
            "largest gets a vector. Number the tokens from 0, or pass floats if the ids are values."
        )
    return n_tokens, option.size


def _set_vectors(
    params: Any, encoder: Encoder, layer: TokenInput, sequences: Sequences, generator: torch.Generator
) -> None:
    """Set the first vectors of tokens as `Embedding` says; until then they are random."""
    a, init, vectors = encoder.architecture, as_option("embedding", params.embedding).init, None
    if a.n_parts:
        vectors, parts = None, None
        if init != "random":
            vectors, parts = word_vectors(sequences, a.n_tokens, a.n_parts, a.embedding_size, generator)
        layer.set_vectors(vectors, frequencies(sequences, a.n_tokens))
        layer.set_parts(parts, torch.from_numpy(sequences.values[:PART_STEPS]))
        freeze_vectors(params, encoder, False)
        return
    if not isinstance(init, str):
        vectors = given_vectors(init)
    elif init == "cooccurrence" or (init == "auto" and a.n_tokens > a.embedding_size):
        vectors = cooccurrence_vectors(sequences, a.n_tokens, a.embedding_size, generator)
    layer.set_vectors(vectors, frequencies(sequences, a.n_tokens))
    freeze_vectors(params, encoder, vectors is not None and params._freezes_vectors)


def set_scales(layer: NumberInput, sequences: Sequences, drops_noise: bool) -> None:
    """Learn the scales of the numbers and of the responses of the random kernels.

    If asked, changes and kernels that are mostly white noise are left out.
    """
    origin = None if sequences.origin is None else torch.from_numpy(sequences.origin)
    mean, deviation, change = (torch.from_numpy(moment).float() for moment in sequences.moments())
    signal = torch.from_numpy(sequences.signal_share()).float() if drops_noise else torch.ones_like(change)
    steps = sampled_steps(sequences)
    second = None if layer.second_change is None else changes_of(*steps, 2)
    layer.standardise(mean, deviation, change, signal, origin, second)
    layer.learn_gaps(*steps)
    if layer.kernels is not None:
        layer.scale_kernels(*steps, change * ((1 - signal) / 2).sqrt())


def sampled_steps(sequences: Sequences) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return values and lengths of rows from all parts of the data, about `SCALE_STEPS` steps in total.

    Longer sequences are cut to `SCALE_LENGTH` median lengths. The rows lie in a few blocks, because a memory map reads
    whole pages around each row.
    """
    median = int(np.median(sequences.lengths))
    longest = min(SCALE_LENGTH * median, SCALE_STEPS)
    n_rows = max(1, min(len(sequences), SCALE_STEPS // median))
    rows = np.arange(n_rows)
    firsts = np.linspace(0, len(sequences) - n_rows, SCALE_BLOCKS).astype(np.int64)
    short = replace(sequences, lengths=np.minimum(sequences.lengths, longest))
    values, lengths = short.batch(rows + firsts[rows * SCALE_BLOCKS // n_rows])
    return torch.from_numpy(values), None if lengths is None else torch.from_numpy(lengths)


def _check_same(name: str, value: Any, last: Any) -> None:
    if value not in (last, "auto"):
        raise ValueError(f"warm_start=True needs {name}={last!r}, as in the last fit, got {name}={value!r}.")


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in module.state_dict().items()}
