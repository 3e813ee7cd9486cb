"""The parameters of the net that estimators of sequences share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._documented import parameter
from .._sklearn import COUNT, COUNT_OR_ZERO, StrOptions
from ..modules import POOLINGS
from ._options import Embedding, Gaps
from ._parameters import TrainingParameters


@dataclass(repr=False, eq=False)
class NetParameters(TrainingParameters):
    """Base of the estimators of sequences: parameters of the net and of training."""

    _strong: ClassVar[dict[str, float]] = {}  # parameters of the default strong views of one number per step
    _several_inputs: ClassVar[bool] = False  # whether a row of X may have several inputs
    _still = False  # whether views must leave each step in its place

    bidirectional: bool = parameter(True, ["boolean"], "bool", "Whether each sequence is also read from its end.")
    pooling: str = parameter(
        "mean_max",
        [StrOptions(set(POOLINGS))],
        '{"last", "mean", "max", "mean_max", "attention"}',
        "How the states of all steps are combined to one vector. Padding does not count.",
    )
    patch_size: int | str = parameter(
        "auto",
        [StrOptions({"auto"}), *COUNT],
        'int or "auto"',
        """
        Number of steps that a linear layer groups into one recurrent step. `"auto"` aims at 24 recurrent steps
        for a sequence of median length, and at 48 for token ids, so that short texts are not grouped. Predictions are
        made from the mean over up to three shifts of the patches.
        """,
    )
    n_kernels: int = parameter(
        128,
        COUNT_OR_ZERO,
        "int",
        """
        Number of random convolutions of 9 steps, with dilations of up to 8 steps, which are not trained. Their
        rectified responses in each patch are further inputs of the net (Dempster 2020). 0 for none. Token ids have
        none.
        """,
    )
    embedding: Any = parameter(
        None,
        [Embedding, None],
        "Embedding or None",
        "Vectors of token ids: their size, first values, and whether they are frozen. None is ``Embedding()``.",
    )
    gaps: Any = parameter(
        False,
        ["boolean", Gaps],
        "bool or Gaps",
        """
        Whether NaN inside a sequence of numbers stands for a value that was not seen; otherwise it is an error. A
        `Gaps` object also names a column with the times of irregular steps: ``Gaps(times="hours")``. Final steps of a
        3-D array that are all NaN are padding; in a list, they are steps at which nothing was seen.
        """,
    )
    max_length: int | None = parameter(
        None,
        [*COUNT, None],
        "int or None",
        "Longer sequences are cut to their first `max_length` steps, with a warning.",
    )
    augmentation: Any = parameter(
        "auto",
        [StrOptions({"auto"}), callable, dict, None],
        'callable, dict, "auto" or None',
        """
        Perturbs the embedded steps in training; see `sklearn_rnn.perturbations`. `"auto"` is `Light()` for numbers
        and `StepDrop(0.2)` for token ids. In classifiers it is ``Light(offset=2, channel_offset=0.2)``, unless the
        objective reconstructs sequences; in regressors ``Light(jitter=0)``.
        If rows have several inputs, no offsets are added by default, an augmentation is for each input that is a
        sequence, and a dictionary has one for each input, by its name.
        """,
    )
    strong_augmentation: Any = parameter(
        "auto",
        [StrOptions({"auto"}), callable, dict, None],
        'callable, dict, "auto" or None',
        """
        The same for strong views, which objectives such as `FixMatch` need. `"auto"` is `Strong()` for numbers, with
        the same offsets or jitter, and `StepDrop(0.4)` for token ids. In classifiers of one number per step the other
        strengths are about half: ``Strong(shift=0.1, scale=0.1, jitter=0.2, hide=0.15, trim=0.15, warp=0.1,
        magnitude=0.15)``.
        """,
    )

    def _pooling(self, tokens: bool) -> str:
        """Return the pooling of an encoder of token ids or numbers."""
        return self.pooling
