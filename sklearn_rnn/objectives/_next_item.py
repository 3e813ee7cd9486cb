"""Learning which item of a catalogue comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from .._documented import documented
from ..modules import ItemScores, Model, dropout
from ..sequences import Batch
from . import _parameters as shared
from ._average import MovingAverage
from ._base import Needs
from ._item_losses import bpr_max, sampled_cross_entropy, top1_max
from ._prediction import LOGITS, in_parts
from ._step_errors import known_lengths, known_mask
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class NextItem(UnsupervisedObjective):
    r"""Objective of `RNNNextItemRecommender`: predict each item of a sequence from the items before it.

    The first item is predicted from nothing. With :math:`r_i` the score of the item that came next, and :math:`r_j`
    those of other items, the loss of a step is one of

    .. math::
        \text{cross entropy} &= -r_i + \log \sum_j e^{r_j} \\
        \text{BPR-max} &= -\log \sum_j s_j \sigma(r_i - r_j) + \lambda \sum_j s_j r_j^2 \\
        \text{TOP1-max} &= \sum_j s_j (\sigma(r_j - r_i) + \sigma(r_j^2))

    where :math:`\sigma` is the logistic function and s the softmax over the drawn items. All steps count the same,
    unless `recency` is given. A score is the product of the predicted vector with the vector of the item, plus a bias
    of the item.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Hidasi, Karatzoglou, Baltrunas and Tikk (2016), "Session-based recommendations with recurrent neural networks",
    ICLR.

    Hidasi and Karatzoglou (2018), "Recurrent neural networks with top-k gains for session-based recommendations",
    CIKM.

    Bengio and Senécal (2008), "Adaptive importance sampling to accelerate training of a neural probabilistic language
    model", IEEE Transactions on Neural Networks.

    Examples
    --------
    >>> from sklearn_rnn.objectives import NextItem
    >>> NextItem("bpr_max", n_negatives=512).loss
    'bpr_max'
    """

    needs: ClassVar[Needs] = "items"

    loss: str = shared.item_loss()
    n_negatives: int = shared.n_negatives()
    negative_power: float = shared.negative_power()
    score_penalty: float = shared.score_penalty()
    tied: bool = shared.tied_items()
    item_dropout: float = shared.item_dropout()
    recency: float | None = shared.recency()
    memory: float = shared.weight_memory()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"scores"` of items."""
        a = encoder.architecture
        return {"scores": ItemScores(a.n_tokens, a.embedding_size, self.tied)}

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Begin the moving average of the weights, if there is one."""
        self.teacher_ = MovingAverage.of(model, self.memory, n_steps)

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the mean loss of the steps as `"next_item"`, weighted by `recency`."""
        mask = known_items(model, batch)
        losses = self._losses(model, batch, mask)
        weights = self._weights(batch)[mask]
        return {"next_item": (losses * weights).sum() / weights.sum().clamp_min(1e-12)}

    def errors_by_step(self, model: Model, batch: Batch) -> Tensor:
        """Loss (n, T) of each step; 0 for padding and for items that `fit` did not have."""
        mask = known_items(model, batch)
        losses = self._losses(model, batch, mask)
        return losses.new_zeros(mask.shape).masked_scatter(mask, losses)

    def errors(self, model: Model, batch: Batch) -> Tensor:
        """Loss (n,) of each sequence, averaged over its steps."""
        return self.errors_by_step(model, batch).sum(1) / known_items(model, batch).sum(1).clamp_min(1)

    def predictions(self, model: Model, batch: Batch) -> Tensor:
        """Predicted vectors (n, T, E): that of a step depends on the items before it alone."""
        encoder, values = model.encoder, batch.values
        if batch.generator is not None and self.item_dropout:
            hidden = torch.rand(values.shape, generator=batch.generator, device=values.device) < self.item_dropout
            values = values.masked_fill(hidden, encoder.architecture.n_tokens)
        rate = encoder.architecture.dropout
        embedded = dropout(encoder.embed(values), rate, batch.generator)
        states, _ = encoder.states(embedded, batch.lengths, batch.generator)
        before = pad(states[:, :-1], (0, 0, 1, 0))  # so that no step sees its own item
        return model.head(dropout(before, rate, batch.generator))

    def _weights(self, batch: Batch) -> Tensor:
        """Weights (n, T) of the steps."""
        if self.recency is None:
            return torch.ones(batch.values.shape, device=batch.values.device)
        steps = torch.arange(batch.values.shape[1], device=batch.values.device)
        return 0.5 ** ((known_lengths(batch)[:, None] - 1 - steps).clamp_min(0) / self.recency)

    def _losses(self, model: Model, batch: Batch, mask: Tensor) -> Tensor:
        """Losses (m,) of the steps in the mask."""
        scores: Any = model.parts["scores"]
        layer, tokens = model.encoder.input, batch.values[mask]
        vectors = self.predictions(model, batch)[mask]
        if self._is_full(model, batch):
            return in_parts(
                lambda part, items: cross_entropy(scores(part, layer), items, reduction="none"),
                LOGITS // scores.n_items,
                vectors,
                tokens,
            )
        drawn, log_expected = self._draw(model, batch)
        table, bias = scores.vectors(layer), scores.bias

        def losses(part: Tensor, items: Tensor) -> Tensor:
            own = (part * table[items]).sum(1) + bias[items]
            same = items[:, None] == drawn
            others = scores(part, layer, drawn).masked_fill(same, -torch.inf)
            if self.loss == "cross_entropy":
                return sampled_cross_entropy(own, others, log_expected)
            others = others.masked_fill(none := same.all(1, keepdim=True), 0)
            ranked = bpr_max(own, others, self.score_penalty) if self.loss == "bpr_max" else top1_max(own, others)
            return ranked.masked_fill(none[:, 0], 0)

        return in_parts(losses, LOGITS // len(drawn), vectors, tokens)

    def _is_full(self, model: Model, batch: Batch) -> bool:
        """Whether the loss is the cross-entropy over all items: if they are few, and without noise."""
        few = model.encoder.architecture.n_tokens <= self.n_negatives
        return self.loss == "cross_entropy" and (few or batch.generator is None)

    def _draw(self, model: Model, batch: Batch) -> tuple[Tensor, Tensor]:
        """Draw negatives (k,) by their popularity; also return how often each is expected, as logarithms (k,)."""
        layer: Any = model.encoder.input
        generator = batch.generator or torch.Generator(batch.values.device).manual_seed(0)
        weights = layer.frequency[:-1].double() ** self.negative_power
        ends = weights.cumsum(0)
        points = torch.rand(self.n_negatives, generator=generator, device=ends.device, dtype=ends.dtype) * ends[-1]
        drawn = torch.searchsorted(ends, points).clamp_max(len(ends) - 1)
        return drawn, (weights[drawn] / ends[-1] * self.n_negatives).log().float()


def known_items(model: Model, batch: Batch) -> Tensor:
    """Mask (n, T) of the steps that are no padding and whose item is in the catalogue."""
    return known_mask(batch) & (batch.values < model.encoder.architecture.n_tokens)
