"""Agreement with what the net says of the worst neighbour of a sequence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .._sklearn import COUNT, POSITIVE
from ..modules import mask_padding
from ..sequences import Batch
from ._semi_supervised import SemiSupervisedObjective


class VAT(SemiSupervisedObjective):
    r"""Virtual adversarial training: the prediction holds in the direction that changes it most.

    .. math:: w(t) \frac{1}{n} \sum_i KL\left(p(x_i) \,\|\, p(x_i + r_i)\right)

    on the student's view of embedded steps: standardised numbers, or the vectors of tokens, normalised by
    frequency. The first prediction is a constant. The direction of :math:`r_i` is
    found by power iteration from a random one; its length is ``epsilon * sqrt(T * E)`` for a sequence
    of T steps and E embedded features, so that `epsilon` is a change of each value. Padding is not
    touched, and dropout is off in this term.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    epsilon : float, default=0.05
        Length of the step, root mean square over a sequence's values.
    xi : float, default=0.01
        Length of the steps of the power iteration, as `epsilon` is measured.
    n_power : int, default=1
        Power iterations.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

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

    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "epsilon": POSITIVE,
        "xi": POSITIVE,
        "n_power": COUNT,
    }

    def __init__(
        self,
        weight: float = 1,
        epsilon: float = 0.05,
        xi: float = 0.01,
        n_power: int = 1,
        ramp: float = 0.4,
        ratio: float = 1,
    ):
        self.weight = weight
        self.epsilon = epsilon
        self.xi = xi
        self.n_power = n_power
        self.ramp = ramp
        self.ratio = ratio

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
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
        """Say whether no direction changed a prediction."""
        yield from super().troubles(history)
        if max(epoch.get("vat", math.inf) for epoch in history) < 1e-7:
            yield (
                f"VAT trained on the labels alone: no step of epsilon={self.epsilon} changed a prediction. "
                "Raise epsilon."
            )


def random_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Normal noise; ones without a generator."""
    if generator is None:
        return torch.ones_like(x)
    return torch.empty_like(x).normal_(generator=generator)


def sphere(direction: Tensor, lengths: Tensor | None, radius: float) -> Tensor:
    """Scale each row of (n, T, E) to a root mean square of `radius` over its own steps; padding to 0."""
    n_steps = direction.shape[1]
    direction = mask_padding(direction, lengths)
    largest = direction.abs().amax((1, 2), keepdim=True).clamp_min(1e-30)  # squares of gradients underflow
    direction = direction / largest
    size = (n_steps if lengths is None else lengths[:, None, None]) * direction.shape[2]
    return radius * direction / (direction.square().sum((1, 2), keepdim=True) / size).clamp_min(1e-12).sqrt()
