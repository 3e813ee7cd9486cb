"""A strong view must be answered as a weak one is, by the whole distribution."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._sklearn import FRACTION, POSITIVE
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage, weak_answers
from ._semi_supervised import SemiSupervisedObjective, confident


class UDA(SemiSupervisedObjective):
    r"""Unsupervised data augmentation: strong views get the sharpened answer for a weak view.

    .. math:: w(t) \frac{1}{n} \sum_i [\max_k q_{ik} \ge \tau]
        \left( - \sum_k \tilde q_{ik} \log p_k(x_i^{strong}) \right), \quad
        \tilde q_{ik} \propto q_{ik}^{1 / \theta}

    where :math:`q_i` are the probabilities of the weak view. The annealing of the labels' loss that the
    paper adds for its smallest budgets is left out.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    threshold : float, default=0.8
        Rows count where the answer's largest probability is at least this.
    temperature : float, default=0.4
        Temperature :math:`\theta` of the answers; below 1 sharpens them.
    alignment : float, default=1
        Exponent of distribution alignment, as in `FixMatch`: 1 expects each class as often among the unlabeled
        rows as among the labels; lower it where the rows to label were not drawn at random. 0 is the original.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    memory : float, default=0.1
        Time constant of a moving average of the weights, as a share of training, that answers for the
        weak views and predicts. With 0 the student answers for itself, as in the paper.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

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
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "threshold": FRACTION,
        "temperature": POSITIVE,
    }

    def __init__(
        self,
        weight: float = 1,
        threshold: float = 0.8,
        temperature: float = 0.4,
        alignment: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.temperature = temperature
        self.alignment = alignment
        self.ramp = ramp
        self.memory = memory
        self.ratio = ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student, and begin to count the labels."""
        if self.weight:
            self.teacher_ = MovingAverage.of(model, self.memory, n_steps)
        self.alignment_ = Alignment(even_classes(model), n_rows, self.alignment)

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Count the labels; return no term."""
        self.alignment_.count(batch)
        return {}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        sure = confident(model.task, answers, self.threshold)
        self.observe(confident=sure.mean(), agreement=model.task.agreement(answers, outputs))
        sharpened = (answers.clamp_min(torch.finfo(answers.dtype).tiny).log() / self.temperature).softmax(1)
        return {"matching": (cross_entropy(outputs, sharpened, reduction="none") * sure).mean()}

    def finish(self, model: Any) -> None:
        """Drop the teacher and the counts."""
        super().finish(model)
        del self.alignment_
