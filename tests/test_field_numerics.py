"""Numbers on their way into the net: large levels, far-out values, numpy's parameters, the state of torch."""

import inspect
import os
import pickle
import subprocess
import sys
import warnings
from numbers import Integral, Real

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

import sklearn_rnn
from sklearn_rnn import (
    Embedding,
    Gaps,
    Optimizer,
    Pretraining,
    RNNAutoencoderTransformer,
    RNNForecaster,
    RNNNextItemRecommender,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    SemiSupervisedRNNTagger,
    SemiSupervisedRNNTranscriber,
)
from sklearn_rnn import objectives as objectives_module
from sklearn_rnn import perturbations as perturbations_module
from sklearn_rnn import preprocessing as preprocessing_module
from sklearn_rnn import text as text_module
from sklearn_rnn.inspection import integrated_gradients
from sklearn_rnn.objectives import CrossView, IteratedPseudoLabel, Objective
from sklearn_rnn.perturbations import Perturbation
from sklearn_rnn.preprocessing import SequenceImputer
from sklearn_rnn.sequences._reading import read_sequences

SMALL = {"hidden_size": 8, "n_kernels": 8, "random_state": 0}
QUICK = {"max_epochs": 2, "lr": 0.02}  # learns to tell the two waves apart within 50 steps
LEVEL, SIGNAL = 1e6, 0.03
labels = np.arange(80) % 2
unit = np.where(labels[:, None], np.sin(np.arange(20)), np.cos(1.7 * np.arange(20)))[:, :, None]
unit = unit + 0.2 * np.random.default_rng(0).normal(size=unit.shape)
FLOATS, NUMBERS = LEVEL + SIGNAL * unit, np.rint(100 * unit).astype(np.int64)


def classifier(**options):
    return SemiSupervisedRNNClassifier("supervised", **{"max_epochs": 6, **SMALL, **options})


def autoencoder(**options):
    return RNNAutoencoderTransformer(**{"max_epochs": 6, **SMALL, **options})


def mapped(X, path):
    np.save(path / "X.npy", X)
    return np.load(path / "X.npy", mmap_mode="r")


FORMS = {
    "table": lambda path: FLOATS[:, :, 0],
    "3-D": lambda path: FLOATS,
    "list": lambda path: [row[: 20 - i % 3] for i, row in enumerate(FLOATS)],
    "list of one value a step": lambda path: [row[: 20 - i % 3, 0] for i, row in enumerate(FLOATS)],
    "padded with NaN": lambda path: np.where(
        np.arange(20)[:, None] < 20 - (np.arange(80) % 3)[:, None, None], FLOATS, np.nan
    ),
    "memory map": lambda path: mapped(FLOATS, path),
    "int64": lambda path: NUMBERS + 10**17,
    "uint64": lambda path: NUMBERS.astype(np.uint64) + np.uint64(2**63),
    "list of int64": lambda path: list(NUMBERS + 10**17),
    "memory map of int64": lambda path: mapped(NUMBERS + 10**17, path),
}


FAST = ("table", "list", "memory map of int64")


@pytest.mark.full_epochs
@pytest.mark.parametrize("form", [pytest.param(f, marks=[] if f in FAST else [pytest.mark.slow]) for f in FORMS])
def test_a_small_signal_on_a_large_level_is_learned(form, tmp_path):
    X = FORMS[form](tmp_path)
    clf = classifier(**QUICK).fit(X[:40], labels[:40])
    assert clf.score(X[40:], labels[40:]) == 1
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


def test_the_level_is_subtracted_and_changes_nothing_else():
    plain, raised = classifier(max_epochs=2).fit(unit, labels), classifier(max_epochs=2).fit(unit + 2.0**22, labels)
    np.testing.assert_allclose(raised.predict_proba(unit + 2.0**22), plain.predict_proba(unit), atol=1e-3)


@pytest.mark.parametrize("form", ["table", "list"])
def test_what_is_rebuilt_has_the_level_in_float64(form, tmp_path):
    X = FORMS[form](tmp_path)
    rebuilt = np.concatenate([np.ravel(x) for x in autoencoder(**QUICK).fit(X).reconstruct(X)])
    assert rebuilt.dtype == np.float64
    assert np.abs(rebuilt - LEVEL).max() < 3 * SIGNAL
    assert len(np.unique(rebuilt)) > len(rebuilt) / 2  # float32 has three numbers so near to the level


@pytest.mark.slow
@pytest.mark.full_epochs
def test_what_is_rebuilt_on_a_large_level_has_the_signal():
    errors = autoencoder(max_epochs=20).fit(FLOATS).reconstruct(FLOATS) - FLOATS
    assert errors.std() < SIGNAL / 2


@pytest.mark.full_epochs
def test_what_is_drawn_has_the_level():
    drawn = autoencoder(objective="variational", **QUICK).fit(FLOATS).sample(50, random_state=0)
    assert abs(drawn.mean() - LEVEL) < SIGNAL
    assert SIGNAL / 100 < drawn.std() < 3 * SIGNAL  # float32 has one number so near to the level


@pytest.mark.full_epochs
def test_gaps_on_a_large_level_are_filled_to_within_the_signal():
    X, hidden = FLOATS.copy(), np.random.default_rng(0).random(FLOATS.shape) < 0.1
    hidden[:, -1] = False  # a tail without values is padding
    X[hidden] = np.nan
    filled = SequenceImputer(autoencoder(**QUICK)).fit_transform(X)
    assert np.abs(filled - FLOATS)[hidden].mean() < SIGNAL


def test_the_detector_scores_alike_whatever_the_level():
    plain, raised = (RNNOutlierDetector(autoencoder(max_epochs=2), cv=2).fit(X) for X in (unit, unit + 2.0**22))
    np.testing.assert_allclose(raised.score_samples(unit + 2.0**22), plain.score_samples(unit), rtol=1e-2)


@pytest.mark.full_epochs
@pytest.mark.parametrize(
    "pretraining",
    [
        pytest.param(lambda: "reconstruction", marks=pytest.mark.slow),
        pytest.param(autoencoder, marks=pytest.mark.slow),
        lambda: FrozenEstimator(autoencoder(max_epochs=2).fit(FLOATS)),
    ],
    ids=["name", "unfitted", "frozen"],
)
def test_a_pretrained_encoder_sees_the_signal(pretraining):
    clf = classifier(pretraining=pretraining(), **QUICK).fit(FLOATS[:40], labels[:40])
    assert clf.score(FLOATS[40:], labels[40:]) == 1


def test_the_origin_is_that_of_a_pretrained_encoder():
    wide = FLOATS + 1000 * (np.arange(80) > 39)[:, None, None]  # float32 would do for these alone
    frozen = FrozenEstimator(autoencoder(max_epochs=1).fit(FLOATS))
    clf = classifier(pretraining=Pretraining(frozen, freeze=1), max_epochs=1).fit(wide, labels)
    assert clf.net_.module_.encoder.input.origin == frozen.net_.module_.encoder.input.origin


@pytest.mark.full_epochs
def test_a_warm_start_keeps_the_origin():
    clf = classifier(warm_start=True, **QUICK).fit(FLOATS, labels)
    origin = clf.net_.module_.encoder.input.origin
    assert clf.fit(FLOATS + 0.01, labels).net_.module_.encoder.input.origin == origin
    assert clf.score(FLOATS + 0.01, labels) == 1


def test_the_attributions_of_a_signal_do_not_depend_on_its_level():
    plain, raised = classifier(max_epochs=2).fit(unit, labels), classifier(max_epochs=2).fit(unit + 2.0**22, labels)
    low, high = (
        integrated_gradients(plain, unit[:5], target=1),
        integrated_gradients(raised, unit[:5] + 2.0**22, target=1),
    )
    np.testing.assert_allclose(np.stack(high), np.stack(low), atol=1e-2)


@pytest.mark.parametrize(
    "X", [unit, 100 + unit, unit.astype(np.float32) + 4096, NUMBERS, np.full_like(unit, 1e6 / 3) + 1e-10 * unit]
)
def test_values_that_float32_keeps_are_read_as_they_are(X):
    sequences = read_sequences(RNNAutoencoderTransformer(), X, reset=True)
    assert sequences.origin is None
    assert sequences.values.dtype == np.float32
    assert sequences.source is None


def test_a_memory_map_is_not_copied_to_be_centred(tmp_path):
    X = mapped(FLOATS, tmp_path)
    sequences = read_sequences(RNNAutoencoderTransformer(), X, reset=True)
    assert np.shares_memory(sequences.values, X)
    np.testing.assert_allclose(sequences.batch(np.arange(80))[0] + sequences.origin, FLOATS, atol=1e-8)


@pytest.mark.parametrize("form", [np.asarray, list])
def test_a_variation_that_centring_does_not_save_gets_a_warning_that_names_the_feature(form):
    levels = 1e9 * np.random.default_rng(0).normal(size=(80, 1, 1))
    X = np.concatenate([unit, levels + SIGNAL * unit], axis=2)
    with pytest.warns(UserWarning, match="Feature 1 loses its variation in float32"):
        autoencoder(max_epochs=1).fit(form(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        autoencoder(max_epochs=1).fit(form(X.astype(np.float32)))  # lost already
        autoencoder(max_epochs=1).fit(form(np.concatenate([unit, levels + 0 * unit], axis=2)))  # nothing to lose


def test_unix_times_are_told_apart():
    X = 1.7e9 + np.cumsum(np.where(labels[:, None], 1, 1 + np.arange(20) % 2), axis=1)[:, :, None]
    assert classifier().fit(X[:40], labels[:40]).score(X[40:], labels[40:]) == 1


# ----


FAR_OUT = (1e15, 1e20, 1e30, 3e38, -3e38)


def far_out(X, value):
    X = X.copy()
    X[0, 3] = value
    return X


@pytest.fixture(scope="module", params=[1, 1e-6])
def fitted(request):
    X = request.param * unit[:40]
    return X, classifier(max_epochs=1).fit(X, labels[:40]), RNNOutlierDetector(autoencoder(max_epochs=1), cv=2).fit(X)


@pytest.mark.parametrize("value", FAR_OUT)
def test_far_out_values_at_prediction_get_finite_answers(value, fitted):
    X, clf, model = fitted
    far = far_out(X, value)
    for cast in (np.float64, np.float32):
        assert np.isfinite(clf.predict_proba(far.astype(cast))).all()
        assert np.isfinite(model.score_samples(far.astype(cast))).all()
        assert model.predict(far.astype(cast))[0] == -1
    assert np.isfinite(model.autoencoder_.reconstruct(far)).all()
    assert np.isfinite(model.score_steps(far)).all()
    assert np.isfinite(np.stack(integrated_gradients(clf, far[:2]))).all()
    with torch.autocast("cpu", torch.bfloat16):
        assert np.isfinite(clf.predict_proba(far)).all()
        assert np.isfinite(model.score_samples(far)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gaps_beside_far_out_values_are_filled(dtype):
    imputer = SequenceImputer(autoencoder(max_epochs=1)).fit(unit.astype(dtype))
    for value in FAR_OUT:
        X = far_out(unit, value).astype(dtype)
        X[0, 8] = np.nan
        filled = imputer.transform(X)
        assert np.isfinite(filled).all()
        assert filled[0, 3] == X[0, 3]


@pytest.mark.parametrize("name", ["reconstruction", "variational", "contrastive", "recurrent_gan"])
def test_values_at_the_ends_of_float32_are_trained_on(name):
    X = np.where(unit > 0, 3e38, -3e38)
    model = autoencoder(objective=name, max_epochs=1).fit(X)
    assert np.isfinite(model.transform(X)).all()
    if hasattr(model, "sample"):
        assert np.isfinite(model.sample(3, random_state=0)).all()


def test_one_far_out_step_in_training_leaves_finite_weights():
    clf = classifier(max_epochs=1).fit(far_out(unit, 3e38), labels)
    assert np.isfinite(clf.predict_proba(unit)).all()


class Blank(RNNAutoencoderTransformer):
    """An autoencoder that cannot score the first of five sequences."""

    def score_samples(self, X):
        scores = super().score_samples(X)
        if len(scores) == 5:
            scores[0] = np.nan
        return scores


def test_a_score_of_nan_is_an_outlier():
    detector = RNNOutlierDetector(Blank(max_epochs=1, **SMALL), contamination=0.02).fit(unit[5:])
    assert detector.predict(unit[:5]).tolist() == [-1, 1, 1, 1, 1]


# ----


def numeric(cls):
    """Parameters of a class that take a number or a boolean, with a value that Python's and numpy's types share."""
    found = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        kinds = [getattr(kind, "type", kind) for kind in cls._parameter_constraints.get(name, [])]
        value = parameter.default
        if "boolean" in kinds:
            found[name] = np.bool_(value if isinstance(value, bool) else True)
        elif Integral in kinds:
            found[name] = np.int64(value if isinstance(value, int) else 3)
        elif Real in kinds:
            found[name] = np.float32(value if isinstance(value, int | float) else 0.01)
    return found


def public(module):
    return [
        cls
        for name, cls in vars(module).items()
        if not name.startswith("_") and inspect.isclass(cls) and issubclass(cls, BaseEstimator) and numeric(cls)
    ]


def python(options):
    return {name: value.item() for name, value in options.items()}


TINY = {"max_epochs": np.int64(1), "hidden_size": np.int64(4), "n_kernels": np.int64(8), "num_layers": np.int64(2)}
OBJECTIVES = [
    cls
    for cls in public(objectives_module)
    if not inspect.isabstract(cls) and cls.needs not in ("items", "steps", "transcripts")
]
PERTURBATIONS = [cls for cls in public(perturbations_module) if not inspect.isabstract(cls)]
some = unit[:20, :9]
partly = np.where(np.arange(20) < 10, labels[:20], -1)


def answers(estimator, tokens=False):
    X = [np.arange(i, i + 9) % 12 for i in range(20)] if tokens else some
    estimator.set_params(random_state=0).fit(X, partly)
    return estimator.transform(X)


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("switch", ["early_stopping", "warm_start", "bidirectional"])
@pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor, RNNAutoencoderTransformer])
def test_estimators_take_numpys_numbers(cls, switch, tokens):
    options = {**numeric(cls), **TINY, "max_length": np.int64(100)}
    options[switch] = ~options[switch]
    if cls is not RNNAutoencoderTransformer:
        options["pretraining"] = np.str_("reconstruction")
    mine = answers(cls(**options), tokens)
    np.testing.assert_array_equal(mine, answers(cls(**python(options)), tokens))


@pytest.mark.parametrize(
    ("parameter", "option"), [("embedding", Embedding), ("optimizer", Optimizer), ("pretraining", Pretraining)]
)
def test_objects_among_the_parameters_take_numpys_numbers(parameter, option):
    options = numeric(option)
    mine, plain = (SemiSupervisedRNNClassifier(**{parameter: option(**o)}, **TINY) for o in (options, python(options)))
    np.testing.assert_array_equal(answers(mine, tokens=True), answers(plain, tokens=True))
    assert all(getattr(mine.get_params()[parameter], name) is value for name, value in options.items())


def test_gaps_take_numpys_numbers():
    X = np.stack([np.arange(24.0).reshape(4, 6).T] * 8)
    X[::2, 2, 1] = np.nan
    options = {"times": np.int64(0), "hide": np.float32(0.25)}
    mine, plain = (
        SemiSupervisedRNNClassifier(gaps=Gaps(**o), random_state=0, **TINY)
        for o in (options, {"times": 0, "hide": 0.25})
    )
    y = np.arange(8) % 2
    np.testing.assert_array_equal(mine.fit(X, y).predict_proba(X), plain.fit(X, y).predict_proba(X))


@pytest.mark.parametrize("cls", OBJECTIVES, ids=lambda cls: cls.__name__)
def test_objectives_take_numpys_numbers(cls):
    options = numeric(cls)
    kind = RNNAutoencoderTransformer if cls.needs == "sequences" else SemiSupervisedRNNClassifier
    mine, plain = (kind(cls(**o), **python(TINY)) for o in (options, python(options)))
    np.testing.assert_array_equal(answers(mine), answers(plain))
    assert type(getattr(mine.objective, next(iter(options)))) is type(next(iter(options.values())))


@pytest.mark.parametrize("cls", PERTURBATIONS, ids=lambda cls: cls.__name__)
def test_perturbations_take_numpys_numbers(cls):
    options = numeric(cls)
    mine, plain = (RNNAutoencoderTransformer(augmentation=cls(**o), **python(TINY)) for o in (options, python(options)))
    np.testing.assert_array_equal(answers(mine), answers(plain))


def test_a_recommender_and_its_objective_take_numpys_numbers():
    X = [np.arange(i, i + 9) % 12 for i in range(20)]
    options = {
        k: v for k, v in {**numeric(RNNNextItemRecommender), **TINY}.items() if k in numeric(RNNNextItemRecommender)
    }
    given = [
        RNNNextItemRecommender(**{**o, "random_state": 0, "early_stopping": False}).fit(X).decision_function(X[:3])
        for o in (options, python(options))
    ]
    np.testing.assert_array_equal(*given)


@pytest.mark.parametrize(
    ("cls", "objective", "y"),
    [
        (SemiSupervisedRNNTagger, CrossView, [[0, 1, 2] * 3, [2, 1, 0] * 3, None, None] * 5),
        (SemiSupervisedRNNTranscriber, IteratedPseudoLabel, [[0, 1], [1], [0], None] * 5),
    ],
)
def test_taggers_and_transcribers_and_their_objectives_take_numpys_numbers(cls, objective, y):
    options = {**numeric(cls), **TINY}
    if "max_length" in cls().get_params():
        options["max_length"] = np.int64(100)
    plain = {"random_state": 0, "early_stopping": False}
    given = [
        cls(objective(**p), **{**o, **plain}).fit(some, y).transform(some)
        for o, p in ((f(options), f(numeric(objective))) for f in (dict, python))
    ]
    np.testing.assert_array_equal(*given)


def test_a_forecaster_takes_numpys_numbers():
    series = np.sin(np.arange(120) / 5)
    names = {name: value for name, value in numeric(RNNForecaster).items() if name not in ("targets", "future")}
    options = names | {name: value for name, value in TINY.items() if name in names}
    options |= {"horizon": np.int64(4), "context": np.int64(12)}
    given = [RNNForecaster(**{**o, "random_state": 0}).fit(series).predict() for o in (options, python(options))]
    np.testing.assert_array_equal(*given)


def test_every_public_class_with_a_numeric_parameter_is_tried_with_numpys():
    rest = {cls.__name__ for module in (sklearn_rnn, preprocessing_module, text_module) for cls in public(module)}
    assert rest == {
        "SemiSupervisedRNNClassifier",
        "SemiSupervisedRNNRegressor",
        "SemiSupervisedRNNTagger",
        "SemiSupervisedRNNTranscriber",
        "RNNForecaster",
        "RNNNextItemRecommender",
        "Embedding",
        "Gaps",
        "LogMelSpectrogram",
        "MFCC",
        "Optimizer",
        "Pretraining",
        "RNNAutoencoderTransformer",
        "RNNOutlierDetector",
        "PerSequenceScaler",
        "SequenceDifferencer",
        "SequenceResampler",
        "TokenSequenceVectorizer",
    }
    assert all(issubclass(cls, Objective) for cls in OBJECTIVES)
    assert all(issubclass(cls, Perturbation) for cls in PERTURBATIONS)


@pytest.mark.parametrize("cls", public(preprocessing_module) + public(text_module), ids=lambda cls: cls.__name__)
def test_transformers_take_numpys_numbers(cls):
    X = ["one two six one", "two six one two", "six one two two"] if cls in public(text_module) else some
    options = numeric(cls)
    options.pop("high", None)  # a frequency of which `numeric` knows no sensible value
    mine, plain = (cls(**o).fit_transform(X) for o in (options, python(options)))
    for one, other in zip(mine, plain, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_detector_takes_numpys_share():
    mine, plain = (
        RNNOutlierDetector(autoencoder(max_epochs=1), contamination=c, cv=2) for c in (np.float32(0.25), 0.25)
    )
    np.testing.assert_array_equal(mine.fit_predict(some), plain.fit_predict(some))


def test_a_search_over_an_array_of_sizes_works():
    search = GridSearchCV(classifier(max_epochs=1), {"hidden_size": np.array([2, 3])}, cv=2, error_score="raise")
    assert search.fit(some, labels[:20]).best_params_["hidden_size"] in (2, 3)


# ----


@pytest.fixture
def torch_state():
    """Restore what a test sets in torch."""
    dtype = torch.get_default_dtype()
    yield
    torch.set_default_dtype(dtype)
    torch.set_default_device(None)
    torch.use_deterministic_algorithms(False)


STATES = {
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "bfloat16": lambda: torch.set_default_dtype(torch.bfloat16),
    "meta": lambda: torch.set_default_device("meta"),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "no gradients": lambda: None,
}


@pytest.mark.usefixtures("torch_state")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("estimator", [classifier(max_epochs=1), autoencoder(objective="variational", max_epochs=1)])
@pytest.mark.parametrize("tokens", [False, True])
def test_answers_do_not_depend_on_the_state_of_torch(state, estimator, tokens):
    X = [np.arange(i, i + 9) % 12 for i in range(20)] if tokens else some
    calls = (
        ["predict_proba"] if estimator.task_name == "classification" else ["transform", "score_samples", "reconstruct"]
    )
    fitted = clone(estimator).fit(X, labels[:20])
    before = [getattr(fitted, call)(X) for call in calls]
    STATES[state]()
    state_before = torch.get_default_dtype(), torch.get_default_device()
    again = clone(estimator).fit(X, labels[:20])
    for model in (fitted, again):
        for call, answer in zip(calls, before, strict=True):
            np.testing.assert_array_equal(np.hstack(getattr(model, call)(X)), np.hstack(answer))
    assert (torch.get_default_dtype(), torch.get_default_device()) == state_before


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("estimator", [classifier(max_epochs=1), autoencoder(max_epochs=1)])
def test_fit_works_where_gradients_are_off(context, estimator):
    fitted = clone(estimator).fit(some, labels[:20])
    with context():
        again = clone(estimator).fit(some, labels[:20])
        assert not torch.is_grad_enabled()
        assert torch.is_inference_mode_enabled() == (context is torch.inference_mode)
    np.testing.assert_array_equal(again.transform(some), fitted.transform(some))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_attributions_work_where_gradients_are_off(context):
    clf = classifier(max_epochs=1).fit(some, labels[:20])
    with context():
        mine = integrated_gradients(clf, some)
    np.testing.assert_array_equal(mine, integrated_gradients(clf, some))


DEVICES = ["x", "meta", "cuda:99", *(["mps"] if not torch.backends.mps.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", [classifier, autoencoder])
def test_a_device_that_does_not_work_is_refused(make, device):
    with pytest.raises(ValueError, match=f"device='{device}' was requested but ") as caught:
        make(device=device).fit(some, labels[:20])
    if not device.startswith("cuda"):
        sentence = f"Choose device='cpu' or 'cuda': device='{device}' was requested but does not work here."
        assert str(caught.value) == sentence


FIRST_FITS = """
import sys, numpy as np
from sklearn.pipeline import make_pipeline
from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.text import TokenSequenceVectorizer
random, y = np.random.default_rng(0), np.arange(30) % 2
X = {
    "numbers": random.normal(size=(30, 9)),
    "tokens": list(random.integers(0, 40, size=(30, 9))),
    "texts": ["a good film", "a bad film"] * 15,
}
before = set(sys.modules)
for optimizer, what in [("adamw", "numbers"), ("adam", "tokens"), ("sgd", "texts")]:
    clf = SemiSupervisedRNNClassifier(hidden_size=4, n_kernels=8, max_epochs=1, optimizer=optimizer, random_state=0)
    if what == "texts":
        clf = make_pipeline(TokenSequenceVectorizer(), clf)
    clf.fit(X[what], y).predict(X[what])
    new = {name.partition(".")[0] + "." + name.split(".")[1] for name in set(sys.modules) - before if "." in name}
    print(*sorted(new & {"torch._dynamo", "torch._inductor", "sympy.core"}))
"""


@pytest.mark.slow
def test_first_fits_import_no_compiler_and_need_no_temporary_folder():
    nowhere = dict.fromkeys(["TMPDIR", "TEMP", "TMP", "TORCHINDUCTOR_CACHE_DIR"], "/dev/null/x")
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FITS],
        capture_output=True,
        text=True,
        env={**os.environ, **nowhere},
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_optimizers_take_the_steps_of_torchs(name):
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    options = {"momentum": 0.9, "nesterov": True} if name == "sgd" else {"betas": (0.9, 0.999)}
    weights = []
    for kind in (kinds[name], sklearn_rnn.training._optimizers.OPTIMIZERS[name]):
        weight = torch.linspace(-1, 1, 7).requires_grad_()
        optimizer = kind([weight], lr=0.1, weight_decay=0.01, fused=True, **options)
        for _ in range(5):
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()
        weights.append(weight.detach())
    assert torch.equal(*weights)
    assert isinstance(optimizer, kinds[name])
