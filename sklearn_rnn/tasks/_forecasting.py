"""The steps that follow a sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ..modules import SegmentDecoder, StepDecoder
from ..sequences import Batch, Columns
from ._base import Targets, Task
from ._regression import LOSSES, nearest_to_median, pinball


class Forecasting(Task):
    """The task of a forecaster: outputs (n, horizon, K, q) for the next steps of K targets.

    They are relative to the last value of each target, in standard deviations. With q quantiles, the outputs are
    these; a step-by-step decoder returns the median and the scale of each step.

    Parameters
    ----------
    horizon, context : int
        Number of steps that are forecast, and of those that are read.
    columns : Columns
        The targets, and the columns known ahead.
    loss : {"squared", "absolute", "huber", "quantile"}
        Loss of a value, averaged over the K targets of all steps.
    quantiles : tuple of float
        Levels of the quantiles, ascending; for ``loss="quantile"``.
    decoder : {"parallel", "recursive"}
        Whether all steps are decoded at once, or each from the one before.
    """

    name = "forecasting"
    method = "predict"
    n_readings = 1  # the last patch must end with the context

    def __init__(
        self, horizon: int, context: int, columns: Columns, loss: str, quantiles: tuple[float, ...], decoder: str
    ):
        self.horizon, self.context, self.decoder, self.kind = horizon, context, decoder, loss
        self.n_targets, self.n_known = columns.n_targets, len(columns.known)
        self.quantiles = quantiles if loss == "quantile" and decoder == "parallel" else ()

    @property
    def n_ahead(self) -> int:
        """Number of steps after the context that the decoder reads."""
        return self.horizon if self.n_known or self.decoder == "recursive" else 0

    def read(self, y: Any, n: int, last: Any = None, sample_weight: Any = None) -> Targets:
        """Return targets that are all known; it is an error if the `last` fit forecast other steps or columns."""
        if last is not None and vars(last) != vars(self):
            name = next(name for name, value in vars(self).items() if vars(last)[name] != value)
            raise ValueError(
                f"warm_start=True needs the steps, columns, loss and decoder of the last fit, but {name} was "
                f"{vars(last)[name]!r} and is {vars(self)[name]!r}."
            )
        return Targets(y, np.arange(n))

    def head(self, encoder: Any) -> nn.Module:
        """Return the decoder, blank."""
        if self.decoder == "recursive":
            return StepDecoder(encoder, self.horizon, self.n_targets, self.n_known)
        return SegmentDecoder(encoder, self.horizon, self.n_targets, max(1, len(self.quantiles)), self.n_known)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Loss (n_labeled,): the mean over all values that are forecast."""
        outputs, targets = outputs[: batch.n_labeled], batch.targets[: batch.n_labeled]
        return self._losses(outputs, targets).mean((1, 2))

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss (n, horizon, K) of each value: of a step-by-step decoder, minus the logarithm of its density."""
        if self.decoder == "recursive":
            median, scale = outputs.unbind(3)
            return (targets - median).abs() / scale + scale.log() + math.log(2)
        if self.quantiles:
            return pinball(targets[..., None] - outputs, self.quantiles)
        return LOSSES[self.kind](outputs[..., 0], targets, reduction="none")

    def answers(self, outputs: Tensor) -> Tensor:
        """Return the outputs unchanged."""
        return outputs

    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Squared distance (n,), averaged over the outputs."""
        return (answers - targets).square().flatten(1).mean(1)

    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Half the squared distance (n,)."""
        return self.distance(outputs, targets) / 2

    def in_order(self, answers: NDArray) -> NDArray:
        """Return sorted quantiles, so that they do not cross."""
        return np.sort(answers, axis=-1) if self.quantiles else answers

    def decide(self, answers: NDArray) -> NDArray:
        """Return the forecasts (n, horizon, K): the quantile nearest to the median, or the median of each step."""
        return self.in_order(answers)[..., nearest_to_median(self.quantiles) if self.quantiles else 0]

    def shown(self, targets: Any) -> NDArray:
        """Targets (n, horizon, K) of an array or a tensor, as an array."""
        return targets.cpu().numpy() if isinstance(targets, Tensor) else targets

    def score(self, decisions: NDArray, targets: NDArray) -> float:
        """Minus the mean absolute error, in standard deviations."""
        return -float(np.mean(np.abs(decisions - targets)))
