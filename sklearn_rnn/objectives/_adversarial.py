"""The labels hold for the worst neighbour of a sequence too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import NOT_NEGATIVE, POSITIVE
from ..sequences import Batch
from ._base import supervised_loss
from ._semi_supervised import SemiSupervisedObjective
from ._vat import sphere


class AdversarialTraining(SemiSupervisedObjective):
    r"""Adversarial training: the cross-entropy again, a step up its own gradient.

    .. math:: L(x) + w L(x + r), \quad r = \epsilon \sqrt{T E} \; g / \lVert g \rVert, \quad g = \nabla_x L(x)

    on embedded steps, of the labeled rows alone; unlabeled rows are left out, and dropout is off in the
    second loss. A sequence of T steps of E features moves by `epsilon` times the root of T E.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w` of the second loss. Zero trains exactly what `Supervised` trains.
    epsilon : float, default=0.05
        Length of the step, root mean square over a sequence's values.

    References
    ----------
    Goodfellow, Shlens and Szegedy (2015), "Explaining and harnessing adversarial examples", ICLR.
    Miyato, Dai and Goodfellow (2017), "Adversarial training methods for semi-supervised text
    classification", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import VAT, AdversarialTraining
    >>> clf = SemiSupervisedRNNClassifier(VAT() + AdversarialTraining())
    """

    _parameter_constraints: dict[str, list[Any]] = {"weight": NOT_NEGATIVE, "epsilon": POSITIVE}

    def __init__(self, weight: float = 1, epsilon: float = 0.05):
        self.weight = weight
        self.epsilon = epsilon

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"adversarial"`."""
        plain = view.detach().requires_grad_()
        loss = supervised_loss(model, model.train_outputs(plain, batch.lengths), batch)
        (gradient,) = torch.autograd.grad(loss, plain)
        worst = sphere(gradient, batch.lengths, self.epsilon)
        return {"adversarial": supervised_loss(model, model.train_outputs(view + worst, batch.lengths), batch)}
