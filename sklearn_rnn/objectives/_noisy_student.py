"""Rounds in which a student under strong noise learns the predictions of the last round's net."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._self_training import most_confident
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class NoisyStudent(SemiSupervisedObjective):
    r"""Noisy Student: in each round a new net under strong noise learns the probabilities of the last net.

    .. math:: w \frac{1}{n} \sum_i m_i \left( - \sum_k q_{ik} \log p_k(x_i^{strong}) \right)

    where :math:`q_i` are the probabilities of the last round's net without noise, and :math:`m_i` is 1 if their
    largest is at least the threshold, else 0. The first round uses only the labels. Labeled rows are seen in weak
    views. The nets of all rounds have the same size.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Xie, Luong, Hovy and Le (2020), "Self-training with Noisy Student improves ImageNet classification",
    CVPR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import NoisyStudent
    >>> clf = SemiSupervisedRNNClassifier(NoisyStudent(n_rounds=4))
    """

    needs = "classes"
    strong = True

    weight: float = shared.weight(1)
    threshold: float = shared.threshold(0.8)
    k_best: int | None = shared.k_best()
    n_rounds: int = shared.n_rounds("Number of rounds, each of `max_epochs` epochs.")
    ratio: float = shared.ratio()

    @property
    def unlabeled_ratio(self) -> float:
        """Number of unlabeled rows in a step, as a fraction of `batch_size`; 0 in the first round."""
        return 0.0 if getattr(self, "is_first_", False) else super().unlabeled_ratio

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Remember whether this is the first round, which has no predictions to learn from."""
        super().start(model, n_steps, n_rows)
        self.is_first_ = not hasattr(self, "targets_")

    def relabel(self, targets: Tensor, rows: Tensor, probabilities: Tensor) -> Tensor | None:
        """Keep the probabilities for the next round."""
        if not self.weight:
            return None
        self.targets_ = probabilities.new_zeros(len(targets), probabilities.shape[1])
        self.targets_[rows] = probabilities
        self.sure_ = probabilities.new_zeros(len(targets))
        self.sure_[rows] = most_confident(probabilities, self.threshold, self.k_best).to(probabilities.dtype)
        return targets

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"student"`, from the second round on."""
        if self.is_first_:
            return {}
        rows = batch.rows.cpu()
        targets, mask = self.targets_[rows].to(outputs.device), self.sure_[rows].to(outputs.device)
        self.observe_classes(mask.mean(), model.task.agreement(targets, outputs))
        return {"student": -((targets * outputs.log_softmax(1)).sum(1) * mask).mean()}

    def finish(self, model: Model) -> None:
        """Drop the probabilities of the last round."""
        super().finish(model)
        if not self.is_first_:
            del self.targets_, self.sure_
