"""The base of estimators that learn from labeled and unlabeled rows."""

from __future__ import annotations

import os
from abc import abstractmethod
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from .._documented import parameter
from .._sklearn import SHARE, StrOptions, _check_sample_weight
from ..modules import Encoder
from ..objectives import Objective
from ..sequences import Sequences
from ..tasks import Targets, Task
from ._autoencoder import RNNAutoencoderTransformer
from ._base import SequenceEstimator
from ._encoder_file import (
    check_fits,
    check_same_data,
    check_same_inputs,
    check_same_parts,
    check_same_times,
    is_encoder_file,
    names_of,
    read_encoder,
)
from ._held_options import as_option
from ._item_estimator import ItemEstimator
from ._options import Pretraining
from ._pretraining import check_same_architecture, fine_tuning, unfitted_autoencoder


@dataclass(repr=False, eq=False)
class LabeledEstimator(SequenceEstimator):
    """Base of estimators that learn from labeled and unlabeled rows."""

    pretraining: Any = parameter(
        None,
        [str, os.PathLike, Objective, RNNAutoencoderTransformer, FrozenEstimator, Pretraining, None],
        "str, path, Objective, RNNAutoencoderTransformer, FrozenEstimator, Pretraining or None",
        """
        Unsupervised training of the encoder before `objective`: an objective of the autoencoder, which is trained on
        all of X with this estimator's parameters; an unfitted `RNNAutoencoderTransformer`, which is cloned and fitted
        on all of X; ``FrozenEstimator(fitted)``, whose weights are copied; or the path of a file that
        `io.save_encoder` wrote, which ends in ``.safetensors``. A `Pretraining` object holds one of these, and sets
        how the encoder is trained afterwards.
        """,
    )
    kernel_dropout: float | str = parameter(
        "auto",
        [*SHARE, StrOptions({"auto"})],
        'float or "auto"',
        """
        Fraction of labeled sequences whose kernel features (see `n_kernels`) are zeroed at each training step. `"auto"`
        is 50 divided by the number of labeled sequences, at most 0.5.
        """,
    )

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Encode sequences; the same as `transform`.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        embeddings : ndarray of shape (n, n_features_out), float32
        """
        return self.transform(X)

    @abstractmethod
    def _transduce(self, sequences: Sequences, targets: Targets) -> None:
        """Set `transduction_`, the targets of the training rows, with predictions for missing ones."""

    def _finish(self, sequences: Sequences, targets: Targets) -> None:
        self._transduce(sequences, targets)

    def _forget(self, task: Task) -> None:
        for name in ("transduction_", "label_distributions_"):  # of an earlier fit
            self.__dict__.pop(name, None)

    def _row_weights(self, task: Task, targets: Targets, sample_weight: Any) -> NDArray[np.float32] | None:
        """Return the weights of all targets, with a mean of 1 over the known ones, or None if all are equal.

        Those of rows are the weights of all their steps, if each step has a target. The task's weights, such as those
        of classes, are applied to known targets only.
        """
        of_task, known, lengths = task.row_weights(targets), targets.known, targets.lengths
        if sample_weight is None and of_task is None:
            return None
        rows = targets.values if lengths is None else lengths
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64, copy=True)
        if lengths is not None:
            weights = np.repeat(weights, lengths)
        if of_task is not None:
            weights[known] *= of_task
        total = weights[known].sum()
        if not total > 0:
            raise ValueError("sample_weight must have a positive sum over the labeled samples.")
        return (weights * (len(known) / total)).astype(np.float32)

    def _start(self) -> Encoder | None:
        source = self.pretraining.objective if isinstance(self.pretraining, Pretraining) else self.pretraining
        if self._goes_on:
            return super()._start()
        if is_encoder_file(source):
            return read_encoder(source).encoder
        pretrained: Any = source.estimator if isinstance(source, FrozenEstimator) else None
        return pretrained.net_.module_.encoder if hasattr(pretrained, "net_") else None

    def _pretrained(self, sequences: Sequences, random: np.random.RandomState) -> Encoder | None:
        if self.pretraining is None:
            return None
        source = as_option("pretraining", self.pretraining).objective
        if is_encoder_file(source):
            saved = read_encoder(source)
            check_fits(saved, source, self)
            check_same_times(f"pretraining: the encoder of {source}", saved.encoder, sequences)
            return saved.encoder
        if isinstance(source, FrozenEstimator):
            return self._copied_encoder(clone(source).estimator, sequences)
        transformer = self._autoencoder(source, sequences, random)
        transformer._n_parts = self._n_parts
        return transformer._pretrain(sequences.cut(transformer.max_length), self).net_.module_.encoder

    def _autoencoder(
        self, source: Any, sequences: Sequences, random: np.random.RandomState
    ) -> RNNAutoencoderTransformer:
        """Return the unfitted autoencoder that is trained before `objective`."""
        return unfitted_autoencoder(self, source, random, self._pooling(sequences.kind == "tokens"))

    def _copied_encoder(self, transformer: Any, sequences: Any) -> Encoder:
        """Return a copy of the encoder of a fitted estimator; it is an error if it does not suit this one."""
        if not isinstance(transformer, RNNAutoencoderTransformer | ItemEstimator) or not hasattr(transformer, "net_"):
            raise ValueError(
                "pretraining=FrozenEstimator(...) must hold a fitted RNNAutoencoderTransformer or "
                "RNNNextItemRecommender."
            )
        check_same_architecture(self, transformer)
        check_same_parts("pretraining", transformer.net_.module_.encoder.architecture, self)
        n_features_in, names = transformer.n_features_in_, names_of(transformer)
        check_same_data("pretraining", transformer._kind, n_features_in, names, self)
        if self._kind == "inputs":
            check_same_inputs(transformer, self)
        encoder = transformer.net_.module_.encoder
        check_same_times("pretraining", encoder, sequences)
        copied = deepcopy(encoder)
        if self._kind == "inputs":
            _move_origins(copied, transformer._inputs, self._inputs)
        return copied

    def _fine_tuning(self) -> dict[str, Any]:
        return fine_tuning(self.pretraining)

    def _kernel_dropout(self, n_labeled: int) -> float:
        return min(0.5, 50 / n_labeled) if isinstance(self.kernel_dropout, str) else self.kernel_dropout


def _move_origins(encoder: Any, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Let an encoder read static numbers relative to other origins than it was trained with."""
    for part, old, new in zip(encoder.each, before.values(), now.values(), strict=True):
        if old["_kind"] == "static":
            columns = zip(old["columns"], new["columns"], strict=True)
            moved = torch.tensor([first[2] - second[2] for first, second in columns], dtype=torch.float64)
            part.input.mean += moved.to(part.input.mean)
