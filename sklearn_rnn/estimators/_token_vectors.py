"""Vectors of tokens, learned from counts of tokens that occur near each other, or given by the user."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils import check_array
from torch import Tensor

from ..sequences import Sequences, first_steps
from ..training import computing

WINDOW = 5  # tokens to either side that count as near
SMOOTHING = 0.75  # power of the context frequencies
EXTRA, PASSES = 10, 4  # of the randomised decomposition
BLOCK = 1 << 22  # pairs counted together


def frequencies(sequences: Sequences, n_tokens: int) -> Tensor:
    """Return the frequency (n_tokens + 1,) of each id, the unknown token's last; 1 is added to each count."""
    ids, _ = _steps(sequences)
    counts = np.bincount(ids, minlength=n_tokens + 1) + 1.0
    return torch.from_numpy((counts / counts.sum()).astype(np.float32))


def cooccurrence_vectors(sequences: Sequences, n_tokens: int, size: int, generator: torch.Generator) -> Tensor:
    """Return vectors of the tokens, learned from the tokens that occur near them.

    The matrix of positive pointwise mutual information of tokens at most `WINDOW` steps apart is factorised, and each
    row is scaled to length 1. A token that occurs near no other token more often than by chance gets a random
    direction. The unknown token, which comes last, gets the mean of the others.

    Parameters
    ----------
    sequences : Sequences
        Token ids.
    n_tokens, size : int
        Number of rows, without that of the unknown token, and of columns.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    vectors : Tensor of shape (n_tokens + 1, size)

    References
    ----------
    Church and Hanks (1990), "Word association norms, mutual information, and lexicography", CL.

    Levy, Goldberg and Dagan (2015), "Improving distributional similarity with lessons learned from word
    embeddings", TACL.

    Halko, Martinsson and Tropp (2011), "Finding structure with randomness", SIAM Review.
    """
    information = positive_information(count_pairs(sequences, n_tokens + 1))
    vectors = torch.zeros(n_tokens + 1, size)
    with computing(wide=False):  # so that the bits do not depend on the number of threads
        left, strengths = decomposed(information, min(size, n_tokens), generator)
        vectors[:, : len(strengths)] = left * strengths.sqrt()
        alone = torch.from_numpy(np.diff(information.indptr) == 0)
        vectors[alone] = torch.randn(int(alone.sum()), size, generator=generator)
        vectors = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-12)
        vectors[-1] = vectors[:-1].mean(0)
    return vectors


def count_pairs(sequences: Sequences, n_rows: int) -> csr_array:
    """Return the number of times (n_rows, n_rows) that two ids occur at most `WINDOW` steps apart in a sequence."""
    ids, owners = _steps(sequences)
    counts = csr_array((n_rows, n_rows), dtype=np.float32)
    for first in range(0, len(ids), BLOCK):
        for distance in range(1, WINDOW + 1):
            stop = max(first, min(first + BLOCK, len(ids) - distance))
            left, right = slice(first, stop), slice(first + distance, stop + distance)
            inside = owners[left] == owners[right]
            ones = np.ones(inside.sum(), dtype=np.float32)
            counts = counts + csr_array((ones, (ids[left][inside], ids[right][inside])), shape=counts.shape)
    return (counts + counts.T).tocsr()


def positive_information(counts: csr_array) -> csr_array:
    """Positive pointwise mutual information of counted pairs, with the frequencies of contexts smoothed."""
    pairs = counts.tocoo()
    rows, columns = counts.sum(1), counts.sum(0) ** SMOOTHING
    expected = rows[pairs.row] * columns[pairs.col] / columns.sum()
    information = np.log(pairs.data / expected).astype(np.float32)
    keep = information > 0
    return csr_array((information[keep], (pairs.row[keep], pairs.col[keep])), shape=counts.shape)


def decomposed(matrix: csr_array, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Left singular vectors (n, rank) and singular values (rank,), by randomised subspace iteration."""
    n, width = matrix.shape[0], min(rank + EXTRA, matrix.shape[0])
    basis = torch.randn(n, width, generator=generator)
    transposed = matrix.T.tocsr()
    for _ in range(PASSES):
        basis = torch.linalg.qr(torch.from_numpy(matrix @ (transposed @ basis.numpy()))).Q
    projected = torch.from_numpy(transposed @ basis.numpy())  # (n, width)
    squares, turned = torch.linalg.eigh(projected.T @ projected)
    strongest = slice(width - rank, None)
    return (basis @ turned[:, strongest]).flip(1), squares[strongest].flip(0).clamp_min(0).sqrt()


def given_shape(vectors: Any, n_ids: int) -> tuple[int, int]:
    """Return the number of rows and columns of the user's vectors.

    Raises
    ------
    ValueError
        If they are not a matrix, or have fewer than `n_ids` rows.
    """
    shape = np.shape(vectors)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"embedding__init must have the shape (n_tokens, size), got {shape}.")
    if shape[0] < n_ids:
        raise ValueError(
            f"embedding__init has {shape[0]} rows, but X has token ids up to {n_ids - 1}; pass a row for each id, "
            "with NaN for tokens without a vector."
        )
    return shape


def given_vectors(vectors: Any) -> Tensor:
    """Check the user's vectors (n_tokens, size), and add a row for the unknown token; missing rows become the mean.

    Raises
    ------
    ValueError
        If they are not numbers, or a row is partly NaN.
    """
    table = check_array(vectors, dtype=np.float32, ensure_all_finite="allow-nan", input_name="embedding__init")
    missing = np.isnan(table)
    partly = missing.any(1) & ~missing.all(1)
    if partly.any():
        row = int(np.argmax(partly))
        raise ValueError(
            f"embedding__init has NaN in row {row}, but not in all of it; a token without a vector has a row of NaN."
        )
    known = table[~missing.all(1)]
    mean = known.mean(0) if len(known) else np.zeros(table.shape[1], np.float32)
    return torch.from_numpy(np.vstack([np.where(missing, mean, table), mean]))


def _steps(sequences: Sequences) -> tuple[NDArray, NDArray]:
    """Return the ids of all steps that are not cut off, and the number of the sequence of each step."""
    assert sequences.starts is not None
    lengths = sequences.lengths
    skipped = sequences.starts - first_steps(lengths)
    steps = np.arange(lengths.sum()) + np.repeat(skipped, lengths)
    return sequences.ids[steps], np.repeat(np.arange(len(sequences)), lengths)
