"""Perturbations of single steps, as done to the words of a text; they act on embedded tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._sklearn import SHARE
from ._base import Perturbation, Steps
from ._functions import all_but_one, pick, pick_any, uniform


class StepDrop(Perturbation):
    """Zero whole steps at random (word dropout).

    Parameters
    ----------
    share : float, default=0.1
        Probability that a step is dropped; one of each sequence always stays.

    Notes
    -----
    The draws go step by step, so another padded length draws others.

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
    """Swap steps with their neighbours at random.

    Parameters
    ----------
    share : float, default=0.1
        Probability that a pair is swapped, of the pairs that each sequence is parted into, from its
        first or its second step on.

    Notes
    -----
    The draws go step by step, so another padded length draws others.

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

    _parameter_constraints: dict[str, list[Any]] = {"share": SHARE}

    def __init__(self, share: float = 0.1):
        self.share = share

    def perturb(self, x: Tensor, steps: Steps, generator: torch.Generator) -> Tensor:
        """Take each step of a swapped pair from the other's place."""
        late = uniform(x, generator, len(x), 1) < 0.5  # pairs from the second step on
        draws = uniform(x, generator, *x.shape[:2])
        second = (steps.index + late) & 1  # (n, T)
        first = steps.index - second
        whole = (first >= 0) & (first < steps.last)
        swapped = whole & (draws.gather(1, first.clamp_min(0)) < self.share)
        return pick(x, steps.index + swapped * (1 - 2 * second))


class Replacement(Perturbation):
    """Replace steps by steps of the other sequences of the batch.

    For tokens, that is a draw from the frequencies of the words in the batch; a batch of one
    sequence stays as it is.

    Parameters
    ----------
    share : float, default=0.1
        Probability that a step is replaced.

    Notes
    -----
    The draws go step by step, so another padded length draws others.

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
        """Take replaced steps from elsewhere; the steps of all sequences count as one circle."""
        n, n_steps, _ = x.shape
        draws = uniform(x, generator, 2, n, n_steps)
        lengths = steps.ends.long()
        stops = lengths.cumsum(0)
        others = stops[-1] - lengths
        other = (stops[:, None] + (draws[0] * others[:, None]).long()) % stops[-1]  # from the own end on
        if steps.inside is not None:
            other = steps.inside.flatten().nonzero().squeeze(1)[other]  # (n, T), now counts padding too
        own = torch.arange(n * n_steps, device=x.device).view(n, n_steps)
        replaced = (draws[1] < self.share) & (others > 0)[:, None]
        return pick_any(x, torch.where(replaced, other, own))
