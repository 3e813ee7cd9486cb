"""A strong view of an unlabeled row gets the label that a weak view gets, if that one is confident."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._average import weak_answers
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class FixMatch(SemiSupervisedObjective):
    r"""FixMatch: a strong view of an unlabeled row is trained to get the label that a weak view gets.

    .. math:: w(t) \frac{1}{n} \sum_i [\max_k q_{ik} \ge \tau] \left( - \log p_{\hat y_i}(x_i^{strong}) \right)

    where :math:`q_i` are the probabilities for the weak view, :math:`\hat y_i` is the most probable class, and
    :math:`\tau` is the threshold. The probabilities :math:`t` of the teacher are aligned with the distribution of
    the labels: :math:`q_k \propto t_k (\pi_k / \bar t_k)^\beta`, where :math:`\bar t` is the mean of :math:`t` over
    about the last 30 optimiser steps, and :math:`\pi_k` is the fraction of labeled rows of class k, shrunk towards
    ``1 / K`` by the James-Stein estimator (Hausser 2009). If the classes have as many labels as each other, which
    tells nothing about how frequent they are, :math:`\pi` moves on towards the mean of :math:`q` (Saerens 2002).

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Sohn et al. (2020), "FixMatch: simplifying semi-supervised learning with consistency and
    confidence", NeurIPS.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Hausser and Strimmer (2009), "Entropy inference and the James-Stein estimator, with application to
    nonlinear gene association networks", JMLR 10.

    Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori probabilities: a
    simple procedure", Neural Computation 14.

    Jiang, Nagarajan, Baek and Kolter (2022), "Assessing generalization of SGD via disagreement", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import FixMatch
    >>> clf = SemiSupervisedRNNClassifier(FixMatch(threshold=0.8))
    """

    needs = "classes"
    strong = True

    weight: float = shared.weight(1)
    threshold: float = shared.threshold(0.95)
    alignment: float = shared.alignment()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()
    guard: bool = shared.guard()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        mask = confident(model.task, answers, self.threshold)
        self.observe_classes(mask.mean(), model.task.agreement(answers, outputs))
        return {"matching": (cross_entropy(outputs, answers.argmax(1), reduction="none") * mask).mean()}
