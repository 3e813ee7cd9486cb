"""Sentences of words, and the vocabulary that numbers words and their parts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._sequences import Sequences, first_steps

LEAST = 2  # occurrences of a word, and words with a part, for an entry in the vocabulary
ENDINGS, BEGINNINGS = (1, 2, 3, 4), (1, 2, 3)  # lengths of the parts, in characters


@dataclass(frozen=True)
class Vocabulary:
    """Words and their parts, each with a number.

    Rare words have no number of their own, so that the vector of unknown words is learned from them; their parts tell
    what they may be.

    Attributes
    ----------
    words : ndarray of str, sorted
        Words in lower case that occur at least twice.
    parts : ndarray of str, sorted
        Endings, beginnings and shapes that at least two different words have.
    """

    words: NDArray
    parts: NDArray

    @classmethod
    def of(cls, values: NDArray) -> Vocabulary:
        """Return the vocabulary of all words (steps,) of the training data."""
        counts = Counter(values.tolist())
        lower: Counter[str] = Counter()
        for word, n in counts.items():
            lower[word.lower()] += n
        parts = Counter(part for word in counts for part in dict.fromkeys(parts_of(word)))
        words = sorted(word for word, n in lower.items() if n >= LEAST) or sorted(lower)
        kept = sorted(part for part, n in parts.items() if n >= LEAST) or sorted(parts)
        return cls(np.array(words), np.array(kept))

    def read(self, values: NDArray, lengths: NDArray[np.int64]) -> Sequences:
        """Return words (steps,) as sequences of their number and the numbers of their parts, (steps, 1 + k)."""
        words = {word: i for i, word in enumerate(self.words.tolist())}
        parts = {part: i for i, part in enumerate(self.parts.tolist())}
        distinct, places = np.unique(values, return_inverse=True)
        numbers = [
            [words.get(word.lower(), len(words)), *(parts.get(part, len(parts)) for part in parts_of(word))]
            for word in distinct.tolist()
        ]
        return Sequences(np.array(numbers, dtype=np.int64)[places], lengths, first_steps(lengths), "tokens")


def parts_of(word: str) -> list[str]:
    """Return the endings and beginnings of a word in lower case, and its shape, such as "Xx" or "d.d"."""
    lower = word.lower()
    endings = [f"-{lower[-n:]}" for n in ENDINGS]
    beginnings = [f"{lower[:n]}-" for n in BEGINNINGS]
    return [*endings, *beginnings, f"={shape_of(word)}"]


def shape_of(word: str) -> str:
    """Return the shape of a word: X for upper case, x for lower case, d for digits, with repeats left out."""
    kinds = ["X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word]
    return "".join(kind for i, kind in enumerate(kinds) if i == 0 or kind != kinds[i - 1])
