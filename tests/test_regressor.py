"""A regressor learns numbers from few of them, in any unit, and knows what is missing."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.callbacks import EpochScoring

from sklearn_rnn import Pretraining, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.inspection import integrated_gradients
from sklearn_rnn.model_selection import (
    LabelBudget,
    PartiallyLabeledSplit,
    WithUnlabeled,
    compare_to_supervised,
    cross_val_predict,
    make_labeled_scorer,
)

SMALL = {"hidden_size": 8, "n_kernels": 8, "max_epochs": 6, "random_state": 0}
TINY = SMALL | {"max_epochs": 1}
NAN = np.nan


def levels(n=90, seed=0):
    """Noisy sequences (n, 12, 1), the level of each, and the levels of the first third, the others unknown."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(size=n)
    X = rng.normal(size=(n, 12, 1)) * 0.1 + level[:, None, None]
    return X, level, np.where(np.arange(n) < n // 3, level, NAN)


X, LEVEL, PARTLY = levels()


def fitted(y=PARTLY, params=SMALL, X=X, **others):
    return SemiSupervisedRNNRegressor(**params | others).fit(X, y)


@pytest.fixture(scope="module")
def learned():
    """A regressor that has learned the levels, in 100 steps."""
    return SemiSupervisedRNNRegressor(**SMALL | {"max_epochs": 25, "batch_size": 8, "lr": 0.03}).fit(X, PARTLY)


def test_it_predicts_sequences_that_it_never_saw(learned):
    new, level, _ = levels(60, seed=1)
    assert learned.predict(new).shape == (60,)
    assert learned.score(new, level) > 0.9


def test_the_score_is_the_r2_of_labeled_rows(learned):
    known = ~np.isnan(PARTLY)
    assert learned.score(X, PARTLY) == pytest.approx(r2_score(LEVEL[known], learned.predict(X)[known]))
    weights = np.arange(90.0)
    expected = r2_score(LEVEL[known], learned.predict(X)[known], sample_weight=weights[known])
    assert learned.score(X, PARTLY, weights) == pytest.approx(expected)


def test_rows_of_unknown_target_are_predicted_in_transduction(learned):
    known = ~np.isnan(PARTLY)
    np.testing.assert_array_equal(learned.transduction_[known], PARTLY[known])
    np.testing.assert_allclose(learned.transduction_[~known], learned.predict(X)[~known], rtol=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e6, 5e9), (3.0, 1e3)])
def test_the_unit_of_y_changes_nothing_but_the_unit_of_predictions(scale, shift):
    plain = fitted().predict(X)
    scaled = fitted(PARTLY * scale + shift).predict(X)
    np.testing.assert_allclose((scaled - shift) / scale, plain, atol=1e-4 * np.ptp(plain))


def test_several_targets_are_predicted_at_once_and_scored_by_their_mean_r2():
    y = np.column_stack([PARTLY, 100 - 50 * PARTLY])
    reg = fitted(y, max_epochs=10, lr=0.03)
    assert reg.predict(X).shape == reg.transduction_.shape == (90, 2)
    assert reg.n_outputs_ == 2
    known = ~np.isnan(PARTLY)
    assert reg.score(X, y) == pytest.approx(r2_score(y[known], reg.predict(X)[known]))
    assert reg.score(X, y) > 0.8


def test_a_column_stays_a_column():
    reg = fitted(PARTLY[:, None], TINY)
    assert reg.predict(X).shape == reg.transduction_.shape == (90, 1)
    np.testing.assert_array_equal(reg.predict(X)[:, 0], fitted(params=TINY).predict(X))


def test_a_row_teaches_those_of_its_numbers_that_are_known():
    y = np.column_stack([LEVEL, -LEVEL])
    y[30:, 0], y[:30, 1] = NAN, NAN  # no row has both
    reg = fitted(y, max_epochs=10, lr=0.03)
    assert reg.score(X, y) > 0.8
    filled = reg.transduction_
    np.testing.assert_array_equal(filled[~np.isnan(y)], y[~np.isnan(y)])
    assert np.corrcoef(filled[30:, 0], LEVEL[30:])[0, 1] > 0.9


@pytest.mark.parametrize("container", [list, pd.Series, lambda y: pd.array(y, dtype="Float64"), np.ma.masked_invalid])
def test_unknown_targets_are_the_same_in_every_container(container):
    np.testing.assert_array_equal(fitted(container(PARTLY), TINY).predict(X), fitted(params=TINY).predict(X))


def test_none_is_unknown_and_so_is_a_number_that_marks():
    plain = fitted(params=TINY).predict(X)
    nones = [None if np.isnan(value) else value for value in PARTLY]
    np.testing.assert_array_equal(fitted(nones, TINY).predict(X), plain)
    marked = np.where(np.isnan(PARTLY), -999, PARTLY)
    np.testing.assert_array_equal(fitted(marked, TINY, missing_label=-999).predict(X), plain)


@pytest.mark.full_epochs
def test_quantiles_do_not_cross_and_hold_the_fractions_that_they_promise():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    flat = rng.normal(size=(400, 6, 1))
    quantiles = (0.1, 0.5, 0.9)
    reg = fitted(noise, X=flat, loss="quantile", quantiles=quantiles, max_epochs=3, lr=0.02)
    predicted = reg.predict_quantiles(rng.normal(size=(300, 6, 1)))
    assert predicted.shape == (300, 3)
    assert (np.diff(predicted, axis=1) >= 0).all()
    for level, values in zip(quantiles, predicted.T, strict=True):
        assert np.mean(noise < np.median(values)) == pytest.approx(level, abs=0.1)
    np.testing.assert_array_equal(reg.predict(flat), reg.predict_quantiles(flat)[:, 1])


def test_quantiles_of_several_targets_have_an_axis_of_their_own():
    reg = fitted(np.column_stack([PARTLY, PARTLY]), TINY, loss="quantile", quantiles=[0.25, 0.75])
    assert reg.predict_quantiles(X).shape == (90, 2, 2)
    assert not hasattr(fitted(params=TINY), "predict_quantiles")


@pytest.mark.full_epochs
def test_an_outlier_among_the_targets_moves_the_absolute_loss_less_than_the_squared_one():
    y = PARTLY.copy()
    y[:3] = 100
    short = {"objective": "supervised", "max_epochs": 2, "lr": 0.02}
    errors = {
        loss: np.median(np.abs(fitted(y, loss=loss, **short).predict(X) - LEVEL)) for loss in ("absolute", "squared")
    }
    assert errors["absolute"] < errors["squared"] / 2


def test_rows_without_weight_teach_nothing():
    wrong = np.where(np.arange(90) < 10, 100.0, PARTLY)
    weights = np.where(np.arange(90) < 10, 0.0, 1.0)
    params = SMALL | {"max_epochs": 10, "lr": 0.03, "loss": "huber"}
    reg = fitted(wrong, params)
    weighted = SemiSupervisedRNNRegressor(**params).fit(X, wrong, weights)
    known = np.arange(10, 30)
    errors = [np.abs(each.predict(X)[known] - LEVEL[known]).mean() for each in (weighted, reg)]
    assert errors[0] < errors[1]


def test_warm_start_goes_on_in_the_units_of_the_last_fit():
    reg = fitted(params=TINY, warm_start=True)
    before = reg.net_.module_.task
    reg.fit(X, PARTLY * 2)
    assert reg.net_.module_.task.mean == before.mean
    with pytest.raises(ValueError, match=r"warm_start=True needs the number of columns of y"):
        reg.fit(X, np.column_stack([PARTLY, PARTLY]))


@pytest.mark.parametrize("pretraining", ["reconstruction", Pretraining("next_step", freeze=1)])
def test_a_pretrained_encoder_is_taken_over(pretraining):
    reg = fitted(params=TINY, pretraining=pretraining)
    assert np.isfinite(reg.predict(X)).all()
    assert np.abs(reg.predict(X) - fitted(params=TINY).predict(X)).max() > 0


@pytest.mark.parametrize("pretraining", [None, "denoising", RNNAutoencoderTransformer(**TINY | {"n_kernels": 0})])
def test_numbers_reach_the_recurrence_with_their_size_unless_the_estimator_is_a_classifier(pretraining):
    def scaled(estimator):
        encoder = estimator.net_.module_.encoder
        patches = [encoder.patched(encoder.embed(torch.full((1, 12, 1), size)), None)[0] for size in (5.0, 50.0)]
        return (patches[1].norm() / patches[0].norm()).item()

    params = TINY | {"n_kernels": 0, "pretraining": pretraining}
    assert scaled(SemiSupervisedRNNRegressor(**params).fit(X, PARTLY)) > 3
    assert scaled(SemiSupervisedRNNClassifier(**params).fit(X, np.where(np.isnan(PARTLY), -1, LEVEL > 0.5))) < 1.5
    ids = [np.arange(1 + i % 7) for i in range(90)]
    of_tokens = SemiSupervisedRNNRegressor(**params | {"pretraining": None}).fit(ids, PARTLY).net_.module_.encoder
    assert of_tokens.architecture.layer_norm


def test_a_frozen_pretrained_encoder_stays_as_it_was():
    encoder = RNNAutoencoderTransformer(**TINY)
    reg = fitted(params=TINY, pretraining=Pretraining(encoder, freeze=1))
    np.testing.assert_allclose(
        SemiSupervisedRNNRegressor(**TINY, pretraining=Pretraining(encoder, freeze=1)).fit(X, LEVEL).transform(X),
        reg.transform(X),
    )


def test_early_stopping_holds_labeled_rows_out():
    reg = fitted(early_stopping=True, max_epochs=4)
    assert np.isfinite(reg.history_[:, "valid_loss"]).all()


def test_clones_and_pickles_predict_the_same():
    reg = fitted(params=TINY)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reg)).predict(X), reg.predict(X))
    np.testing.assert_array_equal(clone(reg).fit(X, PARTLY).predict(X), reg.predict(X))


def test_attributions_add_up_to_what_is_predicted_beside_the_mean(learned):
    attributions = integrated_gradients(learned, X[:4], n_points=64)
    mean = np.broadcast_to(X.mean((0, 1)), X[:1].shape)
    expected = learned.predict(X[:4]) - learned.predict(mean)
    np.testing.assert_allclose([part.sum() for part in attributions], expected, atol=0.02 * np.ptp(LEVEL))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(90, NAN), "y has no labeled sample"),
        (np.where(np.arange(90) < 3, np.inf, PARTLY), "Input y contains infinity"),
        (np.array(["a"] * 90), "needs numbers"),
        (np.array(["2020-01-01"] * 90, dtype="datetime64[D]"), "needs numbers"),
        (np.column_stack([PARTLY, np.full(90, NAN)]), "no known number in column 1"),
        (PARTLY[:-1], "inconsistent numbers of samples"),
        (None, "requires y to be passed, but the target y is None"),
        (np.zeros((90, 2, 2)), "2d array"),
    ],
)
def test_what_is_no_target_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        fitted(y, TINY)


@pytest.mark.parametrize("quantiles", [(0.9, 0.1), (0.0, 0.5), (0.5, 0.5), (), "median", 0.5])
def test_quantiles_that_are_none_are_refused(quantiles):
    with pytest.raises((ValueError, TypeError), match="quantiles"):
        fitted(params=TINY, loss="quantile", quantiles=quantiles)


def test_an_objective_that_needs_classes_is_refused_with_those_that_fit():
    with pytest.raises(ValueError, match=r"'fixmatch' does not fit SemiSupervisedRNNRegressor; choose from .*vat"):
        fitted(params=TINY, objective="fixmatch")
    with pytest.raises(ValueError, match="does not fit SemiSupervisedRNNClassifier"):
        SemiSupervisedRNNClassifier("reconstruction", **TINY).fit(X, np.arange(90) % 2)


def test_one_value_of_all_targets_gets_a_warning_and_is_predicted():
    with pytest.warns(UserWarning, match="All known numbers of y are 7"):
        reg = fitted(np.where(np.isnan(PARTLY), NAN, 7.0))
    np.testing.assert_allclose(reg.predict(X), 7, atol=0.5)


def test_model_selection_knows_unknown_numbers():
    splits = list(PartiallyLabeledSplit(3, missing_label=NAN).split(X, PARTLY))
    known = np.flatnonzero(~np.isnan(PARTLY))
    assert sorted(np.concatenate([test for _, test in splits])) == known.tolist()
    assert all(np.isin(np.flatnonzero(np.isnan(PARTLY)), train).all() for train, _ in splits)
    reg = SemiSupervisedRNNRegressor(**TINY)
    scores = cross_val_score(reg, X, PARTLY, cv=PartiallyLabeledSplit(3, missing_label=NAN))
    assert np.isfinite(scores).all()
    scorer = make_labeled_scorer("neg_mean_absolute_error", missing_label=NAN)
    fit = fitted(params=TINY)
    assert scorer(fit, X, PARTLY) == pytest.approx(-np.abs(fit.predict(X) - PARTLY)[known].mean())
    search = GridSearchCV(reg, {"lr": [0.001, 0.008]}, scoring=scorer, cv=PartiallyLabeledSplit(2, missing_label=NAN))
    assert search.fit(X, PARTLY).best_params_["lr"] in (0.001, 0.008)


def test_rows_of_several_targets_are_tested_only_where_all_are_known():
    y = np.column_stack([LEVEL, LEVEL])
    y[::2, 1] = NAN
    splits = list(PartiallyLabeledSplit(3, missing_label=NAN).split(X, y))
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(1, 90, 2))
    assert all(np.isin(np.arange(0, 90, 2), train).all() for train, _ in splits)


def test_out_of_fold_predictions_are_unknown_where_the_target_is():
    reg = SemiSupervisedRNNRegressor(**TINY)
    predicted = cross_val_predict(reg, X, PARTLY, cv=3, missing_label=NAN)
    np.testing.assert_array_equal(np.isnan(predicted), np.isnan(PARTLY))


def test_hidden_numbers_are_nan_and_the_others_stay():
    y = hide_labels(LEVEL, 10, missing_label=NAN, random_state=0)
    assert (~np.isnan(y)).sum() == 10
    np.testing.assert_array_equal(y[~np.isnan(y)], LEVEL[~np.isnan(y)])
    both = hide_labels(np.column_stack([LEVEL, PARTLY]), fraction=0.5, missing_label=NAN, random_state=0)
    assert (~np.isnan(both)).any(1).sum() == 45
    groups = np.repeat(np.arange(9), 10)
    grouped = hide_labels(LEVEL, 20, groups=groups, missing_label=NAN, random_state=0)
    assert sorted(np.unique(groups[~np.isnan(grouped)], return_counts=True)[1]) == [10, 10]


def test_a_budget_of_labels_a_comparison_and_brought_unlabeled_rows_take_a_regressor():
    reg = SemiSupervisedRNNRegressor("mean_teacher", **TINY)
    budget = LabelBudget(reg, 12, missing_label=NAN, random_state=0).fit(X, PARTLY)
    assert budget.predict(X).shape == (90,)
    compared = compare_to_supervised(reg, X, PARTLY, cv=2, missing_label=NAN)
    assert len(compared.scores) == 2
    assert not np.array_equal(compared.scores, compared.supervised_scores)
    known = ~np.isnan(PARTLY)
    brought = WithUnlabeled(reg, X[~known], missing_label=NAN).fit(X[known], PARTLY[known])
    assert brought.predict(X).shape == (90,)


def test_the_marker_must_be_that_of_the_regressor():
    with pytest.raises(ValueError, match=r"missing_label=-1, but SemiSupervisedRNNRegressor has missing_label=nan"):
        cross_val_predict(SemiSupervisedRNNRegressor(**TINY), X, PARTLY)


def test_numbers_hidden_by_minus_one_are_refused_as_one_may_be_true():
    with pytest.raises(ValueError, match=r"pass missing_label=np\.nan"):
        hide_labels(LEVEL, 10)


def test_numbers_far_from_0_that_differ_little_are_learned():
    far = fitted(1e9 + 1e-3 * PARTLY, max_epochs=15, lr=0.02)
    assert far.score(X, 1e9 + 1e-3 * LEVEL) > 0.8


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_units_beyond_float32_are_learned(unit):
    np.testing.assert_allclose(fitted(PARTLY * unit, TINY).predict(X) / unit, fitted(params=TINY).predict(X), rtol=1e-4)


def test_rows_without_weight_do_not_set_the_units():
    y, weights = PARTLY.copy(), np.ones(90)
    y[0], weights[0] = 1e9, 0
    reg = SemiSupervisedRNNRegressor(**TINY).fit(X, y, weights)
    assert reg.net_.module_.task.scale[0] < 1


def test_callbacks_score_in_the_units_of_y():
    callback = EpochScoring("neg_mean_absolute_error", name="error", lower_is_better=False)
    own = EpochScoring(None, name="own")
    reg = fitted(PARTLY * 1000, early_stopping=True, callbacks=[callback, own], max_epochs=2)
    assert reg.history_[-1]["error"] < -10
    assert -5 < reg.history_[-1]["own"] < 1
    assert reg.history_[-1]["own"] != 0


def test_y_in_other_units_after_a_warm_start_gets_a_warning():
    reg = fitted(params=TINY, warm_start=True)
    with pytest.warns(UserWarning, match="keeps the units of y of the last fit"):
        reg.fit(X, PARTLY * 1000)


@pytest.mark.parametrize("text", ["0.5", "nan"])
def test_a_string_among_numbers_is_refused_in_every_container(text):
    y = PARTLY.astype(object)
    y[3] = text
    with pytest.raises(ValueError, match="needs numbers"):
        fitted(y, TINY)


def test_a_boolean_marks_no_number():
    with pytest.raises(ValueError, match="missing_label"):
        fitted(params=TINY, missing_label=True)


def test_whole_numbers_are_no_classes_to_a_regressor():
    whole = np.where(np.isnan(PARTLY), NAN, np.round(PARTLY * 100))
    reg = SemiSupervisedRNNRegressor(**TINY)
    assert np.isnan(cross_val_predict(reg, X, whole, cv=3, missing_label=NAN)).sum() == 60
    marked = np.where(np.isnan(whole), -1000, whole).astype(int)
    reg.set_params(missing_label=-1000)
    assert (cross_val_predict(reg, X, marked, cv=3, missing_label=-1000) == -1000).sum() == 60
    assert LabelBudget(reg, 5, missing_label=-1000, random_state=0).fit(X, marked).predict(X).shape == (90,)
    assert (~np.isnan(hide_labels(whole, 5, missing_label=NAN, random_state=0))).sum() == 5


def test_y_of_another_width_has_no_score():
    with pytest.raises(ValueError, match="y has 1 columns, but SemiSupervisedRNNRegressor was fitted with 2"):
        fitted(np.column_stack([PARTLY, PARTLY]), TINY).score(X, PARTLY)


def test_quantiles_are_those_of_the_fit():
    reg = fitted(params=TINY).set_params(loss="quantile")
    assert not hasattr(reg, "predict_quantiles")


def test_early_stopping_keeps_a_row_of_each_column():
    y = np.column_stack([PARTLY, np.where(np.arange(90) == 5, 1.0, NAN)])
    y[5, 0] = NAN
    assert np.isfinite(fitted(y, TINY, early_stopping=True, validation_fraction=0.9).predict(X)).all()
