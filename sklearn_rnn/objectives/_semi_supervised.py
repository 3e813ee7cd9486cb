"""What objectives of labeled and unlabeled rows share: one pass over both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from .._sklearn import FRACTION, NOT_NEGATIVE, POSITIVE
from ..sequences import Batch
from ._base import Needs, Objective, ramp_up, supervised_loss


class SemiSupervisedObjective(Objective):
    """Base of objectives: the task's loss of the labeled rows, to which an algorithm adds terms.

    All rows go through the net once for their outputs. An objective has the parameters

    weight : float
        Weight of its terms, against 1 for the labels. Zero trains exactly what `Supervised` trains.
    ramp : float
        Fraction of training over which the weight of the unlabeled terms rises from near 0.
    ratio : float
        Unlabeled rows in a step, as a fraction of `batch_size`.

    and returns `unlabeled_terms`, `labeled_terms` or both. With ``strong = True`` the student sees
    strong views of unlabeled rows. With ``needs = "classes"`` it serves classifiers alone.
    """

    needs: ClassVar[Needs] = "targets"
    strong: bool = False  # whether the student sees strong views of unlabeled rows
    weight: float = 0
    ramp: float = 0
    ratio: float = 0
    _parameter_constraints: dict[str, list[Any]] = {"weight": NOT_NEGATIVE, "ramp": FRACTION, "ratio": POSITIVE}

    @property
    def unlabeled_ratio(self) -> float:
        """Unlabeled rows in a step; none where they have no weight."""
        return self.ratio if self.weight else 0.0

    def view(self, model: Any, batch: Batch) -> Tensor:
        """Return the embedded steps (n, T, E) that the student sees, perturbed."""
        if self.strong:
            return weak_and_strong(model, batch)
        return model.view(batch.values, batch.lengths, batch.generator)

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return loss terms of labeled rows, given the student's view (n, T, E) and outputs (n, ...) of them."""
        return {}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return loss terms of unlabeled rows, given the student's view (n, T, E) and outputs (n, ...) of them."""
        return {}

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return `"supervised"` where the batch has labels, and what the algorithm adds."""
        batch = replace(batch, strong=self.strong)
        view = self.view(model, batch)
        outputs = model.train_outputs(view, batch.lengths, batch.generator, batch.n_labeled)
        terms = {"supervised": supervised_loss(model, outputs, batch)} if batch.n_labeled else {}
        return terms | self.added_terms(model, batch, view, outputs)

    def added_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return the labeled and the unlabeled terms, times their weights so far."""
        if not self.weight:
            return {}
        k, terms = batch.n_labeled, {}
        if k:
            added = self.labeled_terms(model, batch.labeled, view[:k], outputs[:k])
            terms = {name: self.weight * term for name, term in added.items()}
        if k < len(batch):
            self.observe(**model.task.monitored(outputs[k:]))
            weight = self.weight * ramp_up(batch.progress, self.ramp)
            added = self.unlabeled_terms(model, batch.unlabeled, view[k:], outputs[k:])
            terms |= {name: weight * term for name, term in added.items()}
        return terms

    def __add__(self, other: SemiSupervisedObjective) -> Objective:
        """Return the `Sum` of both."""
        from ._sum import Sum  # which is built on this file

        return Sum(self, other)

    def observed(self) -> dict[str, Any]:
        """Return the means since the last call, and how even the predicted classes were on average."""
        observed = super().observed()
        if "class_share" in observed:
            observed["class_entropy"] = evenness(observed["class_share"])
        if "confident" in observed:
            self.most_confident_ = max(getattr(self, "most_confident_", 0.0), observed["confident"])
        return observed

    def troubles(self, history: Any) -> Iterator[str]:
        """Say whether the net ended with one class for all rows, and whether no row passed the threshold."""
        share = [value for name, value in history[-1].items() if name.startswith("class_share_")]
        if len(share) > 1 and max(share) == 1:
            yield (
                f"Training ended with all unlabeled rows in class {share.index(1)} of the {len(share)} in classes_. "
                "Lower the weight of the objective, or label more rows."
            )
        if getattr(self, "most_confident_", 1) == 0:
            yield nothing_passed(self)


def weak_and_strong(model: Any, batch: Batch) -> Tensor:
    """Return a weak view of the labeled rows and a strong one of the others, (n, T, E)."""
    views = []
    if batch.n_labeled:
        known = batch.labeled
        views.append(model.view(known.values, known.lengths, batch.generator))
    if batch.n_labeled < len(batch):
        others = batch.unlabeled
        views.append(model.view(others.values, others.lengths, batch.generator, strong=True))
    return torch.cat(views)


@torch.no_grad()
def confident(task: Any, answers: Tensor, threshold: float) -> Tensor:
    """Return 1 for rows (n,) whose answer is sure enough, else 0."""
    return (task.confidence(answers) >= threshold).float()


def evenness(share: list[float]) -> float:
    """Entropy of the shares, 1 where all are alike and 0 where one has all."""
    entropy = -sum(p * math.log(p) for p in share if p > 0)
    return entropy / math.log(len(share)) if len(share) > 1 else 1.0


def nothing_passed(objective: Any) -> str:
    """Text of a warning that only labels trained the net."""
    return (
        f"{type(objective).__name__} trained on the labels alone: no unlabeled row passed "
        f"threshold={getattr(objective, 'threshold', None)}. Lower threshold, or raise max_epochs."
    )
