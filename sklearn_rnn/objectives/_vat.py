"""Predictions hold under the perturbation that changes them most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._documented import documented
from .._inputs import each_input
from .._sklearn import POSITIVE
from ..modules import Model, mask_padding
from ..sequences import Batch
from . import _parameters as shared
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class VAT(SemiSupervisedObjective):
    r"""Virtual adversarial training: the prediction holds in the direction that changes it most.

    .. math:: w(t) \frac{1}{n} \sum_i KL\left(p(x_i) \,\|\, p(x_i + r_i)\right)

    where x are the embedded steps of the student's view: standardised numbers, or the vectors of tokens, normalised
    by frequency. The first prediction gets no gradient. The direction of :math:`r_i` is found by power iteration that
    starts at random; its length is ``epsilon * sqrt(T * E)`` for a sequence of T steps and E embedded features, so
    `epsilon` is the change of a value. Padding is not changed, and this term has no dropout.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Miyato, Maeda, Koyama and Ishii (2018), "Virtual adversarial training", IEEE TPAMI.

    Miyato, Dai and Goodfellow (2017), "Adversarial training methods for semi-supervised text
    classification", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import VAT, EntropyMinimization
    >>> clf = SemiSupervisedRNNClassifier(VAT() + EntropyMinimization(weight=0.06))
    """

    weight: float = shared.weight(1)
    epsilon: float = shared.epsilon()
    xi: float = shared.number(
        0.01, POSITIVE, "Length of the perturbations in the power iteration, in the units of `epsilon`."
    )
    n_power: int = shared.count(1, "Number of power iterations.")
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"vat"`."""
        plain = view.detach()
        with torch.no_grad():
            target = model.train_outputs(plain, batch.lengths)
        direction = random_like(plain, batch.generator)
        for _ in range(self.n_power):
            step = sphere(direction, batch.lengths, self.xi).requires_grad_()
            distance = model.task.divergence(model.train_outputs(plain + step, batch.lengths), target).mean()
            (direction,) = torch.autograd.grad(distance, step)
        worst = sphere(direction, batch.lengths, self.epsilon)
        return {"vat": model.task.divergence(model.train_outputs(view + worst, batch.lengths), target).mean()}

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if no perturbation changed a prediction."""
        yield from super().troubles(history)
        if max(epoch.get("vat", math.inf) for epoch in history) < 1e-7:
            yield (
                f"VAT trained on the labels alone: no step of epsilon={self.epsilon} changed a prediction. "
                "Raise epsilon."
            )


@each_input
def random_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Normal noise of the shape of `x`; ones without a generator."""
    if generator is None:
        return torch.ones_like(x)
    return torch.empty_like(x).normal_(generator=generator)


@each_input
def sphere(direction: Tensor, lengths: Tensor | None, radius: float) -> Tensor:
    """Scale each row of (n, T, E) to a root mean square of `radius` over its steps; padding becomes 0.

    Of several inputs, each is scaled.
    """
    n_steps = direction.shape[1]
    direction = mask_padding(direction, lengths)
    largest = direction.abs().amax((1, 2), keepdim=True).clamp_min(1e-30)  # squares of gradients underflow
    direction = direction / largest
    size = (n_steps if lengths is None else lengths.clamp_min(1)[:, None, None]) * direction.shape[2]
    return radius * direction / (direction.square().sum((1, 2), keepdim=True) / size).clamp_min(1e-12).sqrt()
