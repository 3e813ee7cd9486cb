"""The laws of objectives, for those that serve a regressor."""

import copy
import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from objective_cases import (
    CLASSES,
    LENGTHS,
    TINY,
    assert_encoder_is_trained,
    made_batch,
    made_model,
    terms_and_gradients,
    toy,
)
from sklearn.base import clone
from test_objectives import assert_same, global_state, weights

from sklearn_rnn import Embedding, SemiSupervisedRNNRegressor
from sklearn_rnn.objectives import VAT, MeanTeacher, PiModel, Supervised, objective_names
from sklearn_rnn.tasks import Regression

LOSSES = ["squared", "absolute", "huber", "quantile"]
CASES = [cls for cls in CLASSES if cls.needs == "targets"]
UNLABELED = [cls for cls in CASES if cls().unlabeled_ratio > 0]
every = pytest.mark.parametrize("cls", CASES)
both_inputs = pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])


def numbers(loss="squared"):
    """Task of a regressor of two numbers."""
    task = Regression(np.nan, loss, (0.1, 0.5, 0.9), "the test")
    task.read(np.array([[0.0, 5], [1, 7], [np.nan, 9], [3, 1]]), 4)
    return task


def regression_model(cls, tokens=False, loss="squared", **options):
    return made_model(cls, tokens, task=numbers(loss), **options)


def regression_batch(cls, n_labeled, *args, **options):
    """Batch of two targets a row, one of which is missing in the second row, and all in those without labels."""
    batch = made_batch(cls, n_labeled, *args, **options)
    targets = torch.randn(len(batch), 2, generator=torch.Generator().manual_seed(5))
    targets[1, 0] = torch.nan
    targets[n_labeled:] = torch.nan
    return replace(batch, targets=targets)


def loss_and_gradient(cls, batch, tokens=False, loss="squared", patch_size=1):
    return terms_and_gradients(cls(), regression_model(cls, tokens, loss, patch_size=patch_size), batch)


def levels(n=30, n_known=8):
    """Short sequences of different levels, which are known of some."""
    X = [x[: 6 + i % 4] for i, x in enumerate(toy(n)[0])]
    y = np.random.default_rng(1).normal(50, 9, n)
    return [x + (level - 50) / 9 for x, level in zip(X, y, strict=True)], np.where(np.arange(n) < n_known, y, np.nan)


def made_regressor(cls, **params):
    return SemiSupervisedRNNRegressor(cls(), **{**TINY, **params})


@cache
def fitted_answers(cls):
    X, y = levels()
    return made_regressor(cls).fit(X, y).predict(X)


def test_the_objectives_of_a_regressor_are_those_that_need_no_classes():
    assert {MeanTeacher, PiModel, Supervised, VAT} <= set(CASES)
    assert len(objective_names("regression")) == len(CASES)
    assert set(objective_names("regression")) < set(objective_names("classification"))


# Law 1


@pytest.mark.parametrize("cls", UNLABELED)
@both_inputs
def test_the_unlabeled_term_alone_trains_the_encoder(cls, tokens):
    model, objective = regression_model(cls, tokens, dropout=0.2), cls()
    batch = regression_batch(cls, 0, tokens=tokens)
    objective.start(model, 10, len(LENGTHS))
    assert_encoder_is_trained(objective, model, batch)


# Law 2


@pytest.mark.parametrize("cls", [cls for cls in CASES if "weight" in cls().get_params()])
@both_inputs
def test_without_weight_it_trains_what_supervised_trains(cls, tokens):
    X, y = levels()
    if tokens:
        X = [np.arange(i, i + 7) % 9 for i in range(len(y))]
    params = {**TINY, "embedding": Embedding(4)}
    expected = SemiSupervisedRNNRegressor("supervised", **params).fit(X, y)
    got = SemiSupervisedRNNRegressor(cls(weight=0), **params).fit(X, y)
    for name, value in weights(expected).items():
        assert torch.equal(value, weights(got)[name]), name
    np.testing.assert_array_equal(expected.predict(X), got.predict(X))


@every
def test_labeled_rows_without_weight_add_nothing(cls):
    model, objective = regression_model(cls), cls()
    objective.start(model, 10, len(LENGTHS))
    batch = replace(regression_batch(cls, 8), weights=torch.zeros(8))
    assert sum(objective.terms(model, batch).values()).item() == 0


# Law 3


@every
@pytest.mark.parametrize("patch_size", [1, 3])
@both_inputs
def test_padding_changes_neither_loss_nor_gradient(cls, tokens, patch_size):
    options = {"tokens": tokens, "patch_size": patch_size}
    short, long = (regression_batch(cls, 5, tokens=tokens, extra=extra, noise=False) for extra in (0, 7))
    assert_same(loss_and_gradient(cls, short, **options), loss_and_gradient(cls, long, **options))


@pytest.mark.parametrize("loss", LOSSES)
def test_padding_and_unlabeled_rows_change_no_loss_of_a_labeled_row(loss):
    short, long = (regression_batch(VAT, 5, extra=extra, noise=False) for extra in (0, 7))
    assert_same(loss_and_gradient(VAT, short, loss=loss), loss_and_gradient(VAT, long, loss=loss))
    model = regression_model(Supervised, loss=loss)
    alone, beside = (Supervised().terms(model, b)["supervised"] for b in (short.labeled, short))
    torch.testing.assert_close(alone, beside)


# Law 5


@every
def test_fit_and_predict_change_no_global_state_and_no_parameter(cls):
    X, y = levels()
    regressor = made_regressor(cls)
    params, before = pickle.dumps(regressor.get_params()), global_state()
    regressor.fit(X, y).predict(X)
    assert global_state() == before
    assert pickle.dumps(regressor.get_params()) == params


@every
def test_the_same_seed_gives_the_same_bits(cls):
    X, y = levels()
    same, other = (made_regressor(cls, random_state=seed).fit(X, y).predict(X) for seed in range(2))
    np.testing.assert_array_equal(same, fitted_answers(cls))
    assert not np.array_equal(same, other)


@every
def test_a_name_stands_for_the_defaults(cls):
    X, y = levels()
    name = next(n for n in objective_names("regression") if n.replace("_", "") == cls.__name__.lower())
    np.testing.assert_array_equal(made_regressor(lambda: name).fit(X, y).predict(X), fitted_answers(cls))


# Law 6


@every
def test_copies_predict_and_fit_the_same(cls):
    X, y = levels()
    regressor = made_regressor(cls).fit(X, y)
    deep, unpickled = copy.deepcopy(regressor), pickle.loads(pickle.dumps(regressor))
    for copied in (deep, unpickled):
        np.testing.assert_array_equal(copied.predict(X), fitted_answers(cls))
    for copied in (deep, unpickled, clone(regressor)):
        np.testing.assert_array_equal(copied.fit(X, y).predict(X), fitted_answers(cls))


# Law 7


def toy_error(seed, objective):
    """Root of the mean squared error on new rows, in deviations of y."""
    X, y = levels(200, 200)
    learned = np.random.default_rng(seed).permutation(200) < 140
    known = np.where(np.cumsum(learned) <= 12, y, np.nan)[learned]
    small = {"hidden_size": 12, "n_kernels": 16, "lr": 0.008, "max_epochs": 4, "batch_size": 32, "random_state": seed}
    regressor = SemiSupervisedRNNRegressor(objective, **small)
    rows = [[x for x, row in zip(X, learned, strict=True) if row is which] for which in map(np.bool_, (True, False))]
    predicted = regressor.fit(rows[0], known).predict(rows[1])
    return np.sqrt(np.mean((predicted - y[~learned]) ** 2)) / y.std()


@cache
def supervised_error(seed):
    return toy_error(seed, Supervised())


@pytest.mark.slow
@pytest.mark.full_epochs
@pytest.mark.parametrize("cls", [cls for cls in CASES if cls is not Supervised])
def test_on_a_toy_task_it_is_not_worse_than_supervised(cls):
    ratios = []
    for seed in range(4):
        ratios.append(toy_error(seed, cls()) / supervised_error(seed))
        if len(ratios) > 1 and np.mean(ratios) < 1:
            break  # better on two seeds, whose standard error is 0.02
    assert np.mean(ratios) < 1.05
