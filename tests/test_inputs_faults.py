"""Columns of `predict` that differ from those of `fit`, and rows that lack some of them."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.frozen import FrozenEstimator

from sklearn_rnn import Gaps, Pretraining, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.model_selection import WithUnlabeled

RNG = np.random.default_rng(0)
N = 16
Y = np.arange(N) % 2
A = [RNG.normal(size=6 + i % 3) for i in range(N)]
B = [RNG.normal(size=len(x)) + 100 for x in A]
HOURS = [np.sort(RNG.uniform(0, 9, len(x))) for x in A]
SHORT = [RNG.normal(size=3) for _ in range(N)]
TINY = {"hidden_size": 4, "n_kernels": 2, "max_epochs": 1, "random_state": 0}


def classifier(**params):
    return SemiSupervisedRNNClassifier("supervised", **TINY | params)


def same(clf, X, other):
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(other))


def test_features_of_a_dictionary_are_matched_by_name():
    clf = classifier().fit({"a": A, "b": B}, Y)
    same(clf, {"a": A, "b": B}, {"b": B, "a": A})
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- c(.|\n)*now missing:\n- b"):
        clf.predict({"a": A, "c": B})


@pytest.mark.parametrize("form", ["dictionary", "array of objects"])
def test_features_have_the_order_of_their_input_also_in_predict(form):
    X, inputs = {"a": A, "b": B}, {"both": ["b", "a"]}
    if form == "array of objects":
        X, inputs = np.empty((N, 2), dtype=object), {"both": [1, 0]}
        X[:, 0], X[:, 1] = A, B
    clf = classifier(inputs=inputs).fit(X, Y)
    means = clf._read(X).values.mean(0)
    np.testing.assert_allclose(means, clf.net_.module_.encoder.input.mean.numpy(), atol=0.1)
    assert means[0] > 90


def test_times_of_a_dictionary_are_found_by_name_in_predict():
    clf = classifier(gaps=Gaps("hours")).fit({"hours": HOURS, "a": A}, Y)
    same(clf, {"hours": HOURS, "a": A}, {"a": A, "hours": HOURS})


def test_columns_named_by_numbers_are_matched_by_their_names():
    X = pd.DataFrame({10: A, 20: SHORT})
    clf = classifier().fit(X, Y)
    same(clf, X, X[[20, 10]])


def test_predictions_read_gaps_and_times_as_the_fit_did():
    X = [np.column_stack(row) for row in zip(HOURS, A, B, strict=True)]
    clf = classifier(gaps=Gaps(times=0)).fit(X, Y)
    expected = clf.predict_proba(X)
    np.testing.assert_array_equal(clf.set_params(gaps=Gaps(times=2)).predict_proba(X), expected)
    clf = classifier().fit(X, Y).set_params(gaps=True)
    missing = [x.copy() for x in X]
    missing[0][2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        clf.predict(missing)


@pytest.mark.parametrize("change", [{"gaps": Gaps(times=2)}, {"inputs": {"a": ["a"]}}])
def test_a_warm_start_with_other_times_or_inputs_is_an_error(change):
    X = [np.column_stack(row) for row in zip(HOURS, A, B, strict=True)]
    clf = classifier(warm_start=True, gaps=Gaps(times=0)).fit(X, Y)
    with pytest.raises(ValueError, match="needs the inputs and Gaps"):
        clf.set_params(**change).fit(X, Y)


def test_pretraining_with_other_times_is_an_error():
    X = [np.column_stack(row) for row in zip(HOURS, A, B, strict=True)]
    autoencoder = RNNAutoencoderTransformer(gaps=Gaps(times=0), **TINY).fit(X)
    pretrained = FrozenEstimator(autoencoder)
    with pytest.raises(ValueError, match="the times of steps in column 0, but in X they are not given"):
        classifier(gaps=True, pretraining=pretrained).fit(X, Y)
    assert classifier(gaps=Gaps(times=0), pretraining=pretrained).fit(X, Y).predict(X).shape == (N,)


def test_a_row_without_a_feature_is_an_error_that_does_not_depend_on_the_fold():
    X = pd.DataFrame({"a": A, "b": B})
    X.at[3, "b"] = None
    with pytest.raises(ValueError, match=r"Row 3 of X has no 'b'(.|\n)*inputs=\{'a': \['a'\], 'b': \['b'\]\}"):
        classifier().fit(X, Y)
    clf = classifier().fit(X.drop(3), np.delete(Y, 3))
    with pytest.raises(ValueError, match="Row 3 of X has no 'b'"):
        clf.predict(X)
    groups = {"a": ["a"], "b": ["b"]}
    assert classifier(inputs=groups).fit(X, Y).predict(X).shape == (N,)


def test_a_column_that_is_missing_in_all_rows_is_an_error():
    X = pd.DataFrame({"a": A, "short": [None] * N, "age": RNG.normal(size=N)})
    with pytest.raises(ValueError, match=r"X\['short'\] is missing in all rows. Drop the column"):
        classifier().fit(X, Y)


def test_large_numbers_that_differ_little_keep_their_difference():
    X = pd.DataFrame({"a": A, "large": 1e8 + Y})
    clf = classifier().fit(X, Y)
    values = clf._read(X).inputs["static"].sequences.values[:, 0, 0]
    np.testing.assert_array_equal(values, Y - 0.5)


@pytest.mark.parametrize("X", [pd.DataFrame({"a": A, "age": Y}).iloc[:0], {"a": [], "age": []}])
def test_no_rows_are_an_error_as_in_scikit_learn(X):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) \(shape=\(0, 2\)\)"):
        classifier().fit(X, Y[:0])


def test_a_fit_on_arrays_forgets_the_name_of_a_column():
    clf = classifier().fit(pd.DataFrame({"a": A}), Y).fit(A, Y)
    assert clf.predict(pd.DataFrame({"b": A})).shape == (N,)


def test_a_pretrained_encoder_reads_single_numbers_as_it_did():
    X = pd.DataFrame({"a": A, "age": RNG.normal(60, 9, size=N)})
    autoencoder = RNNAutoencoderTransformer(**TINY).fit(X)
    clf = classifier(pretraining=Pretraining(FrozenEstimator(autoencoder), freeze=True), dropout=0.0)
    clf.fit(X[:9], Y[:9])
    embedded = [
        model.net_.module_.encoder.embed(model._read(X).tensors(np.arange(N))[0]) for model in (autoencoder, clf)
    ]
    torch.testing.assert_close(embedded[0].parts[1], embedded[1].parts[1], atol=1e-5, rtol=0)


def test_errors_name_the_row_of_X_also_if_rows_before_it_lack_the_input():
    short = [None if i % 2 else x for i, x in enumerate(SHORT)]
    short[6] = np.array([0, np.inf, 1])
    with pytest.raises(ValueError, match=r"^Input 'short': (.|\n)*X\[6\] has it at step 1"):
        classifier().fit(pd.DataFrame({"a": A, "short": short}), Y)


@pytest.mark.parametrize("factor", [1, 1000])
def test_unlabeled_rows_of_another_scale_in_one_of_several_inputs_are_an_error(factor):
    X = pd.DataFrame({"a": A, "short": SHORT})
    unlabeled = pd.DataFrame({"a": A, "short": [None, *(factor * x for x in SHORT[1:])]})
    estimator = WithUnlabeled(classifier(), unlabeled)
    if factor == 1:
        assert estimator.fit(X, Y).predict(X).shape == (N,)
    else:
        with pytest.raises(ValueError, match="in the column 'short', nearly all of its rows are on another scale"):
            estimator.fit(X, Y)


def test_columns_that_are_features_are_compared_together():
    flags = [np.full(len(x), 1.0) for x in A]
    X = pd.DataFrame({"a": A, "b": B, "flag": flags})
    unlabeled = pd.DataFrame({"a": A, "b": B, "flag": [0 * x if i else x for i, x in enumerate(flags)]})
    assert WithUnlabeled(classifier(), unlabeled).fit(X, Y).predict(X).shape == (N,)


@pytest.mark.parametrize(
    ("start", "unit", "dtype", "warns"),
    [(1.7e9, 60, "f4", True), (1.7e9, 1, "f4", True), (1.7e9, 60, "f8", False), (0, 60, "f4", False)],
)
def test_times_that_their_type_rounds_get_a_warning(start, unit, dtype, warns):
    X = [np.column_stack([start + unit * hours, x]).astype(dtype) for hours, x in zip(HOURS, A, strict=True)]
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        classifier(gaps=Gaps(times=0)).fit(X, Y)
    assert any("are float32 numbers near 1.7e+09, which are rounded" in str(w.message) for w in found) == warns


def test_whole_seconds_that_are_exact_get_no_warning():
    X = [np.column_stack([3e6 + np.arange(len(x)), x]).astype("f4") for x in A]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        classifier(gaps=Gaps(times=0)).fit(X, Y)
