"""FixMatch with thresholds that follow the net."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._sklearn import FRACTION, NOT_NEGATIVE
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage, weak_answers
from ._semi_supervised import SemiSupervisedObjective


class FreeMatch(SemiSupervisedObjective):
    r"""FreeMatch: FixMatch with thresholds that follow how sure the net is, and a wish for even classes.

    .. math:: \tau_c = \frac{\tilde p_c}{\max_{c'} \tilde p_{c'}} \tau_t

    is the threshold of rows that are answered c, where :math:`\tau_t` is the running mean of the largest
    probability and :math:`\tilde p` that of the probabilities, of weak views. The fairness term is

    .. math:: v \sum_c N(\tilde p / \tilde h)_c \log N(\bar p / \bar h)_c

    with :math:`\bar p, \bar h` the mean probabilities and the histogram of the labels of the strong views
    that pass, :math:`\tilde h` the running histogram of the weak ones, and N scaling to a sum of 1.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    fairness : float, default=0.01
        Weight :math:`v`, times `weight`.
    momentum : float, default=0.99
        Decay of the running means, per optimiser step; 0.999 in the paper's far longer training.
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
    Wang et al. (2023), "FreeMatch: self-adaptive thresholding for semi-supervised learning", ICLR.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import FreeMatch
    >>> clf = SemiSupervisedRNNClassifier(FreeMatch(fairness=0.05))
    """

    needs = "classes"
    strong = True
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "fairness": NOT_NEGATIVE,
        "momentum": FRACTION,
    }

    def __init__(
        self,
        weight: float = 1,
        fairness: float = 0.01,
        momentum: float = 0.99,
        alignment: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.fairness = fairness
        self.momentum = momentum
        self.alignment = alignment
        self.ramp = ramp
        self.memory = memory
        self.ratio = ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Copy the student, and start the running means: even classes, chance."""
        if self.weight:
            self.teacher_ = MovingAverage.of(model, self.memory, n_steps)
        self.alignment_ = Alignment(even_classes(model), n_rows, self.alignment)
        uniform = self.alignment_.uniform
        self.sureness_, self.classes_, self.counts_ = uniform[0].clone(), uniform.clone(), uniform.clone()

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Count the labels; return no term."""
        self.alignment_.count(batch)
        return {}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"` and `"fairness"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        label = answers.argmax(1)
        passes = answers.amax(1) >= self._thresholds(answers, label)[label]
        self.observe(confident=passes.float().mean(), agreement=model.task.agreement(answers, outputs))
        terms = {"matching": (cross_entropy(outputs, label, reduction="none") * passes.float()).mean()}
        strong = outputs[passes].softmax(1)
        if len(strong):
            even = scaled(self.classes_, self.counts_)
            now = scaled(strong.mean(0), histogram(strong.argmax(1), self.counts_))
            terms["fairness"] = self.fairness * (even * (now + 1e-12).log()).sum()
        return terms

    def _thresholds(self, answers: Tensor, label: Tensor) -> Tensor:
        """Move the running means, and return the thresholds (K,) of the classes."""
        step = 1 - self.momentum
        self.sureness_.lerp_(answers.amax(1).mean(), step)
        self.classes_.lerp_(answers.mean(0), step)
        self.counts_.lerp_(histogram(label, self.counts_), step)
        return self.sureness_ * self.classes_ / self.classes_.amax()

    def finish(self, model: Any) -> None:
        """Drop the running means and the average."""
        super().finish(model)
        del self.alignment_, self.sureness_, self.classes_, self.counts_


def histogram(labels: Tensor, like: Tensor) -> Tensor:
    """Share of each class among the labels (n,), of the shape and type of `like`."""
    return torch.bincount(labels, minlength=len(like)).to(like.dtype) / len(labels)


def scaled(mean: Tensor, counts: Tensor) -> Tensor:
    """Divide by the counts, 0 where there is none, and scale to a sum of 1."""
    ratio = mean * torch.where(counts > 0, 1 / counts, 0)
    return ratio / ratio.sum()
