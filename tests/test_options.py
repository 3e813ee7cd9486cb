"""`Embedding`, `Optimizer` and `Pretraining`: parameters that hold parameters, which are searched by name."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import (
    Embedding,
    Optimizer,
    Pretraining,
    RNNAutoencoderTransformer,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
)
from sklearn_rnn.model_selection import PartiallyLabeledSplit
from sklearn_rnn.objectives import Contrastive, NextStep

EVERY = [SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor, RNNAutoencoderTransformer]
TINY = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 2, "batch_size": 8, "random_state": 0}
X = [np.arange(i, i + 7) % 9 for i in range(30)]
Y = np.where(np.arange(30) < 16, np.arange(30) % 2, -1)
every = pytest.mark.parametrize("cls", EVERY)


def encoded(estimator):
    return estimator.fit(X, Y).transform(X)


def vectors(estimator):
    return estimator.net_.module_.encoder.input.embedding.weight


@pytest.mark.parametrize(
    ("name", "values", "learned"),
    [
        ("embedding__size", [2, 3], lambda clf: vectors(clf).shape[1]),
        ("embedding__frozen", [False, True], lambda clf: not vectors(clf).requires_grad),
        ("optimizer__weight_decay", [0.0, 0.5], lambda clf: clf.net_.weight_decay),
        ("optimizer__gradient_clip", [None, 0.5], lambda clf: clf.net_.gradient_clip),
    ],
)
def test_parameters_of_objects_are_searched_from_the_default(name, values, learned):
    clf = SemiSupervisedRNNClassifier("supervised", **TINY)
    before = clf.get_params()
    search = GridSearchCV(clf, {name: values}, cv=PartiallyLabeledSplit(2)).fit(X, Y)
    assert list(search.cv_results_[f"param_{name}"]) == values
    for value in values:
        assert learned(clone(clf).set_params(**{name: value}).fit(X, Y)) == value
    assert learned(search.best_estimator_) == search.best_params_[name]
    assert clf.get_params() == before
    assert "embedding__size" not in before  # None holds no parameters


@pytest.mark.parametrize("pretraining", ["next_step", Pretraining("next_step")], ids=["name", "object"])
@pytest.mark.parametrize(("name", "value"), [("freeze", 1), ("lr_factor", 0.1), ("gradual", True)])
def test_a_parameter_of_pretraining_is_set_on_a_name_as_on_an_object(pretraining, name, value):
    clf = SemiSupervisedRNNClassifier("supervised", pretraining=pretraining, **TINY)
    clf = clone(clf).set_params(**{f"pretraining__{name}": value})
    assert isinstance(clf.pretraining, Pretraining)
    assert clf.pretraining.get_params(deep=False) == {**Pretraining("next_step").get_params(), name: value}
    expected = SemiSupervisedRNNClassifier("supervised", pretraining=Pretraining("next_step", **{name: value}), **TINY)
    np.testing.assert_array_equal(encoded(clf), encoded(expected))


def test_freezing_is_searched_where_pretraining_is_a_name():
    clf = SemiSupervisedRNNClassifier("supervised", pretraining="next_step", **TINY)
    search = GridSearchCV(clf, {"pretraining__freeze": [0, 1]}, cv=PartiallyLabeledSplit(2)).fit(X, Y)
    assert search.best_estimator_.net_.freeze == search.best_params_["pretraining__freeze"]
    assert clf.pretraining == "next_step"


@pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor])
def test_freezing_without_pretraining_is_an_error_that_says_what_to_set(cls):
    with pytest.raises(ValueError, match=r"pretraining__freeze cannot be set.*Set pretraining too"):
        cls(**TINY).set_params(pretraining__freeze=0.5)
    both = cls(**TINY).set_params(pretraining="next_step", pretraining__freeze=0.5)
    assert both.pretraining.get_params() == Pretraining("next_step", freeze=0.5).get_params()


@pytest.mark.parametrize(
    ("pretraining", "name"),
    [(NextStep(), "n_candidates"), (RNNAutoencoderTransformer(), "lr")],
    ids=["objective", "autoencoder"],
)
def test_parameters_of_what_pretrains_are_set_by_the_name_that_holds_it(pretraining, name):
    clf = SemiSupervisedRNNClassifier(pretraining=Pretraining(pretraining))
    cloned = clone(clf).set_params(**{f"pretraining__objective__{name}": 5, "pretraining__freeze": 0.25})
    assert cloned.pretraining.objective.get_params()[name] == 5
    assert cloned.pretraining.freeze == 0.25
    assert clf.pretraining.objective is pretraining


@every
@pytest.mark.parametrize(("name", "value"), [("embedding__width", 3), ("optimizer__lr", 3)])
def test_an_unknown_parameter_of_an_object_fails_with_the_valid_names(cls, name, value):
    with pytest.raises(ValueError, match=f"Invalid parameter '{name.split('__')[1]}'.*Valid parameters are"):
        cls(**TINY).set_params(**{name: value})


@every
@pytest.mark.parametrize(
    "params",
    [
        {"embedding": [None, Embedding()]},
        {"optimizer": ["sgd", Optimizer("sgd"), Optimizer("sgd", 0.01, 1.0)]},
        {"optimizer": [torch.optim.AdamW, Optimizer(torch.optim.AdamW)]},
    ],
    ids=["embedding", "name", "class"],
)
def test_a_value_and_the_object_that_holds_it_train_the_same(cls, params):
    ((name, values),) = params.items()
    first, *others = (encoded(cls(**TINY, **{name: value})) for value in values)
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("form", ["name", "objective", "unfitted", "frozen"])
def test_what_pretrains_trains_the_same_alone_and_in_an_object(form):
    autoencoder = RNNAutoencoderTransformer(**TINY)
    source = {
        "name": "next_step",
        "objective": NextStep(),
        "unfitted": autoencoder,
        "frozen": FrozenEstimator(clone(autoencoder).fit(X)),
    }[form]
    alone, held = (
        SemiSupervisedRNNClassifier("supervised", pretraining=pretraining, **TINY)
        for pretraining in (source, Pretraining(source))
    )
    np.testing.assert_array_equal(encoded(alone), encoded(held))
    assert held.pretraining.objective is source
    assert form == "frozen" or not hasattr(source, "net_")


@every
def test_fit_leaves_the_objects_as_they_are_and_clones_have_copies(cls):
    estimator = cls(embedding=Embedding(3), optimizer=Optimizer("adam"), **TINY)
    held = (estimator.embedding, estimator.optimizer)
    before = [dict(vars(option)) for option in held]
    estimator.fit(X, Y)
    assert (estimator.embedding, estimator.optimizer) == held
    assert [dict(vars(option)) for option in held] == before
    cloned = clone(estimator)
    assert cloned.embedding is not estimator.embedding
    assert cloned.embedding.get_params() == estimator.embedding.get_params()


def test_a_class_instead_of_an_object_is_refused():
    with pytest.raises(ValueError, match="'embedding' parameter of SemiSupervisedRNNClassifier must be"):
        SemiSupervisedRNNClassifier(embedding=Embedding, **TINY).fit(X, Y)


def test_pretraining_by_an_objective_becomes_an_object_that_holds_it():
    clf = SemiSupervisedRNNClassifier(pretraining=Contrastive())
    clf.set_params(pretraining__freeze=0.5)
    assert clf.pretraining.freeze == 0.5
    assert isinstance(clf.pretraining.objective, Contrastive)


def test_a_parameter_that_no_option_has_changes_nothing():
    clf = SemiSupervisedRNNClassifier()
    with pytest.raises(ValueError, match="Invalid parameter 'bogus'"):
        clf.set_params(optimizer__bogus=1)
    assert clf.optimizer == "adamw"


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": Optimizer(weight_decay=-1)},
        {"pretraining": Pretraining(freeze=3)},
        {"embedding": Embedding(size=0)},
    ],
)
def test_options_are_checked_before_x_is_read(params):
    with pytest.raises(ValueError, match="parameter of"):
        SemiSupervisedRNNClassifier(**params).fit(None, None)
