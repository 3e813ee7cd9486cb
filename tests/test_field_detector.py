"""The detector's threshold comes from sequences held out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from test_autoencoder import FORMS, forms

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector
from sklearn_rnn.datasets import make_sines
from sklearn_rnn.estimators._held_out import read_samples
from sklearn_rnn.text import TokenSequenceVectorizer

TINY = RNNAutoencoderTransformer(hidden_size=4, n_kernels=8, max_epochs=1, random_state=0)
MEMORY = KernelDensity(bandwidth=0.5)  # knows its own rows far better than new ones


def rows(n, seed):
    return np.random.default_rng(seed).normal(size=(n, 8))


def alarms(detector, X):
    return (detector.predict(X) == -1).mean()


@pytest.mark.parametrize("contamination", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("n", [100, 400])
def test_false_alarms_on_new_rows_are_as_many_as_contamination_says(n, contamination):
    """Row 61 of the table of faults."""
    detectors = [RNNOutlierDetector(MEMORY, contamination=contamination).fit(rows(n, seed)) for seed in range(20)]
    assert np.mean([alarms(d, rows(500, 99)) for d in detectors]) == pytest.approx(contamination, abs=0.02)


@pytest.mark.parametrize("n", [20, 100, 400])
def test_the_automatic_threshold_gives_few_false_alarms_on_new_rows(n):
    """Row 61 of the table of faults."""
    assert np.mean([alarms(RNNOutlierDetector(MEMORY).fit(rows(n, s)), rows(500, 99)) for s in range(10)]) < 0.05


@pytest.mark.slow
@pytest.mark.full_epochs
def test_false_alarms_of_an_overfitted_net_are_as_many_as_contamination_says():
    """Row 61 of the table of faults.

    The pooled rate of 3 nets has a deviation of about sqrt(0.05 * 0.95 / 120) = 0.02; 0.05 is 2.5 of them.
    """
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8)[y < 4] / 16
    net = {"hidden_size": 32, "n_kernels": 0, "cell": "rnn", "dropout": 0, "augmentation": None, "lr": 0.02}
    alarmed, alarmed_by_fitted = [], []
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(len(X))
        known, new = X[rows[:40]], X[rows[40:]]
        autoencoder = RNNAutoencoderTransformer(**net, max_epochs=4, random_state=seed)
        detector = RNNOutlierDetector(autoencoder, contamination=0.05).fit(known)
        assert alarms(detector, known) == 0.05
        in_sample = np.quantile(detector.autoencoder_.score_samples(known), 0.05)
        alarmed.append(alarms(detector, new))
        alarmed_by_fitted.append((detector.score_samples(new) < in_sample).mean())
    assert np.mean(alarmed) == pytest.approx(0.05, abs=0.05)
    assert np.mean(alarmed_by_fitted) > 0.3


def test_sequences_of_fit_are_scored_by_nets_that_did_not_see_them():
    X, _ = make_sines(20, n_steps=12, random_state=0)
    train, test = np.arange(15), np.arange(15, 20)
    detector = RNNOutlierDetector(TINY, cv=[(train, test)]).fit(X)
    held_out = clone(TINY).fit(X[train]).score_samples(X[test])
    np.testing.assert_array_equal(detector.score_samples(X)[test], held_out)
    np.testing.assert_array_equal(detector.score_samples(X)[train], detector.autoencoder_.score_samples(X)[train])
    low, high = np.quantile(held_out.astype(float), [0.25, 0.75])
    assert detector.offset_ == low - 3 * (high - low)


def test_a_sequence_held_out_more_than_once_has_its_mean_score():
    X = rows(10, 0)
    cv = [(np.arange(5), np.arange(5, 10)), (np.arange(3), np.arange(3, 10))]
    detector = RNNOutlierDetector(MEMORY, cv=cv).fit(X)
    both = [clone(MEMORY).fit(X[train]).score_samples(X[5:]) for train, _ in cv]
    np.testing.assert_allclose(detector.score_samples(X)[5:], np.mean(both, axis=0))


def test_copies_of_a_sequence_get_one_answer():
    X = np.repeat(rows(10, 0), 3, axis=0)
    detector = RNNOutlierDetector(MEMORY, contamination=0.1).fit(X)
    scores = detector.score_samples(X).reshape(10, 3)
    np.testing.assert_array_equal(scores, scores[:, :1].repeat(3, axis=1))
    assert alarms(detector, X) == 0.1


@forms
def test_sequences_of_every_form_are_held_out(form):
    detector = RNNOutlierDetector(TINY, contamination=0.4, cv=2).fit(FORMS[form])
    assert (detector.predict(FORMS[form]) == -1).sum() == 2


@pytest.mark.parametrize(
    "changed",
    [
        lambda X: X.astype(np.float64),
        list,
        lambda X: X[::-1][::-1],
        lambda X: [pd.DataFrame(x) for x in X],
        lambda X: np.concatenate([X, np.full((len(X), 3, 1), np.nan, np.float32)], axis=1),
        lambda X: pd.Series(list(X)),
    ],
)
def test_sequences_of_fit_are_known_in_any_container(changed):
    X, _ = make_sines(12, n_steps=12, random_state=0)
    detector = RNNOutlierDetector(TINY, cv=2).fit(X)
    np.testing.assert_array_equal(detector.score_samples(changed(X)), detector.score_samples(X))


def test_a_series_that_differs_below_float32_is_not_taken_for_one_of_fit():
    X = 1e6 + 0.01 * rows(20, 0)
    detector = RNNOutlierDetector(MEMORY).fit(X)
    new = X + 1e-3
    np.testing.assert_array_equal(detector.score_samples(new), detector.autoencoder_.score_samples(new))


def test_documents_in_a_pipeline_are_held_out():
    X = ["the cat sat", "the dog ran", "a cat ran", "a dog sat", "the cat ran", "a b c d e f"]
    detector = RNNOutlierDetector(make_pipeline(TokenSequenceVectorizer(), TINY), contamination=0.3, cv=2).fit(X)
    assert (detector.predict(X) == -1).sum() == 2


def test_a_memory_map_gives_the_same_bits_as_its_array(tmp_path):
    X, _ = make_sines(20, n_steps=12, random_state=0)
    np.save(tmp_path / "X.npy", X)
    mapped = RNNOutlierDetector(TINY, cv=2).fit(np.load(tmp_path / "X.npy", mmap_mode="r"))
    assert mapped.offset_ == RNNOutlierDetector(TINY, cv=2).fit(X).offset_


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_few_sequences_are_enough(n):
    X, _ = make_sines(n, n_steps=12, random_state=0)
    detector = RNNOutlierDetector(TINY).fit(X)
    assert np.isfinite(detector.decision_function(X)).all()
    assert alarms(detector, X) < 0.5


def test_one_sequence_is_too_few():
    with pytest.raises(ValueError, match="got 1 sample, but needs 2 or more"):
        RNNOutlierDetector(TINY).fit(make_sines(1, n_steps=12)[0])


def test_a_contamination_that_so_few_sequences_cannot_show_gets_a_warning():
    with pytest.warns(UserWarning, match="about 1 in 11 new normal sequences"):
        detector = RNNOutlierDetector(MEMORY, contamination=0.05).fit(rows(10, 0))
    assert alarms(detector, rows(10, 0)) == 0


def test_a_refused_refit_leaves_the_old_detector():
    X = rows(30, 0)
    detector = RNNOutlierDetector(MEMORY).fit(X)
    before, offset, autoencoder = detector.score_samples(X), detector.offset_, detector.autoencoder_
    with pytest.raises(ValueError, match="n_splits=50"):
        detector.set_params(cv=KFold(50)).fit(rows(30, 1)[:, :5])
    assert detector.offset_ == offset
    assert detector.autoencoder_ is autoencoder
    assert detector.n_features_in_ == 8
    np.testing.assert_array_equal(detector.score_samples(X), before)


class Mean(BaseEstimator):
    """Scores rows by their mean, NaN where that is NaN."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score_samples(self, X):
        return X.mean(axis=1)


def test_a_score_that_is_nan_is_an_outlier():
    X = rows(50, 0)
    new = X[:3] + 1
    new[1, 2] = np.nan
    assert RNNOutlierDetector(Mean()).fit(X).predict(new).tolist() == [1, -1, 1]


def test_a_share_held_out_once_trains_two_nets():
    X = rows(100, 0)
    detector = RNNOutlierDetector(MEMORY, cv=ShuffleSplit(1, test_size=0.3, random_state=0)).fit(X)
    held_out = detector.score_samples(X) != detector.autoencoder_.score_samples(X)
    assert held_out.sum() == 30


@pytest.mark.parametrize("cv", [1, "five", 2.5])
def test_folds_that_cannot_be_are_refused(cv):
    with pytest.raises(ValueError, match="cv"):
        RNNOutlierDetector(MEMORY, cv=cv).fit(rows(10, 0))


def test_lengths_that_fit_never_saw_get_a_warning():
    X, _ = make_sines(20, n_steps=12, n_classes=1, random_state=0)
    ragged = [x[: 6 + i % 7] for i, x in enumerate(X)]
    detector = RNNOutlierDetector(TINY, cv=2).fit(ragged)
    detector.predict([x[:9] + 1 for x in X])  # seen lengths: no warning
    with pytest.warns(UserWarning, match=r"2 of 5 sequences have lengths .* not fitted on \(6 to 12 steps\)"):
        detector.predict([X[0][:5], X[1], X[2][:7], X[3], np.concatenate([X[4], X[4]])])


def series_frame(n, seed):
    X = np.random.default_rng(seed).normal(size=(n, 9, 2))
    X = [x[: 6 + i % 4] for i, x in enumerate(X)]
    return X, pd.DataFrame({"a": [x[:, 0] for x in X], "b": [x[:, 1] for x in X]})


def assert_alike(detector, other, X, X_other):
    """Whether two detectors have the same threshold, and each knows the rows of the other's `fit`."""
    assert other.offset_ == detector.offset_
    np.testing.assert_array_equal(other.score_samples(X_other), detector.score_samples(X))


def test_rows_of_a_frame_with_columns_of_series_are_told_apart():
    (X, frame), (_, new_frame) = series_frame(20, 0), series_frame(20, 1)
    detector = RNNOutlierDetector(TINY, cv=2).fit(frame)
    assert detector._lengths.tolist() == [len(x) for x in X]
    assert_alike(RNNOutlierDetector(TINY, cv=2).fit(X), detector, X, frame)
    np.testing.assert_array_equal(detector.score_samples(new_frame), detector.autoencoder_.score_samples(new_frame))


def test_folds_do_not_learn_what_lies_under_a_mask():
    X, _ = make_sines(20, n_steps=12, random_state=0)
    mask = np.zeros(X.shape, bool)
    mask[::2, 9:] = True
    padded = np.where(mask, np.nan, X)
    detector = RNNOutlierDetector(TINY, cv=2).fit(padded)
    for junk in (0, 1000):
        masked = np.ma.MaskedArray(np.where(mask, np.float32(junk), X), mask)
        assert_alike(detector, RNNOutlierDetector(TINY, cv=2).fit(masked), padded, masked)


def test_frames_with_columns_in_another_order_are_known_and_those_with_swapped_data_are_not():
    X = np.random.default_rng(0).normal(size=(12, 9, 2))
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    detector = RNNOutlierDetector(TINY, cv=2).fit(frames)
    scores = detector.score_samples(frames)
    np.testing.assert_array_equal(detector.score_samples([frame[["b", "a"]] for frame in frames]), scores)
    swapped = [pd.DataFrame(x[:, ::-1], columns=["a", "b"]) for x in X]
    np.testing.assert_array_equal(detector.score_samples(swapped), detector.autoencoder_.score_samples(swapped))


ODD_LENGTH = [list(row) for row in np.random.default_rng(0).normal(size=(20, 5))]
ODD_LENGTH[7] = ODD_LENGTH[7] + [0.5]
ODD_DTYPE = list(np.random.default_rng(0).integers(0, 9, size=(20, 5)))
ODD_DTYPE[7] = ODD_DTYPE[7] + 0.5


@pytest.mark.parametrize("X", [ODD_LENGTH, ODD_DTYPE], ids=["one longer list", "one float array"])
def test_what_x_is_does_not_hang_on_the_rows_of_a_fold(X):
    detector = RNNOutlierDetector(TINY).fit(X)
    series = [np.array(x, dtype=float)[:, None] for x in X]
    assert_alike(RNNOutlierDetector(TINY).fit(series), detector, series, X)


class Column(Sequence):
    """A column of lists, as in Hugging Face's datasets."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def test_a_column_that_is_no_array_is_read_as_a_list():
    X = [x[:, 0].tolist() for x in series_frame(12, 0)[0]]
    detector = RNNOutlierDetector(TINY, cv=2).fit(Column(X))
    assert_alike(RNNOutlierDetector(TINY, cv=2).fit(X), detector, X, Column(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("n_dim", [2, 3])
def test_folds_of_a_memory_map_are_not_copied(tmp_path, dtype, n_dim):
    X = (100 * np.random.default_rng(0).normal(size=(23, 12, 2))).astype(dtype)
    X = X if n_dim == 3 else X[:, :, 0]
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    sequences = read_samples(RNNOutlierDetector(), mapped, TINY, reads=True).take(np.array([4, 2, 9]))
    assert np.shares_memory(sequences.values, mapped)
    assert_alike(RNNOutlierDetector(TINY, cv=2).fit(X), RNNOutlierDetector(TINY, cv=2).fit(mapped), X, mapped)


def test_the_pages_of_a_memory_map_are_let_go_while_keys_are_made(tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((4, 1 << 20, 1), np.float32))
    samples = read_samples(RNNOutlierDetector(), np.load(tmp_path / "X.npy", mmap_mode="r"), TINY, reads=True)
    samples.sequences.pages.read = samples.sequences.pages.allowance - 1
    assert len(set(samples.keys())) == 1
    assert samples.sequences.pages.read < samples.sequences.pages.allowance - 1


@pytest.mark.parametrize(
    "X",
    [["a b", "b c", "c d", "d e"], [["a", "b"], ["b", "c"], ["c"], ["d", "e"]], np.array([["a"], ["b"], ["c"], ["d"]])],
)
def test_rows_that_only_the_estimator_can_read_are_known_by_themselves(X):
    class Words(BaseEstimator):
        def fit(self, X, y=None):
            self.known_ = {str(x) for x in X}
            return self

        def score_samples(self, X):
            return [float(str(x) in self.known_) for x in X]

    detector = RNNOutlierDetector(Words(), cv=2).fit(X)
    assert detector.autoencoder_.score_samples(X) == [1, 1, 1, 1]
    assert detector.score_samples(X).tolist() == [0, 0, 0, 0]
    assert detector.score_samples(X[2:]).tolist() == [0, 0]


def test_what_no_sequence_can_be_is_refused_in_the_name_of_the_detector():
    """Row 12 of the table of faults."""
    with pytest.raises(ValueError, match="dim 4, while dim <= 3 is required by RNNOutlierDetector"):
        RNNOutlierDetector(TINY).fit(np.zeros((3, 4, 2, 2)))
