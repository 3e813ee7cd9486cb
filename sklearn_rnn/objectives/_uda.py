"""A strong view of an unlabeled row gets the sharpened probabilities of a weak view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._documented import documented
from .._sklearn import POSITIVE
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._average import weak_answers
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class UDA(SemiSupervisedObjective):
    r"""Unsupervised data augmentation: a strong view is trained to get the sharpened probabilities of a weak view.

    .. math:: w(t) \frac{1}{n} \sum_i [\max_k q_{ik} \ge \tau]
        \left( - \sum_k \tilde q_{ik} \log p_k(x_i^{strong}) \right), \quad
        \tilde q_{ik} \propto q_{ik}^{1 / \theta}

    where :math:`q_i` are the probabilities for the weak view. The annealing of the labels' loss, which the paper uses
    with very few labels, is left out.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Xie, Dai, Hovy, Luong and Le (2020), "Unsupervised data augmentation for consistency training",
    NeurIPS.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import UDA
    >>> clf = SemiSupervisedRNNClassifier(UDA(temperature=0.5))
    """

    needs = "classes"
    strong = True

    weight: float = shared.weight(1)
    threshold: float = shared.threshold(0.8)
    temperature: float = shared.number(
        0.4, POSITIVE, r"Temperature :math:`\theta` of the probabilities; a value below 1 sharpens them."
    )
    alignment: float = shared.alignment()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        mask = confident(model.task, answers, self.threshold)
        self.observe_classes(mask.mean(), model.task.agreement(answers, outputs))
        sharpened = (answers.clamp_min(torch.finfo(answers.dtype).tiny).log() / self.temperature).softmax(1)
        return {"matching": (cross_entropy(outputs, sharpened, reduction="none") * mask).mean()}
