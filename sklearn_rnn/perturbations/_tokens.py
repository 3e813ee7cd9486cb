"""Perturbations of single steps, for the words of a text; they change embedded tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import SHARE
from ._base import Perturbation, Steps
from ._functions import all_but_one, pick, pick_any, uniform


class StepDrop(Perturbation):
    """Zero random steps (word dropout).

    Parameters
    ----------
    share : float, default=0.1
        Probability that a step is dropped; at least one step of each sequence is kept.

    Notes
    -----
    Each step has its own draw, so the draws depend on the padded length.

    References
    ----------
    Iyyer, Manjunatha, Boyd-Graber and Daumé (2015), "Deep unordered composition rivals syntactic
    methods for text classification", ACL.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import StepDrop
    >>> x = torch.ones(1, 6, 1)
    >>> StepDrop(0.5)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([0., 1., 0., 0., 0., 1.])
    """

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Zero the steps."""
        draws = uniform(x, generator, *x.shape[:2], 1)
        return x.masked_fill(all_but_one(steps.keep(draws), self.share), 0)


class Swap(Perturbation):
    """Swap random pairs of neighbouring steps.

    Parameters
    ----------
    share : float, default=0.1
        Probability that a pair is swapped. Each sequence is divided into pairs, from its first or its second step
        on.

    Notes
    -----
    Each step has its own draw, so the draws depend on the padded length.

    References
    ----------
    Artetxe, Labaka, Agirre and Cho (2018), "Unsupervised neural machine translation", ICLR.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Swap
    >>> x = torch.arange(6.0).reshape(1, 6, 1)
    >>> Swap(0.5)(x, None, torch.Generator().manual_seed(0)).flatten()
    tensor([0., 2., 1., 4., 3., 5.])
    """

    moves_steps = True
    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Exchange the two steps of each swapped pair."""
        late = uniform(x, generator, len(x), 1) < 0.5  # pairs from the second step on
        draws = uniform(x, generator, *x.shape[:2])
        second = (steps.index + late) & 1  # (n, T)
        first = steps.index - second
        whole = (first >= 0) & (first < steps.last)
        swapped = whole & (draws.gather(1, first.clamp_min(0)) < self.share)
        return pick(x, steps.index + swapped * (1 - 2 * second))


class Replacement(Perturbation):
    """Replace random steps by steps of other sequences of the batch.

    For tokens, the replacement is drawn with the frequencies of the words in the batch. A batch of one sequence is not
    changed.

    Parameters
    ----------
    share : float, default=0.1
        Probability that a step is replaced.

    Notes
    -----
    Each step has its own draw, so the draws depend on the padded length.

    References
    ----------
    Xie et al. (2017), "Data noising as smoothing in neural network language models", ICLR.

    Examples
    --------
    >>> import torch
    >>> from sklearn_rnn.perturbations import Replacement
    >>> x = torch.arange(10.0).reshape(2, 5, 1)
    >>> Replacement(0.3)(x, None, torch.Generator().manual_seed(0)).squeeze()
    tensor([[0., 1., 5., 5., 6.],
            [5., 6., 7., 2., 3.]])
    """

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Take replaced steps from other sequences; the steps of all sequences are numbered in a circle."""
        n, n_steps, _ = x.shape
        draws = uniform(x, generator, 2, n, n_steps)
        lengths = steps.ends.long()
        stops = lengths.cumsum(0)
        n_others = stops[-1] - lengths
        sources = (stops[:, None] + (draws[0] * n_others[:, None]).long()) % stops[-1]  # after the end of the sequence
        if steps.inside is not None:
            sources = steps.inside.flatten().nonzero().squeeze(1)[sources]  # (n, T), numbers that include padding
        places = torch.arange(n * n_steps, device=x.device).view(n, n_steps)
        replaced = (draws[1] < self.share) & (n_others > 0)[:, None]
        return pick_any(x, torch.where(replaced, sources, places))
