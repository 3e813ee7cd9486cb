"""Known columns of items, such as prices and categories, in the order of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_array
from torch import Tensor

from .._warnings import warn
from ..sequences import Catalogue


def item_columns(table: Any, catalogue: Catalogue, name: str) -> Tensor:
    """Return the standardised columns (n_items + 1, C) of the items; zeros for the unknown item, which is the last.

    Parameters
    ----------
    table : pandas.DataFrame or dict
        Numbers of each item: a frame whose index is the items, or a row of numbers by item.
    catalogue : Catalogue
        The items.
    name : str
        Name of the estimator, for messages.

    Raises
    ------
    TypeError
        If the table has another type.
    ValueError
        If it has no row for any item, a row twice, or values that are not numbers.
    """
    if hasattr(table, "iloc"):
        keys, rows = table.index.tolist(), table
    elif isinstance(table, Mapping):
        keys, rows = list(table), [np.atleast_1d(row) for row in table.values()]
    else:
        raise TypeError(
            f"item_features must be a pandas DataFrame whose index is the items, or a dict of a row for each item, got "
            f"{type(table).__name__}."
        )
    if len(set(keys)) < len(keys):
        raise ValueError("item_features must have one row for each item, but some items have several.")
    values = check_array(rows, dtype=np.float64, input_name="item_features", estimator=name)
    return torch.from_numpy(_in_order(values, keys, catalogue, name))


def _in_order(values: NDArray, keys: list[Any], catalogue: Catalogue, name: str) -> NDArray[np.float32]:
    places = {key: i for i, key in enumerate(keys)}
    rows = np.array([places.get(item, -1) for item in catalogue.items.tolist()])
    known = rows >= 0
    if not known.any():
        item = catalogue.items.tolist()[0]
        raise ValueError(f"item_features has no row for any item of X, such as {item!r}.")
    if not known.all():
        warn(f"item_features has no row for {int((~known).sum())} of {len(rows)} items of {name}; they get the mean.")
    found = values[rows[known]]
    scale = found.std(0)
    columns = np.zeros((len(rows) + 1, values.shape[1]), dtype=np.float32)
    columns[:-1][known] = (found - found.mean(0)) / np.where(scale > 0, scale, 1)
    return columns
