"""Shapes of X that are errors, with scikit-learn's sentences."""

from __future__ import annotations

SIZES = ("sample(s)", "time step(s)", "feature(s)")


def check_shape(shape: tuple[int, ...], name: str) -> None:
    """Raise an error if an array of this shape has too many axes, or an empty one; `name` is the estimator's."""
    if len(shape) > len(SIZES):
        raise ValueError(f"Found array with dim {len(shape)}, while dim <= 3 is required by {name}.")
    check_not_empty(shape, name)


def check_not_empty(shape: tuple[int, ...], name: str) -> None:
    """Raise an error if there are no samples, time steps or features; the first axes are enough."""
    for size, what in zip(shape, SIZES, strict=False):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {what} (shape={tuple(shape)}) while a minimum of 1 is required by {name}."
            )
