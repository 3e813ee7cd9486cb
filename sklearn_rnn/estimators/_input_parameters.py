"""The parameters of estimators that read several inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._documented import parameter
from .._sklearn import SHARE, StrOptions
from ..modules import FUSIONS


@dataclass(repr=False, eq=False)
class InputParameters:
    """Base of the estimators that read several inputs: parameters of their fusion."""

    _several_inputs: ClassVar[bool] = True

    inputs: Any = parameter(
        None,
        [dict, None],
        "dict or None",
        """
        Names of inputs, and the columns of X that each has: ``{"vitals": ["pulse", "pressure"], "static": ["age"]}``.
        The columns of an input hold sequences of equal lengths in each row, which are its features; or they all hold
        one number or string for each row. By default each column of sequences is an input, and the other columns
        together are the input `"static"`; but if all columns are series of numbers with equal lengths in each row,
        they are the features of one input. The columns of an array are numbers from 0.
        """,
    )
    fusion: str = parameter(
        "concat",
        [StrOptions(set(FUSIONS))],
        '{"concat", "gate"}',
        """
        How the embeddings of several inputs become one: they are concatenated, with hidden units that read all of
        them; or gates that read all of them weigh the inputs for each unit (Arevalo 2017).
        """,
    )
    input_dropout: float = parameter(
        0.3,
        SHARE,
        "float",
        """
        Probability that an input of a row is left out in training, as if it were missing; one input of each row is
        left in. Without several inputs it has no effect.
        """,
    )
