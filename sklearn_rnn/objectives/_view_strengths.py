"""How strong each kind of change in strong views may be, found from the labeled rows."""

from __future__ import annotations

from typing import Any

import torch

from ..modules import Model
from ..sequences import Batch

EVERY = 10  # optimiser steps from one measurement to the next
MOMENTUM = 0.8  # of the running means, per measurement
MOST_ROWS = 64  # labeled rows in a measurement
NONE, FULL = 0.6, 0.9  # share of the probability that is left with which a kind has strength 0 and 1


class ViewStrengths:
    """Strengths of the kinds of change in strong views, between those of light views (0) and their largest (1).

    Which changes keep the class differs from one data set to the next. From time to time the teacher answers for a
    light view of labeled rows, and for views with one kind of change at its largest. Where that takes from the
    probability of the true class, the kind is made weaker, as in CTAugment.

    Parameters
    ----------
    augmentation : Perturbation
        Has `kinds`, the names of the kinds, `only(kind)`, a perturbation with that kind at its largest, and
        `strengths_`, a dict that is updated.

    Attributes
    ----------
    kept : Tensor of shape (1 + n_kinds,)
        Running means of the probability of the true class: in light views, then in views of each kind.
    n_measured : int
        Number of calls of `measure`.

    References
    ----------
    Berthelot et al. (2020), "ReMixMatch: semi-supervised learning with distribution alignment and
    augmentation anchoring", ICLR.
    """

    @classmethod
    def of(cls, model: Model) -> ViewStrengths | None:
        """Return the strengths of the model's strong views; None if they are fixed."""
        augmentation = getattr(model, "strong_augmentation", None)
        return cls(augmentation) if getattr(augmentation, "adapt", False) else None

    def __init__(self, augmentation: Any):
        self.augmentation = augmentation
        self.kept = torch.ones(1 + len(augmentation.kinds))
        self.n_measured = 0
        self._share()

    def state_dict(self) -> dict[str, Any]:
        """Return the running means, and the number of calls."""
        return {"kept": self.kept, "n_measured": self.n_measured}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set the running means, and the number of calls."""
        self.kept, self.n_measured = state["kept"].clone(), state["n_measured"]
        self._share()

    @torch.no_grad()
    def measure(self, teacher: Any, batch: Batch) -> None:
        """Update the strengths from some of the labeled rows; in one step of `EVERY`."""
        self.n_measured += 1
        if self.n_measured % EVERY:
            return
        rows = slice(MOST_ROWS)
        targets, lengths = batch.targets[rows], None if batch.lengths is None else batch.lengths[rows]
        embedded = teacher.encoder.embed(batch.values[rows])
        kinds = (None, *self.augmentation.kinds)
        views = [self.augmentation.only(kind)(embedded, lengths, batch.generator) for kind in kinds]
        n, n_views = len(targets), len(views)
        lengths = None if lengths is None else lengths.repeat(n_views)
        answers = teacher.task.answers(teacher.train_outputs(torch.cat(views), lengths))
        true = answers.gather(1, targets.repeat(n_views)[:, None]).view(n_views, n).mean(1)
        self.kept = true.cpu().lerp(self.kept, MOMENTUM)
        self._share()

    def _share(self) -> None:
        left = self.kept[1:] / self.kept[0].clamp_min(1e-6)
        strengths = ((left - NONE) / (FULL - NONE)).clamp(0, 1).tolist()
        self.augmentation.strengths_ = dict(zip(self.augmentation.kinds, strengths, strict=True))
