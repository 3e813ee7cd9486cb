"""One or several numbers for each sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import Tags
from sklearn.utils import RegressorTags
from torch import Tensor, nn
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from .._warnings import warn
from ..modules import RowLinear, blank
from ..sequences import Batch
from ._base import Targets, Task
from ._numbers import Numbers, read_numbers, warn_of_one_value
from ._scores import r2_of_known

LARGEST = 1e30  # of standardised numbers, so that they fit float32
CONSISTENCY = 0.02  # factor of distances, as there is no confidence that leaves uncertain rows out
FAR = 10  # deviations, or factor of deviations, by which y of a warm start may differ
LOSSES: dict[str, Callable[..., Tensor]] = {"squared": mse_loss, "absolute": l1_loss, "huber": huber_loss}


class Regression(Task):
    """The task of a regressor: outputs (n, k), or (n, k * q) for q quantiles, in standardised units of y.

    Targets are standardised to mean 0 and deviation 1 over the labeled rows. Means and deviations are float64, so
    that y may be far from 0.

    Parameters
    ----------
    missing_label : float or None
        Marks the missing numbers of y.
    loss : {"squared", "absolute", "huber", "quantile"}
        Loss of a labeled row, averaged over its k numbers.
    quantiles : tuple of float
        Levels of the quantiles, ascending; for ``loss="quantile"``.
    estimator : str
        Name of the estimator, for messages.
    """

    name = "regression"
    method = "predict"

    def __init__(self, missing_label: Any, loss: str, quantiles: tuple[float, ...], estimator: str):
        self.missing_label, self.kind, self.estimator = missing_label, loss, estimator
        self.quantiles = quantiles if loss == "quantile" else ()

    def read(self, y: Any, n: int, last: Any = None, sample_weight: Any = None) -> Targets:
        """Learn means and deviations, or take those of the `last` task, and return standardised numbers (n, k)."""
        numbers = read_numbers(y, self.missing_label, self.estimator)
        warn_of_one_value(numbers)
        self.one_column, self.n_numbers = numbers.one_column, numbers.values.shape[1]
        self.n_outputs = self.n_numbers * max(1, len(self.quantiles))
        self.mean, self.scale = _moments(numbers, sample_weight)
        if last is not None:
            self._check_same(last)
            self._warn_of_units(last)
            self.mean, self.scale = last.mean, last.scale
        return Targets(self.standardised(numbers.values), numbers.labeled, numbers.values)

    def standardised(self, values: NDArray) -> NDArray[np.float32]:
        """Convert numbers (n, k) to standardised units."""
        return np.clip((values - self.mean) / self.scale, -LARGEST, LARGEST).astype(np.float32)

    def restored(self, answers: Any) -> Any:
        """Convert standardised numbers (n, k) or quantiles (n, k, q), of torch or numpy, to the units of y."""
        axes = (..., *(None,) * (answers.ndim - 2))
        scale, mean = self.scale[axes], self.mean[axes]
        if isinstance(answers, Tensor):
            scale, mean = torch.from_numpy(scale), torch.from_numpy(mean)
        return answers * scale + mean

    def head(self, encoder: Any) -> nn.Module:
        """Return the linear layer that maps embeddings (n, C) to outputs, blank."""
        return blank(RowLinear, encoder.out_features, self.n_outputs)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Loss (n_labeled,), averaged over quantiles and over the known numbers of each row."""
        targets = batch.targets[: batch.n_labeled]
        known = ~targets.isnan()  # (n, k)
        losses = self._losses(outputs[: batch.n_labeled], targets.where(known, 0))
        return losses.where(known, 0).sum(1) / known.sum(1)

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss (n, k) of each number."""
        if not self.quantiles:
            return LOSSES[self.kind](outputs, targets, reduction="none")
        return pinball(targets[:, :, None] - self.by_quantile(outputs), self.quantiles)

    def by_quantile(self, outputs: Any) -> Any:
        """Reshape outputs (n, k * q), of torch or numpy, to (n, k, q)."""
        return outputs.reshape(-1, self.n_numbers, len(self.quantiles))

    def central(self, outputs: Any) -> Any:
        """Return numbers (n, k) of outputs of torch or numpy; of quantiles, the one whose level is nearest to 0.5."""
        if not self.quantiles:
            return outputs
        return self.in_order(outputs)[:, :, nearest_to_median(self.quantiles)]

    def in_order(self, outputs: Any) -> Any:
        """Return sorted quantiles (n, k, q), so that they do not cross."""
        quantiles = self.by_quantile(outputs)
        return quantiles.sort(2).values if isinstance(outputs, Tensor) else np.sort(quantiles, axis=2)

    def answers(self, outputs: Tensor) -> Tensor:
        """Return the outputs unchanged."""
        return outputs

    def distance(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Squared distance (n,) in standardised units, averaged over the outputs, times 0.02."""
        return CONSISTENCY * (answers - targets).square().mean(1)

    def divergence(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Half the squared distance (n,): the divergence of normal distributions of deviation 1."""
        return (outputs - targets).square().mean(1) / 2

    def decide(self, answers: NDArray) -> NDArray:
        """Numbers (n,) or (n, k), in units of y."""
        return self.shaped(self.restored(self.central(answers.astype(np.float64))))

    def shown(self, targets: Any) -> NDArray:
        """Targets (n,) or (n, k), in units of y, of an array or a tensor."""
        values = targets.cpu().numpy() if isinstance(targets, Tensor) else targets
        return self.shaped(self.restored(values.astype(np.float64)))

    def score(self, decisions: NDArray, targets: NDArray) -> float:
        """R² of known numbers."""
        true, predicted = (values.reshape(len(values), -1) for values in (targets, decisions))
        return r2_of_known(Numbers(true, self.one_column), predicted)

    def exported(self, answers: Tensor) -> dict[str, Tensor]:
        """Return the `"predictions"` and, if there are any, the `"quantiles"`, float64, in units of y."""
        wide = answers.double()
        outputs = {"predictions": self.shaped(self.restored(self.central(wide)))}
        if self.quantiles:
            outputs["quantiles"] = self.shaped(self.restored(self.in_order(wide)))
        return outputs

    def shaped(self, numbers: Any) -> Any:
        """Numbers (n, k, ...) without the axis k if y had one dimension."""
        return numbers[:, 0] if self.one_column else numbers

    def strata(self, targets: NDArray) -> NDArray[np.int64]:
        """Group rows by which of their numbers are known."""
        return np.unique(np.isnan(targets), axis=0, return_inverse=True)[1].reshape(-1)

    def tags(self, tags: Tags) -> Tags:
        """Return the tags of a regressor."""
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags

    def _check_same(self, last: Any) -> None:
        """Raise an error if the last fit had another number of columns of y, loss or quantiles."""
        current, previous = ((task.n_numbers, task.kind, task.quantiles) for task in (self, last))
        if current != previous:
            raise ValueError(
                "warm_start=True needs the number of columns of y, the loss and the quantiles of the last fit, "
                f"{previous[0]}, {previous[1]!r} and {previous[2]}; got {current[0]}, {current[1]!r} and {current[2]}."
            )

    def _warn_of_units(self, last: Any) -> None:
        """Warn if y is in other units than in the last fit."""
        ratio = self.scale / last.scale
        if ((ratio > FAR) | (ratio < 1 / FAR) | (np.abs(self.mean - last.mean) > FAR * last.scale)).any():
            warn(
                "warm_start=True keeps the units of y of the last fit, but y now has a mean of "
                f"{self.mean.tolist()} and a deviation of {self.scale.tolist()}, then {last.mean.tolist()} and "
                f"{last.scale.tolist()}. Bring y to the same units, or fit anew."
            )


def pinball(errors: Tensor, levels: tuple[float, ...]) -> Tensor:
    """Mean pinball loss (...) of the errors (..., q) of quantiles."""
    quantiles = errors.new_tensor(levels)
    return (errors * (quantiles - (errors < 0).to(errors))).mean(-1)


def nearest_to_median(levels: tuple[float, ...]) -> int:
    """Position of the level that is nearest to 0.5."""
    return int(np.argmin(np.abs(np.array(levels) - 0.5)))


def _moments(numbers: Numbers, sample_weight: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation (k,) of the known numbers, weighted; the deviation of a constant is 1."""
    weights = np.ones(len(numbers.values)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (len(numbers.values),) or not weights[numbers.labeled].sum() > 0:
        weights = np.ones(len(numbers.values))  # the estimator will refuse them
    mean, scale = np.zeros(numbers.values.shape[1]), np.ones(numbers.values.shape[1])
    for column, (values, known) in enumerate(zip(numbers.values.T, numbers.known.T, strict=True)):
        weighted = known & (weights > 0)
        chosen, counted = (weighted, weights[weighted]) if weighted.any() else (known, None)
        largest = np.abs(values[chosen]).max() or 1.0  # so that no sum or square is too large
        mean[column] = largest * np.average(values[chosen] / largest, weights=counted)
        apart = values[chosen] - mean[column]
        farthest = np.abs(apart).max()
        if values[chosen].min() < values[chosen].max() and farthest > 0:
            scale[column] = farthest * np.sqrt(np.average((apart / farthest) ** 2, weights=counted))
    return mean, scale
