"""Vectors of words and of their parts, learned from the words beside them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from ..sequences import Sequences, first_steps
from ..training import computing
from ._token_vectors import decomposed, positive_information

DISTANCES = (-2, -1, 1, 2)  # of the words beside a word, each of which is a context of its own


def word_vectors(
    sequences: Sequences, n_words: int, n_parts: int, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return vectors of words and of their parts, learned from the words before and after them.

    The matrix of positive pointwise mutual information of words and parts with the words at each distance, to the left
    and to the right, is factorised, and each row is scaled to length 1. Words of one part of speech have such
    neighbours in common (Schütze 1995). A rare word has the vectors of its parts.

    Parameters
    ----------
    sequences : Sequences
        Words, as `Vocabulary` numbers them.
    n_words, n_parts, size : int
        Number of words and of parts, without the unknown ones, and width of the vectors.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    words : Tensor of shape (n_words + 1, size)
    parts : Tensor of shape (n_parts + 1, size)

    References
    ----------
    Schütze (1995), "Distributional part-of-speech tagging", EACL.
    """
    counts = count_neighbours(sequences, n_words + 1, n_parts + 1)
    vectors = torch.zeros(counts.shape[0], size)
    with computing(wide=False):  # so that the bits do not depend on the number of threads
        left, strengths = decomposed(positive_information(counts), min(size, min(counts.shape) - 1), generator)
        vectors[:, : len(strengths)] = left * strengths.sqrt()
        vectors = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-12)
    words, parts = vectors[: n_words + 1], vectors[n_words + 1 :]
    parts[-1] = 0  # what has no part that is known
    return words, parts


def count_neighbours(sequences: Sequences, n_words: int, n_parts: int) -> csr_array:
    """Return counts (n_words + n_parts, contexts) of the words, or the ends of sequences, beside words and parts."""
    steps, lengths = sequences.values, sequences.lengths
    place = np.arange(len(steps)) - np.repeat(first_steps(lengths), lengths)
    left = np.repeat(lengths, lengths) - 1 - place  # steps that follow
    rows, columns = [], []
    for i, distance in enumerate(DISTANCES):
        inside = place >= -distance if distance < 0 else left >= distance
        beside = np.full(len(steps), n_words)  # the end of a sequence
        beside[inside] = steps[np.flatnonzero(inside) + distance, 0]
        rows.append(_numbered(steps, n_words))
        columns.append(np.broadcast_to(beside[:, None] + i * (n_words + 1), steps.shape))
    row, column = (np.concatenate(parts).ravel() for parts in (rows, columns))
    shape = (n_words + n_parts, len(DISTANCES) * (n_words + 1))
    return csr_array((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape)


def _numbered(steps: NDArray, n_words: int) -> NDArray:
    """Return numbers of words and parts together: the parts follow the words."""
    numbers = steps + n_words
    numbers[:, 0] = steps[:, 0]
    return numbers
