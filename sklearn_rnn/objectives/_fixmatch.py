"""A strong view must be answered as a weak one is, where that is sure."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from .._sklearn import FRACTION
from ..sequences import Batch
from ._alignment import Alignment, even_classes
from ._average import MovingAverage, weak_answers
from ._semi_supervised import SemiSupervisedObjective, confident


class FixMatch(SemiSupervisedObjective):
    r"""FixMatch: strongly perturbed rows get the label that a weak view of them gets.

    .. math:: w(t) \frac{1}{n} \sum_i [\max_k q_{ik} \ge \tau] \left( - \log p_{\hat y_i}(x_i^{strong}) \right)

    where :math:`q_i` are the probabilities of the weak view and :math:`\hat y_i` is their largest. By
    distribution alignment, :math:`q_k \propto t_k (\pi_k / \bar t_k)^\beta` of the teacher's answers
    :math:`t`, with :math:`\bar t` their mean over the last 30 steps or so, and :math:`\pi` the share of each
    class among the labels, shrunk to uniform ones as far as chance explains the difference.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    threshold : float, default=0.95
        Rows count where the answer's largest probability is at least this.
    alignment : float, default=1
        Exponent :math:`\beta`: 1 expects each class as often among the unlabeled rows as among the labels, as
        where the rows to label were drawn at random; lower it where they were not. 0 is the original.
    ramp : float, default=0.4
        Share of training over which the weight rises from near 0.
    memory : float, default=0.1
        Time constant of a moving average of the weights, as a share of training, that answers for the
        weak views and predicts. With 0 the student answers for itself, as in the paper.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Sohn et al. (2020), "FixMatch: simplifying semi-supervised learning with consistency and
    confidence", NeurIPS.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Hausser and Strimmer (2009), "Entropy inference and the James-Stein estimator, with application to
    nonlinear gene association networks", JMLR 10.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import FixMatch
    >>> clf = SemiSupervisedRNNClassifier(FixMatch(threshold=0.8))
    """

    needs = "classes"
    strong = True
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "memory": FRACTION,
        "alignment": FRACTION,
        "threshold": FRACTION,
    }

    def __init__(
        self,
        weight: float = 1,
        threshold: float = 0.95,
        alignment: float = 1,
        ramp: float = 0.4,
        memory: float = 0.1,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
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
        return {"matching": (cross_entropy(outputs, answers.argmax(1), reduction="none") * sure).mean()}

    def finish(self, model: Any) -> None:
        """Drop the teacher and the counts."""
        super().finish(model)
        del self.alignment_
