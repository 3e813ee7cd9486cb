"""Objectives that train in rounds: self-training and noisy students."""

import copy
import pickle

import numpy as np
import pytest
import torch
from objective_cases import TINY
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import NoisyStudent, SelfTraining
from sklearn_rnn.objectives._self_training import most_confident

ROUNDS = [SelfTraining(threshold=0.6), SelfTraining(k_best=3), NoisyStudent(threshold=0.6)]
rounds = pytest.mark.parametrize("objective", ROUNDS, ids=["threshold", "k_best", "student"])


def toy(n=60, n_labels=10):
    """Two levels, which an epoch or two can tell apart."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = (rng.normal(size=(n, 8, 1)) + y[:, None, None]).astype(np.float32)
    return X, y, np.where(np.arange(n) < n_labels, y, -1)


def fitted(objective, y=None, *, sample_weight=None, **params):
    X, _, partly = toy()
    clf = SemiSupervisedRNNClassifier(clone(objective), **{**TINY, **params})
    return clf.fit(X, partly if y is None else y, sample_weight=sample_weight)


class Noted(Callback):
    """Note of each step its epoch, its rows, the classes of the labeled ones, and how many rows there are."""

    def initialize(self):
        self.steps_, self.begun_ = [], 0
        return self

    def on_train_begin(self, net, **kwargs):
        self.begun_ += 1

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training:
            codes = batch[0].targets[: batch[0].n_labeled].tolist()
            self.steps_.append((len(net.history), batch[0].rows.tolist(), codes, len(batch[0])))


def noted(clf):
    return next(cb for _, cb in clf.net_.callbacks_ if isinstance(cb, Noted))


def rows_of(clf, epoch):
    """Rows that were labeled in an epoch, with their classes."""
    steps = [step for step in noted(clf).steps_ if step[0] == epoch]
    return {row: code for _, rows, codes, _ in steps for row, code in zip(rows, codes, strict=False)}


def test_the_k_best_of_each_predicted_class_are_chosen_or_all_that_are_sure():
    p = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55], [0.8, 0.2]])
    assert most_confident(p, 0.7, None).tolist() == [True, False, True, True, False, True]
    assert most_confident(p, 0.99, 1).tolist() == [True, False, False, True, False, False]
    assert most_confident(p, 0.99, 2).tolist() == [True, False, True, True, True, False]  # the first of equals
    assert most_confident(p, 0.99, 9).all()


@pytest.mark.parametrize("objective", [SelfTraining(n_rounds=1), NoisyStudent(n_rounds=1), NoisyStudent(weight=0)])
def test_one_round_trains_what_supervised_trains(objective):
    X, _, _ = toy()
    expected = fitted_by_name("supervised").predict_proba(X)
    np.testing.assert_array_equal(fitted(objective).predict_proba(X), expected)


def fitted_by_name(name, **params):
    X, _, y = toy()
    return SemiSupervisedRNNClassifier(name, **{**TINY, **params}).fit(X, y)


@rounds
def test_the_first_round_is_supervised_and_the_history_goes_on(objective):
    clf = fitted(objective, max_epochs=2, lr=0.05)
    expected = fitted_by_name("supervised", max_epochs=2, lr=0.05).history_[:, "supervised"]
    assert clf.n_iter_ == len(clf.history_) == 6
    assert clf.history_[:, "epoch"] == [1, 2, 3, 4, 5, 6]
    assert clf.history_[:2, "supervised"] == expected
    assert clf.history_[2:4, "supervised"] != expected
    assert max(clf.history_[:, "lr"]) == pytest.approx(max(clf.history_[4:, "lr"]), rel=0.2)


@pytest.mark.full_epochs
def test_self_training_labels_rows_and_says_when():
    _, truth, y = toy()
    clf = fitted(SelfTraining(k_best=4, n_rounds=4), callbacks=[Noted()])
    when = clf.objective_.labeled_iter_
    np.testing.assert_array_equal(when == 0, y >= 0)
    assert [(when == k).sum() for k in (1, 2, 3)] == [8, 8, 8]
    assert (when[when > 0] <= 3).all()
    for epoch in (1, 2, 3, 4):
        labeled = rows_of(clf, epoch)
        assert set(labeled) == set(np.flatnonzero((when >= 0) & (when < epoch)))
        assert all(labeled[row] == y[row] for row in range(10))
    assert np.mean([truth[row] == code for row, code in labeled.items()]) > 0.8


def test_self_training_ends_where_no_row_is_added():
    clf = fitted(SelfTraining(threshold=1.0))
    assert clf.n_iter_ == 1
    assert not (clf.objective_.labeled_iter_ > 0).any()
    X, _, _ = toy()
    np.testing.assert_array_equal(clf.predict_proba(X), fitted_by_name("supervised").predict_proba(X))


@rounds
def test_rounds_end_where_all_rows_are_labeled(objective):
    _, truth, _ = toy()
    assert fitted(objective, truth).n_iter_ == 1


def test_later_rounds_of_a_noisy_student_learn_from_unlabeled_rows():
    clf = fitted(NoisyStudent(threshold=0.6), callbacks=[Noted()], lr=0.05)
    sizes = {epoch: {n for e, _, _, n in noted(clf).steps_ if e == epoch} for epoch in (1, 2, 3)}
    assert max(sizes[1]) <= 8
    assert min(sizes[2]) > 8
    assert "student" not in clf.history_[0]
    assert all(clf.history_[i]["student"] > 0 and clf.history_[i]["confident"] > 0 for i in (1, 2))
    assert not hasattr(clf.objective_, "targets_")


@rounds
def test_rounds_stop_early_each_for_itself_and_never_train_on_what_is_held_out(objective):
    clf = fitted(
        objective, early_stopping=True, validation_fraction=0.3, n_iter_no_change=1, max_epochs=5, callbacks=[Noted()]
    )
    assert 3 < clf.n_iter_ <= 15
    trained = {row for _, rows, _, _ in noted(clf).steps_ for row in rows}
    assert len(set(range(10)) - trained) == 4  # 30% of each class
    assert trained >= set(range(10, 60)) or isinstance(objective, SelfTraining)


class Interrupt(Callback):
    """Press Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **kwargs):
        if len(net.history) == self.epoch and len(net.history[-1]["batches"]) == 2:
            raise KeyboardInterrupt


@rounds
@pytest.mark.parametrize("epoch", [3, 4])
def test_ctrl_c_in_the_second_round_leaves_the_weights_of_the_first(objective, epoch):
    X, _, y = toy()
    params = {**TINY, "max_epochs": 2, "lr": 0.05}
    clf = SemiSupervisedRNNClassifier(clone(objective), **params, callbacks=[Interrupt(epoch)])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.n_iter_ == epoch
    expected = fitted_by_name("supervised", **params).predict_proba(X)
    np.testing.assert_array_equal(clf.predict_proba(X), expected)


def test_callbacks_begin_anew_with_each_round():
    stopping = EarlyStopping(monitor="train_loss", patience=1, threshold=9, threshold_mode="abs")
    scheduler = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    clf = fitted(SelfTraining(k_best=3, n_rounds=2), max_epochs=4, callbacks=[stopping, scheduler, Noted()])
    assert noted(clf).begun_ == 2
    assert clf.history_[:, "lr"] == pytest.approx([0.008, 0.004, 0.008, 0.004])


def test_class_weights_hold_for_rows_that_are_labeled_later():
    clf = fitted(SelfTraining(k_best=20, n_rounds=2), class_weight={0: 30, 1: 1}, max_epochs=2)
    X, _, _ = toy()
    X = np.random.default_rng(0).normal(size=X.shape)
    assert (clf.predict(X) == 0).mean() > 0.7
    other = fitted(SelfTraining(k_best=20, n_rounds=2), class_weight={0: 1, 1: 30}, max_epochs=2)
    assert (other.predict(X) == 1).mean() > 0.7


def test_rows_of_no_weight_teach_nothing_when_they_are_labeled():
    X, _, y = toy()
    weights = (y >= 0).astype(float)
    clf = fitted(SelfTraining(k_best=50, n_rounds=2), sample_weight=weights)
    first, second = clf.history_[:, "supervised"]
    assert second < first / 2  # 10 of 60 rows count
    np.testing.assert_array_equal(np.isfinite(clf.predict_proba(X)), True)


@rounds
def test_copies_of_a_fitted_classifier_fit_the_same(objective):
    X, _, y = toy()
    clf = fitted(objective)
    deep, unpickled = copy.deepcopy(clf), pickle.loads(pickle.dumps(clf))
    for copied in (deep, unpickled):
        np.testing.assert_array_equal(copied.predict_proba(X), clf.predict_proba(X))
    for copied in (deep, unpickled, clone(clf)):
        np.testing.assert_array_equal(copied.fit(X, y).predict_proba(X), clf.predict_proba(X))
