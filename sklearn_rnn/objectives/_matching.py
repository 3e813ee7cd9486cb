"""What FixMatch and its kin share: a strong view must be answered as a weak one is."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from ..sequences import Batch
from ._alignment import AlignedMixin
from ._classification import agreement, confident


class MatchingMixin(AlignedMixin):
    """Mixin of objectives: cross-entropy of strong views against the answers for weak ones.

    The teacher answers for the weak views, and its answers are aligned with the labels. What an
    algorithm may decide is `trust`, the weight of each row: by default whether it passes the `threshold`.
    """

    strong = True
    threshold: float

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, logits: Tensor) -> dict[str, Tensor]:
        """Return `"matching"`."""
        answers = self.teach(model, batch)
        trust = self.trust(answers, batch)
        self.observe(confident=trust.mean(), agreement=agreement(answers, logits))  # type: ignore[attr-defined]
        return {"matching": (cross_entropy(logits, self.target(answers), reduction="none") * trust).mean()}

    def target(self, answers: Tensor) -> Tensor:
        """Return what strong views are trained for: classes (n,) or probabilities (n, K)."""
        return answers.argmax(1)

    def trust(self, answers: Tensor, batch: Batch) -> Tensor:
        """Weights (n,) of the rows, from 0 to 1, given the answers (n, K) for their weak views: of sure ones 1."""
        return confident(answers, self.threshold)
