"""Learning to find the second view of the same sequence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .._documented import documented, parameter
from .._sklearn import FRACTION, POSITIVE, SHARE
from ..modules import Model, full_precision, linear, n_patches
from ..sequences import Batch
from . import _parameters as shared
from ._across_inputs import across_loss, across_projections
from ._step_errors import known_lengths, window
from ._unsupervised import UnsupervisedObjective

MAX_STATES = 256  # of a sequence that are compared
View: TypeAlias = tuple[Tensor, Tensor, Tensor | None]  # first patches, states and their lengths


@documented
@dataclass(repr=False, eq=False)
class Contrastive(UnsupervisedObjective):
    r"""Contrastive embeddings: two views of a sequence are more similar than views of different sequences.

    For each of the 2 n views in a batch, the other view :math:`z_i^+` of the same sequence is to be found:

    .. math:: - \frac{1}{2 n} \sum_i \log
        \frac{\exp(\cos(z_i, z_i^+) / \tau)}{\sum_{j \ne i} \exp(\cos(z_i, z_j) / \tau)}

    where z is the output of a small net that reads the embedding and is dropped after training. The temporal term is
    the same with states instead of embeddings: within each sequence, the state at a step of one view is to be found
    among the states of the other view. The views are perturbed by the estimator's `strong_augmentation`, so the
    embeddings lose the information that it changes; with the default for numbers, that is the scale of the values.
    If rows have several inputs, each input is compared with itself, and the terms are means over the inputs; or
    `across_inputs`.

    In `history_`, `found` is the fraction of views whose other view is the most similar of the batch.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Chen, Kornblith, Norouzi and Hinton (2020), "A simple framework for contrastive learning of visual
    representations", ICML.

    Zhang, Jiang, Miura, Manning and Langlotz (2020), "Contrastive learning of medical visual representations from
    paired images and text", arXiv:2010.00747.

    Radford et al. (2021), "Learning transferable visual models from natural language supervision", ICML.

    Yue et al. (2022), "TS2Vec: towards universal representation of time series", AAAI.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import Contrastive
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=Contrastive(temporal=0.5))
    """

    compares_views = True

    temperature: float = shared.number(0.2, POSITIVE, r"Temperature :math:`\tau`.")
    crop: float = shared.number(
        0.0,
        SHARE,
        """
        Largest fraction of the patches that is cut off at both ends of a view together. If it is above 0, views are
        windows, as in TS2Vec.
        """,
    )
    temporal: float = shared.number(
        0.0, FRACTION, "Weight of the temporal term; the other term has weight ``1 - temporal``."
    )

    across_inputs: bool = parameter(
        False,
        ["boolean"],
        "bool",
        """
        Whether the views are the inputs of a row, such as a picture and a sound: for an input of each row, the other
        input of the same row is to be found among those of all rows (Zhang 2020, Radford 2021). Each pair of inputs
        that are sequences counts, in rows that have both. `crop` and `temporal` are not used.
        """,
    )

    @property
    def several_inputs(self) -> bool:  # type: ignore[override]
        """Whether it compares the inputs of a row."""
        return self.across_inputs

    @property
    def by_input(self) -> bool:  # type: ignore[override]
        """Whether it compares views of each input."""
        return not self.across_inputs

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"projection"` of embeddings and the `"temporal_projection"` of states, if they have weight.

        With `across_inputs`, return the `"projections"` of the inputs.
        """
        if self.across_inputs:
            return {"projections": across_projections(encoder)}
        widths = {}
        if self.temporal < 1:
            widths["projection"] = encoder.out_features
        if self.temporal > 0:
            widths["temporal_projection"] = encoder.recurrence.out_features
        size = encoder.architecture.hidden_size
        return {name: nn.Sequential(linear(n, size), nn.ReLU(), linear(size, size)) for name, n in widths.items()}

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return `"instance"` and `"temporal"`, if they have weight; with `across_inputs`, `"across"`."""
        if self.across_inputs:
            loss, share = across_loss(model, batch, self.temperature)
            if torch.is_grad_enabled():
                self.observe(found=share)
            return {"across": loss}
        views = [self._view(model, batch) for _ in range(2)]
        terms = {}
        if self.temporal < 1:
            embeddings = [model.encoder.pooled(states, lengths, batch.generator) for _, states, lengths in views]
            first, second = (model.parts["projection"](embedding)[None] for embedding in embeddings)  # (1, n, H)
            mask = torch.ones(1, len(batch), dtype=torch.bool, device=first.device)
            if torch.is_grad_enabled():  # not in validation
                self.observe(found=found(first[0], second[0]))
                self.rivals_ = 2 * len(batch) - 1
            terms["instance"] = (1 - self.temporal) * contrastive_loss(first, second, mask, self.temperature)
        if self.temporal > 0:
            first, second, mask = common_states(*views)
            first, second = (model.parts["temporal_projection"](states) for states in (first, second))
            terms["temporal"] = self.temporal * contrastive_loss(first, second, mask, self.temperature)
        return terms

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield a text for a term that had nothing to compare, and one if the views are found by chance."""
        if self.across_inputs:
            if max(history[:, "across"]) == 0:
                yield "Contrastive found no two rows of a batch with the same two inputs. Pass more such rows."
            return
        if self.temporal < 1 and max(history[:, "instance"]) == 0:
            yield "Contrastive had one sequence in each batch, and no other to compare it with. Pass more sequences."
        elif self.temporal < 1 and history[-1, "instance"] > 0.99 * (1 - self.temporal) * math.log(self.rivals_):
            yield (
                "Contrastive did not learn to tell sequences apart: the other view is found by chance. Lower "
                f"temperature (now {self.temperature}) or lr, use a weaker strong_augmentation, or raise max_epochs."
            )
        if self.temporal > 0 and max(history[:, "temporal"]) == 0:
            yield (
                "The temporal term of Contrastive trained nothing: no two views share two patches. Lower crop "
                f"(now {self.crop}) or patch_size."
            )

    def _view(self, model: Model, batch: Batch) -> View:
        first, window = cropped(batch, self.crop, model.encoder.architecture.patch_size)
        embedded = model.view(window.values, window.lengths, batch.generator, strong=True)
        return first, *model.encoder.states(embedded, window.lengths, batch.generator)


def cropped(batch: Batch, crop: float, patch_size: int) -> tuple[Tensor, Batch]:
    """Cut up to the fraction `crop` of its patches off each sequence; returns the first patches (n,) left, and these.

    Without a generator nothing is cut.
    """
    lengths = known_lengths(batch)
    if batch.generator is None or crop == 0:
        return torch.zeros_like(lengths), batch
    draws = torch.rand(2, len(batch), generator=batch.generator, device=lengths.device)
    n = n_patches(lengths, patch_size)
    cut = (draws[0] * ((crop * n).floor() + 1)).floor()
    first = (draws[1] * (cut + 1)).floor().long()
    ends = lengths.minimum((n - cut.long() + first) * patch_size)
    return first, window(batch, first * patch_size, ends - first * patch_size)


def common_states(one: View, other: View) -> tuple[Tensor, Tensor, Tensor]:
    """States (n, m, S) of both views at the patches of the first, and the mask (n, m) of patches that both have."""
    (first, states, lengths), (other_first, other_states, other_lengths) = one, other
    ends = torch.full_like(first, states.shape[1]) if lengths is None else lengths
    every = (ends + MAX_STATES - 1) // MAX_STATES  # in long sequences, every second, third, ... state
    n_patches = int(((ends + every - 1) // every).max())
    patches = torch.arange(n_patches, device=states.device) * every[:, None]  # (n, m)
    other_patches = patches + (first - other_first)[:, None]
    other_ends = other_states.shape[1] if other_lengths is None else other_lengths[:, None]
    mask = (patches < ends[:, None]) & (other_patches >= 0) & (other_patches < other_ends)
    return _taken(states, patches), _taken(other_states, other_patches), mask


def _taken(states: Tensor, patches: Tensor) -> Tensor:
    """States (n, m, S) at `patches` (n, m); the first or last state if a patch lies outside."""
    return states.gather(1, patches.clamp(0, states.shape[1] - 1)[:, :, None].expand(-1, -1, states.shape[2]))


@torch.no_grad()
def found(one: Tensor, other: Tensor) -> Tensor:
    """Fraction of the rows of `one` (n, H) for which the most similar row of `other` is the one at the same place."""
    similarity = normalize(one, dim=1) @ normalize(other, dim=1).t()
    return (similarity.argmax(1) == torch.arange(len(one), device=one.device)).float().mean()


def contrastive_loss(one: Tensor, other: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy of finding, for each vector of `one` and `other` (g, m, H), its partner in its group.

    Vectors outside the `mask` (g, m) do not count.
    """
    z = normalize(torch.cat([one, other], dim=1), dim=2)
    mask = torch.cat([mask, mask], dim=1)
    m = one.shape[1]
    similarity = full_precision(z @ z.transpose(1, 2)) / temperature  # (g, 2 m, 2 m); the product is half in autocast
    pairs = torch.cat([similarity.diagonal(m, 1, 2), similarity.diagonal(-m, 1, 2)], dim=1)
    itself = torch.eye(2 * m, dtype=torch.bool, device=z.device)
    errors = similarity.masked_fill(itself | ~mask[:, None], torch.finfo(similarity.dtype).min).logsumexp(2) - pairs
    n_compared = mask.sum(1)
    return (errors.where(mask, 0).sum(1) / n_compared.clamp_min(1)).sum() / (n_compared > 0).sum().clamp_min(1)
