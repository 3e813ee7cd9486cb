"""The base of estimators of items: reading sequences of items, the catalogue, and training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._documented import parameter
from .._sklearn import COUNT, SHARE
from .._state import all_or_nothing
from ..modules import Encoder, Model
from ..objectives import NextItem, Objective
from ..objectives import _parameters as shared
from ..sequences import Catalogue, Sequences, flat_items, read_sequences
from ..tasks import NextItem as NextItemTask
from ..tasks import Task
from ._base import SequenceEstimator
from ._item_columns import item_columns
from ._options import Embedding

REPEATS = 0.01  # fraction of steps with an item that the sequence had before, from which on items repeat
SPREAD = 0.1  # standard deviation of the first vectors


@dataclass(repr=False, eq=False)
class ItemEstimator(SequenceEstimator):
    """Base of estimators that predict each item of a sequence from the items before it."""

    task_name = "next_item"
    _freezes_vectors = False
    # Not parameters here: an item must not be predicted from the items after it, or together with its neighbours.
    objective: ClassVar[Any] = None  # type: ignore[misc]
    bidirectional: ClassVar[bool] = False  # type: ignore[misc]
    pooling: ClassVar[str] = "last"  # type: ignore[misc]
    patch_size: ClassVar[int] = 1  # type: ignore[misc]
    n_kernels: ClassVar[int] = 0  # type: ignore[misc]
    augmentation: ClassVar[Any] = None  # type: ignore[misc]
    strong_augmentation: ClassVar[Any] = None  # type: ignore[misc]

    loss: str = shared.item_loss()
    n_negatives: int = shared.n_negatives()
    negative_power: float = shared.negative_power()
    score_penalty: float = shared.score_penalty()
    tied: bool = shared.tied_items()
    item_dropout: float = shared.item_dropout()
    recency: float | None = shared.recency()
    memory: float = shared.weight_memory()

    hidden_size: int = parameter(128, COUNT, "int", "Number of units of each recurrent layer.")
    dropout: float = parameter(
        0.4,
        SHARE,
        "float",
        "Fraction of values that are dropped from vectors of items, between layers and before the output, in training.",
    )
    embedding: Any = parameter(
        None,
        [Embedding, None],
        "Embedding or None",
        """
        Vectors of items: their size and first values, which are counted from items that occur near each other. They
        are trained, unless `frozen` is True. None is ``Embedding()``.
        """,
    )
    max_length: int | None = parameter(
        100,
        [*COUNT, None],
        "int or None",
        """
        Longer histories are cut to their last `max_length` items. In training, longer sequences are cut into windows of
        this length, so that all of their items are used.
        """,
    )
    max_epochs: int = parameter(
        20, COUNT, "int", "Number of passes over the sequences, each of at least 25 optimiser steps."
    )
    batch_size: int = parameter(32, COUNT, "int", "Largest number of sequences in an optimiser step.")

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, item_features: Any = None) -> Any:
        """Learn from sequences of items.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            What each user did, in the order of time. `datasets.from_long_frame(..., item=...)` returns such a list.
        y : None
            Ignored, so that X and y can be those of `model_selection.leave_last_out`.
        item_features : pandas.DataFrame or dict, default=None
            Numbers known of the items, such as a price, or 1 for each of their genres: a frame whose index is the
            items, or a row by item. A linear layer maps them to vectors, which are added to those of the items. Items
            without a row have the mean, with a warning.

        Returns
        -------
        self : estimator
        """
        self._columns = None
        if self._goes_on:
            if item_features is not None:
                raise ValueError("item_features cannot be given with warm_start=True; those of the last fit are used.")
        else:
            self.items_ = Catalogue.of(flat_items(X, type(self).__name__)[0]).items
            if item_features is not None:
                self._columns = item_columns(item_features, self._catalogue, type(self).__name__)
            self._n_columns = 0 if self._columns is None else self._columns.shape[1]
        self._fit(X)
        del self._columns
        return self

    @property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.items_)

    def _make_task(self) -> Task:
        return NextItemTask()

    def _resolve_objective(self) -> Objective:
        names = NextItem._get_param_names()
        objective = NextItem(**{name: getattr(self, name) for name in names})
        objective.validate()
        return objective

    def _read_training(self, X: Any) -> Sequences:
        sequences = self._numbered(X, reset=not self._goes_on)
        self.repeats_ = repeats(sequences)
        return sequences.windows(self.max_length)

    def _numbered(self, X: Any, reset: bool = False) -> Sequences:
        """Return whole sequences of the numbers of items."""
        sequences = self._catalogue.read(X, type(self).__name__)
        return read_sequences(self, sequences, reset=reset)

    def _read(self, X: Any) -> Sequences:
        check_is_fitted(self, "net_")
        return self._numbered(X).recent(self.max_length)

    def _known(self, sequences: Sequences, encoder: Encoder) -> Sequences:
        return sequences  # the catalogue has replaced unknown items

    def _model(self, sequences: Sequences, objective: Objective, task: Task, random: np.random.RandomState) -> Model:
        model = super()._model(sequences, objective, task, random)
        if not self._goes_on:
            begin(model, self._columns, self.loss == "cross_entropy")
        return model

    @property
    def item_embeddings_(self) -> NDArray[np.float32]:
        """Vectors (n_items, E) of the items."""
        model = self.net_.module_
        with torch.inference_mode():
            return model.parts["scores"].vectors(model.encoder.input).cpu().numpy()

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Encode histories; the same as `transform`.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.

        Returns
        -------
        embeddings : ndarray of shape (n, hidden_size), float32
            The state of the recurrence after the last item of each history.
        """
        return self.transform(X)

    def item_ids(self, X: Any) -> list[NDArray[np.int64]]:
        """Return the numbers of items, as the encoder reads them.

        A classifier that gets them as token ids can share the encoder: ``pretraining=FrozenEstimator(recommender)``.

        Parameters
        ----------
        X : list of sequences of items, or array-like of shape (n, T)
            Histories, as in `fit`.

        Returns
        -------
        ids : list of ndarray of shape (T_i,)
            Positions in `items_`; the number of items for unknown ones.
        """
        check_is_fitted(self, "net_")
        sequences = self._numbered(X)
        return np.split(sequences.values, np.cumsum(sequences.lengths)[:-1])


def repeats(sequences: Sequences) -> bool:
    """Whether at least the fraction `REPEATS` of the steps have an item that their sequence had before."""
    owners = np.repeat(np.arange(len(sequences)), sequences.lengths)
    n_different = len(np.unique(owners * (sequences.values.max() + 1) + sequences.values))
    return bool(n_different <= (1 - REPEATS) * len(owners))


def begin(model: Any, columns: torch.Tensor | None, has_probabilities: bool) -> None:
    """Set the first vectors and biases of a new model, whose scores then hardly depend on the history.

    Biases are the logarithms of the frequencies of items, if the loss is a cross-entropy. The unknown item has the mean
    vector.
    """
    layer, scores = model.encoder.input, model.parts["scores"]
    with torch.no_grad():
        if columns is not None:
            layer.columns.copy_(columns)
        tables = [] if layer.frozen else [layer.embedding.weight]
        for table in tables if scores.tied else [*tables, scores.embedding.weight]:
            table.sub_(table.mean(0)).mul_(SPREAD / table.std().clamp_min(1e-12))
        if not layer.frozen:
            layer.embedding.weight[-1] = layer.embedding.weight[:-1].mean(0)
        if has_probabilities:
            scores.bias.copy_(layer.frequency[:-1].log())
