"""Which steps or tokens a prediction is based on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length, check_is_fitted
from torch import Tensor

from .._sklearn import COUNT, validate_params
from ..estimators._base import SequenceEstimator
from ..modules import Model
from ..sequences import Sequences, SeveralInputs
from ..tasks import class_numbers
from ..training import in_batches
from ._by_input import attributions_by_input

Score: TypeAlias = Callable[[Tensor, NDArray], Tensor]
BatchPart: TypeAlias = Callable[[Tensor, "Tensor | None", NDArray], Tensor]


@validate_params({"n_points": COUNT}, prefer_skip_nested_validation=True)
def integrated_gradients(estimator: Any, X: Any, *, target: Any = None, n_points: int = 32) -> Any:
    """Attribute a prediction to the steps of each sequence.

    The score that is attributed is the log-odds of a class, or the number that a regressor predicts. The sum of the
    attributions is the difference between the score of the sequence and the score of a baseline, up to the error of
    integration with `n_points`. The baseline has the mean of each feature over all steps of `fit`, or zeros instead of
    the vectors of tokens.

    Parameters
    ----------
    estimator : SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor or Pipeline that ends with one
        A fitted estimator.
    X : array-like or list of arrays, or the X of the pipeline, of n samples
        Sequences.
    target : label, int or array-like of shape (n,), default=None
        Class whose score is explained; by default the predicted class of each sequence. For a regressor, the column of
        y; by default the first.
    n_points : int, default=32
        Number of points between baseline and sequence at which gradients are computed (Gauss-Legendre quadrature).

    Returns
    -------
    attributions : list of n arrays of shape (T_i,) or (T_i, F), float32
        Attributions of each token, or of each value of a step, of the sequences as the estimator reads them. Positive
        ones raise the score. For a regressor they are in the units of y. Values that were not seen have 0, and so has
        the column of times; the baseline has the same gaps and times. With several inputs, a dictionary: such a list
        by the name of each input of sequences, in which a missing input has no steps, and an array of shape (n,) by the
        name of each column of single values.

    Raises
    ------
    ValueError
        If `target` is not a class or column, or there is only one class.
    TypeError
        If `estimator` is not a classifier or regressor of this package.

    Notes
    -----
    The gradient at the sequence itself would not help: the net normalises its embedded steps, so a larger or smaller
    step hardly changes the score.

    References
    ----------
    Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.inspection import integrated_gradients
    >>> y = np.arange(40) % 2
    >>> X = np.zeros((40, 9, 1)) + np.eye(9)[4, :, None] * y[:, None, None]  # the class depends on step 4
    >>> clf = SemiSupervisedRNNClassifier("supervised", hidden_size=8, max_epochs=2, random_state=0).fit(X, y)
    >>> int(integrated_gradients(clf, X[1:2], target=1)[0].argmax())
    4
    """
    estimator, sequences = _read(estimator, X)
    model = estimator.net_.module_
    scored = _scored(estimator, sequences, target)
    points, weights = np.polynomial.legendre.leggauss(n_points)  # from -1 to 1
    if isinstance(sequences, SeveralInputs):
        return attributions_by_input(estimator, sequences, scored, points, weights)

    def part(values: Tensor, lengths: Tensor | None, rows: NDArray) -> Tensor:
        start, end, score = _path(model, values, lengths, scored, rows)
        total = torch.zeros_like(end)
        for point, weight in zip(points.tolist(), weights.tolist(), strict=True):
            x = torch.lerp(start, end, (point + 1) / 2).requires_grad_()
            total += weight / 2 * torch.autograd.grad(score(x).sum(), x)[0]
        attributions = (total * (end - start)).nan_to_num(0)  # of values that were not seen
        if sequences.times is not None:
            attributions = model.encoder.input.gaps.with_times(attributions, attributions.new_zeros(values.shape[:2]))
        return attributions if sequences.kind == "series" else attributions.sum(2)

    return _by_step(estimator, sequences, part)


def attention_weights(estimator: Any, X: Any) -> list[NDArray]:
    """Return the attention weight of each step: the weight of its state in the embedding.

    The state of a step also contains information about neighbouring steps, so a prediction may be based on a step
    without weight. `integrated_gradients` accounts for that.

    Parameters
    ----------
    estimator : estimator of this package with ``pooling="attention"``, or Pipeline that ends with one
        A fitted estimator.
    X : array-like or list of arrays, or the X of the pipeline, of n samples
        Sequences.

    Returns
    -------
    weights : list of n arrays of shape (T_i,), float32
        Weights of the steps of each sequence; their sum is 1. The weight of a patch is divided equally among its steps.
        In classifiers and regressors, the weights are means over the shifts of the patches.

    Raises
    ------
    ValueError
        If the estimator has another pooling.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), "Neural machine translation by jointly learning to align and
    translate", ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.inspection import attention_weights
    >>> X, y = np.random.default_rng(0).normal(size=(20, 9)), np.arange(20) % 2
    >>> clf = SemiSupervisedRNNClassifier(pooling="attention", hidden_size=8, max_epochs=1, random_state=0).fit(X, y)
    >>> round(float(attention_weights(clf, X)[0].sum()), 4)
    1.0
    """
    estimator, sequences = _read(estimator, X)
    model = estimator.net_.module_
    encoder = model.encoder
    if isinstance(sequences, SeveralInputs):
        raise ValueError("attention_weights is for estimators of one input; integrated_gradients is for several.")
    pooling, p = encoder.architecture.pooling, encoder.architecture.patch_size
    if pooling != "attention":
        raise ValueError(f"attention_weights needs an estimator with pooling='attention', got pooling={pooling!r}.")

    def part(values: Tensor, lengths: Tensor | None, rows: NDArray) -> Tensor:
        n_steps, by_shift = values.shape[1], []
        with torch.no_grad():
            for n_repeats, x, ends in model.readings(encoder.embed(values), lengths):
                weights = encoder.pooling.attend(*encoder.states(x, ends))  # (n, T / p)
                last = torch.full_like(weights[:, :1], x.shape[1]) if ends is None else ends[:, None]
                sizes = (last - p * torch.arange(weights.shape[1], device=weights.device)).clamp(1, p)
                of_steps = (weights / sizes).repeat_interleave(p, dim=1)
                of_steps[:, n_repeats] += of_steps[:, :n_repeats].sum(1)  # the repeats of the first step
                by_shift.append(of_steps[:, n_repeats : n_repeats + n_steps])
        return torch.stack(by_shift).mean(0)

    return _by_step(estimator, sequences, part)


def _path(
    model: Model, values: Tensor, lengths: Tensor | None, scored: Score, rows: NDArray
) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
    """Return baseline and sequence, standardised (n, T, D), and the score as a function of points between them."""
    layer = model.encoder.input
    with torch.no_grad():
        end, passed = layer.standardised(values), layer.passed(values)
    return (
        torch.zeros_like(end),
        end,
        lambda x: scored(model.predict_outputs(layer.with_changes(x, passed), lengths), rows),
    )


def _scored(estimator: Any, sequences: Sequences, target: Any) -> Score:
    """Return the function that computes the score (n,) from outputs (n, K) of rows (n,)."""
    task = estimator.net_.module_.task
    if task.name == "classification":
        numbers = torch.from_numpy(_classes(estimator, sequences, target))

        def log_odds(logits: Tensor, rows: NDArray) -> Tensor:
            chosen = torch.nn.functional.one_hot(numbers[rows].to(logits.device), logits.shape[1]).bool()
            return logits[chosen] - logits.masked_fill(chosen, -torch.inf).logsumexp(1)

        return log_odds
    if task.name == "regression":
        column: Any = 0 if target is None else target
        if not isinstance(column, int | np.integer) or not 0 <= column < task.n_numbers:
            raise ValueError(f"target must be a column of y, from 0 to {task.n_numbers - 1}, got {target!r}.")
        return lambda outputs, rows: float(task.scale[column]) * task.central(outputs)[:, column]
    raise TypeError(
        "integrated_gradients needs a SemiSupervisedRNNClassifier or a SemiSupervisedRNNRegressor, got "
        f"{type(estimator).__name__}."
    )


def _classes(estimator: Any, sequences: Sequences, target: Any) -> NDArray[np.int64]:
    """Return for each sequence the number of the class that is explained."""
    if len(estimator.classes_) == 1:
        raise ValueError(f"There is only one class, {estimator.classes_[0]!r}; its score depends on no step.")
    if target is None:
        return estimator._compute(sequences, lambda model: model).argmax(1)
    labels = np.full(len(sequences), target) if np.ndim(target) == 0 else np.asarray(target)
    check_consistent_length(sequences.lengths, labels)
    return class_numbers(labels, estimator.classes_, "target")


def _read(estimator: Any, X: Any) -> tuple[Any, Sequences]:
    """Return the estimator, or the last step of a pipeline, and the sequences that it reads."""
    if isinstance(estimator, Pipeline):
        check_is_fitted(estimator)
        if len(estimator) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    if not isinstance(estimator, SequenceEstimator):
        raise TypeError(
            "Inspection needs a SemiSupervisedRNNClassifier, an RNNAutoencoderTransformer or a Pipeline that ends with "
            f"one, got {type(estimator).__name__}. For a search pass best_estimator_, for WithUnlabeled estimator_."
        )
    return estimator, estimator._read(X)


def _by_step(estimator: Any, sequences: Sequences, part: BatchPart) -> list[NDArray]:
    """Apply `part(values, lengths, rows)` in batches; return the result for the steps of each row, without padding."""
    output: list[NDArray] = [np.empty(0)] * len(sequences)
    with estimator._computing():
        for rows, values, lengths in in_batches(estimator.net_.module_, sequences, np.arange(len(sequences)), 256):
            result = part(values, lengths, np.resize(rows, len(values))).cpu().numpy()
            for row, values_of_row in zip(rows, result[: len(rows)], strict=True):
                output[row] = values_of_row[: sequences.lengths[row]].copy()
    return output
