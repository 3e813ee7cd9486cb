"""The augmentations of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from ..modules import Model
from ..perturbations import Perturbation, StepDrop
from ..perturbations._base import Levels, Steps
from ..sequences import TrainingSet
from ..training import in_batches
from ._advice import check_arguments

LEVEL_ROWS = 1000  # from which the spread of the means of sequences is measured


def set_augmentations(
    params: Any, model: Model, training: TrainingSet, light: Perturbation, strong: Perturbation
) -> None:
    """Set the augmentations of a model; `light` and `strong` are the default ones of numbers."""
    has_numbers = training.sequences.kind != "tokens"
    if not has_numbers:
        light, strong = StepDrop(0.2), StepDrop(0.4)
    model.augmentation = checked(params.augmentation, light, "augmentation")
    model.strong_augmentation = checked(params.strong_augmentation, strong, "strong_augmentation")
    if params._still:
        for name in ("augmentation", "strong_augmentation"):
            check_still(getattr(model, name), name, type(params).__name__)
    model.unchecked = {"augmentation", "strong_augmentation"}
    both = [a for a in (model.augmentation, model.strong_augmentation) if isinstance(a, Perturbation)]
    if has_numbers and any(augmentation.uses_levels for augmentation in both):
        levels = levels_of(training, model).to(torch.device(params.device))
        for augmentation in both:
            augmentation.levels_ = levels


def levels_of(training: TrainingSet, model: Model) -> Levels:
    """Return the levels of the labeled sequences (of all, if none is labeled), from at most `LEVEL_ROWS` of them."""
    known = training.counting() if len(training.labeled) else training.unlabeled
    rows = known[np.linspace(0, len(known) - 1, min(len(known), LEVEL_ROWS)).astype(np.int64)]
    means = torch.empty(len(rows), model.encoder.architecture.n_features)
    for places, values, lengths in in_batches(model, training.sequences, rows):
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
