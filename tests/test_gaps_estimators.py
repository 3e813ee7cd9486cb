"""Estimators of sequences with values missing at steps and with times of steps: reading, laws and faults."""

import pickle
from re import escape

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from objective_cases import TINY, toy
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_rnn import (
    Gaps,
    Pretraining,
    RNNAutoencoderTransformer,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    SemiSupervisedRNNTagger,
    io,
)
from sklearn_rnn.inspection import integrated_gradients

RNG = np.random.default_rng(0)
N = 24
Y = np.where(np.arange(N) < 12, np.arange(N) % 2, -1)
LENGTHS = RNG.integers(3, 9, N)


def made(seed=0):
    """Lists of (T_i, 3) arrays: two features with gaps, and the hours of irregular steps in the middle."""
    rng, X = np.random.default_rng(seed), []
    for i, length in enumerate(LENGTHS):
        x = rng.normal(size=(length, 3)) + i % 2
        x[rng.random(x.shape) < 0.4] = np.nan
        x[:, 1] = 1.7e9 + np.cumsum(rng.exponential(size=length))
        X.append(x)
    X[3][:, [0, 2]] = np.nan  # nothing was seen
    X[4][:, 0] = np.nan
    return X


X = made()
ESTIMATORS = {
    "classifier": (SemiSupervisedRNNClassifier(**TINY), Y),
    "regressor": (SemiSupervisedRNNRegressor(**TINY), np.where(Y < 0, np.nan, Y)),
    "tagger": (SemiSupervisedRNNTagger(**TINY), [np.full(n, label) for n, label in zip(LENGTHS, Y, strict=True)]),
    "autoencoder": (RNNAutoencoderTransformer(**TINY), None),
    "detector": (RNNOutlierDetector(RNNAutoencoderTransformer(**TINY), cv=2), None),
}
every = pytest.mark.parametrize("name", ESTIMATORS)


def with_gaps(name, gaps):
    estimator, y = ESTIMATORS[name]
    inner = "autoencoder__gaps" if name == "detector" else "gaps"
    return clone(estimator).set_params(**{inner: gaps}), y


def outputs(estimator, X):
    """All that an estimator answers, as one flat array."""
    methods = [m for m in ("predict_proba", "predict", "transform", "score_samples") if hasattr(estimator, m)]
    return np.concatenate([np.ravel(part) for m in methods for part in getattr(estimator, m)(X)])


def frames(X, kind=pd):
    return [kind.DataFrame({"pulse": x[:, 0], "hours": x[:, 1], "oxygen": x[:, 2]}) for x in X]


def padded(X):
    """One array (n, T, F), whose rows end with NaN."""
    out = np.full((len(X), max(map(len, X)), X[0].shape[1]), np.nan)
    for row, x in zip(out, X, strict=True):
        row[: len(x)] = x
    return out


@every
def test_missing_values_and_times_are_read_and_answers_are_finite(name):
    estimator, y = with_gaps(name, Gaps(times=1))
    answers = outputs(estimator.fit(X, y), X)
    assert np.isfinite(answers).all()
    assert estimator.n_features_in_ == 3


@every
def test_a_copy_of_a_fitted_estimator_with_gaps_answers_the_same(name, tmp_path):
    estimator, y = with_gaps(name, Gaps(times="hours"))
    answers = outputs(estimator.fit(frames(X), y), frames(X))
    io.save(estimator, tmp_path / "model.safetensors")
    for copy in (pickle.loads(pickle.dumps(estimator)), io.load(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(outputs(copy, frames(X)), answers)
        assert repr(copy) == repr(estimator)
    np.testing.assert_array_equal(outputs(clone(estimator).fit(frames(X), y), frames(X)), answers)


@every
def test_a_sequence_with_gaps_alone_has_the_answers_that_it_has_among_others(name):
    estimator, y = with_gaps(name, Gaps(times=1))
    estimator.fit(X, y)
    new = made(1)
    for i in (0, 3, 4, 7):
        ends = np.cumsum(LENGTHS)
        together, alone = outputs(estimator, new[: i + 1]), outputs(estimator, new[i : i + 1])
        if name == "classifier":
            np.testing.assert_allclose(alone[:2], together[2 * i : 2 * i + 2], atol=1e-5)
        if name == "tagger":
            start = 2 * (ends[i] - LENGTHS[i])
            np.testing.assert_allclose(alone[: 2 * LENGTHS[i]], together[start : 2 * ends[i]], atol=1e-5)
        if name in ("regressor", "detector"):
            np.testing.assert_allclose(alone[0], together[i], atol=1e-5)


@pytest.mark.parametrize("form", ["arrays", "polars", "padded", "seconds since another day"])
def test_containers_with_the_same_gaps_and_times_have_the_same_answers(form):
    data = {
        "arrays": X,
        "polars": frames(X, pl),
        "padded": padded(X),
        "seconds since another day": [x + np.array([0, 86400, 0]) for x in X],
    }[form]
    times = "hours" if form == "polars" else 1
    params = TINY | {"bidirectional": False, "augmentation": None}
    expected = SemiSupervisedRNNClassifier("supervised", gaps=Gaps(times=1), **params).fit(X, Y).predict_proba(X)
    got = SemiSupervisedRNNClassifier("supervised", gaps=Gaps(times), **params).fit(data, Y).predict_proba(data)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_columns_of_frames_are_matched_by_name_with_times_too():
    clf = SemiSupervisedRNNClassifier("supervised", gaps=Gaps("hours"), **TINY).fit(frames(X), Y)
    turned = [frame[["oxygen", "pulse", "hours"]] for frame in frames(X)]
    np.testing.assert_array_equal(clf.predict_proba(turned), clf.predict_proba(frames(X)))


def test_final_steps_without_values_are_steps_in_a_list_and_padding_in_an_array():
    clf = SemiSupervisedRNNClassifier("supervised", gaps=True, **TINY)
    values = [x[:, [0, 2]] for i, x in enumerate(X) if i != 3]
    y = np.delete(Y, 3)
    longer = [np.concatenate([x, np.full((4, 2), np.nan)]) for x in values]
    clf.fit(values, y)
    assert np.abs(clf.predict_proba(longer) - clf.predict_proba(values)).max() > 1e-4
    clf.fit(padded(values), y)
    np.testing.assert_array_equal(clf.predict_proba(padded(longer)), clf.predict_proba(padded(values)))


# 60
def test_a_row_of_which_nothing_was_seen_is_one_sequence_of_missing_values():
    for rows in (X, padded(X)):
        clf = SemiSupervisedRNNClassifier("supervised", gaps=Gaps(1), **TINY).fit(rows, Y)
        unseen = [np.full((5, 3), np.nan), X[0]] if isinstance(rows, list) else np.full((2, 5, 3), np.nan)
        assert np.isfinite(clf.predict_proba(unseen)).all()


def test_a_feature_that_was_never_seen_in_fit_changes_nothing():
    never = [np.column_stack([x[:, 0], np.full(len(x), np.nan)]) for x in X]
    clf = SemiSupervisedRNNClassifier("supervised", gaps=True, **TINY).fit(never, Y)
    assert np.isfinite(clf.predict_proba([x[:, [0, 2]] for x in X])).all()


def test_gaps_of_tables_are_values_that_were_not_seen():
    table = np.random.default_rng(0).normal(size=(N, 9))
    table[:, 5:] = np.nan
    clf = SemiSupervisedRNNClassifier("supervised", gaps=True, **TINY).fit(table, Y)
    assert clf.n_features_in_ == 9
    assert np.isfinite(clf.predict_proba(table)).all()


def test_nan_is_an_error_that_names_gaps_where_they_are_not_allowed():
    for estimator in (SemiSupervisedRNNClassifier(), RNNAutoencoderTransformer()):
        with pytest.raises(ValueError, match="gaps=True"):
            estimator.fit([x[:, [0, 2]] for x in X], Y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"step": 2, "value": 0.0},
            "The times in column 'hours' must increase within a sequence, but X[1] has 0 at step",
        ),
        (
            {"step": 1, "value": np.nan},
            "The times in column 'hours' must be known at each step, but X[1] has nan at step 1",
        ),
        (
            {"step": 1, "value": np.inf},
            "The times in column 'hours' must be known at each step, but X[1] has inf at step 1",
        ),
    ],
)
def test_bad_times_are_an_error_with_row_and_step(change, message):
    bad = [x.copy() for x in X]
    bad[1] = bad[0].copy()
    bad[1][change["step"], 1] = change["value"]
    with pytest.raises(ValueError, match=escape(message)):
        SemiSupervisedRNNClassifier(gaps=Gaps("hours"), **TINY).fit(frames(bad), Y)


@pytest.mark.parametrize(
    ("times", "data", "message"),
    [
        ("minutes", frames(X), "times has the column 'minutes', but X has the columns"),
        ("hours", X, "times has the name 'hours', but X has no column names"),
        (3, X, "times has the column 3, but X has 3 columns"),
        (0, [x[:, 0] for x in X], "each step of X needs two columns or more"),
        (0, np.zeros((N, 5)), "each step of X needs two columns or more"),
    ],
)
def test_a_column_of_times_that_x_does_not_have_is_an_error(times, data, message):
    with pytest.raises(ValueError, match=escape(message)):
        SemiSupervisedRNNClassifier(gaps=Gaps(times), **TINY).fit(data, Y)


def test_gaps_true_and_an_object_are_parameters_that_can_be_searched():
    clf = SemiSupervisedRNNClassifier("supervised", gaps=True, **TINY)
    assert clone(clf).set_params(gaps__times=1).gaps.times == 1
    search = GridSearchCV(clf, {"gaps": [True, Gaps(1)]}, cv=2).fit(X[:12], Y[:12])
    assert len(search.cv_results_["params"]) == 2


def test_pretraining_and_warm_starts_go_on_with_gaps(tmp_path):
    autoencoder = RNNAutoencoderTransformer(gaps=Gaps(1), **TINY).fit(X)
    io.save_encoder(autoencoder, tmp_path / "encoder.safetensors")
    for pretraining in ("masked_reconstruction", Pretraining(str(tmp_path / "encoder.safetensors"))):
        clf = SemiSupervisedRNNClassifier("supervised", pretraining=pretraining, gaps=Gaps(1), **TINY).fit(X, Y)
        assert np.isfinite(clf.predict_proba(X)).all()
    clf.set_params(warm_start=True, pretraining=None).fit(X, Y)
    with pytest.raises(ValueError, match="Gaps"):
        clf.set_params(gaps=False).fit([np.nan_to_num(x) for x in X], Y)
    plain = SemiSupervisedRNNClassifier(pretraining=str(tmp_path / "encoder.safetensors"), **TINY)
    with pytest.raises(ValueError, match="gaps=True"):
        plain.fit([np.nan_to_num(x) for x in X], Y)


def test_export_to_onnx_says_that_gaps_are_not_possible(tmp_path):
    pytest.importorskip("onnx")
    clf = SemiSupervisedRNNClassifier("supervised", gaps=True, **TINY).fit([x[:, [0, 2]] for x in X], Y)
    with pytest.raises(TypeError, match="gaps=True cannot be exported"):
        io.to_onnx(clf, tmp_path / "model.onnx")


def test_attributions_of_gaps_and_times_are_zero_and_add_up_to_the_difference_of_the_scores():
    clf = SemiSupervisedRNNClassifier("supervised", gaps=Gaps(1), **TINY).fit(X, Y)
    attributions = integrated_gradients(clf, X, target=1, n_points=64)
    for x, attribution in zip(X, attributions, strict=True):
        assert attribution.shape == x.shape
        assert not attribution[np.isnan(x)].any()
        assert not attribution[:, 1].any()
    model = clf.net_.module_
    with torch.no_grad():
        values, layer = torch.from_numpy(clf._read(X[:1]).batch(np.arange(1))[0]), model.encoder.input
        x = layer.standardised(values)
        scores = [model.predict_outputs(layer.with_changes(s * x, layer.passed(values)), None)[0] for s in (0, 1)]
    start, end = (score[1] - score[0] for score in scores)
    assert attributions[0].sum() == pytest.approx((end - start).item(), abs=2e-2)


@pytest.mark.full_epochs
def test_data_without_gaps_are_learned_as_well_with_gaps_allowed():
    (train, _, y), (test, true, _) = toy(90, n_labels=30), toy(200, seed=1)
    scores = []
    for gaps in (False, True):
        clf = SemiSupervisedRNNClassifier(
            "supervised", gaps=gaps, hidden_size=16, n_kernels=16, max_epochs=3, random_state=0
        )
        scores.append(clf.fit(train, y).score(test, true))
        assert clf.net_.lr > 0.008 - 1e-9  # not that of missing values
    assert scores[1] > scores[0] - 0.03


@pytest.mark.full_epochs
def test_a_class_that_shows_in_the_times_alone_is_learned():
    rng, y = np.random.default_rng(0), np.arange(120) % 2
    rows = [np.column_stack([np.cumsum(rng.exponential(1 + 2 * label, 12)), rng.normal(size=12)]) for label in y]
    clf = SemiSupervisedRNNClassifier(
        "supervised", gaps=Gaps(0), hidden_size=16, n_kernels=0, max_epochs=3, augmentation=None, random_state=0
    )
    assert clf.fit(rows[:60], y[:60]).score(rows[60:], y[60:]) > 0.8


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["check_estimators_nan_inf", "check_estimators_pickle", "check_fit2d_1sample"])
def test_checks_of_scikit_learn_hold_with_gaps(name):
    small = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1}
    checks = list(estimator_checks_generator(SemiSupervisedRNNClassifier(gaps=True, **small)))
    assert len(checks) > 50
    for estimator, check in checks:
        if check.func.__name__ == name:
            check(estimator)
