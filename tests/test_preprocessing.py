"""Transformers of sequences: scikit-learn's checks, the same result in every form of X, and what each one means."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import make_sines, to_tslearn
from sklearn_rnn.preprocessing import (
    PerSequenceScaler,
    PerTimestep,
    SequenceDifferencer,
    SequenceImputer,
    SequenceMissingIndicator,
    SequenceResampler,
    cut_windows,
    join_windows,
)

TRANSFORMERS = [
    PerTimestep(StandardScaler()),
    PerTimestep(MinMaxScaler()),
    PerTimestep(PCA()),
    PerSequenceScaler(),
    SequenceResampler(5),
    SequenceDifferencer(),
    SequenceImputer(),
    SequenceMissingIndicator(),
]
CHECKS = [
    pytest.param(transformer, i, id=f"{transformer}-{getattr(check, 'func', check).__name__}")
    for transformer in TRANSFORMERS
    for i, (_, check) in enumerate(estimator_checks_generator(transformer))
]
KINDS = PerSequenceScaler | SequenceDifferencer | SequenceImputer | SequenceMissingIndicator
GAPPY = [t for t in TRANSFORMERS if isinstance(t, KINDS)]
each = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=str)


def values(*shape):
    return np.random.default_rng(0).normal(3, 2, size=shape).astype(np.float32)


RAGGED = [values(length, 2) for length in (6, 9, 4)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("transformer", "number"), CHECKS)
def test_scikit_learn_checks_pass(transformer, number):
    estimator, check = list(estimator_checks_generator(transformer))[number]
    check(estimator)


def test_the_checks_are_counted():
    assert len(CHECKS) > 35 * len(TRANSFORMERS)


@each
def test_padding_with_nan_is_the_same_as_a_list(transformer):
    padded = transformer.fit_transform(to_tslearn(RAGGED))
    for row, x in zip(padded, transformer.fit_transform(RAGGED), strict=True):
        assert row[: len(x)] == pytest.approx(x, abs=1e-6)
        assert np.isnan(row[len(x) :]).all()


@each
def test_padding_of_all_rows_is_the_same_as_no_padding(transformer):
    X = values(3, 9, 2)
    X[:, 6:] = np.nan
    short = transformer.fit_transform(X[:, :6])
    np.testing.assert_array_equal(transformer.fit_transform(X)[:, : short.shape[1]], short)
    np.testing.assert_array_equal(transformer.transform(X[:1]), transformer.transform(X[:1, :6]))


@pytest.mark.parametrize("transformer", [t for t in TRANSFORMERS if "PCA" not in str(t)], ids=str)  # it rounds itself
@pytest.mark.parametrize("form", [np.asarray, list])
def test_large_levels_are_not_rounded(transformer, form):
    X = 1.7e9 + 5 * np.random.default_rng(0).normal(size=(4, 6, 2)).cumsum(1)
    got = transformer.fit(form(X)).transform(form(X))
    near = transformer.fit(form(X - 1.7e9)).transform(form(X - 1.7e9))
    level = np.round((np.asarray(got) - near) / 1.7e9) * 1.7e9  # which some give back
    np.testing.assert_allclose(np.asarray(got) - level, near, atol=1e-3)
    assert {np.asarray(x).dtype for x in got} == {np.dtype(np.float64)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_transformer_that_works_in_place_leaves_x_as_it_was(dtype, tmp_path):
    X = values(3, 6, 2).astype(dtype)
    np.save(tmp_path / "X.npy", X)
    for given in (X.copy(), np.load(tmp_path / "X.npy", mmap_mode="r+")):
        PerTimestep(StandardScaler(copy=False)).fit_transform(given)
        np.testing.assert_array_equal(given, X)


@each
def test_a_list_of_one_length_is_the_same_as_an_array(transformer):
    X = values(3, 6, 2)
    assert np.array_equal(transformer.fit_transform(X), np.stack(transformer.fit_transform(list(X))))


@each
def test_a_table_is_the_same_as_sequences_of_one_feature(transformer):
    X = values(5, 8)
    table, series = transformer.fit_transform(X), transformer.fit_transform(X[:, :, None])
    assert np.array_equal(table.reshape(series.shape), series)


@each
def test_a_sequence_alone_is_transformed_as_beside_others(transformer):
    together = transformer.fit(RAGGED).transform(RAGGED)
    for x, expected in zip(RAGGED, together, strict=True):
        assert transformer.transform([x])[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([values(3, 2), values(3, 3)], "All sequences must have the same number of features"),
        ([values(3, 2), values(0, 2)], r"X\[1\] has 0 time step"),
        (np.array([[[1.0], [np.inf], [0.0]]]), r"X\[0\] has it at step 1"),
    ],
)
@each
def test_bad_sequences_are_named(transformer, X, message):
    with pytest.raises(ValueError, match=message):
        transformer.fit(X)


@each
def test_integers_in_a_list_are_values(transformer):
    X = [np.array([3, 1, 4, 1, 5]), np.array([9, 2, 6])]
    expected = clone(transformer).fit_transform([x.astype(float) for x in X])
    for mine, theirs in zip(clone(transformer).fit_transform(X), expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_differences_of_counted_steps_are_ones():
    for x in SequenceDifferencer().fit_transform([np.arange(5)] * 3):
        assert x.tolist() == [[1]] * 4


def test_an_infinity_after_a_gap_is_the_one_that_is_named():
    with pytest.raises(ValueError, match=r"contains infinity(.|\n)*X\[0\] has it at step 3"):
        PerSequenceScaler().fit([np.array([[1.0], [2.0], [np.nan], [np.inf]])])


def test_per_timestep_scales_by_the_moments_of_all_steps():
    steps = np.concatenate(RAGGED)
    scaled = np.concatenate(PerTimestep(StandardScaler()).fit_transform(RAGGED))
    assert scaled == pytest.approx((steps - steps.mean(0)) / steps.std(0), abs=1e-5)


@pytest.mark.parametrize(
    "inner",
    [
        PCA(1),
        MinMaxScaler(),
        ColumnTransformer([("scale", StandardScaler(), [0]), ("same", "passthrough", [1])]),
        make_pipeline(StandardScaler(), PCA(2)),
        OneHotEncoder(handle_unknown="ignore"),
    ],
    ids=lambda t: type(t).__name__,
)
def test_per_timestep_takes_any_transformer_of_columns(inner):
    transformed = PerTimestep(inner).fit_transform(RAGGED)
    expected = inner.fit(np.concatenate(RAGGED)).transform(np.concatenate(RAGGED))
    expected = expected.toarray() if hasattr(expected, "toarray") else expected
    assert [len(x) for x in transformed] == [6, 9, 4]
    assert np.concatenate(transformed) == pytest.approx(expected)


@pytest.mark.parametrize("X", [RAGGED, to_tslearn(RAGGED), values(4, 5, 2), values(4, 5)], ids=lambda X: type(X))
def test_per_timestep_is_undone(X):
    transformer = PerTimestep(StandardScaler()).fit(X)
    undone = transformer.inverse_transform(transformer.transform(X))
    assert type(undone) is type(X)
    assert all(back == pytest.approx(x, abs=1e-5, nan_ok=True) for back, x in zip(undone, X, strict=True))
    assert not hasattr(PerTimestep(MissingIndicator()), "inverse_transform")


def test_per_timestep_fills_gaps_with_an_imputer_and_refuses_them_with_pca():
    X = [x.copy() for x in RAGGED]
    X[1][2, 0] = np.nan
    filled = PerTimestep(SimpleImputer()).fit_transform(X)
    known = np.concatenate([X[0], np.delete(X[1], 2, axis=0), X[2]])
    assert filled[1][2, 0] == pytest.approx(known[:, 0].mean())
    with pytest.raises(ValueError, match=r"X\[1\] has NaN at step 2"):
        PerTimestep(PCA()).fit(X)


def test_per_timestep_refuses_a_transformer_that_drops_steps():
    class Dropping(StandardScaler):
        def transform(self, X):
            return super().transform(X)[1:]

    with pytest.raises(ValueError, match="Dropping must return a row for each of 19 steps"):
        PerTimestep(Dropping()).fit_transform(RAGGED)


def test_every_sequence_gets_mean_zero_and_deviation_one():
    for x in PerSequenceScaler().fit_transform(RAGGED):
        assert x.mean(0) == pytest.approx(0, abs=1e-6)
        assert x.std(0) == pytest.approx(1, abs=1e-6)


def test_constant_and_gappy_features_stay_finite_and_gappy():
    x = np.array([[5.0, 1.0], [5.0, np.nan], [5.0, 3.0]])
    scaled = PerSequenceScaler().fit_transform([x])[0]
    assert np.array_equal(scaled, [[0, -1], [0, np.nan], [0, 1]], equal_nan=True)
    assert np.array_equal(PerSequenceScaler(with_mean=False).fit_transform([x])[0][:, 0], [5, 5, 5])
    assert np.array_equal(
        PerSequenceScaler(with_std=False).fit_transform([x])[0][:, 1], [-1, np.nan, 1], equal_nan=True
    )


def test_level_and_amplitude_of_a_recording_do_not_matter_after_scaling():
    X, y = make_sines(60, noise=0.1, random_state=0)
    spoiled = X * np.linspace(1, 50, 60)[:, None, None] + np.linspace(-99, 99, 60)[:, None, None]
    clean, scaled = PerSequenceScaler().fit_transform(X), PerSequenceScaler().fit_transform(spoiled)
    assert scaled == pytest.approx(clean, abs=1e-4)
    assert y.shape == (60,)


@pytest.mark.parametrize("length", [1, 4, 6, 20])
def test_resampling_interpolates_as_numpy_does(length):
    resampled = SequenceResampler(length).fit_transform(RAGGED)
    assert resampled.shape == (3, length, 2)
    for row, x in zip(resampled, RAGGED, strict=True):
        place = np.linspace(0, 1, length) * (len(x) - 1)
        for feature in range(2):
            assert row[:, feature] == pytest.approx(np.interp(place, np.arange(len(x)), x[:, feature]), abs=1e-5)


@pytest.mark.parametrize("lag", [1, 3])
def test_differences_are_within_a_sequence(lag):
    for difference, x in zip(SequenceDifferencer(lag).fit_transform(RAGGED), RAGGED, strict=True):
        assert np.array_equal(difference, x[lag:] - x[:-lag])


def test_differencing_names_a_sequence_that_is_too_short():
    with pytest.raises(ValueError, match=r"X\[2\] has 4 time step\(s\) while a minimum of 5 is required by"):
        SequenceDifferencer(4).fit(RAGGED)
    with pytest.raises(ValueError, match=r"X\[0\] has 1 time step\(s\)"):
        SequenceDifferencer().fit(RAGGED).transform([values(1, 2)])


def test_gaps_are_filled_marked_and_aged():
    nan = np.nan
    X = [np.array([[nan, 1.0], [2.0, nan], [nan, nan], [3.0, 4.0]]), np.array([[nan, 5.0], [nan, 6.0]])]
    indicator = SequenceMissingIndicator().fit(X)
    assert indicator.mean_.tolist() == [2.5, 4]
    first, second = indicator.transform(X)
    assert first[:, :2].tolist() == [[2.5, 1], [2, 1], [2, 1], [3, 4]]
    assert first[:, 2:4].tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]
    assert first[:, 4:].tolist() == [[1, 0], [0, 1], [1, 2], [0, 0]]
    assert second[:, [0, 2, 4]].tolist() == [[2.5, 1, 1], [2.5, 1, 2]]


@pytest.mark.parametrize("transformer", GAPPY, ids=str)
def test_a_gap_does_not_cross_into_the_next_sequence(transformer):
    X = [x.copy() for x in RAGGED]
    X[0][-1] = np.nan
    X[1][0] = np.nan
    together = transformer.fit(X).transform(X)
    for x, expected in zip(X, together, strict=True):
        assert np.array_equal(transformer.transform([x])[0], expected, equal_nan=True)


def test_a_classifier_learns_from_series_with_gaps():
    X, y = make_sines(80, noise=0.1, random_state=0)
    X[np.random.default_rng(0).random(X.shape) < 0.3] = np.nan
    X[:, -1] = 0  # a last step of NaN would be padding
    clf = SemiSupervisedRNNClassifier(hidden_size=8, max_epochs=16, random_state=0)
    assert make_pipeline(SequenceMissingIndicator(), clf).fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.9


def test_a_pipeline_of_sequences_codes_and_a_linear_model_can_be_cross_validated():
    X, y = make_sines(40, ragged=True, random_state=0)
    steps = SequenceDifferencer(), PerTimestep(StandardScaler()), SequenceResampler(20)
    autoencoder = RNNAutoencoderTransformer(hidden_size=4, max_epochs=2, random_state=0)
    assert cross_val_score(make_pipeline(*steps, autoencoder, LogisticRegression()), X, y, cv=2).mean() > 0.5


@pytest.mark.parametrize("shape", [(23,), (23, 2)])
@pytest.mark.parametrize(("length", "stride"), [(5, None), (5, 2), (23, None), (4, 4), (1, 1)])
def test_windows_put_back_together_are_the_series(shape, length, stride):
    series = values(*shape)
    windows = cut_windows(series, length, stride=stride)
    assert windows.shape[1:] == (length, *shape[1:])
    assert join_windows(windows, 23, stride=stride) == pytest.approx(series)


def test_a_fitted_transformer_of_columns_may_be_frozen():
    X = values(4, 5, 2)
    frozen = FrozenEstimator(StandardScaler().fit(X.reshape(-1, 2)))
    np.testing.assert_allclose(PerTimestep(frozen).fit_transform(X), PerTimestep(StandardScaler()).fit_transform(X))


def test_overlapping_windows_are_averaged():
    assert join_windows([[0, 0], [2, 2]], 3, stride=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cut_windows(np.zeros(3), 4), r"3 step\(s\), fewer than a window of length=4"),
        (lambda: join_windows(np.zeros((2, 5)), 23), "n_steps=23 has 5 windows of 5 step.s., got 2"),
        (lambda: join_windows(np.zeros((3, 2)), 10, stride=5), "stride=5 do not contain all steps"),
        (lambda: cut_windows(np.zeros(3), 0), "The 'length' parameter of cut_windows must be"),
    ],
)
def test_windows_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
