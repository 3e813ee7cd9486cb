"""FixMatch with thresholds that follow the confidence of the net."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .._documented import documented
from .._sklearn import NOT_NEGATIVE
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._average import weak_answers
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class FreeMatch(SemiSupervisedObjective):
    r"""FreeMatch: FixMatch with thresholds that follow the confidence of the net, and a term for even classes.

    The threshold of rows whose most probable class is c is

    .. math:: \tau_c = \frac{\tilde p_c}{\max_{c'} \tilde p_{c'}} \tau_t

    where :math:`\tau_t` is the running mean of the largest probability for weak views, and :math:`\tilde p` is the
    running mean of their probabilities. The fairness term is

    .. math:: v \sum_c N(\tilde p / \tilde h)_c \log N(\bar p / \bar h)_c

    where :math:`\bar p` and :math:`\bar h` are the mean probabilities and the histogram of the labels of the strong
    views that pass the threshold, :math:`\tilde h` is the running histogram of the labels of weak views, and N scales
    to a sum of 1.

    Parameters
    ----------
    %(parameters)s

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

    weight: float = shared.weight(1)
    fairness: float = shared.number(
        0.01, NOT_NEGATIVE, "Weight :math:`v` of the fairness term; it is multiplied by `weight`."
    )
    momentum: float = shared.momentum()
    alignment: float = shared.alignment()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Start the teacher, the alignment, and the running means: each begins at ``1 / K``."""
        super().start(model, n_steps, n_rows)
        uniform = self.alignment_.uniform
        self.sureness_, self.classes_, self.counts_ = uniform[0].clone(), uniform.clone(), uniform.clone()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"matching"` and `"fairness"`."""
        answers = self.alignment_.align(weak_answers(self.predictor(model), batch))
        labels = answers.argmax(1)
        mask = answers.amax(1) >= self._thresholds(answers, labels)[labels]
        self.observe_classes(mask.float().mean(), model.task.agreement(answers, outputs))
        terms = {"matching": (cross_entropy(outputs, labels, reduction="none") * mask.float()).mean()}
        strong = outputs[mask].softmax(1)
        if len(strong):
            running = scaled(self.classes_, self.counts_)
            current = scaled(strong.mean(0), histogram(strong.argmax(1), self.counts_))
            terms["fairness"] = self.fairness * (running * (current + 1e-12).log()).sum()
        return terms

    def _thresholds(self, answers: Tensor, labels: Tensor) -> Tensor:
        """Update the running means, and return the thresholds (K,) of the classes."""
        step = 1 - self.momentum
        self.sureness_.lerp_(answers.amax(1).mean(), step)
        self.classes_.lerp_(answers.mean(0), step)
        self.counts_.lerp_(histogram(labels, self.counts_), step)
        return self.sureness_ * self.classes_ / self.classes_.amax()

    def finish(self, model: Model) -> None:
        """Drop the teacher, the alignment and the running means."""
        super().finish(model)
        del self.sureness_, self.classes_, self.counts_


def histogram(labels: Tensor, like: Tensor) -> Tensor:
    """Fraction of each class among the labels (n,), of the shape and type of `like`."""
    return torch.bincount(labels, minlength=len(like)).to(like.dtype) / len(labels)


def scaled(mean: Tensor, counts: Tensor) -> Tensor:
    """Divide by the counts (0 if the count is 0), and scale to a sum of 1."""
    ratio = mean * torch.where(counts > 0, 1 / counts, 0)
    return ratio / ratio.sum()
