"""Training an autoencoder inside `fit` of another estimator, which takes its encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from ..objectives import objective_names
from ..training import keepers_among
from ._autoencoder import RNNAutoencoderTransformer
from ._encoder_file import ENDING
from ._held_options import as_option, gaps_of
from ._parameters import ARCHITECTURE
from ._trained import draw_seed

SHARED = tuple(name for name in RNNAutoencoderTransformer._parameter_constraints if name != "objective")


def unfitted_autoencoder(
    estimator: Any, source: Any, random: np.random.RandomState, pooling: str
) -> RNNAutoencoderTransformer:
    """Return the checked, unfitted autoencoder that `pretraining` stands for.

    Parameters
    ----------
    estimator : estimator
        Its parameters are those of the autoencoder, unless `source` is an autoencoder.
    source : str, Objective or RNNAutoencoderTransformer
        The value of `pretraining`, or what a `Pretraining` object holds.
    random : RandomState
        Seeds the autoencoder.
    pooling : str
        The pooling of the encoder.
    """
    if isinstance(source, RNNAutoencoderTransformer):
        transformer = clone(source)
        check_same_architecture(estimator, transformer)
        if transformer.random_state is None:
            transformer.random_state = draw_seed(random)
        transformer._validate_params()
        return transformer
    names = objective_names("representation")
    if isinstance(source, str) and source not in names:
        raise ValueError(
            f"pretraining={source!r} is not an unsupervised objective; choose from {names}, or pass the path of an "
            f"encoder file, which ends in {ENDING!r}."
        )
    shared = {name: getattr(estimator, name) for name in SHARED if hasattr(estimator, name)}
    is_seeded = estimator.random_state is not None
    callbacks = [keeper.of_pretraining(is_seeded) for keeper in keepers_among(estimator.callbacks)]
    shared.update(pooling=pooling, random_state=draw_seed(random))
    shared.update(warm_start=False, callbacks=callbacks or None)
    transformer = RNNAutoencoderTransformer(source, **shared)
    transformer._validate_params()
    return transformer


def check_same_architecture(estimator: Any, transformer: Any) -> None:
    """Raise an error if the parameters of another estimator ask for another encoder than those of this one."""
    sizes = {"embedding__size": [as_option("embedding", e.embedding).size for e in (estimator, transformer)]}
    sizes["gaps"] = [gaps_of(e) is not None for e in (estimator, transformer)]
    names = [name for name in ARCHITECTURE if name != "n_kernels" or estimator._kind != "tokens"]  # which have none
    pairs = {name: [getattr(estimator, name), getattr(transformer, name)] for name in names} | sizes
    for name, (value, pretrained) in pairs.items():
        if value != pretrained and (name, value) != ("pooling", "auto"):
            raise ValueError(
                f"pretraining has {name}={pretrained!r}, but {type(estimator).__name__} has {name}={value!r}. "
                "Set the same value in both, because they share the encoder."
            )


def fine_tuning(pretraining: Any) -> dict[str, Any]:
    """Return arguments of the net for the training of a pretrained encoder."""
    if pretraining is None:
        return {}
    option = as_option("pretraining", pretraining)
    return {
        "freeze": option.freeze,
        "gradual_unfreezing": option.gradual,
        "encoder_lr_factor": option.lr_factor,
    }
