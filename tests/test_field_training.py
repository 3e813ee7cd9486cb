"""What is left of a fit that failed, what a pickle holds, and what the user's code may do."""

import copy
import importlib
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, Checkpoint, EarlyStopping

import sklearn_rnn
from sklearn_rnn import Optimizer, RNNAutoencoderTransformer, RNNOutlierDetector, SemiSupervisedRNNClassifier, _state
from sklearn_rnn.objectives import Reconstruction, SelfTraining, Supervised
from sklearn_rnn.perturbations import Compose, Jitter, Perturbation
from sklearn_rnn.preprocessing import SequenceImputer
from sklearn_rnn.text import TokenSequenceVectorizer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6))
Y = np.array(["a", "b"])[np.arange(12) % 2]
OTHER_X, OTHER_Y = RNG.normal(size=(15, 5, 2)), np.arange(15) % 3
TINY = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 2, "random_state": 0}


class Interrupt(Callback):
    """Ctrl-C in an epoch of a fit."""

    def __init__(self, epoch=1):
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **data):
        if training and len(net.history) == self.epoch:
            raise KeyboardInterrupt


def classifier(**params):
    return SemiSupervisedRNNClassifier(**{"objective": "supervised", **TINY, **params})


def autoencoder(**params):
    return RNNAutoencoderTransformer(**{**TINY, **params})


def detector(**params):
    return RNNOutlierDetector(autoencoder(**params), contamination=0.2, cv=2)


def imputer(**params):
    return SequenceImputer(autoencoder(**params))


KINDS = {"classifier": classifier, "autoencoder": autoencoder, "detector": detector, "imputer": imputer}
each = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
nets = pytest.mark.parametrize("make", [classifier, autoencoder])


def answer(estimator, X=X):
    if isinstance(estimator, SequenceImputer):
        X = X.copy()
        X[0, 3] = np.nan
    if isinstance(estimator, RNNOutlierDetector):
        return np.append(estimator.score_samples(X), estimator.offset_)
    if isinstance(estimator, SemiSupervisedRNNClassifier):
        assert set(estimator.predict(X)) <= set(estimator.classes_)
        return estimator.predict_proba(X)
    return estimator.transform(X)


def set_in(estimator, **params):
    """Set parameters of the net, wherever it is."""
    inside = "autoencoder__" if hasattr(estimator, "autoencoder") else ""
    return estimator.set_params(**{inside + name: value for name, value in params.items()})


def fitted_state(estimator):
    return {name: value for name, value in vars(estimator).items() if name not in estimator.get_params(deep=False)}


def same_objects(one, other):
    return one.keys() == other.keys() and all(one[name] is other[name] for name in one)


REFUSED = {
    "X": ({}, np.full((4, 6), np.inf), Y[:4]),
    "X of another kind, short of the y": ({}, OTHER_X, None),
    "a parameter": ({"hidden_size": 0}, OTHER_X, OTHER_Y),
    "a device": ({"device": "cuda"}, OTHER_X, OTHER_Y),
    "early stopping": ({"early_stopping": True, "validation_fraction": 0.9}, OTHER_X[:2], OTHER_Y[:2]),
    "an augmentation": ({"augmentation": Jitter(-1)}, OTHER_X, OTHER_Y),
    "the optimizer": ({"optimizer": torch.optim.Optimizer}, OTHER_X, OTHER_Y),
}


@each
@pytest.mark.parametrize("fault", REFUSED)
def test_a_refused_refit_leaves_the_estimator_as_it_was(make, fault):
    params, other_x, other_y = REFUSED[fault]
    if "cuda" in params.values() and torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    if other_y is None and make is not classifier:
        other_x = [np.ones(3), "text"]
    estimator = make().fit(X, Y)
    before, expected = fitted_state(estimator), answer(estimator)
    set_in(estimator, **params)
    with pytest.raises((ValueError, TypeError, NotImplementedError)):
        estimator.fit(other_x, other_y)
    assert same_objects(fitted_state(estimator), before)
    np.testing.assert_array_equal(answer(estimator), expected)


@pytest.mark.parametrize("y", [np.linspace(0, 1, 15), None, OTHER_Y[:3], np.full(15, -1)])
def test_a_refused_y_leaves_the_classes_of_the_last_fit(y):
    clf = classifier().fit(X, Y)
    before = fitted_state(clf)
    with pytest.raises(ValueError):  # noqa: PT011
        clf.fit(OTHER_X, y)
    assert same_objects(fitted_state(clf), before)
    assert clf.classes_.tolist() == ["a", "b"]
    assert clf.n_features_in_ == 6


@each
@pytest.mark.parametrize("fault", ["refused", "interrupted"])
def test_a_first_fit_that_failed_is_none(make, fault):
    estimator = make(callbacks=[Interrupt()])
    if fault == "refused":
        set_in(estimator, early_stopping=True, validation_fraction=0.9, callbacks=None)
    with pytest.raises(ValueError if fault == "refused" else KeyboardInterrupt):
        estimator.fit(X[:2], Y[:2])
    assert not fitted_state(estimator)
    with pytest.raises(NotFittedError):
        estimator.score_samples(X) if make is detector else estimator.transform(X)


@each
def test_a_refit_cut_short_in_its_first_epoch_leaves_the_last_fit(make):
    estimator = make().fit(X, Y)
    before, expected = fitted_state(estimator), answer(estimator)
    set_in(estimator, callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(OTHER_X, OTHER_Y)
    assert same_objects(fitted_state(estimator), before)
    np.testing.assert_array_equal(answer(estimator), expected)


@nets
def test_a_refit_cut_short_later_keeps_its_own_net_and_attributes(make):
    estimator = make().fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        estimator.set_params(callbacks=[Interrupt(2)], n_kernels=0, lr=0.01).fit(OTHER_X, OTHER_Y)
    assert estimator.n_features_in_ == 2
    assert len(answer(estimator, OTHER_X)) == 15
    assert not hasattr(estimator, "transduction_")
    with pytest.raises(ValueError, match="was fitted on sequences of feature vectors"):
        answer(estimator)


@pytest.mark.parametrize("make", [detector, imputer])
def test_a_detector_and_an_imputer_cut_short_keep_what_belongs_together(make):
    estimator = make().fit(X)
    before, expected = fitted_state(estimator), answer(estimator)
    with pytest.raises(KeyboardInterrupt):
        set_in(estimator, callbacks=[Interrupt(2)]).fit(OTHER_X)
    assert same_objects(fitted_state(estimator), before)
    np.testing.assert_array_equal(answer(estimator), expected)


@nets
def test_a_warm_start_cut_short_leaves_the_weights_of_the_last_fit(make):
    estimator = make(warm_start=True).fit(X, Y)
    expected = answer(estimator)
    with pytest.raises(KeyboardInterrupt):
        estimator.set_params(callbacks=[Interrupt()], dropout=0.7).fit(X, Y)
    np.testing.assert_array_equal(answer(estimator), expected)
    assert not np.array_equal(answer(estimator.set_params(callbacks=None).fit(X, Y)), expected)


def test_pretraining_cut_short_leaves_the_last_fit():
    clf = classifier().fit(X, Y)
    before = fitted_state(clf)
    clf.set_params(pretraining=autoencoder(callbacks=[Interrupt(2)]))
    with pytest.raises(KeyboardInterrupt):
        clf.fit(OTHER_X, OTHER_Y)
    assert same_objects(fitted_state(clf), before)


@pytest.mark.parametrize(("epoch", "kept"), [(1, None), (2, 1), (4, 2)])
def test_rounds_cut_short_leave_the_best_weights_so_far(epoch, kept):
    y = np.where(np.arange(12) < 6, np.arange(12) % 2, -1)
    clf = classifier(objective=SelfTraining(k_best=1, n_rounds=3), callbacks=[Interrupt(epoch)])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    if kept is None:
        assert not fitted_state(clf)
    else:
        assert np.isfinite(clf.predict_proba(X)).all()
        one_round = classifier(callbacks=[Interrupt(2)] if kept == 1 else None)
        if kept == 1:
            with pytest.raises(KeyboardInterrupt):
                one_round.fit(X, y)
        else:
            one_round.fit(X, y)
        np.testing.assert_array_equal(clf.predict_proba(X), one_round.predict_proba(X))


@nets
@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_that_are_not_finite_are_never_the_result(make, early_stopping):
    rate = {
        "lr": 1e38,
        "optimizer": Optimizer("sgd", gradient_clip=None),
        "max_epochs": 1,
        "early_stopping": early_stopping,
    }
    estimator = make(**rate, validation_fraction=0.3)
    with pytest.raises(FloatingPointError, match="lower lr"):
        estimator.fit(X, Y)
    assert not fitted_state(estimator)


class Spoilt(Supervised):
    """Weights that are infinite after the last step of an epoch."""

    def after_step(self, model):
        self.n_steps_ = getattr(self, "n_steps_", 0) + 1
        if self.n_steps_ == 25:
            model.head.weight.data.fill_(np.inf)


@pytest.mark.full_epochs
@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_that_are_not_finite_after_the_last_step_are_an_error(early_stopping):
    clf = classifier(objective=Spoilt(), max_epochs=1, early_stopping=early_stopping)
    with pytest.raises(FloatingPointError, match="weights are not finite in epoch 1, step 25"):
        clf.fit(X, Y)
    assert not fitted_state(clf)


class Signalled(EarlyStopping):
    """Ctrl-C while its hook runs."""

    def on_epoch_end(self, net, **data):
        super().on_epoch_end(net, **data)
        signal.raise_signal(signal.SIGINT)


class AfterOne(EarlyStopping):
    """Asks to stop as skorch does, by a rule of its own."""

    def on_epoch_end(self, net, **data):
        raise KeyboardInterrupt


@nets
def test_ctrl_c_in_the_hook_of_an_early_stopping_is_not_swallowed(make):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            make(callbacks=[Signalled(monitor="train_loss")]).fit(X, Y)
    finally:
        signal.signal(signal.SIGINT, handler)


@nets
@pytest.mark.parametrize("stop", [AfterOne("train_loss"), EarlyStopping("train_loss", patience=1, threshold=0.999)])
def test_an_early_stopping_that_asks_to_stop_ends_training(make, stop):
    estimator = make(callbacks=[stop], max_epochs=5).fit(X, Y)
    assert estimator.n_iter_ == (1 if isinstance(stop, AfterOne) else 2)


FORK = """
import multiprocessing
import numpy as np
import torch
import sklearn_rnn.sequences._batches
from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier

sklearn_rnn.sequences._batches.MIN_STEPS_PER_EPOCH = 2

def use(estimator, queue):
    queue.put(estimator.transform(X))
    queue.put(estimator.fit(X, y).transform(X).shape)

if __name__ == "__main__":
    torch.set_num_threads(2)
    X, y = np.random.default_rng(0).normal(size=(256, 8)), np.arange(256) % 2
    small = {"n_kernels": 0, "patch_size": 4, "max_epochs": 1}  # few steps, each wide enough for two threads
    context = multiprocessing.get_context("fork")
    for make in (SemiSupervisedRNNClassifier, RNNAutoencoderTransformer):
        estimator = make(hidden_size=128, batch_size=256, **small).fit(X, y)
        queue = context.Queue()
        child = context.Process(target=use, args=(estimator, queue), daemon=True)
        child.start()
        try:
            np.testing.assert_allclose(queue.get(timeout=30), estimator.transform(X), atol=1e-5)
            assert queue.get(timeout=30) == (256, estimator.transform(X).shape[1])
            assert torch.get_num_threads() == 2
        finally:
            child.kill()
"""


def run(folder, code, **environment):
    (folder / "script.py").write_text(code)
    root = str(Path(sklearn_rnn.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root, **environment}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "script.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_wide_net_of_two_threads_works_in_a_forked_process(tmp_path):
    run(tmp_path, FORK, OMP_NUM_THREADS="2")


def shorter(x, lengths, generator):
    return x[:, :-1]


def fewer_rows(x, lengths, generator):
    return x[:1]


def an_array(x, lengths, generator):
    return x.detach().numpy()


def in_double(x, lengths, generator):
    return x.double()


def gaps(x, lengths, generator):
    return torch.where(x > 0, x, torch.nan)


class Shrunk(Perturbation):
    def perturb(self, x, steps, generator):
        return x[..., :1]


FORMS = "must return a tensor like its first argument"
WRONG = {
    "shorter": (shorter, "shorter " + FORMS),
    "fewer rows": (fewer_rows, "fewer_rows " + FORMS),
    "array": (an_array, "an_array " + FORMS + r".*float32.*got ndarray"),
    "double": (in_double, "in_double " + FORMS + r".*torch\.float64"),
    "lambda": (lambda *args: None, "<lambda> " + FORMS + r".*got NoneType"),
    "perturbation": (Shrunk(), "Shrunk " + FORMS),
    "nan": (gaps, "gaps returned values that are not finite"),
}


@nets
@pytest.mark.parametrize("wrong", WRONG)
def test_an_augmentation_that_returns_something_else_is_named(make, wrong):
    augmentation, words = WRONG[wrong]
    estimator = make(augmentation=augmentation)
    with pytest.raises(ValueError, match="^augmentation=.*" + words):
        estimator.fit(OTHER_X, OTHER_Y)
    assert not fitted_state(estimator)


def test_a_strong_augmentation_is_checked_too():
    y = np.where(np.arange(15) < 6, OTHER_Y, -1)
    with pytest.raises(ValueError, match=r"^strong_augmentation=.*gaps returned"):
        classifier(objective="fixmatch", strong_augmentation=gaps).fit(OTHER_X, y)
    with pytest.raises(ValueError, match=r"^augmentation=.*shorter must return"):
        classifier(pretraining="reconstruction", augmentation=shorter).fit(OTHER_X, y)


class GapsLater:
    """An augmentation that goes wrong in the second epoch."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x, lengths, generator):
        self.calls += 1
        return x if self.calls <= 30 else x * torch.nan


@pytest.mark.full_epochs
def test_an_augmentation_that_goes_wrong_later_is_blamed_and_not_x():
    clf = classifier(augmentation=GapsLater())
    with pytest.raises(ValueError, match="GapsLater returned values that are not finite"):
        clf.fit(OTHER_X, OTHER_Y)
    first = classifier(augmentation=None, callbacks=[Interrupt(epoch=2)])
    with pytest.raises(KeyboardInterrupt):
        first.fit(OTHER_X, OTHER_Y)
    np.testing.assert_array_equal(clf.predict_proba(OTHER_X), first.predict_proba(OTHER_X))


def made_terms(change):
    """Objectives of both kinds whose terms are changed."""

    class Own(Supervised):
        def terms(self, model, batch):
            return change(super().terms(model, batch))

    class OwnReconstruction(Reconstruction):
        def terms(self, model, batch):
            return change(super().terms(model, batch))

    return {classifier: Own, autoencoder: OwnReconstruction}


TERMS = {
    "float": (lambda terms: {**terms, "mine": 0.5}, TypeError, "scalar tensors, got 0.5 as 'mine'"),
    "vector": (lambda terms: {**terms, "mine": torch.ones(3)}, TypeError, r"of shape \(3,\) as 'mine'"),
    "no gradient": (lambda terms: {"mine": torch.tensor(2.0)}, ValueError, r"has a gradient: \{'mine': 2.0\}"),
    "no dict": (lambda terms: sum(terms.values()), TypeError, r"must return a dict of scalar .* of shape \(\)"),
    "nothing": (lambda terms: None, TypeError, "must return a dict of scalar tensors by name, got None"),
}


@nets
@pytest.mark.parametrize("wrong", TERMS)
def test_what_an_objective_returns_wrongly_is_named(make, wrong):
    change, kind, words = TERMS[wrong]
    objective = made_terms(change)[make]
    with pytest.raises(kind, match=rf"{objective.__name__}\.terms.*{words}"):
        make(objective=objective()).fit(X, Y)


def round_trip(estimator):
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator, tmp_path):
    joblib.dump(estimator, tmp_path / "estimator.joblib")
    return joblib.load(tmp_path / "estimator.joblib")


COPIES = {
    "pickle": lambda estimator, folder: round_trip(estimator),
    "joblib": through_joblib,
    "deepcopy": lambda estimator, folder: copy.deepcopy(estimator),
    "copy": lambda estimator, folder: copy.copy(estimator),
}
UNNAMED = {
    "lambda": lambda: lambda x, lengths, generator: x * 0.5,
    "member": lambda: Compose([Jitter(), lambda x, lengths, generator: x * 0.5]),
}


@each
@pytest.mark.parametrize(("way", "kind"), [*((way, "lambda") for way in COPIES), ("pickle", "member")])
def test_functions_without_a_name_go_where_the_estimator_goes(make, way, kind, tmp_path):
    estimator = make(augmentation=UNNAMED[kind](), warm_start=True, max_epochs=1).fit(X, Y)
    twin = COPIES[way](estimator, tmp_path)
    np.testing.assert_array_equal(answer(twin), answer(estimator))
    np.testing.assert_array_equal(answer(twin.fit(X, Y)), answer(estimator.fit(X, Y)))
    net = getattr(twin, "autoencoder_", twin)
    assert net.net_.module_.augmentation is not None


def test_a_deep_copy_has_the_very_function():
    clf = classifier(augmentation=lambda x, lengths, generator: x)
    assert copy.deepcopy(clf).augmentation is copy.copy(clf).augmentation is clf.augmentation


def test_a_function_that_no_pickle_can_hold_is_asked_for_in_the_next_fit():
    def locked(x, lengths, generator, lock=threading.Lock()):  # noqa: B008
        return x

    clf = classifier(augmentation=locked).fit(X, Y)
    twin = round_trip(clf)
    np.testing.assert_array_equal(answer(twin), answer(clf))
    with pytest.raises(ValueError, match=r"function .*locked was lost.*set the parameter again before fit"):
        twin.fit(X, Y)
    np.testing.assert_array_equal(answer(twin), answer(clf))
    np.testing.assert_array_equal(answer(twin.set_params(augmentation=None).fit(X, Y)), answer(twin))


def test_a_vectorizer_with_a_lambda_pickles():
    vectorizer = TokenSequenceVectorizer(preprocessor=lambda text: text.upper()).fit(["ab cd", "ab cd"])
    assert round_trip(vectorizer).to_documents(vectorizer.transform(["cd Ab"])) == ["CD AB"]
    assert round_trip(vectorizer).transform(["cd Ab"])[0].tolist() == vectorizer.transform(["cd Ab"])[0].tolist()


MAIN = """
import pickle
import numpy as np
import torch
from sklearn.model_selection import cross_validate
from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import Supervised

class Scale(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

class Own(Supervised):
    def parts(self, encoder, task):
        return {"scale": Scale()}

def halved(x, lengths, generator):
    return x * 0.5

if __name__ == "__main__":
    X, y = np.random.default_rng(0).normal(size=(12, 6)), np.arange(12) % 2
    params = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0}
    for augmentation in (halved, lambda x, lengths, generator: x * 0.5):
        clf = SemiSupervisedRNNClassifier(Own(), augmentation=augmentation, **params)
        serial = cross_validate(clf, X, y, cv=2, return_estimator=True, error_score="raise")
        split = cross_validate(clf, X, y, cv=2, return_estimator=True, error_score="raise", n_jobs=2)
        for one, other in zip(serial["estimator"], split["estimator"]):
            np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    clf = SemiSupervisedRNNClassifier("supervised", augmentation=halved, **params).fit(X, y)
    with open("clf.pkl", "wb") as file:
        pickle.dump((clf, X, y, clf.predict_proba(X)), file)
"""


@pytest.mark.slow
@pytest.mark.full_epochs
def test_functions_of_a_script_go_to_other_processes_and_into_files(tmp_path):
    run(tmp_path, MAIN)
    clf, X, y, expected = pickle.loads((tmp_path / "clf.pkl").read_bytes())
    np.testing.assert_array_equal(clf.predict_proba(X), expected)
    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), expected)


def public_estimators():
    """Classes of the package, in public places, that can be fitted."""
    names = [sklearn_rnn.__name__, *(f"sklearn_rnn.{m.name}" for m in pkgutil.iter_modules(sklearn_rnn.__path__))]
    private = ("._", ".training")  # the net of an estimator is pickled with it
    places = [importlib.import_module(name) for name in names if not any(part in name for part in private)]
    found = [getattr(place, name) for place in places for name in getattr(place, "__all__", ())]
    classes = {cls for cls in found if isinstance(cls, type) and issubclass(cls, BaseEstimator) and hasattr(cls, "fit")}
    return sorted(classes, key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", public_estimators(), ids=lambda cls: cls.__name__)
def test_a_pickle_of_another_version_warns(cls):
    other = DummyClassifier()
    needed = {"WithUnlabeled": [other, X], "LabelBudget": [other], "PerTimestep": [StandardScaler()]}
    estimator = cls(*needed.get(cls.__name__, []))
    stored = pickle.dumps(estimator)
    assert type(pickle.loads(stored)) is cls
    version = sklearn_rnn.__version__
    old = "9" * len(version)
    words = f"{cls.__name__} of sklearn_rnn from version {old} when using version {version}"
    with pytest.warns(InconsistentVersionWarning, match=words):
        pickle.loads(stored.replace(version.encode(), old.encode()))


def test_a_pickle_of_a_newer_format_is_refused(monkeypatch):
    monkeypatch.setattr(_state, "NEWEST", 2)
    stored = pickle.dumps(classifier())
    monkeypatch.undo()
    message = r"SemiSupervisedRNNClassifier: pickle format 2 is newer than this version reads \(1\).*sklearn_rnn 0"
    with pytest.raises(ValueError, match=message):
        pickle.loads(stored)


def test_a_state_without_a_version_warns():
    state = classifier().__getstate__()
    del state["_sklearn_rnn_version"]
    with pytest.warns(InconsistentVersionWarning, match="from version unknown"):
        SemiSupervisedRNNClassifier().__setstate__(state)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
@nets
@pytest.mark.parametrize("what", ["f_params", "f_history"])
def test_a_checkpoint_on_a_full_disk_warns(make, what):
    files = {"f_params": None, "f_optimizer": None, "f_criterion": None, "f_history": None, what: "/dev/full"}
    estimator = make(callbacks=[Checkpoint(monitor=None, **files)], max_epochs=1)
    with pytest.warns(UserWarning, match="Unable to save /dev/full: "):
        estimator.fit(X, Y)
    assert np.isfinite(answer(estimator)).all()


def test_a_pickled_checkpoint_holds_no_training_data_and_predicts(tmp_path):
    checkpoint = Checkpoint(
        monitor=None, f_params=None, f_optimizer=None, f_criterion=None, f_history=None, f_pickle=str(tmp_path / "net")
    )
    clf = classifier(callbacks=[checkpoint], augmentation=lambda x, lengths, generator: x, max_epochs=1).fit(X, Y)
    net = pickle.loads((tmp_path / "net").read_bytes())
    assert not hasattr(net, "watch_")
    values = torch.from_numpy(X[:, :, None]).float()
    with torch.no_grad():
        np.testing.assert_array_equal(net.module_(values, None), clf.net_.module_(values, None))


class Halved(torch.nn.Module):
    def forward(self, x, lengths, generator):
        return x * 0.5


def test_a_checkpoint_leaves_an_augmentation_that_is_a_module_in_place(tmp_path):
    files = {"f_params": None, "f_optimizer": None, "f_criterion": None, "f_history": None}
    checkpoint = Checkpoint(monitor=None, **files, f_pickle=str(tmp_path / "net"))
    saving, plain = (classifier(augmentation=Halved(), callbacks=cbs).fit(X, Y) for cbs in ([checkpoint], None))
    np.testing.assert_array_equal(saving.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(round_trip(saving).predict_proba(X), plain.predict_proba(X))


def test_a_clone_of_what_was_pickled_is_as_a_clone_of_the_first():
    clf = classifier(augmentation=Jitter(0.3)).fit(X, Y)
    assert clone(round_trip(clf)).get_params()["augmentation__deviation"] == 0.3
