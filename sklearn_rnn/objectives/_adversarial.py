"""Labeled rows keep their labels under the perturbation that raises the loss most."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._base import supervised_loss
from ._semi_supervised import SemiSupervisedObjective
from ._vat import sphere


@documented
@dataclass(repr=False, eq=False)
class AdversarialTraining(SemiSupervisedObjective):
    r"""Adversarial training: the loss of labeled rows that are moved along the gradient of their loss.

    .. math:: L(x) + w L(x + r), \quad r = \epsilon \sqrt{T E} \; g / \lVert g \rVert, \quad g = \nabla_x L(x)

    where x are the embedded steps of a labeled row, with T steps of E features. Unlabeled rows are not used. The
    second loss has no dropout.

    Parameters
    ----------
    %(parameters)s

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

    loss_only = True

    weight: float = shared.weight(1, "Weight :math:`w` of the second loss.")
    epsilon: float = shared.epsilon()

    def labeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"adversarial"`."""
        plain = view.detach().requires_grad_()
        loss = supervised_loss(model, model.train_outputs(plain, batch.lengths), batch)
        (gradient,) = torch.autograd.grad(loss, plain)
        worst = sphere(gradient, batch.lengths, self.epsilon)
        return {"adversarial": supervised_loss(model, model.train_outputs(view + worst, batch.lengths), batch)}
