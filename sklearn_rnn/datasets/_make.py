"""Generators of artificial sequences with classes."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from .._sklearn import COUNT, NOT_NEGATIVE, Interval, validate_params


@validate_params(
    {
        "n_samples": COUNT,
        "n_steps": COUNT,
        "n_classes": COUNT,
        "noise": NOT_NEGATIVE,
        "ragged": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_sines(
    n_samples: int = 100,
    *,
    n_steps: int = 40,
    n_classes: int = 2,
    noise: float = 0.3,
    ragged: bool = False,
    random_state: Any = None,
) -> tuple[Any, NDArray]:
    """Make noisy sine waves of random phase; the class is the frequency.

    Parameters
    ----------
    n_samples : int, default=100
        Number of sequences.
    n_steps : int, default=40
        Number of steps of each sequence; class k has k + 1 periods in `n_steps`.
    n_classes : int, default=2
        Number of classes. Their sizes differ by at most one.
    noise : float, default=0.3
        Standard deviation of the normal noise on each step.
    ragged : bool, default=False
        Whether each sequence is cut at a random step of its second half.
    random_state : int, RandomState or None, default=None
        Seeds the generator.

    Returns
    -------
    X : ndarray of shape (n_samples, n_steps, 1), float32, or list of (T_i, 1) arrays
    y : ndarray of shape (n_samples,)

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_sines
    >>> X, y = make_sines(6, n_steps=20, random_state=0)
    >>> X.shape, y.tolist()
    ((6, 20, 1), [1, 0, 1, 1, 0, 0])
    """
    random = check_random_state(random_state)
    y = random.permutation(np.arange(n_samples) % n_classes)
    phase = random.uniform(size=(n_samples, 1))
    turns = (y[:, None] + 1) * np.arange(n_steps) / n_steps + phase  # (n, T)
    X = np.sin(2 * np.pi * turns) + noise * random.normal(size=turns.shape)
    X = X[:, :, None].astype(np.float32)
    if not ragged:
        return X, y
    ends = random.randint(n_steps // 2, n_steps, n_samples) + 1
    return [x[:end] for x, end in zip(X, ends, strict=True)], y


@validate_params(
    {"n_samples": COUNT, "n_steps": [Interval(Integral, 32, None, closed="left")], "random_state": ["random_state"]},
    prefer_skip_nested_validation=True,
)
def make_two_patterns(n_samples: int = 200, *, n_steps: int = 128, random_state: Any = None) -> tuple[NDArray, NDArray]:
    """Make noise that contains two jumps, each up or down; the class is their order.

    Each pattern has a random length and place, and jumps from -5 to 5 or from 5 to -5. The other steps are standard
    normal noise. The class cannot be predicted from a single time step.

    Parameters
    ----------
    n_samples : int, default=200
        Number of sequences.
    n_steps : int, default=128
        Number of steps of each sequence.
    random_state : int, RandomState or None, default=None
        Seeds the generator.

    Returns
    -------
    X : ndarray of shape (n_samples, n_steps, 1), float32
    y : ndarray of shape (n_samples,)
        Classes: 0 is down, down; 1 is up, down; 2 is down, up; 3 is up, up.

    References
    ----------
    Geurts (2002), "Contributions to decision tree induction: bias/variance tradeoff and time series
    classification", PhD thesis, University of Liège.

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_two_patterns
    >>> X, y = make_two_patterns(8, random_state=0)
    >>> X.shape, sorted(y.tolist())
    ((8, 128, 1), [0, 0, 1, 1, 2, 2, 3, 3])
    """
    random = check_random_state(random_state)
    y = random.permutation(np.arange(n_samples) % 4)
    X = random.normal(size=(n_samples, n_steps))
    lengths = random.randint(n_steps // 16, n_steps // 4 + 1, (n_samples, 2))
    free = n_steps - lengths.sum(1, keepdims=True)
    starts = np.sort(random.uniform(size=(n_samples, 2)) * (free + 1), axis=1).astype(int)
    starts[:, 1] += lengths[:, 0]
    for k, up in enumerate((y % 2, y // 2)):
        place = (np.arange(n_steps) - starts[:, [k]]) / lengths[:, [k]]  # (n, T), 0 to 1 inside
        height = np.where(place < 0.5, -5, 5) * (2 * up[:, None] - 1)
        inside = (place >= 0) & (place < 1)
        X[inside] = height[inside]
    return X[:, :, None].astype(np.float32), y
