"""Callbacks as people use them: loggers, pruners and checkpoints of their own and of other libraries."""

import json
import threading
from numbers import Number

import numpy as np
import pytest
import torch
from objective_cases import CLASSES
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LoadInitState,
    LRScheduler,
    MlflowLogger,
    PrintLog,
    SacredLogger,
    TensorBoard,
    TrainEndCheckpoint,
    WandbLogger,
)

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector, SemiSupervisedRNNClassifier
from sklearn_rnn.model_selection import PartiallyLabeledSplit
from sklearn_rnn.objectives import FixMatch, Variational

TINY = {"hidden_size": 4, "n_kernels": 8, "max_epochs": 2, "batch_size": 8, "random_state": 0}
both = pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, RNNAutoencoderTransformer])
RANDOM = np.random.default_rng(0)
TRUE = np.arange(40) % 2
X = (RANDOM.normal(size=(40, 8, 1)) + 3 * TRUE[:, None, None]).astype(np.float32)
Y = np.where(np.arange(40) < 16, TRUE, -1)


def classifier(*callbacks, **params):
    return SemiSupervisedRNNClassifier("supervised", **{**TINY, **params}, callbacks=list(callbacks))


class Log(Callback):
    """A logger with an open connection, which cannot be copied, and a list of what it sent."""

    def __init__(self, connection):
        self.connection = connection
        self.sent = []

    def on_epoch_end(self, net, **kwargs):
        with self.connection:
            self.sent.append(net.history[-1]["train_loss"])


class Pruned(Exception):
    """What a pruner raises."""


class Pruner(Callback):
    """Reports each epoch to a trial and stops after the first; not made as scikit-learn wants it."""

    def __init__(self, trial):
        self._trial = trial

    def on_epoch_end(self, net, **kwargs):
        self._trial.append(net.history[-1]["train_loss"])
        raise Pruned


# The user's objects


@both
def test_fit_calls_the_very_objects(cls):
    log, named = Log(threading.Lock()), Log(threading.Lock())
    estimator = cls(**TINY, callbacks=[log, ("named", named)]).fit(X, Y)
    assert log.sent == named.sent == estimator.history_[:, "train_loss"]
    assert estimator.callbacks[0] is dict(estimator.net_.callbacks_)["Log"] is log


def test_a_pruner_reports_to_its_own_trial_and_ends_training():
    trial = []
    clf = classifier(Pruner(trial), max_epochs=3)
    with pytest.raises(Pruned):
        clf.fit(X, Y)
    assert len(trial) == 1


def test_a_second_fit_calls_the_object_again():
    log = Log(threading.Lock())
    clf = classifier(log).fit(X, Y)
    clf.fit(X, Y)
    assert log.sent == 2 * clf.history_[:, "train_loss"]


def test_training_goes_on_from_what_the_checkpoint_of_the_last_fit_saved(tmp_path):
    end = TrainEndCheckpoint(dirname=str(tmp_path))
    first = classifier(end, LoadInitState(end)).fit(X, Y)
    before, losses = first.predict_proba(X), first.history_[:, "train_loss"]
    for estimator in (clone(first), first):  # a clone's loader holds the clone's checkpoint
        again = estimator.set_params(lr=1e-12, max_epochs=1).fit(X, Y)
        np.testing.assert_allclose(again.predict_proba(X), before, atol=1e-5)
        assert again.history_[:, "train_loss"][: len(losses)] == losses
        assert again.history_[-1]["epoch"] == len(again.history_) > len(losses)


# Clones


def test_a_clone_has_copies_and_shares_what_cannot_be_copied():
    log = Log(threading.Lock())
    clf = classifier(log)
    cloned = clone(clf)
    assert cloned.callbacks[0] is not log
    assert cloned.callbacks[0].connection is log.connection
    cloned.fit(X, Y)
    assert len(cloned.callbacks[0].sent) == 2
    assert log.sent == []


def test_a_clone_copies_callbacks_that_are_not_made_as_scikit_learn_wants_it():
    trial = []
    cloned = clone(classifier(Pruner(trial)))
    with pytest.raises(Pruned):
        cloned.fit(X, Y)
    assert (len(cloned.callbacks[0]._trial), trial) == (1, [])


def test_callbacks_that_hold_one_another_do_so_in_a_clone():
    checkpoint = Checkpoint(monitor=None)
    for callbacks in ([checkpoint, LoadInitState(checkpoint)], [("load", LoadInitState(checkpoint)), checkpoint]):
        one, other = (item[1] if isinstance(item, tuple) else item for item in clone(classifier(*callbacks)).callbacks)
        loader, saved = (one, other) if isinstance(one, LoadInitState) else (other, one)
        assert loader.checkpoint is saved is not checkpoint


@pytest.mark.parametrize("callbacks", [None, [], (PrintLog,), [("log", PrintLog)], (("log", PrintLog()),)])
def test_a_clone_keeps_the_form_of_callbacks(callbacks):
    cloned = clone(SemiSupervisedRNNClassifier(callbacks=callbacks)).callbacks
    assert type(cloned) is type(callbacks)
    assert [type(item) for item in cloned or []] == [type(item) for item in callbacks or []]


def test_a_clone_of_a_fitted_estimator_is_not_fitted_and_as_the_first_was():
    clf = classifier(Log(threading.Lock())).fit(X, Y)
    cloned = clone(clf)
    assert not hasattr(cloned, "net_")
    plain = {name: value for name, value in clf.get_params(deep=False).items() if name != "callbacks"}
    assert plain.items() <= cloned.get_params(deep=False).items()
    np.testing.assert_array_equal(cloned.fit(X, Y).predict_proba(X), clf.predict_proba(X))


def test_loggers_with_connections_go_through_searches_pretraining_and_detectors():
    log = Log(threading.Lock())
    search = GridSearchCV(classifier(log, max_epochs=1), {"lr": [0.01]}, cv=PartiallyLabeledSplit(2)).fit(X, Y)
    assert search.best_estimator_.callbacks[0].connection is log.connection
    autoencoder = RNNAutoencoderTransformer(**TINY, callbacks=[log])
    classifier(pretraining=autoencoder).fit(X, Y)
    classifier(pretraining=FrozenEstimator(clone(autoencoder).fit(X))).fit(X, Y)
    assert len(RNNOutlierDetector(autoencoder).fit(X).autoencoder_.callbacks[0].sent) == 2
    assert log.sent == []


# Parameters of callbacks


def test_parameters_of_callbacks_are_set_by_name():
    stop, second = EarlyStopping(), EarlyStopping()
    clf = classifier(("stop", stop), second, LRScheduler)
    clf.set_params(callbacks__stop__patience=3, callbacks__EarlyStopping__monitor="train_loss")
    assert (stop.patience, second.monitor) == (3, "train_loss")
    assert clf.callbacks[0][1] is stop
    clf.set_params(callbacks__LRScheduler__policy="StepLR")
    assert dict(clf.callbacks)["LRScheduler"].policy == "StepLR"
    params = clf.get_params()
    assert params["callbacks__stop"] is stop
    assert params["callbacks__stop__patience"] == 3
    assert "callbacks__stop__patience" not in clf.get_params(deep=False)


def test_a_callback_is_replaced_or_switched_off_by_name_and_the_users_list_stays():
    log = Log(threading.Lock())
    given = [("log", log), PrintLog()]
    clf = SemiSupervisedRNNClassifier("supervised", **TINY, callbacks=given)
    clf.set_params(callbacks__log=None).fit(X, Y)
    assert log.sent == []
    clf.set_params(callbacks__log=EarlyStopping(), callbacks__log__monitor="train_loss", callbacks__log__patience=1)
    assert dict(clf.callbacks)["log"].patience == 1
    assert given[0] == ("log", log)
    clf.set_params(callbacks=[("new", EarlyStopping())], callbacks__new__patience=7)
    assert clf.callbacks[0][1].patience == 7


def test_callbacks_of_one_class_are_numbered_as_skorch_does():
    stops = EarlyStopping("train_loss"), EarlyStopping("train_loss")
    clf = classifier(*stops).set_params(callbacks__EarlyStopping_2__patience=9).fit(X, Y)
    assert [stop.patience for stop in stops] == [5, 9]
    assert clf.net_.callbacks_ == [("EarlyStopping_1", stops[0]), ("EarlyStopping_2", stops[1])]


def test_a_search_finds_the_parameter_of_a_callback():
    stop = EarlyStopping(monitor="train_loss", threshold=1, threshold_mode="abs")
    clf = classifier(("stop", stop), max_epochs=4)
    search = GridSearchCV(
        make_pipeline(clf),
        {"semisupervisedrnnclassifier__callbacks__stop__patience": [1, 2]},
        cv=PartiallyLabeledSplit(2),
        scoring=lambda pipeline, X, y: pipeline[-1].n_iter_,
    ).fit(X, Y)
    assert list(search.cv_results_["mean_test_score"]) == [2, 3]
    assert stop.patience == 5


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"callbacks__halt__patience": 3}, r"callbacks__halt__patience names no callback; there are \['stop', 'off'\]"),
        ({"callbacks__halt": None}, "callbacks__halt names no callback"),
        ({"callbacks__stop__pace": 3}, "Invalid parameter 'pace'"),
        ({"callbacks__off__patience": 3}, "callbacks__off is None"),
    ],
)
def test_unknown_names_are_an_error_that_lists_those_that_are_there(params, words):
    with pytest.raises(ValueError, match=words):
        classifier(("stop", EarlyStopping()), ("off", None)).set_params(**params)


def test_the_users_table_takes_the_place_of_the_one_that_verbose_prints(capsys):
    lines = []
    classifier(("print_log", PrintLog()), verbose=1).set_params(callbacks__print_log__sink=lines.append).fit(X, Y)
    assert len(lines) == 2 + 2
    assert capsys.readouterr().out == ""


# What is no callback


class Progress:
    """As scikit-learn's own callbacks are."""

    def on_fit_task_begin(self, estimator, context):
        """Begin."""


@both
@pytest.mark.parametrize(
    ("item", "words"),
    [
        (1, r"callbacks\[1\] must be a callback, got 1. Accepted are instances and subclasses of skorch.callbacks"),
        ("EarlyStopping", r"callbacks\[1\] must be a callback, got 'EarlyStopping'"),
        (dict, r"callbacks\[1\] must be a callback, got <class 'dict'>"),
        (None, r"callbacks\[1\] must be a callback, got None"),
        (("name", 1), r"callbacks\[1\] must be a callback, got \('name', 1\)"),
        ((1, PrintLog()), r"callbacks\[1\] must be a callback, got \(1, "),
        (Progress(), "to set_callbacks"),
    ],
)
def test_what_is_no_callback_is_named_before_training(cls, item, words):
    with pytest.raises(TypeError, match=words):
        cls(**TINY, callbacks=[PrintLog(), item]).fit(X, Y)
    with pytest.raises(TypeError, match=r"callbacks\[1\]"):
        cls(**TINY, callbacks=[PrintLog(), item]).set_params(callbacks__PrintLog__sink=print)


class Counted(Callback):
    """Counts its instances."""

    n_made = 0

    def __init__(self):
        type(self).n_made += 1


@both
def test_a_callback_given_as_a_class_is_made_once_in_a_fit(cls):
    before = Counted.n_made
    cls(**TINY, callbacks=[Counted]).fit(X, Y)
    assert Counted.n_made == before + 1


def test_a_class_that_needs_arguments_is_named():
    with pytest.raises(TypeError, match=r"callbacks has the class TensorBoard, which needs arguments .*writer"):
        classifier(TensorBoard).fit(X, Y)


@pytest.mark.parametrize(
    ("callbacks", "words"),
    [
        ([("a", PrintLog()), ("a", PrintLog())], "have the name 'a'"),
        ([("a__b", PrintLog())], "a name without '__'"),
    ],
)
def test_names_must_differ_and_be_usable(callbacks, words):
    with pytest.raises(ValueError, match=words):
        classifier(*callbacks).fit(X, Y)


# Numbers in the history


@pytest.mark.filterwarnings("ignore:NoisyStudent trained|Training ended")
@pytest.mark.parametrize("objective", CLASSES, ids=lambda cls: cls.__name__)
def test_a_row_of_the_history_holds_numbers_only(objective):
    cls = SemiSupervisedRNNClassifier if objective.needs != "sequences" else RNNAutoencoderTransformer
    estimator = cls(objective(), **{**TINY, "max_epochs": 1}).fit(X, Y)
    for row in estimator.history_:
        assert all(isinstance(value, Number) for name, value in row.items() if name != "batches")
        assert all(not batch for batch in row["batches"])


def test_shares_and_divergences_have_a_number_for_each_class_or_unit():
    row = SemiSupervisedRNNClassifier(FixMatch(), **TINY).fit(X, Y).history_[-1]
    assert row["class_share_0"] + row["class_share_1"] == pytest.approx(1)
    assert "class_share_2" not in row
    row = RNNAutoencoderTransformer(Variational(latent_size=3), **TINY).fit(X).history_[-1]
    assert [name for name in row if name.startswith("kl_of_units")] == [f"kl_of_units_{i}" for i in range(3)]


class Numbers(MlflowLogger):
    """Logs to a list in place of a server; skorch's own does the rest."""

    def __init__(self, logged):
        super().__init__(run=self, client=self, create_artifact=False)
        self.logged = logged

    info = type("Info", (), {"run_id": 0})

    def log_metric(self, run_id, key, value, step):
        self.logged.append((step, key, float(value)))

    def set_terminated(self, run_id):
        self.logged.append("terminated")


def test_a_logger_of_numbers_logs_each_epoch():
    logged = []
    SemiSupervisedRNNClassifier(FixMatch(), **TINY, callbacks=[Numbers(logged)]).fit(X, Y)
    assert logged.pop() == "terminated"
    assert {step for step, key, _ in logged if key == "class_share_1"} == {1, 2}


# What is recorded only with validation


@both
@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (EarlyStopping(), "EarlyStopping watches 'valid_loss'.*Set early_stopping=True, or monitor='train_loss'"),
        (EarlyStopping, "EarlyStopping watches 'valid_loss'"),
        (Checkpoint(), "Checkpoint watches 'valid_loss_best'.*or monitor=None to save each epoch"),
        (WandbLogger(None), "WandbLogger watches 'valid_loss_best'.*or save_model=False"),
        (LRScheduler("ReduceLROnPlateau", monitor="valid_loss"), "LRScheduler watches 'valid_loss'"),
        (LRScheduler(torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="valid_loss"), "LRScheduler watches"),
    ],
)
def test_what_watches_the_validation_loss_says_what_to_set_before_training(cls, callback, words):
    estimator = cls(**TINY, callbacks=[callback])
    with pytest.raises(ValueError, match=f"callbacks: {words}"):
        estimator.fit(X, Y)
    assert not hasattr(estimator, "net_")


class OptunaLike(Callback):
    """Keeps the monitor where optuna's pruning callback does."""

    def __init__(self, monitor):
        self._monitor = monitor


def test_pruners_that_watch_what_is_not_recorded_are_named():
    with pytest.raises(ValueError, match=r"OptunaLike watches 'valid_loss'.*early_stopping=True"):
        classifier(OptunaLike("valid_loss")).fit(X, Y)
    classifier(OptunaLike("train_loss")).fit(X, Y)


def test_hand_written_callbacks_that_look_for_it_are_named_with_what_to_set():
    class Watching(Callback):
        def on_epoch_end(self, net, **kwargs):
            assert net.history[-1, "valid_loss"] > 0

    with pytest.raises(ValueError, match=r"callbacks: Watching needs a value .*Set early_stopping=True"):
        classifier(Watching()).fit(X, Y)
    classifier(Watching(), early_stopping=True).fit(X, Y)


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
def test_a_score_that_will_not_be_recorded_is_told_and_what_watches_it_refused(kind):
    scoring = kind("accuracy", lower_is_better=False)
    with pytest.warns(UserWarning, match=f"{kind.__name__} will not record 'accuracy'.*early_stopping=True"):
        assert "accuracy" not in classifier(scoring).fit(X, Y).history_[-1]
    with (
        pytest.warns(UserWarning, match="will not record"),
        pytest.raises(ValueError, match="Checkpoint watches 'accuracy_best'"),
    ):
        classifier(scoring, Checkpoint(monitor="accuracy_best")).fit(X, Y)


def test_what_watches_the_training_loss_needs_no_validation(tmp_path):
    plateau = LRScheduler("ReduceLROnPlateau", monitor="train_loss")
    classifier(EarlyStopping("train_loss"), Checkpoint(monitor=None, dirname=str(tmp_path)), plateau).fit(X, Y)
    assert len(json.loads((tmp_path / "history.json").read_text())) == 2


# Scores


@pytest.mark.parametrize("on_train", [False, True])
def test_scores_without_a_cache_are_those_of_the_weights_at_the_end_of_the_epoch(on_train):
    lengths = RANDOM.integers(3, 9, size=40)
    ragged = [x[:n] for x, n in zip(X, lengths, strict=True)]
    scoring = EpochScoring("neg_log_loss", use_caching=False, on_train=on_train, lower_is_better=False, name="score")
    again = EpochScoring("neg_log_loss", on_train=on_train, lower_is_better=False, name="cached")
    clf = classifier(scoring, again, early_stopping=True, validation_fraction=0.5, n_iter_no_change=9).fit(ragged, TRUE)
    rows = clf.history_
    if on_train:
        assert rows[-1]["score"] != rows[-1]["cached"]  # the cache has answers from before each step
        assert rows[-1]["score"] == pytest.approx(rows[-1]["cached"], rel=0.5)
    else:
        assert rows[:, "score"] == pytest.approx(rows[:, "cached"], rel=1e-6)
        assert rows[:, "score"] == pytest.approx([-loss for loss in rows[:, "valid_loss"]], rel=1e-5)


@pytest.mark.parametrize("labels", [TRUE, np.array(["no", "yes"])[TRUE]], ids=["numbers", "words"])
def test_a_hand_written_callback_predicts_data_of_its_own(labels):
    class Watching(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("held_out", accuracy_score(labels, net.predict(X)))
            net.history.record("scorer", get_scorer("accuracy")(net, X, labels))
            self.probabilities_ = net.predict_proba(X)

    y = labels.astype(object)
    y[16:] = None
    watching = Watching()
    clf = classifier(watching, missing_label=None).fit(X, y)
    assert clf.history_[-1]["held_out"] == clf.history_[-1]["scorer"] == np.mean(clf.predict(X) == labels)
    np.testing.assert_array_equal(watching.probabilities_, clf.predict_proba(X))


def test_an_autoencoder_encodes_data_of_a_callbacks_own():
    class Watching(Callback):
        def on_epoch_end(self, net, **kwargs):
            self.codes_ = net.predict_proba(X)

    watching = Watching()
    autoencoder = RNNAutoencoderTransformer(Variational(latent_size=3), **TINY, callbacks=[watching]).fit(X)
    np.testing.assert_array_equal(watching.codes_, autoencoder.transform(X))


def test_a_net_that_is_trained_refuses_data_and_names_the_estimators_method():
    clf = classifier().fit(X, Y)
    for method in ("predict", "predict_proba"):
        with pytest.raises(ValueError, match=rf"call {method}\(X\) of the estimator"):
            getattr(clf.net_, method)(X)
    autoencoder = RNNAutoencoderTransformer(**TINY).fit(X)
    with pytest.raises(ValueError, match=r"predicts no labels\. Its predict_proba returns embeddings"):
        autoencoder.net_.predict(X)
    with pytest.raises(ValueError, match=r"call transform\(X\) of the estimator"):
        autoencoder.net_.predict_proba(X)


def test_scores_without_a_name_are_the_accuracy():
    scoring = EpochScoring(None, lower_is_better=False, name="score")
    clf = classifier(scoring, EpochScoring("accuracy", lower_is_better=False), early_stopping=True).fit(X, TRUE)
    assert clf.history_[:, "score"] == clf.history_[:, "accuracy"]


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
@pytest.mark.parametrize("scoring", ["neg_mean_squared_error", "accuracy", get_scorer("r2"), accuracy_score, None])
def test_scores_that_compare_with_labels_are_refused_for_an_autoencoder(scoring, kind):
    autoencoder = RNNAutoencoderTransformer(**TINY, early_stopping=True, callbacks=[kind(scoring)])
    with pytest.raises(ValueError, match=f"{kind.__name__} cannot compute .*RNNAutoencoderTransformer predicts no"):
        autoencoder.fit(X)


def spread(net, rows, y):
    """Standard deviation of codes."""
    return float(net.predict_proba(rows).std())


@pytest.mark.parametrize("on_train", [False, True])
@pytest.mark.parametrize("use_caching", [False, True])
def test_functions_score_the_codes_of_an_autoencoder(use_caching, on_train):
    scoring = EpochScoring(spread, use_caching=use_caching, on_train=on_train)
    autoencoder = RNNAutoencoderTransformer(**TINY, early_stopping=True, callbacks=[scoring]).fit(X)
    assert autoencoder.history_[-1]["spread"] == pytest.approx(autoencoder.transform(X).std(), rel=0.5)


# Other libraries, where they are installed


def test_optuna_prunes_trials():
    optuna = pytest.importorskip("optuna")
    integration = pytest.importorskip("optuna_integration.skorch")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        pruning = integration.SkorchPruningCallback(trial, "valid_loss")
        lr = trial.suggest_categorical("lr", [0.01, 1e-9])
        clf = classifier(pruning, max_epochs=3, early_stopping=True, lr=lr).fit(X, Y)
        return clf.history_[-1]["valid_loss"]

    sampler = optuna.samplers.GridSampler({"lr": [0.01, 1e-9]}, seed=0)
    study = optuna.create_study(sampler=sampler, pruner=optuna.pruners.ThresholdPruner(upper=0.45, n_warmup_steps=2))
    study.optimize(objective, n_trials=2)
    states = {trial.params["lr"]: trial.state.name for trial in study.trials}
    assert states == {0.01: "COMPLETE", 1e-9: "PRUNED"}
    assert all(len(trial.intermediate_values) == 3 for trial in study.trials)


def test_tensorboard_writes_each_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    clf = SemiSupervisedRNNClassifier(FixMatch(), **TINY, callbacks=[TensorBoard(SummaryWriter(str(tmp_path)))])
    clf.fit(X, Y)
    clone(clf).fit(X, Y)  # whose writer is the same
    events = EventAccumulator(str(tmp_path)).Reload()
    assert "class_share_1" in events.Tags()["scalars"]


@pytest.mark.filterwarnings("ignore")  # of its data base
def test_mlflow_logs_numbers_and_artifacts(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    run = client.create_run(client.create_experiment("all", artifact_location=(tmp_path / "files").as_uri()))
    SemiSupervisedRNNClassifier(FixMatch(), **TINY, callbacks=[MlflowLogger(run, client)]).fit(X, Y)
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "class_share_1")] == [1, 2]
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"history.json", "params.pth"}


def test_sacred_logs_to_its_own_run(tmp_path):
    sacred = pytest.importorskip("sacred")
    experiment = sacred.Experiment("callbacks", interactive=True, save_git_info=False)
    experiment.observers.append(sacred.observers.FileStorageObserver(str(tmp_path)))

    @experiment.main
    def main(_run):
        classifier(SacredLogger(_run)).fit(X, Y)

    experiment.run()
    (metrics,) = tmp_path.glob("*/metrics.json")
    assert json.loads(metrics.read_text())["train_loss"]["steps"] == [1, 2]
