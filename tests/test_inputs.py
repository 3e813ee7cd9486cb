"""Several inputs of a row: reading, laws, missing inputs, files, pipelines and errors."""

import copy
import functools
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from objective_cases import TINY
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_rnn import (
    Pretraining,
    RNNAutoencoderTransformer,
    RNNForecaster,
    RNNOutlierDetector,
    SemiSupervisedRNNClassifier,
    SemiSupervisedRNNRegressor,
    SemiSupervisedRNNTagger,
    io,
)
from sklearn_rnn.inspection import attention_weights, integrated_gradients
from sklearn_rnn.objectives import Contrastive, EachInput, NextStep, Reconstruction
from sklearn_rnn.perturbations import Jitter, Light
from sklearn_rnn.sequences._frame_columns import FrameColumns, groups_of

N = 24
Y = np.arange(N) % 2
PARTLY = np.where(np.arange(N) < 8, Y, -1)
Classifier = SemiSupervisedRNNClassifier


def frame(missing=True, seed=0):
    """Frame of series, of feature vectors, of token ids, of a number and of a category, some of them missing."""
    rng = np.random.default_rng(seed)
    columns = {
        "wave": [rng.normal(size=6 + i % 5) for i in range(N)],
        "pair": [rng.normal(size=(3 + i % 3, 2)) for i in range(N)],
        "ids": [rng.integers(0, 9, 2 + i % 4) for i in range(N)],
        "age": list(rng.normal(50, 10, N)),
        "sex": list(rng.choice(["f", "m"], N)),
    }
    if missing:
        columns["wave"][1], columns["wave"][9] = None, np.nan
        columns["pair"][2], columns["pair"][10] = np.zeros((0, 2)), None
        columns["ids"][3], columns["age"][4], columns["sex"][5] = [], np.nan, None
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()}).astype(
        {"age": float}
    )


def as_polars_has(x):
    """Return a list for an array, and None for what is missing."""
    return x.tolist() if isinstance(x, np.ndarray) else None if np.ndim(x) == 0 and pd.isna(x) else x


def fitted(estimator=None, X=None, y=PARTLY, **params):
    """Estimator that was fitted on a frame."""
    estimator = Classifier("supervised", **{**TINY, **params}) if estimator is None else estimator
    return estimator.fit(frame() if X is None else X, y)


@functools.cache
def fitted_once():
    return fitted()


@pytest.fixture
def known():
    """Classifier that was fitted on a frame, for tests that only read it."""
    return fitted_once()


# What goes in


def test_each_column_of_sequences_is_an_input_and_the_others_are_static(known):
    assert known.inputs_ == {"wave": ["wave"], "pair": ["pair"], "ids": ["ids"], "static": ["age", "sex"]}
    assert known.n_features_in_ == 5
    assert known.feature_names_in_.tolist() == ["wave", "pair", "ids", "age", "sex"]


@pytest.mark.parametrize(
    "make",
    [
        lambda X: {name: X[name].tolist() for name in X},
        lambda X: pl.DataFrame({name: [as_polars_has(x) for x in X[name]] for name in X}),
        lambda X: X[X.columns[::-1]],
        lambda X: X.assign(sex=X["sex"].astype("category")),
        lambda X: X.rename(index=lambda i: f"row {i}"),
    ],
    ids=["dictionary", "polars", "other order", "categorical", "index"],
)
def test_columns_are_read_alike_from_all_containers_and_matched_by_name(known, make):
    X = frame()
    X["sex"] = X["sex"].where(X["sex"].notna(), None).astype(object)
    np.testing.assert_array_equal(known.predict_proba(make(X)), known.predict_proba(frame()))


def test_a_dictionary_is_fitted_as_a_frame_is(known):
    X = frame()
    of_dictionary = fitted(X={name: X[name].tolist() for name in X})
    np.testing.assert_array_equal(of_dictionary.predict_proba(X), known.predict_proba(X))


def test_arrays_of_a_dictionary_are_inputs_and_a_frame_or_the_key_static_has_columns():
    rng = np.random.default_rng(0)
    X = {"images": rng.normal(size=(N, 4, 3)), "series": rng.normal(size=(N, 6)), "static": rng.normal(size=(N, 2))}
    X["images"][3] = np.nan
    clf = fitted(X=X)
    assert clf.inputs_ == {"images": ["images"], "series": ["series"], "static": ["static__0", "static__1"]}
    assert [clf._inputs[name]["_kind"] for name in clf.inputs_] == ["series", "table", "static"]
    X["static"] = pd.DataFrame(X["static"], columns=["a", "b"])
    assert fitted(X=X).inputs_["static"] == ["static__a", "static__b"]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_one_input_as_a_column_gives_the_bits_of_the_plain_x(make):
    X = [x for x in frame(missing=False)["wave"]]
    plain, of_frame = fitted(X=X), fitted(X=make({"wave": X}))
    np.testing.assert_array_equal(plain.predict_proba(X), of_frame.predict_proba(make({"wave": X})))
    assert of_frame.n_features_in_ == plain.n_features_in_
    with pytest.raises(ValueError, match=r"X has the column 'other', but .* was fitted on 'wave'"):
        of_frame.predict(make({"other": X}))


def test_series_of_equal_lengths_are_features_unless_inputs_names_them():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": [rng.normal(size=5 + i % 3) for i in range(N)]})
    X["b"] = [x + 1 for x in X["a"]]
    assert not hasattr(fitted(X=X), "inputs_")
    assert fitted(X=X, inputs={"one": ["a"], "other": "b"}).inputs_ == {"one": ["a"], "other": ["b"]}
    X["age"] = 1.0 + np.arange(N)
    clf = fitted(X=X, inputs={"vitals": ["b", "a"], "static": ["age"]})
    assert clf._inputs["vitals"]["n_features_in_"] == 2
    X.at[2, "a"], X.at[2, "b"] = None, None
    assert clf.predict(X).shape == (N,)
    X["b"] = [x if x is None else x[:3] for x in X["b"]]
    with pytest.raises(ValueError, match=r"row 0 of the columns \['b', 'a'\] must be 1-D and have equal lengths"):
        clf.predict(X)


def test_unknown_and_missing_categories_and_numbers_are_allowed(known):
    X = frame()
    X.loc[7:, "sex"] = "other"
    X.loc[8, "age"] = None
    assert np.isfinite(known.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X.drop(columns="age"), "yet now missing:\n- age"),
        (lambda X: X.rename(columns={"age": "years"}), "unseen at fit time:\n- years\n.*\n- age"),
        (lambda X: X.assign(age="old"), r"X\['age'\] had numbers in fit, but now has 'old'"),
        (lambda X: X.assign(sex=1), r"X\['sex'\] has the number 1, but had categories in fit: \['f', 'm'\]"),
        (lambda X: X.assign(wave=1.0), r"X\['wave'\] has single values, but had sequences in fit"),
        (lambda X: X.assign(age=X["wave"]), r"X\['age'\] has sequences, but had single values in fit"),
        (lambda X: X.assign(pair=[np.ones((2, 3))] * N), "Input 'pair': X has 3 features, but .* is expecting 2"),
        (lambda X: X.assign(wave=[np.array([1, np.inf])] * N), r"Input 'wave': Input X contains infinity"),
        (lambda X: X.assign(wave=[np.array([1, np.nan, 2])] * N), r"Input 'wave': Input X contains NaN"),
        (lambda X: X.assign(age=pd.Timestamp("2020")), r"X has times in the columns \['age'\]"),
        (lambda X: list(X["wave"].dropna()), r"X is list, but .* was fitted on the inputs \['wave', 'pair'"),
        (lambda X: X.assign(wave=None, pair=None, ids=None, age=None, sex=None), "Row 0 of X has no input"),
    ],
)
def test_a_wrong_column_is_an_error_that_names_it(known, change, message):
    with pytest.raises(ValueError, match=message):
        known.predict(change(frame()))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"a": ["wave", "age"]}, r"inputs\['a'\].*|does not name"),
        ({"a": "wave"}, r"X has the columns \['pair', 'ids', 'age', 'sex'\], which inputs does not name"),
        ({"a": "wawe"}, r"inputs names the columns \['wawe'\], but X has \['wave', "),
        (
            {"a": ["wave", "age"], "b": ["pair"], "c": ["ids", "sex"]},
            "must be columns of sequences, or of single values",
        ),
        ({"a": ["wave"], "b": ["wave"], "c": ["pair"], "d": ["ids"], "e": ["age", "sex"]}, "names a column twice"),
    ],
)
def test_inputs_that_do_not_fit_the_columns_are_an_error(inputs, message):
    with pytest.raises(ValueError, match=message):
        fitted(inputs=inputs)


def test_inputs_without_columns_are_an_error():
    with pytest.raises(ValueError, match="names columns, but X has no columns of sequences"):
        fitted(X=np.ones((N, 4)), inputs={"a": ["x"]})
    with pytest.raises(ValueError, match="'wave' is missing in all rows"):
        fitted(X=frame().assign(wave=[[]] * N))
    X = pd.DataFrame({"x": [[1.0, 2.0]] * 1001, "name": [f"n{i}" for i in range(1001)]})
    with pytest.raises(ValueError, match=r"X\['name'\] has 1001 different strings"):
        fitted(X=X, y=np.arange(1001) % 2)


@pytest.mark.parametrize("estimator", [SemiSupervisedRNNTagger(max_epochs=1), RNNForecaster(3, context=4)])
def test_estimators_of_one_input_refuse_several(estimator):
    with pytest.raises((ValueError, TypeError)):
        estimator.fit(frame(), [[0]] * N)


# Missing inputs


def gradients(clf, X, of_input):
    """Gradient of the sum of the outputs with respect to the embedded steps and the weights of one input."""
    model = clf.net_.module_
    values, lengths = clf._read(X).tensors(np.arange(len(X)))
    embedded = model.encoder.embed(values).detach().requires_grad_()
    weights = [w for w in model.encoder.each[of_input].parameters() if w.requires_grad]
    outputs = model.train_outputs(embedded, lengths).square().sum()
    return torch.autograd.grad(outputs, [*embedded.parts, *weights], allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("fusion", ["concat", "gate"])
def test_missing_inputs_reach_no_gradient(fusion):
    clf = fitted(fusion=fusion)
    X = frame()
    steps = gradients(clf, X, 0)[0]
    assert not steps[[1, 9]].any()
    assert all(steps[i].any() for i in range(N) if i not in (1, 9))
    nothing = X.assign(wave=None)
    of_wave, *others = gradients(clf, nothing, 0)
    assert not of_wave.any()
    assert others[0].any()
    assert not any(gradient.any() for gradient in others[3:])


@pytest.mark.parametrize("fusion", ["concat", "gate"])
def test_neither_padding_nor_other_rows_change_a_row(fusion):
    clf, X = fitted(fusion=fusion), frame()
    expected = clf.predict_proba(X)
    np.testing.assert_allclose(clf.predict_proba(X[3:12]), expected[3:12], atol=1e-5)
    longer = X.copy()
    longer.at[0, "wave"] = np.ones(40)
    np.testing.assert_allclose(clf.predict_proba(longer)[1:], expected[1:], atol=1e-5)


def test_what_is_missing_is_known_to_the_fusion():
    clf, X = fitted(input_dropout=0.3, max_epochs=4), frame(missing=False)
    zeros = X.assign(wave=[np.zeros(len(x)) for x in X["wave"]])
    assert not np.allclose(clf.predict_proba(X.assign(wave=None)), clf.predict_proba(zeros))


def test_input_dropout_leaves_one_input_of_each_row(known):
    encoder = copy.deepcopy(known.net_.module_.encoder)
    encoder.set_input_dropout(0.9)
    _, lengths = known._read(frame()).tensors(np.arange(N))
    generator = torch.Generator().manual_seed(0)
    masks = torch.stack([encoder._present(lengths, generator) for _ in range(200)])
    present = encoder._present(lengths, None)
    assert masks.any(2).all()
    assert not (masks & ~present).any()
    assert 0.1 < masks.float().mean() < 0.4


# Laws


def outputs(estimator, X):
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.transform(X)


@pytest.mark.parametrize(
    "estimator", [Classifier("vat"), RNNAutoencoderTransformer(), RNNAutoencoderTransformer("next_step")]
)
def test_clones_copies_pickles_and_files_give_the_same_bits(estimator, tmp_path):
    estimator = estimator.set_params(**TINY, fusion="gate")
    X, params = frame(), pickle.dumps(estimator.get_params())
    expected = outputs(estimator.fit(X, PARTLY), X)
    assert pickle.dumps(estimator.get_params()) == params
    io.save(estimator, tmp_path / "estimator.safetensors")
    others = [
        clone(estimator).fit(X, PARTLY),
        pickle.loads(pickle.dumps(estimator)),
        copy.deepcopy(estimator),
        io.load(tmp_path / "estimator.safetensors"),
    ]
    for other in others:
        np.testing.assert_array_equal(outputs(other, X), expected)
    assert not np.array_equal(outputs(clone(estimator).set_params(random_state=1).fit(X, PARTLY), X), expected)


def test_warm_start_goes_on_with_the_same_weights(known):
    clf = copy.deepcopy(known).set_params(warm_start=True, lr=1e-9)
    before = clf.predict_proba(frame())
    np.testing.assert_allclose(clf.fit(frame(), PARTLY).predict_proba(frame()), before, atol=1e-3)
    with pytest.raises(ValueError, match="warm_start=True needs fusion='concat'"):
        clf.set_params(fusion="gate").fit(frame(), PARTLY)


def test_it_works_in_pipelines_and_searches():
    X = frame()
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
        (OneHotEncoder(sparse_output=False), ["sex"]),
        remainder="passthrough",
    )
    clf = Classifier("supervised", **TINY)
    of_objects = make_pipeline(columns, clf).fit(X, PARTLY)
    of_frames = make_pipeline(clone(columns).set_output(transform="pandas"), clone(clf)).fit(X, PARTLY)
    np.testing.assert_array_equal(of_objects.predict_proba(X), of_frames.predict_proba(X))
    assert of_frames[-1].inputs_["static"][0] == "pipeline__age"
    search = GridSearchCV(clf, {"fusion": ["gate"]}, cv=2).fit(X, Y)
    assert search.predict(X).shape == (N,)


@pytest.mark.parametrize(
    "source", ["reconstruction", "masked_reconstruction", Contrastive(across_inputs=True), EachInput(NextStep())]
)
def test_pretraining_trains_the_encoders(source):
    X = frame()
    plain = fitted().net_.module_.encoder.state_dict()
    clf = fitted(pretraining=Pretraining(source, freeze=1))
    weights = clf.net_.module_.encoder.state_dict()
    changed = [name for name in weights if not torch.equal(plain[name], weights[name])]
    assert any(name.startswith("encoders.0.recurrence") for name in changed)
    assert any(name.startswith("encoders.1.recurrence") for name in changed)
    assert clf.predict(X).shape == (N,)


def test_a_fitted_autoencoder_is_taken_if_its_inputs_are_the_same():
    autoencoder = fitted(RNNAutoencoderTransformer(**TINY))
    frozen = Pretraining(FrozenEstimator(autoencoder), freeze=1)
    clf = fitted(pretraining=frozen)
    expected, got = (e.net_.module_.encoder.state_dict() for e in (autoencoder, clf))
    assert all(torch.equal(expected[name], got[name]) for name in got)
    with pytest.raises(ValueError, match=r"X\['sex'\] with the categories \['f', 'm'\], but it has \['f', 'm', 'x'\]"):
        fitted(X=frame().assign(sex=["f", "m", "x"] * (N // 3)), pretraining=frozen)
    with pytest.raises(ValueError, match="pretraining has fusion='concat'"):
        fitted(fusion="gate", pretraining=frozen)


def test_contrastive_across_inputs_needs_two_sequences():
    with pytest.raises(
        ValueError, match=r"across_inputs=True\) compares inputs of a row that are sequences, but X has 1"
    ):
        fitted(RNNAutoencoderTransformer(Contrastive(across_inputs=True), **TINY), frame()[["wave", "age"]])


def test_contrastive_across_inputs_is_the_symmetric_loss_of_zhang_2020():
    from sklearn_rnn.objectives._across_inputs import paired_loss

    generator = torch.Generator().manual_seed(0)
    one, other = (torch.nn.functional.normalize(torch.randn(5, 3, generator=generator), dim=1) for _ in range(2))
    total = 0.0
    for i in range(5):
        similar = (
            [(one[i] @ other[j] / 0.3).exp() for j in range(5)],
            [(one[j] @ other[i] / 0.3).exp() for j in range(5)],
        )
        total -= sum((s[i] / sum(s)).log() for s in similar) / 2
    assert paired_loss(one, other, 0.3)[0].item() == pytest.approx(total.item() / 5, rel=1e-5)


@pytest.mark.parametrize(
    "objective", ["recurrent_gan", "variational", Reconstruction("steps"), Reconstruction(reverse=True)]
)
def test_objectives_that_do_not_fit_name_those_that_do(objective):
    with pytest.raises(
        ValueError, match=r"does not fit several inputs.*'contrastive', 'denoising', .*'reconstruction'"
    ):
        fitted(RNNAutoencoderTransformer(objective, **TINY))
    with pytest.raises(ValueError, match=r"FeatureMatchingGAN.*does not fit several inputs.*'fixmatch'"):
        fitted(Classifier("feature_matching_gan", **TINY))


# What comes out


def test_reconstruction_has_the_form_of_the_inputs():
    X = frame()
    autoencoder = fitted(RNNAutoencoderTransformer(**TINY))
    rebuilt = autoencoder.reconstruct(X)
    assert list(rebuilt) == list(X)
    assert [len(x) for x in rebuilt["wave"][2:9]] == [len(x) for x in X["wave"][2:9]]
    assert rebuilt["pair"][0].shape == X["pair"][0].shape
    assert set(rebuilt["sex"]) <= {"f", "m"}
    scores = autoencoder.score_steps(X)
    assert [len(x) for x in scores["wave"][:3]] == [6, 0, 8]
    assert autoencoder.score_samples(X).shape == (N,)
    decoded = autoencoder.inverse_transform(autoencoder.transform(X))
    assert {len(x) for x in decoded["wave"]} == {10}


def test_a_score_is_the_mean_over_the_inputs_of_a_row():
    autoencoder, X = fitted(RNNAutoencoderTransformer(**TINY)), frame()
    steps = autoencoder.score_steps(X)
    for i in range(N):
        means = [steps[name][i].mean() for name in steps if len(steps[name][i])]
        assert autoencoder.score_samples(X)[i] == pytest.approx(np.mean(means), abs=1e-5)


def test_attributions_add_up_to_the_change_of_the_score(known):
    clf, X = known, frame()[:8]
    attributions = integrated_gradients(clf, X, target=1, n_points=32)
    assert list(attributions) == ["wave", "pair", "ids", "age", "sex"]
    assert attributions["pair"][0].shape == (3, 2)
    assert attributions["wave"][1].shape[0] == 0
    assert attributions["age"].shape == (8,)
    model = clf.net_.module_
    values, lengths = clf._read(X).tensors(np.arange(8))
    layers = model.encoder.input
    zeros = type(values)(torch.zeros_like(x) for x in layers.standardised(values).parts)
    with torch.no_grad():
        ends, passed = layers.standardised(values), layers.passed(values)
        logits = [model.predict_outputs(layers.with_changes(x, passed), lengths) for x in (zeros, ends)]
    scores = [(x[:, 1] - x[:, 0]).numpy() for x in logits]
    total = attributions["age"] + attributions["sex"]
    total = total + [sum(attributions[name][i].sum() for name in ("wave", "pair", "ids")) for i in range(8)]
    np.testing.assert_allclose(total, scores[1] - scores[0], atol=0.05)
    with pytest.raises(ValueError, match="attention_weights is for estimators of one input"):
        attention_weights(clf, X)


def test_the_regressor_and_the_detector_read_several_inputs():
    X = frame()
    numbers = np.where(np.arange(N) < 12, X["age"].fillna(50), np.nan)
    assert np.isfinite(fitted(SemiSupervisedRNNRegressor(**TINY), y=numbers).predict(X)).all()
    detector = RNNOutlierDetector(RNNAutoencoderTransformer(**TINY), cv=2).fit(X)
    again = detector.score_samples(X.iloc[::-1])[::-1]
    np.testing.assert_array_equal(detector.score_samples(X), again)
    assert detector.feature_names_in_.tolist() == list(X)


def test_augmentations_are_chosen_by_input():
    clf = fitted(augmentation={"wave": Jitter(0.5), "pair": None}, strong_augmentation=Light(offset=1))
    parts = clf.net_.module_.augmentation  # dropped in pickles, kept in memory
    assert [type(part).__name__ for part in parts.parts] == ["Jitter", "NoneType", "StepDrop", "NoneType"]
    with pytest.raises(ValueError, match=r"augmentation names the inputs \['waves'\]"):
        fitted(augmentation={"waves": None})
    with pytest.raises(TypeError, match="augmentation is a dictionary, which names inputs, but X has one input"):
        fitted(X=np.ones((N, 4)), augmentation={"wave": None})


def exclusive_or(n, seed):
    """Frames whose class shows only in the sign of a static column and the slope of a series together."""
    rng = np.random.default_rng(seed)
    sign, slope = rng.choice([-1, 1], n), rng.choice([-1, 1], n)
    waves = [slope[i] * np.linspace(-1, 1, rng.integers(9, 15)) for i in range(n)]
    X = pd.DataFrame({"wave": [x + rng.normal(0, 0.3, len(x)) for x in waves], "sign": sign + rng.normal(0, 0.3, n)})
    return X, (sign * slope > 0).astype(int)


@pytest.mark.full_epochs
@pytest.mark.parametrize("fusion", ["concat", pytest.param("gate", marks=pytest.mark.slow)])
def test_it_learns_what_a_static_column_and_a_series_show_only_together(fusion):
    (X, y), (X_test, y_test) = exclusive_or(100, 0), exclusive_or(300, 1)
    clf = Classifier("supervised", hidden_size=8, n_kernels=4, max_epochs=6, fusion=fusion, random_state=0)
    assert clf.fit(X, y).score(X_test, y_test) > 0.95


def test_arrays_of_other_lengths_or_of_several_features_are_inputs_of_their_own():
    X = np.random.default_rng(0).normal(size=(N, 12, 2))
    for columns in (
        {"a": X, "b": X[:, :5]},
        {"a": X, "b": X},
        {"a": X[:, :, 0], "b": X[:, :5, 0]},
        {"a": X, "b": list(X[:, :5, 0])},
    ):
        clf = fitted(X=columns)
        assert list(clf.inputs_) == ["a", "b"]
        assert clf.predict({name: column[:3] for name, column in columns.items()}).shape == (3,)
    for columns in ({"a": X[:, :, 0], "b": X[:, :, 1]}, {"a": X[:, :, 0], "b": list(X[:, :, 1])}):
        clf = fitted(X=columns)
        np.testing.assert_array_equal(clf.predict_proba(columns), fitted(X=list(X)).predict_proba(list(X)))


def test_the_values_of_a_table_are_not_read_to_see_that_it_is_a_feature():
    class Unread:
        shape, dtype = (N, 12), np.dtype(np.float32)

        def __getitem__(self, key):
            raise AssertionError("read")

    column = list(np.ones((N, 12)))
    for other, groups in ((column, None), ([x[:5] for x in column], {"a": ["a"], "b": ["b"]})):
        assert groups_of(FrameColumns({"a": Unread(), "b": other}, True, None), None) == groups
