"""From probabilities of labels and blanks to transcripts: the best path, and the best labels by beam search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..modules import step_mask

Prefix = tuple[int, ...]


def best_path(log_probabilities: Tensor, ends: Tensor) -> Tensor:
    """Collapse the most probable label of each step: repeats count once, and blanks are dropped.

    Parameters
    ----------
    log_probabilities : Tensor of shape (n, T, K + 1)
        Logarithms of probabilities; the last column is the blank.
    ends : Tensor of shape (n,)
        Number of steps of each sequence.

    Returns
    -------
    numbers : Tensor of shape (n, L)
        Class numbers, followed by -1.
    """
    blank = log_probabilities.shape[2] - 1
    best = log_probabilities.argmax(2)  # (n, T)
    inside = step_mask(ends, best.shape[1])
    begins = torch.ones_like(inside)
    begins[:, 1:] = best[:, 1:] != best[:, :-1]
    kept = inside & begins & (best != blank)
    place = kept.cumsum(1) - 1
    numbers = best.new_full((len(best), max(1, int(kept.sum(1).max()))), -1)
    rows = torch.arange(len(best), device=best.device)[:, None].expand_as(best)
    numbers[rows[kept], place[kept]] = best[kept]
    return numbers


@dataclass
class _Beam:
    """Prefixes of transcripts, with the logarithms of the probability of the steps so far that collapse to each.

    Attributes
    ----------
    prefixes : list of tuple
        Class numbers.
    blank : ndarray of shape (B,)
        Of paths that end in a blank.
    label : ndarray of shape (B,)
        Of paths that end in the last label of the prefix.
    """

    prefixes: list[Prefix]
    blank: NDArray[np.float64]
    label: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        return np.logaddexp(self.blank, self.label)

    def step(self, log_p: NDArray, width: int) -> _Beam:
        """Return the `width` most probable prefixes after a further step, given its log-probabilities (K + 1,)."""
        n, n_classes = len(self.prefixes), len(log_p) - 1
        last = np.array([prefix[-1] if prefix else -1 for prefix in self.prefixes])
        some = np.flatnonzero(last >= 0)
        longer = self.total[:, None] + log_p[:-1]  # (B, K): one more label
        longer[some, last[some]] = self.blank[some] + log_p[last[some]]  # a repeat needs a blank before it
        stay = np.full(n, -np.inf)
        stay[some] = self.label[some] + log_p[last[some]]
        place = {prefix: i for i, prefix in enumerate(self.prefixes)}
        for i in some:  # a longer prefix that is in the beam already
            parent = place.get(self.prefixes[i][:-1])
            if parent is not None:
                stay[i] = np.logaddexp(stay[i], longer[parent, last[i]])
                longer[parent, last[i]] = -np.inf
        blank = np.concatenate([self.total + log_p[-1], np.full(longer.size, -np.inf)])
        label = np.concatenate([stay, longer.ravel()])
        totals = np.logaddexp(blank, label)
        best = np.argsort(-totals, kind="stable")[:width]
        best = best[totals[best] > -np.inf]
        old = np.maximum(best - n, 0)
        prefixes = [
            self.prefixes[i] if i < n else (*self.prefixes[j // n_classes], int(j % n_classes))
            for i, j in zip(best, old, strict=True)
        ]
        return _Beam(prefixes, blank[best], label[best])


def beam_search(log_probabilities: NDArray, width: int) -> NDArray[np.int64]:
    """Search for the most probable transcript, over all paths that collapse to it.

    Parameters
    ----------
    log_probabilities : ndarray of shape (T, K + 1)
        Logarithms of probabilities of a sequence; the last column is the blank.
    width : int
        Number of prefixes that are kept at each step. With all of them the result is exact.

    Returns
    -------
    numbers : ndarray of shape (L,)
        Class numbers.

    References
    ----------
    Hannun, Maas, Jurafsky and Ng (2014), "First-pass large vocabulary continuous speech recognition using
    bi-directional recurrent DNNs", arXiv:1408.2873.
    """
    beam = _Beam([()], np.zeros(1), np.full(1, -np.inf))
    for log_p in np.asarray(log_probabilities, dtype=np.float64):
        beam = beam.step(log_p, width)
    return np.array(beam.prefixes[int(np.argmax(beam.total))], dtype=np.int64)
