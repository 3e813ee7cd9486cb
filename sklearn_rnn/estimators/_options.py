"""Small objects with parameters that are seldom set: of token vectors, gaps, the optimizer, and pretraining."""

from __future__ import annotations

import os
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from .._documented import documented, parameter
from .._links import LinkedEstimator
from .._sklearn import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, SHARE, HasMethods, StrOptions
from ..objectives import Objective
from ..training import OPTIMIZERS


@documented
@dataclass(repr=False, eq=False)
class Embedding(LinkedEstimator):
    """Vectors of token ids.

    Parameters
    ----------
    %(parameters)s

    Examples
    --------
    >>> from sklearn_rnn import Embedding, SemiSupervisedRNNClassifier
    >>> clf = SemiSupervisedRNNClassifier(embedding=Embedding(size=32))
    >>> clf = clf.set_params(embedding__init="random")
    """

    size: int = parameter(64, COUNT, "int", "Width of the vectors.", positional=True)
    init: Any = parameter(
        "auto",
        [StrOptions({"auto", "cooccurrence", "random"}), "array-like"],
        '{"auto", "cooccurrence", "random"} or array-like of shape (n_tokens, size)',
        """
        First vectors. `"cooccurrence"` learns them from all of X, by counting which ids occur near each other.
        `"random"` draws them. An array has a row for each id (NaN for ids without a vector) and any width;
        `sklearn_rnn.text.read_vectors` returns one. `"auto"` is `"cooccurrence"` if there are more ids than `size`,
        else `"random"`. All vectors are scaled to mean 0 and variance 1 over the tokens of X, so that perturbations
        have the same effect.
        """,
        positional=True,
    )
    frozen: bool | str = parameter(
        "auto",
        [StrOptions({"auto"}), "boolean"],
        'bool or "auto"',
        """
        Whether the vectors are not trained. `"auto"` freezes them unless they were drawn at random; after pretraining
        and with `warm_start`, they are frozen if they were frozen before. A recommender trains them.
        """,
        positional=True,
    )


@documented
@dataclass(repr=False, eq=False)
class Gaps(LinkedEstimator):
    """Values that are missing at steps, and steps at irregular times.

    NaN stands for a value that was not seen. The encoder gets the last value that was seen, decayed towards the mean of
    the feature with a rate that it learns, and for each feature whether it was seen and the time since it was, as in
    GRU-D. The states of the recurrence do not decay, because the fast routines of the cells cannot do that between
    steps.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Che, Purushotham, Cho, Sontag and Liu (2018), "Recurrent neural networks for multivariate time series with missing
    values", Scientific Reports 8.

    Examples
    --------
    >>> from sklearn_rnn import Gaps, SemiSupervisedRNNClassifier
    >>> clf = SemiSupervisedRNNClassifier(gaps=True)
    >>> clf = SemiSupervisedRNNClassifier(gaps=Gaps(times="hours"))
    """

    times: Any = parameter(
        None,
        [str, Integral, dict, None],
        "str, int, dict or None",
        """
        Column of the sequences of X with the time of each step, by name or position, in any unit. Times must not
        decrease within a sequence. They are no feature: the encoder gets the time since the step before, and since each
        feature was seen. By default, the time between two steps is 1. With several inputs, a name, or a dictionary with
        a column for each input that has times.
        """,
        positional=True,
    )
    hide: float = parameter(
        0.3,
        SHARE,
        "float",
        """
        In training, each view hides this fraction of the observed values at random, so that the net learns to do
        without them. A view hides no larger fraction of a feature than is missing in X.
        """,
    )


@documented
@dataclass(repr=False, eq=False)
class Optimizer(LinkedEstimator):
    """The optimizer and its regularisation.

    Parameters
    ----------
    %(parameters)s

    Examples
    --------
    >>> from sklearn_rnn import Optimizer, SemiSupervisedRNNClassifier
    >>> clf = SemiSupervisedRNNClassifier(optimizer=Optimizer("sgd", weight_decay=0))
    >>> clf = clf.set_params(optimizer__gradient_clip=0.5)
    """

    method: Any = parameter(
        "adamw",
        [StrOptions(set(OPTIMIZERS)), type],
        '{"adamw", "adam", "sgd"} or torch optimizer class',
        """
        The algorithm. `"sgd"` has Nesterov momentum of 0.9. `torch.optim.LBFGS` is an error, because it needs the same
        loss in each step.
        """,
        positional=True,
    )
    weight_decay: float = parameter(
        0.01, NOT_NEGATIVE, "float", "Weight decay, if the algorithm has one.", positional=True
    )
    gradient_clip: float | None = parameter(
        1.0, [*POSITIVE, None], "float or None", "Largest norm of the gradient, per optimiser step.", positional=True
    )


@documented
@dataclass(repr=False, eq=False)
class Pretraining(LinkedEstimator):
    """Unsupervised training of the encoder, and how the encoder is trained afterwards.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Dai and Le (2015), "Semi-supervised sequence learning", NeurIPS.

    Howard and Ruder (2018), "Universal language model fine-tuning for text classification", ACL.

    Examples
    --------
    >>> from sklearn_rnn import Pretraining, SemiSupervisedRNNClassifier
    >>> clf = SemiSupervisedRNNClassifier(pretraining=Pretraining("next_step", freeze=0.3))
    >>> clf = clf.set_params(pretraining__lr_factor=1)
    """

    objective: Any = parameter(
        "reconstruction",
        [str, os.PathLike, Objective, HasMethods(["fit", "get_params"])],
        "str, path, Objective, RNNAutoencoderTransformer or FrozenEstimator",
        """
        An objective of the autoencoder, which is trained on all of X with the parameters of the estimator; an unfitted
        `RNNAutoencoderTransformer`, which is cloned and fitted on all of X; ``FrozenEstimator(fitted)``, whose
        weights are copied; or the path of a file that `io.save_encoder` wrote.
        """,
        positional=True,
    )
    freeze: float = parameter(
        0,
        FRACTION,
        "float",
        """
        Fraction of training, from its beginning, in which the encoder is frozen and only the head is trained; with 1,
        the encoder is frozen for all of training.
        """,
        positional=True,
    )
    lr_factor: float = parameter(
        0.5, POSITIVE, "float", "Learning rate of the encoder, as a factor of `lr` (Dai and Le 2015).", positional=True
    )
    gradual: bool = parameter(
        False,
        ["boolean"],
        "bool",
        """
        Whether the layers of the encoder are unfrozen one by one, the last first, at equal intervals within the
        fraction `freeze` of training (Howard and Ruder 2018), instead of all at its end.
        """,
        positional=True,
    )
