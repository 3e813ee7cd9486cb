"""The base of objectives that use labeled and unlabeled rows: one pass over both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from .._sklearn import FRACTION, NOT_NEGATIVE, POSITIVE
from ..modules import Model
from ..sequences import Batch
from ._alignment import Alignment, uniform_classes
from ._average import MovingAverage
from ._base import Needs, Objective, ramp_up, supervised_loss
from ._guard import Guard

LITTLE = 0.5  # factor of the guard below which there is a warning


class SemiSupervisedObjective(Objective):
    """Base of objectives that add terms to the task's loss of the labeled rows.

    All rows go through the net once. If the task has an answer for each step, outputs are those of the steps of all
    rows, one row after the other, without padding; what is said of rows then holds for steps. A subclass returns
    `unlabeled_terms`, `labeled_terms` or both. This class reads the parameters

    weight : float
        Weight of the added terms; the labeled rows have weight 1. With 0, the objective trains exactly what
        `Supervised` trains.
    ramp : float
        Fraction of training over which the weight of the unlabeled terms rises from near 0.
    ratio : float
        Number of unlabeled rows in an optimiser step, as a fraction of `batch_size`.
    memory : float
        Time constant of the teacher's weights, as a fraction of training; with 0, the default, there is no
        teacher. `predictor(model)` is the teacher if there is one, else the student.
    alignment : float
        Exponent of distribution alignment; ``self.alignment_.align(answers)`` applies it.
    guard : bool
        Whether the weight of the unlabeled terms is lowered where ``self.observe_classes`` records that teacher and
        student disagree about many unlabeled rows.

    With ``strong = True`` the student sees strong views of unlabeled rows. With ``needs = "classes"`` the objective
    is for classifiers and taggers only; with ``by_step = False`` not for taggers.
    """

    needs: ClassVar[Needs] = "targets"
    several_inputs = True
    strong: bool = False  # whether the student sees strong views of unlabeled rows
    weight: float = 0
    ramp: float = 0
    ratio: float = 0
    memory: float = 0
    alignment: float = 0
    alignment_: Any = None  # an `Alignment`, in training
    guard: bool = False
    guard_: Any = None  # a `Guard`, in training
    _parameter_constraints: dict[str, list[Any]] = {
        "weight": NOT_NEGATIVE,
        "ramp": FRACTION,
        "ratio": POSITIVE,
        "memory": FRACTION,
        "alignment": FRACTION,
    }

    @property
    def unlabeled_ratio(self) -> float:
        """Number of unlabeled rows in a step, as a fraction of `batch_size`; 0 if they have no weight."""
        return self.ratio if self.weight else 0.0

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Copy the student to a teacher, and begin to count the classes of the labeled rows."""
        self.teacher_ = MovingAverage.of(model, self.memory if self.weight else 0, n_steps)
        self.alignment_ = Alignment(uniform_classes(model), n_rows, self.alignment)
        self.guard_ = Guard() if self.guard else None

    def view(self, model: Model, batch: Batch) -> Tensor:
        """Return the perturbed embedded steps (n, T, E) that the student sees."""
        if self.strong:
            return weak_and_strong(model, batch)
        return model.view(batch.values, batch.lengths, batch.generator)

    def labeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return loss terms of labeled rows, given the student's view (n, T, E) and outputs (n, ...) of them."""
        return {}

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return loss terms of unlabeled rows, given the student's view (n, T, E) and outputs (n, ...) of them."""
        return {}

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return `"supervised"` if the batch has labeled rows, and the terms that the algorithm adds."""
        batch = replace(batch, strong=self.strong)
        view = self.view(model, batch)
        outputs = model.train_outputs(view, batch.lengths, batch.generator, batch.n_labeled)
        terms = {"supervised": supervised_loss(model, outputs, batch)} if batch.n_labeled else {}
        return terms | self.added_terms(model, batch, view, outputs)

    def observe_classes(self, confident: Tensor, agreement: Tensor | None) -> None:
        """Record which fraction of the unlabeled rows is confident, and for which teacher and student agree."""
        self.observe(confident=confident, agreement=agreement)
        if self.guard_ is not None and agreement is not None:
            self.guard_.follow(agreement)

    def added_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return the labeled and the unlabeled terms, times their weights at this point of training."""
        if not self.weight:
            return {}
        k, m, terms = batch.n_labeled, batch.n_answers, {}
        if k:
            if self.alignment_ is not None:
                self.alignment_.count(batch.labeled)
            added = self.labeled_terms(model, batch.labeled, view[:k], outputs[:m])
            terms = {name: self.weight * term for name, term in added.items()}
        if k < len(batch):
            self.observe(**model.task.monitored(outputs[m:]))
            weight = self.weight * ramp_up(batch.progress, self.ramp)
            if self.guard_ is not None:
                self.observe(guard=torch.tensor(self.guard_.factor))
                weight = weight * self.guard_.factor
            added = self.unlabeled_terms(model, batch.unlabeled, view[k:], outputs[m:])
            terms |= {name: weight * term for name, term in added.items()}
        return terms

    def finish(self, model: Model) -> None:
        """Drop the teacher and the counts of the classes."""
        super().finish(model)
        self.__dict__.pop("alignment_", None)
        self.__dict__.pop("guard_", None)

    def __add__(self, other: SemiSupervisedObjective) -> Objective:
        """Return the `Sum` of two objectives."""
        from ._sum import Sum  # whose base is this class

        return Sum(self, other)

    def observed(self) -> dict[str, Any]:
        """Return the means since the last call, and the entropy of the predicted classes."""
        observed = super().observed()
        if "class_share" in observed:
            observed["class_entropy"] = evenness(observed["class_share"])
        if "confident" in observed:
            self.most_confident_ = max(getattr(self, "most_confident_", 0.0), observed["confident"])
        return observed

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text if the net predicts one class for all rows, and one if no row passed the threshold."""
        fractions = [value for name, value in history[-1].items() if name.startswith("class_share_")]
        if len(fractions) > 1 and max(fractions) == 1:
            yield (
                f"Training ended with all unlabeled rows in class {fractions.index(1)} of the {len(fractions)} in "
                "classes_. Lower the weight of the objective, or label more rows."
            )
        if getattr(self, "most_confident_", 1) == 0:
            yield no_row_passed(self)
        elif history[-1].get("guard", 1) < LITTLE:
            yield little_weight(self, history[-1])


def weak_and_strong(model: Model, batch: Batch) -> Tensor:
    """Return a weak view of the labeled rows and a strong view of the unlabeled rows, (n, T, E)."""
    views = []
    if batch.n_labeled:
        labeled = batch.labeled
        views.append(model.view(labeled.values, labeled.lengths, batch.generator))
    if batch.n_labeled < len(batch):
        unlabeled = batch.unlabeled
        views.append(model.view(unlabeled.values, unlabeled.lengths, batch.generator, strong=True))
    return torch.cat(views)


@torch.no_grad()
def confident(task: Any, answers: Tensor, threshold: float) -> Tensor:
    """Return 1 for each row (n,) whose confidence is at least the threshold, else 0."""
    return (task.confidence(answers) >= threshold).float()


def evenness(fractions: list[float]) -> float:
    """Entropy of fractions, relative to the largest possible: 1 if all are equal, 0 if one of them is 1."""
    entropy = -sum(p * math.log(p) for p in fractions if p > 0)
    return entropy / math.log(len(fractions)) if len(fractions) > 1 else 1.0


def no_row_passed(objective: Any) -> str:
    """Text of a warning that the unlabeled rows trained nothing."""
    return (
        f"{type(objective).__name__} trained on the labels alone: no unlabeled row passed "
        f"threshold={getattr(objective, 'threshold', None)}. Lower threshold, or raise max_epochs."
    )


def little_weight(objective: Any, epoch: dict[str, Any]) -> str:
    """Text of a warning that the unlabeled rows trained little."""
    return (
        f"{type(objective).__name__} gave the unlabeled rows {epoch['guard']:.0%} of their weight at the end, because "
        f"teacher and student predict the same class for only {epoch['agreement']:.0%} of them. Label more rows, or "
        "check with compare_to_supervised whether the unlabeled rows help; guard=False gives them their full weight."
    )
