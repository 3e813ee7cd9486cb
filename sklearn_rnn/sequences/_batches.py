"""Which rows make a step: shuffled, like lengths together, labeled and unlabeled mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ._batch import Batch
from ._sequences import Sequences

WINDOW = 20  # batches sorted by length together
MAX_STEPS = 1 << 18  # padded time steps in a batch
MIN_STEPS_PER_EPOCH = 25
FILE_BLOCK = 8192  # rows of a memory map read near each other


@dataclass(frozen=True)
class TrainingSet:
    """Sequences with their targets and weights, and which of them are labeled.

    The `weights` of labeled rows hold the `class_weights` already; rows labeled later get theirs then.

    An **epoch** is one pass over the labeled rows, in at least 25 optimiser steps: where labels are
    few, they come again. Each step takes up to `batch_size` labeled rows, and beside them
    ``ratio * batch_size`` unlabeled ones, from a pass of their own that goes on from epoch to epoch.
    Unlabeled rows that are thousands of steps longer than the labeled ones leave room for fewer of both
    in a step, and an epoch is less than a pass.
    With no labeled rows (unsupervised objectives) an epoch is one pass over the rows. So 10 labels
    among 100,000 rows cost 25 steps an epoch, not 100,000 rows.
    """

    sequences: Sequences
    targets: NDArray
    weights: NDArray[np.float32] | None
    labeled: NDArray
    unlabeled: NDArray
    class_weights: NDArray | None = None

    def __len__(self) -> int:
        return len(self.labeled) + len(self.unlabeled)

    def relabeled(self, targets: NDArray[np.int64]) -> TrainingSet:
        """Return the set with other class numbers, -1 where unlabeled; rows that were held out stay so."""
        rows = np.concatenate([self.labeled, self.unlabeled])
        known, weights = targets[rows] >= 0, self.weights
        if weights is not None and self.class_weights is not None:
            new = np.flatnonzero((self.targets < 0) & (targets >= 0))
            weights = weights.copy()
            weights[new] *= self.class_weights[targets[new]]
        labeled, unlabeled = np.sort(rows[known]), np.sort(rows[~known])
        return replace(self, targets=targets, weights=weights, labeled=labeled, unlabeled=unlabeled)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Optimiser steps in an epoch."""
        rows = self.labeled if len(self.labeled) else self.unlabeled
        rows = rows[np.argsort(self.sequences.lengths[rows], kind="stable")]
        return max(MIN_STEPS_PER_EPOCH, len(self.in_order(rows, batch_size)))

    def training_batches(self, batch_size: int, ratio: float, random: np.random.Generator) -> Iterator[Batch]:
        """Batches for ever; noise and progress are set by who trains."""
        n_unlabeled = min(max(1, round(ratio * batch_size)), len(self.unlabeled)) if ratio else 0
        seeds = random.spawn(2)
        labeled = self._endless(self.labeled, batch_size, seeds[0])
        unlabeled = self._endless(self.unlabeled, n_unlabeled, seeds[1])
        left = self.labeled[:0]
        while True:
            some, others = left if len(left) else next(labeled), next(unlabeled)
            if len(some) and len(others):  # each part is small alone, but both are padded to the longest of all
                room = max(1, MAX_STEPS // int(self.sequences.lengths[np.concatenate([some, others])].max()))
                every = -(-len(some) // room)
                some, left = some[::every], np.delete(some, np.s_[::every])
                others = others[:: -(-len(others) // room)]
            yield self.batch(np.concatenate([some, others]) if len(others) else some, len(some))

    def in_order(self, rows: NDArray, batch_size: int) -> list[NDArray]:
        """Cut `rows` into batches that are small when padded."""
        return like_lengths(rows, self.sequences.lengths[rows], batch_size, MAX_STEPS)[::-1]

    def in_turn(self, batch_size: int) -> list[NDArray]:
        """Return the batches that are validated: of the labeled rows, or of all where none is labeled."""
        return self.in_order(self.labeled if len(self.labeled) else self.unlabeled, batch_size)

    def batch(self, rows: NDArray, n_labeled: int) -> Batch:
        """Read `rows`, the labeled ones first."""
        values, lengths = self.sequences.batch(rows)
        return Batch(
            values=torch.from_numpy(values),
            lengths=None if lengths is None else torch.from_numpy(lengths),
            targets=torch.from_numpy(self.targets[rows]),
            rows=torch.from_numpy(rows),
            weights=None if self.weights is None else torch.from_numpy(self.weights[rows]),
            n_labeled=n_labeled,
            generator=None,
            progress=0.0,
        )

    def _endless(self, rows: NDArray, batch_size: int, random: np.random.Generator) -> Iterator[NDArray]:
        if len(rows) == 0 or batch_size == 0:
            while True:
                yield rows[:0]
        while True:
            yield from one_pass(self.sequences, rows, batch_size, random)


def one_pass(sequences: Sequences, rows: NDArray, batch_size: int, random: np.random.Generator) -> Iterator[NDArray]:
    """Shuffled batches over all `rows`, of equal sizes; like lengths together where lengths differ."""
    order = _shuffled(rows, FILE_BLOCK if sequences.pages is not None else len(rows), random)
    n_batches = -(-len(rows) // batch_size)
    if sequences.equal:
        size = min(len(rows), max(1, MAX_STEPS // int(sequences.lengths[0])))
        yield from np.array_split(order, max(n_batches, -(-len(rows) // size)))
        return
    for window in np.array_split(order, -(-n_batches // WINDOW)):
        window = window[np.argsort(sequences.lengths[window], kind="stable")]
        batches = like_lengths(window, sequences.lengths[window], batch_size, MAX_STEPS)
        for i in random.permutation(len(batches)):
            yield batches[i]


def like_lengths(rows: NDArray, lengths: NDArray, batch_size: int, max_steps: int) -> list[NDArray]:
    """Cut rows into parts of equal size, last ones first, halved until each is small when padded."""
    parts = np.array_split(np.arange(len(rows)), -(-len(rows) // batch_size))
    batches = []
    while parts:
        part = parts.pop()
        if len(part) > 1 and len(part) * lengths[part].max() > max_steps:
            parts += [part[: len(part) // 2], part[len(part) // 2 :]]
        else:
            batches.append(rows[part])
    return batches


def _shuffled(rows: NDArray, block: int, random: np.random.Generator) -> NDArray:
    if block >= len(rows):
        return random.permutation(rows)
    blocks = np.array_split(rows, -(-len(rows) // block))
    return np.concatenate([random.permutation(blocks[i]) for i in random.permutation(len(blocks))])
