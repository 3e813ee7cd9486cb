"""What bad input and bad luck get: one test for each row of the table of faults, its number above it."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from re import escape

import numpy as np
import pandas as pd
import pytest
import torch
from numpy._core._exceptions import _ArrayMemoryError
from scipy import sparse
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.utils._param_validation import InvalidParameterError
from skorch.callbacks import Callback

from sklearn_rnn import Optimizer, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import VAT, Reconstruction, Supervised

Classifier, Autoencoder = SemiSupervisedRNNClassifier, RNNAutoencoderTransformer
both = pytest.mark.parametrize("cls", [Classifier, Autoencoder])
OTHER = {Classifier: Reconstruction, Autoencoder: Supervised}
OWN = {Classifier: Supervised, Autoencoder: Reconstruction}
TOO_LARGE = escape("Input X contains infinity or a value too large for dtype('float32').")


def small(cls, **parameters):
    return cls(**{"hidden_size": 4, "max_epochs": 1, "random_state": 0, **parameters})


def labels(n):
    return np.where(np.arange(n) % 4 < 2, np.arange(n) % 2, -1)  # 0, 1, -1, -1, ...


def fit(cls, X, **parameters):
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    return small(cls, **parameters).fit(X, labels(n))


def values(*shape):
    return np.random.default_rng(0).normal(size=shape)


def ragged(*lengths, n_features=2):
    return [values(length, n_features) for length in lengths]


def output(estimator, X):
    return estimator.predict_proba(X) if isinstance(estimator, Classifier) else estimator.transform(X)


def weights(estimator):
    return {name: w.clone() for name, w in estimator.net_.module_.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def spoiled(value, form):
    """Return X with `value` at step 2 of sequence 1: a table, a grid or a list."""
    if form == "table":
        X = values(4, 6)
        X[1, 2] = value
    else:
        X = values(4, 6, 2)
        X[1, 2, 0] = value
    return list(X) if form == "list" else X


# 1
@both
@pytest.mark.parametrize(
    "X", [np.empty((0, 5)), np.empty((0, 5, 2)), [], np.empty(0, object)], ids=["2d", "3d", "list", "object"]
)
def test_no_samples_are_refused(cls, X):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) \(shape=.*\) while a minimum of 1 is req"):
        fit(cls, X)


# 2
@both
def test_no_time_steps_are_refused(cls):
    sentence = rf"Found array with 0 time step\(s\) .* while a minimum of 1 is required by {cls.__name__}\."
    with pytest.raises(ValueError, match=sentence):
        fit(cls, np.empty((4, 0, 2)))


# 3
@both
@pytest.mark.parametrize("X", [np.empty((4, 0)), np.empty((4, 5, 0)), [np.empty((5, 0))] * 4], ids=["2d", "3d", "list"])
def test_no_features_are_refused(cls, X):
    with pytest.raises(ValueError, match=r"Found array with 0 feature\(s\)"):
        fit(cls, X)


# 4
@both
@pytest.mark.parametrize(
    "X",
    [
        [*ragged(3, 4), np.empty((0, 2)), *ragged(5)],
        [values(3), values(4), np.empty(0), values(5)],
        [np.arange(3), np.arange(4), np.arange(0), np.arange(5)],
        [[1, 2, 3], [1, 2], [], [4]],
        [[0.5, 1.5, 2.5], [0.5, 1.5], [], [4.5]],
        [[[0.5, 1.0]], [[0.5, 1.0], [2.0, 3.0]], [], [[0.5, 1.0]]],
        [[1.5], [2.5], [], [4.5]],
    ],
    ids=["series", "1d", "tokens", "nested tokens", "nested floats", "nested series", "nested ones"],
)
def test_an_empty_sequence_is_named(cls, X):
    with pytest.raises(ValueError, match=r"X\[2\] has 0 time step\(s\)"):
        fit(cls, X)


# 5
@both
@pytest.mark.parametrize("form", ["table", "grid", "list"])
def test_nan_in_x_is_refused(cls, form):
    with pytest.raises(ValueError, match=r"Input X contains NaN\."):
        fit(cls, spoiled(np.nan, form))


# 6
@both
@pytest.mark.parametrize("form", ["table", "grid", "list"])
def test_nan_inside_a_sequence_is_named_with_its_step(cls, form):
    with pytest.raises(
        ValueError, match=r"X\[1\] has NaN at step 2\. .*gaps=True.*preprocessing\.SequenceImputer fills gaps"
    ):
        fit(cls, spoiled(np.nan, form))


# 7
@both
@pytest.mark.parametrize("form", ["table", "grid", "list"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_in_x_is_refused(cls, form, value):
    with pytest.raises(ValueError, match=TOO_LARGE):
        fit(cls, spoiled(value, form))


# 8
@both
@pytest.mark.parametrize("form", ["table", "grid", "list"])
@pytest.mark.parametrize("value", [1e39, -1e300])
def test_what_float32_cannot_hold_is_refused_without_another_warning(cls, form, value):
    with pytest.raises(ValueError, match=TOO_LARGE):
        fit(cls, spoiled(value, form))


# 8
@both
def test_what_float32_just_holds_makes_no_nan(cls):
    X = spoiled(1e38, "grid")
    assert np.isfinite(output(fit(cls, X), X)).all()


# 9
@both
@pytest.mark.parametrize("form", ["table", "grid", "list"])
def test_complex_x_is_refused(cls, form):
    X = spoiled(0, form)
    X = [x * 1j for x in X] if form == "list" else X * 1j
    with pytest.raises(ValueError, match="Complex data not supported"):
        fit(cls, X)


# 10
@both
@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.coo_array])
def test_sparse_x_is_refused(cls, make):
    with pytest.raises(
        TypeError, match=r"Sparse data was passed for X, but dense data is required\..*TokenSequenceVect"
    ):
        fit(cls, make(values(4, 5)))


# 11
@both
@pytest.mark.parametrize("X", [values(5), values(5).tolist()], ids=["array", "list"])
def test_one_dimension_is_refused(cls, X):
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        fit(cls, X)


# 12
@both
def test_four_dimensions_are_refused(cls):
    sentence = rf"Found array with dim 4, while dim <= 3 is required by {cls.__name__}\."
    with pytest.raises(ValueError, match=sentence):
        fit(cls, values(4, 5, 2, 2))


# 13
@both
def test_different_feature_counts_are_named(cls):
    X = [values(4, 2), values(5, 3), values(4, 2), values(3, 3)]
    sentence = escape("All sequences must have the same number of features, got [2, 3].")
    with pytest.raises(ValueError, match=sentence):
        fit(cls, X)


# 14
@both
def test_a_1d_float_array_is_one_value_a_step(cls):
    X = [values(length) for length in (3, 4, 5, 6)]
    estimator = fit(cls, X)
    assert estimator.n_features_in_ == 1
    columns = [x[:, None] for x in X]
    assert np.array_equal(output(estimator, X), output(fit(cls, columns), columns))
    assert "(T_i,)" in cls.fit.__doc__


# 15
@both
@pytest.mark.parametrize("form", ["table", "grid", "list"])
def test_another_feature_count_is_refused(cls, form):
    old, new = (values(4, n) if form == "table" else values(4, 6, n) for n in (10, 5))
    if form == "list":
        old, new = list(old), list(new)
    sentence = escape(f"X has 5 features, but {cls.__name__} is expecting 10 features as input.")
    with pytest.raises(ValueError, match=sentence):
        output(fit(cls, old), new)


TABLE, GRID, TOKENS = values(4, 6), values(4, 6, 2), [np.arange(n) for n in (3, 4, 5, 6)]


# 16
@both
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (GRID, TABLE, r"X is a 2-D array.* was fitted on sequences of feature vectors"),
        (TABLE, GRID, r"X is sequences of feature vectors.* was fitted on a 2-D array"),
        (TOKENS, GRID, r"X is sequences of feature vectors.* was fitted on token ids"),
        (TOKENS, TABLE, r"X is a 2-D array.* was fitted on token ids"),
        (TABLE, TOKENS, r"X is token ids.* was fitted on a 2-D array"),
        (TOKENS, [x / 2 for x in TOKENS], r"X is sequences of feature vectors.* was fitted on token ids"),
    ],
)
def test_another_kind_of_x_is_refused_naming_both(cls, old, new, words):
    with pytest.raises(ValueError, match=words):
        output(fit(cls, old), new)


# 17
@both
def test_another_number_of_steps_works(cls):
    estimator = fit(cls, GRID)
    assert len(output(estimator, values(3, 9, 2))) == len(output(estimator, values(3, 1, 2))) == 3


# 18
@both
def test_other_feature_names_are_refused(cls):
    estimator = fit(cls, pd.DataFrame(TABLE, columns=list("abcdef")))
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        output(estimator, pd.DataFrame(TABLE, columns=list("abcdeg")))


# 19
@both
def test_an_estimator_that_is_not_fitted_says_so(cls):
    with pytest.raises(NotFittedError):
        output(small(cls), TABLE)


# 20
def test_the_classifier_requires_y():
    sentence = "This SemiSupervisedRNNClassifier estimator requires y to be passed, but the target y is None."
    with pytest.raises(ValueError, match=escape(sentence)):
        small(Classifier).fit(TABLE, None)


# 21
@pytest.mark.parametrize("X", [TABLE, GRID, TOKENS], ids=["table", "grid", "tokens"])
def test_a_y_of_another_length_is_refused(X):
    sentence = escape("Found input variables with inconsistent numbers of samples: [4, 3]")
    with pytest.raises(ValueError, match=sentence):
        small(Classifier).fit(X, labels(3))


# 22
def test_a_continuous_y_is_refused():
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        small(Classifier).fit(TABLE, [0.5, 1.5, 2.5, -1])


# 23
@pytest.mark.parametrize("y", [np.array([0, 1, np.nan, -1]), np.array([0, 1, np.nan, -1], dtype=object)])
def test_nan_in_y_is_refused_and_the_marker_named(y):
    with pytest.raises(ValueError, match=r"(?s)Input y contains NaN\..*[Mm]ark unlabeled rows with.*missing_label.*-1"):
        small(Classifier).fit(TABLE, y)


# 24
def test_a_column_of_labels_warns():
    with pytest.warns(DataConversionWarning):
        small(Classifier).fit(TABLE, labels(4)[:, None])


# 25
def test_several_columns_of_labels_are_refused():
    with pytest.raises(ValueError, match="y should be a 1d array"):
        small(Classifier).fit(TABLE, np.zeros((4, 2), dtype=int))


# 26
@pytest.mark.parametrize("marker", [-1, None, np.nan, "?"])
def test_a_y_without_labels_is_refused(marker):
    y = np.array([marker] * 4, dtype=float if marker is np.nan else object)
    with pytest.raises(ValueError, match="y has no labeled sample; "):
        small(Classifier, missing_label=marker).fit(TABLE, y)


# 27
def test_one_labeled_class_fits_with_a_warning():
    with pytest.warns(UserWarning, match="only one class"):
        classifier = small(Classifier).fit(TABLE, [3, -1, 3, -1])
    assert classifier.predict(TABLE).tolist() == [3] * 4


# 28
@pytest.mark.parametrize("objective", ["supervised", "mean_teacher"])
def test_nothing_unlabeled_fits_in_silence(objective):
    classifier = small(Classifier, objective=objective).fit(TABLE, [0, 1, 0, 1])
    assert classifier.transduction_.tolist() == [0, 1, 0, 1]


# 29
def test_strings_that_hold_the_marker_as_text_are_refused():
    sentence = "y has a string dtype and contains '-1'; use dtype object with -1, or missing_label='-1'"
    with pytest.raises(ValueError, match=escape(sentence)):
        small(Classifier).fit(TABLE, np.array(["a", "b", "-1", "-1"]))


# 22
def test_strings_beside_numbers_are_refused():
    with pytest.raises(TypeError, match="y mixes strings and other labels"):
        small(Classifier).fit(TABLE, np.array([1, "a", -1, 1], dtype=object))


@pytest.mark.parametrize("marker", [None, np.nan])
def test_a_forgotten_missing_label_is_named(marker):
    with pytest.raises(ValueError, match="pass missing_label=None, to a splitter or scorer too"):
        small(Classifier).fit(TABLE, np.array(["b", "a", marker, "a"], dtype=object))


@pytest.mark.parametrize("marker", [None, np.nan])
def test_missing_label_none_stands_for_nan_among_strings_too(marker):
    y = pd.Series(["b", "a", marker, "a"])
    classifier = small(Classifier, missing_label=None).fit(TABLE, y)
    assert classifier.classes_.tolist() == ["a", "b"]
    assert classifier.label_distributions_[2].max() < 1


# 30
def test_a_class_missing_from_a_fold_has_no_column():
    X, y = values(9, 6), np.repeat([0, 1, 2], 3)
    folds = cross_validate(small(Classifier), X, y, cv=KFold(3), return_estimator=True, error_score="raise")
    assert [e.classes_.tolist() for e in folds["estimator"]] == [[1, 2], [0, 2], [0, 1]]
    assert all(e.predict_proba(X).shape == (9, 2) for e in folds["estimator"])


# 31
def test_a_score_without_labels_is_refused():
    with pytest.raises(ValueError, match="no labeled sample"):
        fit(Classifier, TABLE).score(TABLE, [-1] * 4)


# 21
def test_weights_of_a_score_of_another_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(Classifier, TABLE).score(TABLE, labels(4), sample_weight=np.ones(3))


# 32
@both
@pytest.mark.parametrize("X", [TABLE[:1], GRID[:1], TOKENS[:1]], ids=["table", "grid", "tokens"])
@pytest.mark.filterwarnings("ignore:y has only one class")
def test_one_sample_fits(cls, X):
    assert np.isfinite(output(fit(cls, X), X)).all()


# 33
@both
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_last_batch_of_one_row_changes_nothing(cls, early_stopping):
    X, y = values(9, 6), np.arange(9) % 2
    options = {"early_stopping": early_stopping, "validation_fraction": 0.3}
    estimator = small(cls, batch_size=2, **options).fit(X, y)
    assert np.isfinite(estimator.history_[-1]["train_loss"])
    alone = np.concatenate([output(estimator, X[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(output(estimator, X), alone, atol=1e-6)


# 34
@both
@pytest.mark.parametrize("X", [np.full((4, 6), 7.0), np.zeros((4, 6, 2)), [np.full(3, 1e30)] * 4])
def test_constant_x_fits(cls, X):
    assert np.isfinite(output(fit(cls, X), X)).all()


# 35
@both
def test_a_very_long_sequence_among_short_ones_takes_bounded_memory(cls):
    short = [values(5, 1) for _ in range(500)]
    estimator = fit(cls, short[:8])
    X = [*short, values(10_000, 1)]
    padded = len(X) * 10_000 * 4
    tracemalloc.start()
    result = output(estimator, X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < padded / 4
    np.testing.assert_allclose(result[:500], output(estimator, short), atol=1e-6)


# 35
@both
def test_max_length_cuts_with_a_warning(cls):
    X = ragged(5, 50, 4, 6)
    with pytest.warns(UserWarning, match="1 of 4 sequences are longer than max_length=6"):
        estimator = fit(cls, X, max_length=6)
    with pytest.warns(UserWarning, match="max_length=6"):
        result = output(estimator, X)
    assert np.array_equal(result, output(estimator, [x[:6] for x in X]))


# 36
@both
@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("hidden_size", 0, "[1, inf)"),
        ("hidden_size", 4.5, "[1, inf)"),
        ("cell", "lstmm", "'lstm'"),
        ("pooling", "sum", "'mean_max'"),
        ("num_layers", 0, "[1, inf)"),
        ("dropout", 1.0, "[0.0, 1.0)"),
        ("patch_size", 0, "[1, inf)"),
        ("max_length", 0, "[1, inf)"),
        ("max_epochs", 0, "[1, inf)"),
        ("lr", -1, "(0.0, inf)"),
        ("lr", np.nan, "(0.0, inf)"),
        ("batch_size", 0, "[1, inf)"),
        ("optimizer", "adamm", "'adamw'"),
        ("validation_fraction", 1.0, "(0.0, 1.0)"),
        ("n_iter_no_change", 0, "[1, inf)"),
        ("objective", 3, "str"),
    ],
)
def test_a_bad_parameter_is_named_with_its_range_and_value(cls, name, value, allowed):
    with pytest.raises(InvalidParameterError) as caught:
        fit(cls, TABLE, **{name: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"The {name!r} parameter of {cls.__name__} must be")
    assert allowed in sentence
    assert sentence.endswith(f"Got {value!r} instead.")


# 36
@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("embedding__size", 0, "[1, inf)"),
        ("embedding__init", "glove", "'cooccurrence'"),
        ("embedding__frozen", "no", "'auto'"),
        ("optimizer__method", "adamm", "'adamw'"),
        ("optimizer__weight_decay", -1, "[0.0, inf)"),
        ("optimizer__gradient_clip", 0, "(0.0, inf)"),
        ("pretraining__freeze", 2, "[0.0, 1.0]"),
        ("pretraining__lr_factor", 0, "(0.0, inf)"),
        ("pretraining__gradual", "yes", "bool"),
    ],
)
def test_a_bad_parameter_of_an_object_is_named_with_its_range_and_value(parameter, value, allowed):
    clf = small(Classifier, pretraining="reconstruction").set_params(**{parameter: value})
    of, name = parameter.split("__")
    with pytest.raises(InvalidParameterError) as caught:
        clf.fit(TOKENS, labels(len(TOKENS)))
    assert str(caught.value).startswith(f"The {name!r} parameter of {of.capitalize()} must be")
    assert allowed in str(caught.value)
    assert str(caught.value).endswith(f"Got {value!r} instead.")


# 37
@both
@pytest.mark.parametrize("seed", ["seed", -1, 0.5])
def test_a_bad_random_state_is_refused(cls, seed):
    with pytest.raises(ValueError, match="The 'random_state' parameter of"):
        fit(cls, TABLE, random_state=seed)


# 38
@both
@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none_is_refused(cls):
    sentence = escape("device='cuda' was requested but CUDA is not available")
    with pytest.raises(ValueError, match=sentence):
        fit(cls, TABLE, device="cuda")


# 39
@both
@pytest.mark.parametrize("how", ["name", "instance", "unknown"])
def test_an_objective_of_another_task_is_refused_naming_those_that_fit(cls, how):
    other = OTHER[cls]
    objective = {"name": other.__name__.lower(), "instance": other(), "unknown": "no_such"}[how]
    with pytest.raises(ValueError, match=rf"does not fit {cls.__name__}.*choose from .*{OWN[cls].__name__.lower()}"):
        fit(cls, TABLE, objective=objective)


class After:
    """An objective's terms until step `n_good`, then `fault`."""

    n_good, fault = 30, None

    def terms(self, model, batch):
        self.seen_ = getattr(self, "seen_", 0) + 1
        terms = super().terms(model, batch)
        if self.seen_ <= self.n_good:
            return terms
        if self.fault is not None:
            raise self.fault
        return {name: term * torch.nan for name, term in terms.items()}


class SupervisedAfter(After, Supervised):
    pass


class ReconstructionAfter(After, Reconstruction):
    pass


FAILING = {Classifier: SupervisedAfter, Autoencoder: ReconstructionAfter}
kept = []


class Keep(Callback):
    """Copies the weights at the end of each epoch."""

    def on_epoch_end(self, net, **data):
        kept.append({name: w.clone() for name, w in net.module_.state_dict().items()})


class Interrupt(Callback):
    """Ctrl-C in the second epoch."""

    def on_batch_end(self, net, **data):
        if len(net.history) == 2:
            raise KeyboardInterrupt


# 40
@pytest.mark.full_epochs
@both
def test_a_loss_that_is_not_finite_stops_and_keeps_the_best_weights(cls):
    kept.clear()
    estimator = small(cls, objective=FAILING[cls](), max_epochs=3, callbacks=[Keep()])
    with pytest.raises(FloatingPointError, match=r"epoch 2, step 31.*Scale X, or lower lr"):
        estimator.fit(TABLE, labels(4))
    assert len(kept) == 1
    assert same(weights(estimator), kept[0])
    assert np.isfinite(output(estimator, TABLE)).all()


# 40
@both
def test_a_huge_learning_rate_leaves_no_untrained_net(cls):
    estimator = small(cls, lr=1e38, optimizer=Optimizer("sgd", gradient_clip=None), max_epochs=3)
    with pytest.raises(FloatingPointError, match=r"epoch \d+, step \d+.*lower lr"):
        estimator.fit(TABLE, labels(4))
    with pytest.raises(NotFittedError):  # no epoch has ended
        output(estimator, TABLE)


# 41
@both
def test_ctrl_c_leaves_the_last_good_weights_usable(cls):
    kept.clear()
    estimator = small(cls, objective=OWN[cls](), max_epochs=3, callbacks=[Keep(), Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(TABLE, labels(4))
    assert same(weights(estimator), kept[0])
    assert np.isfinite(output(estimator, TABLE)).all()


# 41
def test_ctrl_c_leaves_no_labels_of_a_former_fit():
    clf = small(Classifier, objective="semi_supervised_vae", max_epochs=3).fit(TABLE, labels(4))
    with pytest.raises(KeyboardInterrupt):
        clf.set_params(callbacks=[Interrupt()]).fit(TABLE, labels(4))
    assert not hasattr(clf, "transduction_")
    assert clf.predict(TABLE).shape == (4,)
    with pytest.raises(NotFittedError):
        clf.sample()


@both
def test_token_ids_with_large_holes_are_refused(cls):
    with pytest.raises(ValueError, match=r"ids up to 10000000000, but only 3 different ids.*Number the tokens from 0"):
        fit(cls, [np.array([1, 2]), np.array([10**10]), np.array([2]), np.array([1])])


@both
def test_a_sequence_that_may_take_most_of_the_time_is_told(cls):
    with pytest.warns(UserWarning, match="longest of 4 sequences has 51 .* median length, 1 steps.*Set max_length"):
        fit(cls, ragged(1, 1, 1, 51))
    fit(cls, ragged(1, 1, 1, 49))
    fit(cls, ragged(1, 1, 1, 51), batch_size=1)


def test_a_frame_of_one_column_of_arrays_is_read_as_the_column():
    X = ragged(3, 4, 5, 6)
    answers = [output(fit(Classifier, x), x) for x in (X, pd.DataFrame({"s": X}))]
    assert np.array_equal(*answers)


# 41
@both
def test_ctrl_c_is_not_swallowed_in_a_search(cls):
    estimator = small(cls, max_epochs=3, callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(estimator, {"lr": [0.01]}, cv=2, error_score=np.nan).fit(values(8, 6), np.arange(8) % 2)


# 47
@both
def test_unknown_tokens_are_counted_and_read_alike(cls):
    estimator = fit(cls, TOKENS)
    with pytest.warns(UserWarning, match="X has 2 token ids outside the vocabulary of 6"):
        far = output(estimator, [np.array([1, 99, 2]), np.array([1000])])
    with pytest.warns(UserWarning, match="2 token ids"):
        near = output(estimator, [np.array([1, 6, 2]), np.array([7])])
    assert np.array_equal(far, near)


# 47
@both
@pytest.mark.parametrize("early_stopping", [False, True])
def test_unknown_tokens_are_counted_where_a_warm_start_meets_them(cls, early_stopping):
    X = [*TOKENS, *TOKENS]
    estimator = fit(cls, X).set_params(warm_start=True, early_stopping=early_stopping, validation_fraction=0.5)
    with pytest.warns(UserWarning, match="X has 1 token ids outside the vocabulary of 6") as caught:
        estimator.fit([*X[:-1], np.array([1, 99, 2])], labels(len(X)))
    assert len(caught) == 1


# 47
def test_unknown_tokens_are_counted_where_they_were_not_in_pretraining():
    pretrained = FrozenEstimator(fit(Autoencoder, TOKENS))
    with pytest.warns(UserWarning, match="X has 1 token ids outside the vocabulary of 6") as caught:
        fit(Classifier, [*TOKENS[:3], np.array([1, 99, 2])], pretraining=pretrained)
    assert len(caught) == 1


# 48
@both
def test_a_negative_token_id_is_named(cls):
    X = [*TOKENS[:3], np.array([1, 2, -3])]
    with pytest.raises(ValueError, match=r"Token ids must not be negative: X\[3\] has -3 at step 2"):
        fit(cls, X)
    with pytest.raises(ValueError, match=r"Token ids must not be negative: X\[3\] has -3 at step 2"):
        output(fit(cls, TOKENS), X)


# 48
@both
def test_float_token_ids_are_refused(cls):
    with pytest.raises(ValueError, match="was fitted on token ids"):
        output(fit(cls, TOKENS), [x.astype(float) for x in TOKENS])


# 49
@pytest.mark.full_epochs
@both
@pytest.mark.parametrize(
    "make_fault",
    [
        lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."),
        lambda: MemoryError("Unable to allocate"),
        lambda: _ArrayMemoryError((1 << 40,), np.dtype("float32")),
        lambda: torch.OutOfMemoryError("CUDA out of memory."),
    ],
    ids=["RuntimeError", "MemoryError", "_ArrayMemoryError", "OutOfMemoryError"],
)
def test_out_of_memory_stays_what_it_is_with_a_note_on_what_to_lower(cls, make_fault):
    fault = make_fault()
    failing = type("Failing", (FAILING[cls],), {"fault": fault, "n_good": 3})
    with pytest.raises(type(fault)) as caught:
        fit(cls, TABLE, objective=failing(), batch_size=7)
    assert caught.value is fault
    (note,) = fault.__notes__
    assert "batch_size=7 and hidden_size=4: lower one of them" in note


# 49
@pytest.mark.full_epochs
@both
def test_another_error_passes_as_it_is(cls):
    failing = type("Failing", (FAILING[cls],), {"fault": RuntimeError("boom"), "n_good": 3})
    with pytest.raises(RuntimeError, match=r"^boom$") as caught:
        fit(cls, TABLE, objective=failing())
    assert not hasattr(caught.value, "__notes__")


# 50
@both
@pytest.mark.parametrize("X", [values(40, 6, 2), ragged(*range(3, 33))], ids=["grid", "list"])
def test_predictions_from_eight_threads_are_those_of_one(cls, X):
    estimator = fit(cls, X)
    one = output(estimator, X)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: output(estimator, X), range(32)))
    assert all(np.array_equal(one, result) for result in results)


# 51
@both
def test_fits_in_eight_threads_are_those_one_after_the_other(cls):
    def train(seed):
        return weights(fit(cls, values(8, 6), random_state=seed))

    one = [train(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as threads:
        eight = list(threads.map(train, range(8)))
    assert all(same(a, b) for a, b in zip(one, eight, strict=True))


# Beyond the table


@both
@pytest.mark.parametrize("make", [list, np.array, pd.Series, lambda X: np.array(X, dtype=object)])
def test_documents_are_sent_to_the_vectorizer(cls, make):
    with pytest.raises(ValueError, match="put a TokenSequenceVectorizer before the estimator"):
        small(cls).fit(make(["a film", "a dull film"] * 4), labels(8))


@both
def test_what_is_no_array_in_a_list_of_arrays_is_named(cls):
    with pytest.raises(ValueError, match=r"X must be a list of arrays; X\[1\] is NoneType"):
        small(cls).fit([values(4, 2), None, values(3, 2)], labels(3))


def test_arrays_and_lists_in_one_list_are_sequences():
    X = [values(4, 2), values(3, 2).tolist(), values(5, 2), values(2, 2)]
    same = [np.asarray(x) for x in X]
    np.testing.assert_array_equal(output(fit(Autoencoder, X), X), output(fit(Autoencoder, same), same))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("objective__weight", "an objective object, but objective='auto' is a name.*such as objective=FixMatch()."),
        ("augmentation__jitter", "an augmentation object, but augmentation='auto' is.*=perturbations.Light()."),
        (
            "pretraining__objective__weight",
            "an objective object, but pretraining__objective='next_step' .*such as pretraining__objective=NextStep().",
        ),
    ],
)
def test_a_parameter_of_what_is_only_named_asks_for_an_object(name, message):
    message = message.replace("()", r"\(\)")
    with pytest.raises(ValueError, match=f"{name} sets a parameter of {message}"):
        Classifier(pretraining="next_step").set_params(**{name: 1})
    assert Classifier().set_params(objective=VAT(), objective__weight=2).objective.weight == 2


@pytest.mark.parametrize(
    "y",
    [
        pd.Series([0, 1, None, 0], dtype="Int64"),
        np.array([0, 1, np.nan, 0]),
        pd.Series(["a", "b", pd.NA, "a"], dtype="string"),
        ["a", "b", None, "a"],
    ],
)
@pytest.mark.parametrize("marker", [None, np.nan])
def test_none_and_nan_mark_what_pandas_makes_of_them(y, marker):
    clf = small(Classifier, missing_label=marker).fit(values(4, 5), y)
    assert len(clf.classes_) == 2
    assert clf.classes_[0] in (0, "a")


@pytest.mark.parametrize("weight", ["balance", [1, 2]])
def test_a_class_weight_that_fit_cannot_use_is_named(weight):
    with pytest.raises(InvalidParameterError, match="The 'class_weight' parameter of SemiSupervisedRNNClassifier"):
        small(Classifier, class_weight=weight).fit(values(4, 5), labels(4))


@both
def test_tokens_that_are_cut_off_are_not_read(cls):
    X = [np.array([1, 2, 99]), np.array([2, 1]), np.array([3]), np.array([1, 2, 3])]
    with pytest.warns(UserWarning, match="2 of 4 sequences are longer than max_length=2"):
        estimator = fit(cls, X, max_length=2)
    assert estimator.net_.module_.encoder.architecture.n_tokens == 4
    with pytest.warns(UserWarning, match="longer than max_length=2") as caught:
        output(estimator, X)
    assert len(caught) == 1


def test_a_warning_points_at_the_line_that_called():
    with pytest.warns(UserWarning, match="only one class") as caught:
        small(Classifier).fit(values(4, 5), np.zeros(4, int))
    assert caught[0].filename == __file__


def test_numbers_far_from_zero_are_standardised():
    X = 1.7e9 + 1000 * values(40, 12)
    clf = small(Classifier, objective="supervised", max_epochs=2).fit(X, np.arange(40) % 2)
    assert clf.history_[-1]["train_loss"] < 2
    constant = small(Classifier, objective="supervised").fit(np.full((8, 5), 0.1), np.arange(8) % 2)
    assert constant.net_.module_.encoder.input.scale.item() == 1


def test_an_unfitted_transformer_reads_as_much_as_it_says():
    with pytest.warns(UserWarning, match="8 of 8 sequences are longer than max_length=3"):
        small(Classifier, pretraining=small(Autoencoder, max_length=3)).fit(values(8, 5), labels(8))


@pytest.mark.parametrize("X", [values(8, 5), values(8, 5, 2), [np.arange(3)] * 8])
def test_the_default_objective_is_fixmatch(X):
    assert type(small(Classifier).fit(X, labels(8)).objective_).__name__ == "FixMatch"
    assert not hasattr(small(Classifier), "sample")
    with pytest.raises(ValueError, match="objective='auto' does not fit RNNAutoencoderTransformer; choose from"):
        small(Autoencoder, objective="auto").fit(X)
