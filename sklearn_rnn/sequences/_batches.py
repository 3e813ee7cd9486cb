"""The batches of an epoch: shuffled, of similar lengths, with labeled and unlabeled rows."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ._ahead import read_ahead
from ._batch import Batch
from ._sequences import Sequences, all_steps, any_of_row

WINDOW = 20  # batches whose rows are sorted by length together
MAX_STEPS = 1 << 18  # padded time steps in a batch
MIN_PADDED = 1 << 15  # padded time steps up to which a batch is not cut because of its padding
MAX_WASTE = 3  # padded time steps over those of the sequences, up to which it is not
MIN_STEPS_PER_EPOCH = 25
AHEAD = 16 << 20  # bytes of batches that are read ahead from a file


@dataclass(frozen=True)
class TrainingSet:
    """Sequences with their targets and weights, and the positions of labeled and unlabeled rows.

    If there is a target `by_step`, `targets` and `weights` are those of all steps, one sequence after the other. A row
    is then labeled if one of its steps is, and unlabeled if one of its steps is not; many are both.

    The `weights` of labeled rows include the `class_weights`; those of rows that get a label later are multiplied with
    them then.

    An **epoch** is one pass over the labeled rows, but at least 25 optimiser steps: if there are few labeled rows, they
    are used several times. A step has up to `batch_size` labeled rows and ``ratio * batch_size`` unlabeled rows, from a
    separate pass that continues from epoch to epoch. So 10 labels among 100,000 rows take 25 steps per epoch, not
    100,000 rows. If unlabeled rows are thousands of steps longer than labeled rows, a step has fewer of both, and an
    epoch is less than a pass. Without labeled rows (unsupervised objectives) an epoch is one pass over all rows.
    """

    sequences: Sequences
    targets: NDArray
    weights: NDArray[np.float32] | None
    labeled: NDArray
    unlabeled: NDArray
    class_weights: NDArray | None = None
    by_step: bool = False

    def __len__(self) -> int:
        return len(self.labeled) + len(self.unlabeled)

    def relabeled(self, targets: NDArray[np.int64]) -> TrainingSet:
        """Return the set with new class numbers, -1 for unlabeled rows; rows that are held out are not added."""
        rows, weights = np.union1d(self.labeled, self.unlabeled), self.weights
        labeled, unlabeled = self._any_of(targets >= 0)[rows], self._any_of(targets < 0)[rows]
        if weights is not None and self.class_weights is not None:
            new = np.flatnonzero((self.targets < 0) & (targets >= 0))
            weights = weights.copy()
            weights[new] *= self.class_weights[targets[new]]
        return replace(self, targets=targets, weights=weights, labeled=rows[labeled], unlabeled=rows[unlabeled])

    def counting(self) -> NDArray:
        """Return the labeled rows that have a target with a weight above 0."""
        if self.weights is None:
            return self.labeled
        counts = self.weights > 0
        return self.labeled[self._any_of(counts & (self.targets >= 0) if self.by_step else counts)[self.labeled]]

    def places(self, rows: NDArray) -> NDArray:
        """Return the positions of the targets of some rows."""
        return all_steps(self.sequences.lengths, rows) if self.by_step else rows

    def _any_of(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mask (n,) of the rows that have at least one target in a mask of targets."""
        return any_of_row(mask, self.sequences.lengths) if self.by_step else mask

    def steps_per_epoch(self, batch_size: int) -> int:
        """Number of optimiser steps in an epoch."""
        rows = self.labeled if len(self.labeled) else self.unlabeled
        rows = rows[np.argsort(self.sequences.lengths[rows], kind="stable")]
        return max(MIN_STEPS_PER_EPOCH, len(self.in_order(rows, batch_size)))

    def training_batches(
        self, batch_size: int, ratio: float, random: np.random.Generator, n_skipped: int = 0
    ) -> Generator[Batch]:
        """Yield batches without end, but not the first `n_skipped`; the training loop sets noise and progress.

        If X lies in a file, they are read ahead in a thread, which ends when the iterator is closed.
        """
        rows = self._training_rows(batch_size, ratio, random)
        for _ in range(n_skipped):
            next(rows)
        batches = (self.batch(chosen, n_labeled) for chosen, n_labeled in rows)
        return batches if self.sequences.block is None else read_ahead(batches, AHEAD, bytes_of)

    def _training_rows(
        self, batch_size: int, ratio: float, random: np.random.Generator
    ) -> Iterator[tuple[NDArray, int]]:
        """Yield the rows of batches, the labeled rows first, and the number of labeled rows."""
        n_unlabeled = min(max(1, round(ratio * batch_size)), len(self.unlabeled)) if ratio else 0
        seeds = random.spawn(2)
        labeled = self._endless("labeled", batch_size, seeds[0])
        unlabeled = self._endless("unlabeled", n_unlabeled, seeds[1])
        left = self.labeled[:0]
        while True:
            first, second = left if len(left) else next(labeled), next(unlabeled)
            if len(first) and len(second):  # both are padded to the longest sequence of the two parts
                room = max(1, MAX_STEPS // int(self.sequences.lengths[np.concatenate([first, second])].max()))
                every = -(-len(first) // room)
                first, left = first[::every], np.delete(first, np.s_[::every])
                second = second[:: -(-len(second) // room)]
            yield np.concatenate([first, second]) if len(second) else first, len(first)

    def in_order(self, rows: NDArray, batch_size: int) -> list[NDArray]:
        """Cut sorted `rows` into batches of at most `batch_size` rows and `MAX_STEPS` padded steps."""
        return batches_by_length(rows, self.sequences.lengths[rows], batch_size, MAX_STEPS)[::-1]

    def validation_batches(self, batch_size: int) -> list[NDArray]:
        """Return the rows of the batches for validation: labeled rows or, if there are none, all rows."""
        return self.in_order(self.labeled if len(self.labeled) else self.unlabeled, batch_size)

    def batch(self, rows: NDArray, n_labeled: int) -> Batch:
        """Read `rows`, of which the first `n_labeled` are labeled."""
        values, lengths = self.sequences.tensors(rows)
        places = self.places(rows)
        return Batch(
            values=values,
            lengths=lengths,
            targets=torch.from_numpy(self.targets[places]),
            rows=torch.from_numpy(places),
            weights=None if self.weights is None else torch.from_numpy(self.weights[places]),
            n_labeled=n_labeled,
            generator=None,
            progress=0.0,
            by_step=self.by_step,
        )

    def _endless(self, name: str, batch_size: int, random: np.random.Generator) -> Iterator[NDArray]:
        rows = getattr(self, name)
        if len(rows) == 0 or batch_size == 0:
            while True:
                yield rows[:0]
        while True:
            yield from one_pass(self.sequences, rows, batch_size, random, name)


def one_pass(
    sequences: Sequences, rows: NDArray, batch_size: int, random: np.random.Generator, name: str = "pass"
) -> Iterator[NDArray]:
    """Yield shuffled batches of all `rows`, of equal sizes; if lengths differ, rows of a batch have similar lengths.

    Rows of a file are shuffled in blocks of neighbours, and each block is announced under this name.
    """
    blocks = _shuffled(rows, sequences.block or len(rows), random)
    order, n_batches = np.concatenate(blocks), -(-len(rows) // batch_size)
    if sequences.equal:
        size = min(len(rows), max(1, MAX_STEPS // int(sequences.lengths[0])))
        batches = np.array_split(order, max(n_batches, -(-len(rows) // size)))
        yield from _announced(batches, blocks, sequences, name)
        return
    for window in _announced(np.array_split(order, -(-n_batches // WINDOW)), blocks, sequences, name):
        window = window[np.argsort(sequences.lengths[window], kind="stable")]
        batches = batches_by_length(window, sequences.lengths[window], batch_size, MAX_STEPS)
        for i in random.permutation(len(batches)):
            yield batches[i]


def _announced(parts: list[NDArray], blocks: list[NDArray], sequences: Sequences, name: str) -> Iterator[NDArray]:
    """Yield parts of shuffled rows, and announce each block of rows before the first part with rows of it."""
    n_announced = n_rows = n_yielded = 0
    for part in parts:
        n_yielded += len(part)
        while n_rows < n_yielded:
            sequences.plan(name, np.sort(blocks[n_announced]))
            n_rows += len(blocks[n_announced])
            n_announced += 1
        yield part


def bytes_of(batch: Batch) -> int:
    """Size of the values of a batch."""
    return batch.values.nbytes


def batches_by_length(rows: NDArray, lengths: NDArray, batch_size: int, max_steps: int) -> list[NDArray]:
    """Cut rows, which are sorted by length, into batches of equal size, the last first.

    Batches of more than `max_steps` padded steps are halved. In a large batch with one sequence many times longer than
    the others, nearly all steps are padding: it is cut where most padding is saved, into parts of two rows or more.
    """
    parts = np.array_split(np.arange(len(rows)), -(-len(rows) // batch_size))
    batches = []
    while parts:
        part = parts.pop()
        n_padded = len(part) * int(lengths[part].max())
        if len(part) > 1 and n_padded > max_steps:
            parts += np.split(part, [len(part) // 2])
        elif len(part) > 3 and n_padded > max(MIN_PADDED, MAX_WASTE * int(lengths[part].sum())):
            n_short = np.arange(2, len(part) - 1)
            saved = n_short * (lengths[part[-1]] - lengths[part[n_short - 1]])
            parts += np.split(part, [n_short[np.argmax(saved)]])
        else:
            batches.append(rows[part])
    return batches


def _shuffled(rows: NDArray, block: int, random: np.random.Generator) -> list[NDArray]:
    """Return blocks of neighbouring rows in random order, each shuffled."""
    if block >= len(rows):
        return [random.permutation(rows)]
    blocks = np.array_split(rows, -(-len(rows) // block))
    return [random.permutation(blocks[i]) for i in random.permutation(len(blocks))]
