"""Hiding labels, generators, loaders and conversions."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import (
    from_aeon,
    from_long_frame,
    from_tslearn,
    hide_labels,
    load_basic_motions,
    load_italy_power_demand,
    load_japanese_vowels,
    make_sines,
    make_two_patterns,
    to_aeon,
    to_long_frame,
    to_tslearn,
)

UNEQUAL = np.repeat([0, 1, 2], [70, 25, 5])
RAGGED = [np.arange(8.0).reshape(4, 2), np.ones((3, 2))]


def same(X, Z):
    return len(X) == len(Z) and all(np.array_equal(x, z) for x, z in zip(X, Z, strict=True))


@pytest.mark.parametrize("n_labeled", [3, 10, 57, 100])
def test_hiding_keeps_so_many_labels_and_every_class(n_labeled):
    y = hide_labels(UNEQUAL, n_labeled, random_state=0)
    kept = y != -1
    assert kept.sum() == n_labeled
    assert np.array_equal(y[kept], UNEQUAL[kept])
    assert set(y[kept]) == {0, 1, 2}


def test_stratified_hiding_keeps_the_shares_of_the_classes():
    kept = hide_labels(UNEQUAL, 20, random_state=0)
    assert [np.sum(kept == code) for code in range(3)] == [14, 5, 1]


def test_hiding_by_fraction_counts_labeled_rows_and_keeps_hidden_ones_hidden():
    y = np.where(np.arange(100) % 2, UNEQUAL, -1)
    kept = hide_labels(y, fraction=0.2, random_state=0)
    assert np.sum(kept != -1) == 10
    assert (kept[y == -1] == -1).all()


def test_a_seed_draws_the_same_rows_and_leaves_y_alone():
    y = UNEQUAL.copy()
    assert np.array_equal(hide_labels(y, 9, random_state=3), hide_labels(y, 9, random_state=3))
    assert not np.array_equal(hide_labels(y, 9, random_state=3), hide_labels(y, 9, random_state=4))
    assert np.array_equal(y, UNEQUAL)


def test_hiding_without_stratification_may_lose_a_class():
    drawn = [hide_labels(UNEQUAL, 4, stratify=False, random_state=seed) for seed in range(8)]
    assert {np.sum(y != -1) for y in drawn} == {4}
    assert any(2 not in y for y in drawn)


@pytest.mark.parametrize("stratify", [True, False])
def test_groups_keep_or_lose_all_their_labels(stratify):
    groups = np.arange(100) // 5
    y = hide_labels(UNEQUAL, 12, groups=groups, stratify=stratify, random_state=0)
    kept = [np.mean(y[groups == group] != -1) for group in range(20)]
    assert set(kept) == {0, 1}
    assert np.sum(y != -1) == 15
    assert not stratify or set(y) == {-1, 0, 1, 2}


@pytest.mark.parametrize(
    ("y", "missing_label", "dtype"),
    [
        (np.array([0, 1, 0, 1]), -1, "i"),
        (np.array([0, 1, 0, 1]), np.nan, "f"),
        (np.array([0, 1, 0, 1]), None, "f"),
        (np.array(["a", "b", "a", "b"]), "hidden", "U"),
        (np.array(["a", "b", "a", "b"]), -1, "O"),
        (pd.Series(["a", "b", "a", "b"]), None, "O"),
    ],
)
def test_what_is_hidden_is_unlabeled_to_the_classifier(y, missing_label, dtype):
    hidden = hide_labels(y, 2, missing_label=missing_label, random_state=0)
    clf = SemiSupervisedRNNClassifier("supervised", hidden_size=4, max_epochs=1, missing_label=missing_label)
    clf.fit(np.random.default_rng(0).normal(size=(4, 5)), hidden)
    assert hidden.dtype.kind == dtype
    assert sorted(np.asarray(clf.classes_).tolist()) == sorted(set(y))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "either n_labeled or fraction"),
        ({"n_labeled": 3, "fraction": 0.5}, "either n_labeled or fraction"),
        ({"n_labeled": 101}, "n_labeled=101 is more than the 100 labels"),
        ({"n_labeled": 2}, "n_labeled=2 is fewer than the 3 classes; keep more, or set stratify=False"),
        ({"n_labeled": 0}, "The 'n_labeled' parameter of hide_labels must be"),
        ({"fraction": 1.5}, "The 'fraction' parameter of hide_labels must be"),
        ({"n_labeled": 5, "groups": [0, 1]}, "inconsistent numbers of samples"),
    ],
)
def test_hiding_refuses_budgets_that_cannot_be_kept(parameters, message):
    with pytest.raises(ValueError, match=message):
        hide_labels(UNEQUAL, **parameters)


@pytest.mark.parametrize("make", [make_sines, make_two_patterns])
def test_generators_are_seeded_and_balanced(make):
    X, y = make(40, random_state=0)
    again, _ = make(40, random_state=0)
    assert np.array_equal(X, again)
    assert X.dtype == np.float32
    assert len(set(np.bincount(y))) == 1


def test_ragged_sines_are_the_starts_of_whole_ones():
    X, y = make_sines(20, ragged=True, random_state=0)
    whole, same_y = make_sines(20, random_state=0)
    assert np.array_equal(y, same_y)
    assert len({len(x) for x in X}) > 5
    assert all(len(x) >= 20 and np.array_equal(x, row[: len(x)]) for x, row in zip(X, whole, strict=True))


@pytest.mark.full_epochs
def test_two_patterns_need_the_order_of_steps():
    X, y = make_two_patterns(200, random_state=0)
    linear = cross_val_score(LogisticRegression(max_iter=2000), X[:, :, 0], y).mean()
    small = {"hidden_size": 8, "n_kernels": 16, "lr": 0.03, "max_epochs": 4, "random_state": 0}
    net = SemiSupervisedRNNClassifier("supervised", **small).fit(X[:100], y[:100])
    assert net.score(X[100:], y[100:]) > linear + 0.2


@pytest.mark.parametrize(
    ("load", "shape", "n_classes"),
    [
        (load_japanese_vowels, (270, 20, 12), 9),
        (load_basic_motions, (40, 100, 6), 4),
        (load_italy_power_demand, (67, 24, 1), 2),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_real_sets_come_with_aeon(load, shape, n_classes):
    pytest.importorskip("aeon")
    X, y = load("train")
    assert (len(X), *X[0].shape) == shape
    assert len(np.unique(y)) == n_classes
    assert len(load()[0]) == len(X) + len(load("test")[0])


def test_a_loader_without_aeon_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aeon.datasets", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[datasets\]'"):
        load_japanese_vowels()


@pytest.mark.parametrize("X", [np.arange(24.0).reshape(3, 4, 2), RAGGED], ids=["equal", "ragged"])
def test_conversions_come_back(X):
    assert same(from_aeon(to_aeon(X)), X)
    assert same(from_tslearn(to_tslearn(X)), X)
    assert same(from_long_frame(to_long_frame(X), sequence="sequence", time="time"), X)


def test_features_come_first_for_aeon_and_padding_is_nan_for_tslearn():
    assert [x.shape for x in to_aeon(RAGGED)] == [(2, 4), (2, 3)]
    padded = to_tslearn(RAGGED)
    assert padded.shape == (2, 4, 2)
    assert np.isnan(padded[1, 3]).all()
    assert np.isfinite(padded).sum() == 14


def test_tslearn_makes_what_we_read():
    utilities = pytest.importorskip("tslearn.utils")
    X = utilities.to_time_series_dataset([[1.0, 2.0], [1.0, 2.0, 3.0]])
    assert [x[:, 0].tolist() for x in from_tslearn(X)] == [[1, 2], [1, 2, 3]]


def test_a_long_frame_keeps_labels_and_sorts_steps():
    frame = to_long_frame(RAGGED, ["a", "b"], columns=["x", "y"]).sample(frac=1, random_state=0)
    X, y = from_long_frame(frame, sequence="sequence", time="time", label="label", sort=True)
    assert same(X, RAGGED)
    assert y.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("convert", "X", "message"),
    [
        (from_aeon, np.zeros((3, 4)), r"X must have 3 dimensions, got shape \(3, 4\)"),
        (to_aeon, [np.zeros(3)], r"X\[0\] must have 2 dimensions, got shape \(3,\)"),
        (from_tslearn, np.full((2, 3, 1), np.nan), r"All steps of X\[0\] are NaN"),
        (
            lambda frame: from_long_frame(frame, sequence="s", label="y"),
            pd.DataFrame({"s": [1, 1, 2], "x": [0.0, 1, 2], "y": [0, 1, 0]}),
            "'y' must have one value for each sequence, but 1 has several",
        ),
    ],
)
def test_conversions_say_what_is_wrong(convert, X, message):
    with pytest.raises(ValueError, match=message):
        convert(X)
