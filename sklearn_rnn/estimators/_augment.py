"""The augmentations of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from sklearn.base import clone

from ..modules import Augmentations, Model
from ..perturbations import Perturbation, StepDrop
from ..perturbations._base import Levels, Steps
from ..sequences import Input, TrainingSet, evenly_spaced
from ..training import in_batches
from ._advice import check_arguments

Views: TypeAlias = Callable[[int], tuple[Perturbation, Perturbation]]
LEVEL_ROWS = 1000  # from which the spread of the means of sequences is measured


def set_augmentations(
    params: Any, model: Model, training: TrainingSet, light: Perturbation, strong: Perturbation
) -> None:
    """Set the augmentations of a model; `light` and `strong` are the default ones of numbers."""
    for name in ("augmentation", "strong_augmentation"):
        if isinstance(getattr(params, name), dict):
            raise TypeError(f"{name} is a dictionary, which names inputs, but X has one input.")
    has_numbers = training.sequences.kind != "tokens"
    if not has_numbers:
        light, strong = _token_views()
    model.augmentation = checked(params.augmentation, light, "augmentation")
    model.strong_augmentation = checked(params.strong_augmentation, strong, "strong_augmentation")
    if params._still:
        for name in ("augmentation", "strong_augmentation"):
            check_still(getattr(model, name), name, type(params).__name__)
    model.unchecked = {"augmentation", "strong_augmentation"}
    if has_numbers:
        _set_levels([model.augmentation, model.strong_augmentation], params.device, training, model)


def set_augmentations_of_inputs(params: Any, model: Model, training: TrainingSet, views: Views) -> None:
    """Set the augmentations of a model of several inputs.

    Parameters
    ----------
    params : NetParameters
        An augmentation is for all inputs that are sequences; a dictionary has one for each input, by its name.
    model : Model
        The model.
    training : TrainingSet
        Rows to train on.
    views : callable
        Returns the default augmentations of numbers, given the number of features of an input.
    """
    inputs: dict[str, Input] = training.sequences.inputs  # type: ignore[attr-defined]
    parts: dict[str, list[Any]] = {"augmentation": [], "strong_augmentation": []}
    for name in parts:
        value = getattr(params, name)
        if isinstance(value, dict) and (unknown := [key for key in value if key not in inputs]):
            raise ValueError(f"{name} names the inputs {unknown}, but X has {list(inputs)}.")
    for i, (key, part) in enumerate(inputs.items()):
        kind = part.sequences.kind
        defaults = _token_views() if kind == "tokens" else views(part.sequences.n_features)
        made = []
        for (name, of_inputs), default in zip(parts.items(), defaults, strict=True):
            value = getattr(params, name)
            value = value.get(key, "auto") if isinstance(value, dict) else None if kind == "static" else value
            is_default = isinstance(value, str)
            made.append(None if is_default and kind == "static" else checked(value, default, name))
            of_inputs.append(made[-1])
        if kind not in ("tokens", "static"):
            _set_levels(made, params.device, training, model.of_input(i), part)
    model.augmentation = Augmentations(parts["augmentation"])
    model.strong_augmentation = Augmentations(parts["strong_augmentation"])
    model.unchecked = {"augmentation", "strong_augmentation"}


def _token_views() -> tuple[Perturbation, Perturbation]:
    """Return the default augmentations of token ids: a light one, and a strong one."""
    return StepDrop(0.2), StepDrop(0.4)


def _set_levels(
    augmentations: list[Any], device: Any, training: TrainingSet, model: Model, part: Input | None = None
) -> None:
    """Give the levels of an input to its augmentations, if one of them uses levels; see `levels_of`."""
    perturbations = [a for a in augmentations if isinstance(a, Perturbation)]
    if any(perturbation.uses_levels for perturbation in perturbations):
        levels = levels_of(training, model, part).to(torch.device(device))
        for perturbation in perturbations:
            perturbation.levels_ = levels


def levels_of(training: TrainingSet, model: Model, part: Input | None = None) -> Levels:
    """Return the levels of the labeled sequences (of all, if none is labeled), from at most `LEVEL_ROWS` of them.

    With several inputs, `part` is the input whose levels are returned, and `model` has its encoder.
    """
    known = training.counting() if len(training.labeled) else training.unlabeled
    if part is not None and (part.places[known] >= 0).any():
        known = known[part.places[known] >= 0]
    rows = known[evenly_spaced(len(known), LEVEL_ROWS)]
    sequences, read = (training.sequences, rows) if part is None else (part.sequences, np.maximum(part.places[rows], 0))
    means = torch.empty(len(rows), model.encoder.architecture.n_features)
    for places, values, lengths in in_batches(model, sequences, read):
        standardised, seen = model.encoder.input.target(values), model.encoder.input.seen(values)
        steps = Steps.of(standardised, lengths)
        mean = steps.mean(standardised)
        if seen is not None:  # means over values that were seen
            mean = mean / steps.mean(seen.to(mean)).clamp_min(1 / len(steps.index))
        means[places] = mean[: len(places)].cpu()
    return Levels.of(means, torch.from_numpy(model.task.strata(training.targets[rows])))


def checked(augmentation: Any, auto: Perturbation, parameter: str) -> Any:
    """Return the augmentation for the value of a parameter: `auto` for a name, a checked copy of a `Perturbation`."""
    if isinstance(augmentation, str):
        return auto
    if isinstance(augmentation, type):
        name = augmentation.__name__
        raise TypeError(f"{parameter} must be an instance or a function, got the class {name}; pass {name}().")
    if isinstance(augmentation, Perturbation):
        augmentation = clone(augmentation)
        augmentation.validate()
    elif augmentation is not None:
        check_arguments(augmentation, parameter)
    return augmentation


def check_still(augmentation: Any, parameter: str, estimator: str) -> None:
    """Raise an error for a perturbation that moves steps, which would then have the labels of other steps."""
    if getattr(augmentation, "moves_steps", False):
        raise ValueError(
            f"{parameter}={augmentation!r} moves steps, but {estimator} has a label for each step. Use one that leaves "
            "steps in their places, such as Jitter, Scaling, TimeMask or StepDrop, or set shift=0 and warp=0."
        )
