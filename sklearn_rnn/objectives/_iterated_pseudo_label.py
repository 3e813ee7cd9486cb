"""Transcripts by a moving average of the net as targets of rows without a transcript."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from .._documented import documented
from ..modules import Model
from ..sequences import Batch
from . import _parameters as shared
from ._base import Needs
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class IteratedPseudoLabel(SemiSupervisedObjective):
    r"""Objective of `SemiSupervisedRNNTranscriber`: learn from the teacher's transcripts of rows without one.

    The term is

    .. math:: w(t) \frac{1}{n} \sum_i m_i \left( - \frac{1}{|\hat y_i|} \log P_{student}(\hat y_i | x_i^{strong})
        \right), \quad \hat y_i = \text{collapse}(\arg\max_k p_{teacher}(k | x_i))

    over the rows without a transcript, where P is the sum over all paths (see `Supervised`), and :math:`m_i` is 1 if
    :math:`\hat y_i` is not empty and the teacher's confidence is at least the threshold, else 0. The teacher's weights
    are a moving average of the student's. It reads sequences without noise, and its most probable label of each step
    is taken; no language model is used.

    The transcripts are made anew at each step. The paper keeps them in a cache for some steps instead of averaging
    weights, which Manohar (2021) and Higuchi (2021) do.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Likhomanenko, Xu, Kahn, Synnaeve and Collobert (2021), "slimIPL: language-model-free iterative pseudo-labeling",
    Interspeech.

    Manohar, Likhomanenko, Xu, Hsu, Collobert, Saraf, Zweig and Mohamed (2021), "Kaizen: continuously improving teacher
    using exponential moving average for semi-supervised speech recognition", ASRU.

    Higuchi, Moritz, Le Roux and Hori (2021), "Momentum pseudo-labeling for semi-supervised speech recognition",
    Interspeech.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNTranscriber
    >>> from sklearn_rnn.objectives import IteratedPseudoLabel
    >>> transcriber = SemiSupervisedRNNTranscriber(IteratedPseudoLabel(threshold=0.9))
    """

    needs: ClassVar[Needs] = "transcripts"
    several_inputs = False
    strong = True

    weight: float = shared.weight(1)
    threshold: float = shared.threshold(
        0.5,
        """
        A row counts if the probability of the teacher's best path, as a geometric mean over its labels, is at least
        this. With 0 all rows count, as in the papers.
        """,
    )
    begin: float = shared.begin()
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"pseudo_label"`."""
        if batch.progress < self.begin:
            return {}
        targets, counts = self._transcripts(self.predictor(model), batch)
        self.observe_classes(counts.mean(), None)
        losses = model.task.loss(outputs, replace(batch, targets=targets, n_labeled=len(batch)))
        return {"pseudo_label": (losses * counts).mean()}

    @torch.no_grad()
    def _transcripts(self, teacher: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return class numbers (n, L), and 1 for each row (n,) that counts, else 0."""
        targets, confidence = teacher.task.transcripts(teacher(batch.values, batch.lengths), batch.lengths)
        return targets, ((confidence >= self.threshold) & (targets[:, 0] >= 0)).float()
