"""Learning to tell which two views are of the same sequence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .._sklearn import FRACTION, POSITIVE, SHARE
from ..modules import full_precision, linear
from ..sequences import Batch
from ._representation import UnsupervisedObjective, own_lengths, window

MAX_STATES = 256  # of a sequence that are told apart
View: TypeAlias = tuple[Tensor, Tensor, Tensor | None]  # first patches, states and their lengths


class Contrastive(UnsupervisedObjective):
    r"""Contrastive codes: two views of a sequence are more alike than those of different ones.

    Of each of the 2 n views of a batch, the other view :math:`z_i^+` of its sequence is to be found:

    .. math:: - \frac{1}{2 n} \sum_i \log
        \frac{\exp(\cos(z_i, z_i^+) / \tau)}{\sum_{j \ne i} \exp(\cos(z_i, z_j) / \tau)}

    where z is a small net's answer to the code, which is dropped later. The same with the states of the
    two views at the steps that both hold, told apart within each sequence, is the temporal term. The
    views are perturbed by the estimator's `strong_augmentation`, so codes forget what that changes: the
    scale of values, with the default for numbers. In `history_`, `found` is the share of views whose
    other one is the most alike of the batch.

    Parameters
    ----------
    temperature : float, default=0.2
        Temperature :math:`\tau`.
    crop : float, default=0
        Largest share of a sequence's patches cut off for a view, at both ends together: above 0, views
        are windows, as in TS2Vec.
    temporal : float, default=0
        Weight of the temporal term, against 1 less that of the other.

    References
    ----------
    Chen, Kornblith, Norouzi and Hinton (2020), "A simple framework for contrastive learning of visual
    representations", ICML. Yue et al. (2022), "TS2Vec: towards universal representation of time series",
    AAAI.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import Contrastive
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=Contrastive(temporal=0.5))
    """

    tells_views: bool = True
    _parameter_constraints: dict[str, list[Any]] = {"temperature": POSITIVE, "crop": SHARE, "temporal": FRACTION}

    def __init__(self, temperature: float = 0.2, crop: float = 0.0, temporal: float = 0.0):
        self.temperature = temperature
        self.crop = crop
        self.temporal = temporal

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return `"projection"` of codes and `"temporal_projection"` of states, where their term has weight."""
        widths = {}
        if self.temporal < 1:
            widths["projection"] = encoder.out_features
        if self.temporal > 0:
            widths["temporal_projection"] = encoder.recurrence.out_features
        size = encoder.architecture.hidden_size
        return {name: nn.Sequential(linear(n, size), nn.ReLU(), linear(size, size)) for name, n in widths.items()}

    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Return `"instance"` and `"temporal"`, where they have weight."""
        views = [self._view(model, batch) for _ in range(2)]
        terms = {}
        if self.temporal < 1:
            codes = [model.encoder.pooled(states, lengths, batch.generator) for _, states, lengths in views]
            one, other = (model.parts["projection"](code)[None] for code in codes)  # (1, n, H)
            told = torch.ones(1, len(batch), dtype=torch.bool, device=one.device)
            if torch.is_grad_enabled():  # not in validation
                self.observe(found=found(one[0], other[0]))
                self.rivals_ = 2 * len(batch) - 1
            terms["instance"] = (1 - self.temporal) * likeness_error(one, other, told, self.temperature)
        if self.temporal > 0:
            one, other, told = both_hold(*views)
            one, other = (model.parts["temporal_projection"](states) for states in (one, other))
            terms["temporal"] = self.temporal * likeness_error(one, other, told, self.temperature)
        return terms

    def troubles(self, history: Any) -> Iterator[str]:
        """Say which term had nothing to tell apart, and whether the codes are all alike."""
        if self.temporal < 1 and max(history[:, "instance"]) == 0:
            yield "Contrastive had one sequence in each batch, and nothing to tell it from. Give it more."
        elif self.temporal < 1 and history[-1, "instance"] > 0.99 * (1 - self.temporal) * math.log(self.rivals_):
            yield (
                "Contrastive did not learn to tell sequences apart: the other view is found by chance. Lower "
                f"temperature (now {self.temperature}) or lr, perturb less, or raise max_epochs."
            )
        if self.temporal > 0 and max(history[:, "temporal"]) == 0:
            yield (
                "The temporal term of Contrastive trained nothing: no two views share two patches. Lower crop "
                f"(now {self.crop}) or patch_size."
            )

    def _view(self, model: Any, batch: Batch) -> View:
        first, window = cropped(batch, self.crop, model.encoder.architecture.patch_size)
        embedded = model.view(window.values, window.lengths, batch.generator, strong=True)
        return first, *model.encoder.states(embedded, window.lengths, batch.generator)


def cropped(batch: Batch, crop: float, patch_size: int) -> tuple[Tensor, Batch]:
    """Cut up to a share of its patches off the ends of each sequence; returns the first patches (n,) left too."""
    lengths = own_lengths(batch)
    if batch.generator is None or crop == 0:
        return torch.zeros_like(lengths), batch
    draws = torch.rand(2, len(batch), generator=batch.generator, device=lengths.device)
    n_patches = (lengths + patch_size - 1) // patch_size
    cut = (draws[0] * ((crop * n_patches).floor() + 1)).floor()
    first = (draws[1] * (cut + 1)).floor().long()
    ends = lengths.minimum((n_patches - cut.long() + first) * patch_size)
    return first, window(batch, first * patch_size, ends - first * patch_size)


def both_hold(one: View, other: View) -> tuple[Tensor, Tensor, Tensor]:
    """States (n, m, S) of each view at the patches of the first, and whether both views hold them (n, m)."""
    (first, states, lengths), (other_first, others, other_lengths) = one, other
    ends = torch.full_like(first, states.shape[1]) if lengths is None else lengths
    every = (ends + MAX_STATES - 1) // MAX_STATES  # of long sequences not all
    n_patches = int(((ends + every - 1) // every).max())
    patches = torch.arange(n_patches, device=states.device) * every[:, None]  # (n, m)
    there = patches + (first - other_first)[:, None]
    other_ends = others.shape[1] if other_lengths is None else other_lengths[:, None]
    told = (patches < ends[:, None]) & (there >= 0) & (there < other_ends)
    return _taken(states, patches), _taken(others, there), told


def _taken(states: Tensor, patches: Tensor) -> Tensor:
    """States (n, m, S) at `patches` (n, m); beyond the ends, the first or last."""
    return states.gather(1, patches.clamp(0, states.shape[1] - 1)[:, :, None].expand(-1, -1, states.shape[2]))


@torch.no_grad()
def found(one: Tensor, other: Tensor) -> Tensor:
    """Share of the rows of `one` (n, H) whose most alike of `other` is their own."""
    likeness = normalize(one, dim=1) @ normalize(other, dim=1).t()
    return (likeness.argmax(1) == torch.arange(len(one), device=one.device)).float().mean()


def likeness_error(one: Tensor, other: Tensor, told: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding each one's other (g, m, H) among all in its group, of those that are `told` (g, m)."""
    z = normalize(torch.cat([one, other], dim=1), dim=2)
    told = torch.cat([told, told], dim=1)
    m = one.shape[1]
    likeness = full_precision(z @ z.transpose(1, 2)) / temperature  # (g, 2 m, 2 m), of half where autocast says so
    pairs = torch.cat([likeness.diagonal(m, 1, 2), likeness.diagonal(-m, 1, 2)], dim=1)
    itself = torch.eye(2 * m, dtype=torch.bool, device=z.device)
    errors = likeness.masked_fill(itself | ~told[:, None], torch.finfo(likeness.dtype).min).logsumexp(2) - pairs
    n_told = told.sum(1)
    return (errors.where(told, 0).sum(1) / n_told.clamp_min(1)).sum() / (n_told > 0).sum().clamp_min(1)
