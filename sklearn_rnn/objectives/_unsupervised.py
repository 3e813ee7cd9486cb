"""The base of objectives that learn embeddings without labels."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ..modules import Model
from ..sequences import Batch
from ._base import Needs, Objective, check_terms


class UnsupervisedObjective(Objective):
    """Base of the objectives of `RNNAutoencoderTransformer`, which use no labels.

    An objective may define further methods; the transformer then has the methods that need them.

    ============================================= ========================================
    `decode(model, embeddings, n_steps)`          `inverse_transform` and `reconstruct`
    `errors(model, batch)`                        `score_samples` and `score`
    `errors_by_step(model, batch)`                `score_steps`
    `sample(model, rows, n_steps, generator)`     `sample`
    ============================================= ========================================
    """

    needs: ClassVar[Needs] = "sequences"

    @property
    def unlabeled_ratio(self) -> float:
        """All rows are unlabeled."""
        return 1.0

    def out_features(self, encoder: Any) -> int:
        """Width of the embeddings."""
        return encoder.out_features

    def embed_sequences(self, model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (n, out_features), without noise."""
        return model.embed_sequences(values, lengths)

    def predict(self, model: Model, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (n, out_features), without noise."""
        return self.embed_sequences(model, values, lengths)

    def validation_loss(self, model: Model, batch: Batch) -> float:
        """Sum of the terms for rows that are held out."""
        terms = self.terms(model, batch)
        check_terms(self, terms)
        return sum(term.item() for term in terms.values())
