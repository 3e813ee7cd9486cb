"""The answer for a mixture of two rows is the mixture of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._mixup import draw_mixture, mixture
from ._semi_supervised import SemiSupervisedObjective, confident


@documented
@dataclass(repr=False, eq=False)
class ICT(SemiSupervisedObjective):
    r"""Interpolation consistency training: the answer for a mixture is the mixture of the teacher's answers.

    .. math:: w(t) \frac{1}{n} \sum_i m_i \lVert p(\lambda x_i + (1 - \lambda) x_j)
        - \lambda q(x_i) - (1 - \lambda) q(x_j) \rVert^2, \quad \lambda \sim Beta(\alpha, \alpha)

    where each unlabeled row i is mixed with a partner j drawn among them. Embedded steps are mixed, and the shorter
    sequence is continued with zeros. Each pair has its own :math:`\lambda`. :math:`m_i` is 1 if the teacher's largest
    probabilities for both rows are at least the threshold, else 0. The teacher predicts.

    The teacher's answers :math:`q` are aligned with the distribution of the labels, as in `FixMatch`; this is added
    to the paper's algorithm.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Verma et al. (2019), "Interpolation consistency training for semi-supervised learning", IJCAI.

    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import ICT
    >>> clf = SemiSupervisedRNNClassifier(ICT(alpha=0.5))
    """

    by_step = False

    weight: float = shared.weight(3)
    threshold: float = shared.threshold(
        0.95,
        """
        A mixture counts if the teacher's largest probability for each of its two rows is at least this. With 0
        all mixtures count, as in the paper. In a regressor all count.
        """,
    )
    alignment: float = shared.alignment()
    alpha: float = shared.alpha()
    ramp: float = shared.ramp()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"interpolation"`."""
        task = model.task
        fraction, partner = draw_mixture(view, self.alpha, batch.generator)
        with torch.no_grad():
            teacher: Any = self.predictor(model)
            answers = self.alignment_.align(task.answers(teacher.train_outputs(view, batch.lengths)))
        mask = confident(task, answers, self.threshold)
        mask = mask * mask[partner]
        self.observe_classes(mask.mean(), task.agreement(answers, outputs))
        x, lengths = mixture(view, batch.lengths, fraction, partner)
        mixed = task.answers(model.train_outputs(x, lengths, batch.generator))
        targets = torch.lerp(answers[partner], answers, fraction[:, None])
        return {"interpolation": (task.distance(mixed, targets) * mask).mean()}
