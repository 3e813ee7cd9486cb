"""Rounds in which a noisy student learns what the last one said without noise."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._sklearn import COUNT, FRACTION
from ..sequences import Batch
from ._self_training import surest
from ._semi_supervised import SemiSupervisedObjective


class NoisyStudent(SemiSupervisedObjective):
    r"""Noisy Student: a new net under strong noise learns the last one's soft labels, round by round.

    .. math:: w \frac{1}{n} \sum_i m_i \left( - \sum_k q_{ik} \log p_k(x_i^{strong}) \right)

    where :math:`q_i` are the last round's probabilities without noise, and :math:`m_i` is 1 for the rows
    that it is sure of, else 0. The first round is on the labels alone. Labeled rows are seen weakly
    perturbed, and all rounds train a net of one size.

    Parameters
    ----------
    weight : float, default=1
        Weight :math:`w`, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    threshold : float, default=0.8
        Rows count where the largest probability is at least this.
    k_best : int, default=None
        Instead, so many rows of each predicted class count: the surest, so that classes are balanced.
    n_rounds : int, default=3
        Rounds of `max_epochs`.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

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
    _parameter_constraints: dict[str, list[Any]] = {
        "weight": SemiSupervisedObjective._parameter_constraints["weight"],
        "threshold": FRACTION,
        "k_best": [*COUNT, None],
        "n_rounds": COUNT,
        "ratio": SemiSupervisedObjective._parameter_constraints["ratio"],
    }

    def __init__(
        self,
        weight: float = 1,
        threshold: float = 0.8,
        k_best: int | None = None,
        n_rounds: int = 3,
        ratio: float = 1,
    ):
        self.weight = weight
        self.threshold = threshold
        self.k_best = k_best
        self.n_rounds = n_rounds
        self.ratio = ratio

    @property
    def unlabeled_ratio(self) -> float:
        """Unlabeled rows in a step; none in the first round."""
        return 0.0 if getattr(self, "is_first_", False) else super().unlabeled_ratio

    def start(self, model: Any, n_steps: int, n_rows: int) -> None:
        """Tell the first round, which has nothing to learn from."""
        self.is_first_ = not hasattr(self, "targets_")

    def relabel(self, targets: Tensor, rows: Tensor, probabilities: Tensor) -> Tensor | None:
        """Keep the probabilities for the next round."""
        if not self.weight:
            return None
        self.targets_ = probabilities.new_zeros(len(targets), probabilities.shape[1])
        self.targets_[rows] = probabilities
        self.sure_ = probabilities.new_zeros(len(targets))
        self.sure_[rows] = surest(probabilities, self.threshold, self.k_best).to(probabilities.dtype)
        return targets

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"student"`, from the second round on."""
        if self.is_first_:
            return {}
        rows = batch.rows.cpu()
        target, sure = self.targets_[rows].to(outputs.device), self.sure_[rows].to(outputs.device)
        self.observe(confident=sure.mean(), agreement=model.task.agreement(target, outputs))
        return {"student": -((target * outputs.log_softmax(1)).sum(1) * sure).mean()}

    def finish(self, model: Any) -> None:
        """Drop what was learned from."""
        if not self.is_first_:
            del self.targets_, self.sure_
