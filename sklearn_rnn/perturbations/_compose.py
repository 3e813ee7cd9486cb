"""Several perturbations, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ._base import Perturbation, Steps


class Compose(Perturbation):
    """Apply perturbations one after the other.

    Parameters
    ----------
    perturbations : list or tuple of callables
        Called in this order, each as ``perturbation(x, lengths, generator)``. An empty list changes nothing.

    Examples
    --------
    For numbers, and for tokens:

    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.perturbations import Compose, Jitter, Replacement, StepDrop, Swap, TimeWarp
    >>> clf = SemiSupervisedRNNClassifier(augmentation=Compose([TimeWarp(0.2), Jitter()]))
    >>> clf = SemiSupervisedRNNClassifier(augmentation=Compose([Swap(), Replacement(), StepDrop()]))
    """

    _parameter_constraints: dict[str, list[Any]] = {"perturbations": [list, tuple]}

    def __init__(self, perturbations: list[Callable[..., Tensor]] | tuple[Callable[..., Tensor], ...]):
        self.perturbations = perturbations

    @property
    def moves_steps(self) -> bool:  # type: ignore[override]
        """Whether one of the perturbations moves steps."""
        return any(getattr(perturbation, "moves_steps", False) for perturbation in self.perturbations)

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Apply the perturbations one after the other."""
        for perturbation in self.perturbations:
            if isinstance(perturbation, Perturbation):
                x = steps.keep(perturbation.perturb(x, steps, generator))
            else:
                x = perturbation(x, steps.lengths, generator)
        return x

    def validate(self) -> None:
        """Check the list, and the members that are perturbations.

        Raises
        ------
        InvalidParameterError
            If `perturbations` is not a list, or a parameter of a member is out of its range.
        TypeError
            If a member is not callable.
        """
        super().validate()
        for i, perturbation in enumerate(self.perturbations):
            if not callable(perturbation) or isinstance(perturbation, type):
                raise TypeError(
                    f"perturbations[{i}] must be a perturbation, or a callable with the arguments x, lengths and "
                    f"generator, got {perturbation!r}."
                )
            if isinstance(perturbation, Perturbation):
                perturbation.validate()
