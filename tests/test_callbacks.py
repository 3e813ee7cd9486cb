"""scikit-learn's own callbacks on both estimators."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_rnn import Optimizer, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import hide_labels, make_sines
from sklearn_rnn.model_selection import PartiallyLabeledSplit, make_labeled_scorer
from sklearn_rnn.objectives import MeanTeacher

callback = pytest.importorskip("sklearn.callback")
X, TRUE = make_sines(40, n_steps=20, random_state=0)
Y = hide_labels(TRUE, 12, random_state=0)
TINY = {"hidden_size": 4, "max_epochs": 3, "random_state": 0}
ESTIMATORS = [SemiSupervisedRNNClassifier(MeanTeacher(threshold=0), **TINY), RNNAutoencoderTransformer(**TINY)]
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)


class Recorder:
    """A callback that writes down what happens, and stops after some epochs."""

    def __init__(self, stop_after=None):
        self.events, self.stop_after, self.outputs = [], stop_after, []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        self.outputs.append(fitted_estimator.transform(X))
        return context.task_name == "epoch" and self.events.count("end epoch") == self.stop_after


@each
def test_a_callback_sees_every_epoch_with_an_estimator_that_works(estimator):
    recorder = Recorder()
    fitted = clone(estimator).set_callbacks(recorder).fit(X, Y)
    epochs = ["begin epoch", "end epoch"] * 3
    assert recorder.events == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert np.array_equal(recorder.outputs[-1], fitted.transform(X))
    assert not np.array_equal(recorder.outputs[0], recorder.outputs[1])


@each
def test_watching_changes_no_bit(estimator):
    watched, plain = clone(estimator).set_callbacks(Recorder()).fit(X, Y), clone(estimator).fit(X, Y)
    assert np.array_equal(watched.transform(X), plain.transform(X))


@each
def test_a_callback_may_stop_training(estimator):
    assert clone(estimator).set_callbacks(Recorder(stop_after=2)).fit(X, Y).n_iter_ == 2


def test_callbacks_are_torn_down_when_fit_fails():
    recorder = Recorder()
    broken = SemiSupervisedRNNClassifier(
        **{**TINY, "lr": 1e30, "optimizer": Optimizer(gradient_clip=None)}
    ).set_callbacks(recorder)
    with pytest.raises(FloatingPointError):
        broken.fit(X, Y)
    assert recorder.events[-1] == "teardown"


def test_a_scoring_monitor_logs_the_score_of_labeled_rows_by_epoch():
    scoring = {name: make_labeled_scorer(name) for name in ("accuracy", "neg_log_loss")}
    monitor = callback.ScoringMonitor(scoring=scoring)
    clf = clone(ESTIMATORS[0]).set_callbacks(monitor).fit(X, Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == 3
    assert rows[-1]["accuracy"] == clf.score(X, Y)
    assert rows[0]["neg_log_loss"] < rows[-1]["neg_log_loss"]


def test_a_monitor_within_a_search_logs_every_fit():
    monitor = callback.ScoringMonitor(scoring={"accuracy": make_labeled_scorer("accuracy")})
    clf = clone(ESTIMATORS[0]).set_callbacks(monitor)
    GridSearchCV(clf, {"lr": [0.01]}, cv=PartiallyLabeledSplit(2)).fit(X, Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == 3 * (2 + 1)


@pytest.mark.filterwarnings("ignore")
def test_a_progress_bar_counts_epochs_in_a_pipeline(capsys):
    pytest.importorskip("rich")
    pipeline = make_pipeline(*map(clone, ESTIMATORS[::-1])).set_callbacks(callback.ProgressBar())
    pipeline.fit(X, Y)
    output = capsys.readouterr().out
    assert "RNNAutoencoder" in output
    assert "SemiSupervised" in output


def test_a_pickled_net_holds_no_watch():
    clf = clone(ESTIMATORS[0]).set_callbacks(Recorder()).fit(X, Y)
    assert not hasattr(clf.net_, "watch_")
    assert not hasattr(clf, "_callback_fit_ctx")
