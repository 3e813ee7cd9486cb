"""What X means in the containers and dtypes that it comes in; numbers of `faults` rows beside the tests."""

import collections
import functools
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import make_sines, make_two_patterns, to_long_frame
from sklearn_rnn.preprocessing import (
    PerSequenceScaler,
    PerTimestep,
    SequenceDifferencer,
    SequenceImputer,
    SequenceMissingIndicator,
    SequenceResampler,
)
from sklearn_rnn.sequences._misread import warn_of_padding
from sklearn_rnn.text import TokenSequenceVectorizer

nan = np.nan
SMALL = {"hidden_size": 4, "n_kernels": 4, "max_epochs": 1, "random_state": 0}
LENGTHS = (5, 8, 6, 7, 5, 9, 6, 8)
Y = np.arange(8) % 2
AUTOENCODER = RNNAutoencoderTransformer(**SMALL)
ESTIMATORS = [
    SemiSupervisedRNNClassifier("supervised", **SMALL),
    AUTOENCODER,
    RNNOutlierDetector(clone(AUTOENCODER), cv=2),
    PerTimestep(StandardScaler()),
    PerSequenceScaler(),
    SequenceResampler(5),
    SequenceDifferencer(),
    SequenceImputer(),
    SequenceMissingIndicator(),
]
NETS, GAPPY = ESTIMATORS[:3], ESTIMATORS[4:5] + ESTIMATORS[7:]
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
net = pytest.mark.parametrize("estimator", NETS, ids=lambda e: type(e).__name__)
gappy = pytest.mark.parametrize("estimator", GAPPY, ids=lambda e: type(e).__name__)


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def ragged(n_features=2, lengths=LENGTHS):
    return [values(length, n_features, seed=i) for i, length in enumerate(lengths)]


def ids(lengths=LENGTHS):
    return [np.random.default_rng(i).integers(0, 9, length) for i, length in enumerate(lengths)]


def walks(n, n_steps=30, seed=0):
    """Whole-numbered heart rates."""
    rng = np.random.default_rng(seed)
    starts, steps = 75 + 10 * rng.normal(size=(n, 1)), 2 * rng.normal(size=(n, n_steps))
    return list(np.round(starts + steps.cumsum(1)).astype(np.int64))


def fitted(estimator, X):
    return clone(estimator).fit(X, np.resize([0, 1], len(X)))


def answer(estimator, X):
    for method in ("predict_proba", "score_samples", "transform"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(X)
    raise AssertionError


@functools.cache
def answers_to_arrays(estimator, what, lengths=LENGTHS):
    """What an estimator answers to arrays that it was fitted on, to compare with other containers of the same rows."""
    X = {"values": [x.ravel() for x in ragged(1, lengths)], "vectors": ragged(2, lengths), "ids": ids(lengths)}[what]
    return answer(fitted(estimator, X), X)


def same(one, other, rtol=0):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=0)


# 54


@each
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int16])
def test_integers_are_values_once_fitted_on_series(estimator, dtype):
    estimator = fitted(estimator, [x.ravel() for x in ragged(1)])
    X = [x.astype(dtype) for x in walks(4, 8)]
    same(answer(estimator, X), answer(estimator, [x.astype(float) for x in X]), rtol=1e-5)


@net
def test_whether_readings_are_whole_changes_nothing_in_nested_lists(estimator):
    X = [(10 * x.ravel()).round(1).tolist() for x in ragged(1)]
    estimator = fitted(estimator, X)
    whole = [[round(value) for value in x] for x in X]
    same(answer(estimator, whole), answer(estimator, [np.array(x, float) for x in whole]))


@each
@pytest.mark.parametrize("at", [0, 3])
def test_one_whole_series_among_floats_is_a_series(estimator, at):
    X = [10 * x.ravel() for x in ragged(1)]
    X[at] = X[at].round()
    mixed = [x.astype(int) if i == at else x for i, x in enumerate(X)]
    same(answer(fitted(estimator, mixed), mixed), answer(fitted(estimator, X), X))


@net
def test_equal_rows_as_a_column_are_a_table_where_one_was_fitted(estimator):
    X = values(8, 6).round()
    estimator = fitted(estimator, X)
    same(answer(estimator, list(X.astype(int))), answer(estimator, X))
    same(answer(estimator, pd.Series(X.tolist())), answer(estimator, X))


def test_inverse_transform_reads_integers_as_values():
    X = [x.ravel() for x in ragged(1)]
    scaler = PerTimestep(StandardScaler()).fit(X)
    whole = [np.arange(3), np.arange(5)]
    same(scaler.inverse_transform(whole), scaler.inverse_transform([x.astype(float) for x in whole]))


# 55


@net
def test_whole_numbers_that_look_measured_are_ids_with_a_warning(estimator):
    X = walks(8)
    with pytest.warns(
        UserWarning, match=r"read as token ids, but looks like measurements.*x\.astype\(float\)"
    ) as caught:
        estimator = fitted(estimator, X)
    assert caught[0].filename == __file__
    assert getattr(estimator, "autoencoder_", estimator)._kind == "tokens"
    fitted(estimator, [x.astype(float) for x in X])  # silent


SENSOR = np.round(100 + 40 * make_sines(20, noise=0.1, random_state=0)[0][:, :, 0]).astype(int)
MEASURED = {
    "sensor": list(SENSOR),
    "sensor, nested lists": [*SENSOR.tolist(), [93, 94, 95]],
    "heart rates": walks(10),
    "readings that jump, far above zero": [np.random.default_rng(i).normal(72, 6, 40).astype(int) for i in range(20)],
    "counts that rise and fall": [
        np.random.default_rng(i).poisson(30 + 25 * np.sin(np.arange(40) / 4)) for i in range(10)
    ],
}
WORDS = "the cat sat on a mat and the dog ran to a big red house with old friends of mine who were there"
TEXTS = [" ".join(np.random.default_rng(i).choice(WORDS.split(), 12)) for i in range(60)]
REAL_IDS = {
    "words": TokenSequenceVectorizer().fit_transform(TEXTS),
    "characters": TokenSequenceVectorizer("char").fit_transform(TEXTS),
    "codes of characters": [np.array([ord(c) for c in text]) for text in TEXTS],
    "numbered as they appear": list(np.arange(400).reshape(20, 20)),
    "states that last": [np.repeat(np.random.default_rng(i).integers(0, 60, 20), 9) for i in range(20)],
    "items": [np.random.default_rng(i).integers(1, 1000, 40) for i in range(20)],
    "a vocabulary for each class": [np.random.default_rng(i).integers(0, 50, 30) + 50 * (i % 2) for i in range(40)],
    "few and short": [np.arange(3, 7), np.arange(4, 9)],
}


@pytest.mark.parametrize("name", MEASURED)
def test_measurements_are_told_from_ids(name):
    with pytest.warns(UserWarning, match="looks like measurements"):
        fitted(AUTOENCODER, MEASURED[name])


@pytest.mark.parametrize("name", REAL_IDS)
def test_ids_are_read_in_silence(name):
    assert fitted(AUTOENCODER, REAL_IDS[name])._kind == "tokens"


@net
@pytest.mark.parametrize("dtype", [np.int64, np.int8])
def test_a_negative_integer_says_how_to_pass_values(estimator, dtype):
    X = [*ids()[:3], np.array([4, -3, 2], dtype=dtype)]
    with pytest.raises(ValueError, match=r"not be negative: X\[3\] has -3 at step 1.*pass floats: \[x\.astype\(float"):
        fitted(estimator, X)


@net
def test_an_id_that_no_integer_of_numpy_holds_is_named(estimator):
    with pytest.raises(ValueError, match=r"below 2\*\*63: X\[1\] has 9223372036854775808 at step 0"):
        fitted(estimator, [np.array([1, 2]), np.array([2**63], dtype=np.uint64)])


def padded(rows, pad=0, left=False):
    X = np.full((len(rows), max(map(len, rows))), pad)
    for row, x in zip(X, rows, strict=True):
        row[(len(row) - len(x) if left else 0) :][: len(x)] = x
    return X


@each
@pytest.mark.parametrize(("pad", "left"), [(0, False), (0, True), (-1, False)])
def test_a_padded_integer_matrix_is_values_with_a_warning(estimator, pad, left):
    X = padded([x + 1 for x in ids()], pad, left)
    with pytest.warns(UserWarning, match=rf"looks padded with {pad}.*\[row\[row != {pad}\] for row in X\] if"):
        estimator = fitted(estimator, X)
    assert estimator.n_features_in_ == X.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer(estimator, X)


@pytest.mark.parametrize("last", [-5, 7])
def test_padding_is_looked_for_in_the_first_rows_alone(last):
    X = padded([x + 1 for x in walks(1) + ids() * 300])  # 2401 rows of 30 steps, of which 2184 are looked at
    X[-1] = last
    with pytest.warns(UserWarning, match=r"looks padded with 0 to one length"):
        warn_of_padding(X)


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).integers(0, 9, (20, 12)),
        np.random.default_rng(0).poisson(1, (20, 12)),
        padded([x + 1 for x in ids()]).astype(float),
        padded([[1, 2, 0, 3], [4, 2], [0, 1, 2], [5]]),
        np.ones((5, 4), int),
    ],
    ids=["digits", "counts", "floats", "zeros inside", "constant"],
)
def test_another_matrix_is_read_in_silence(X):
    fitted(AUTOENCODER, X)


# 57


def pandas_frames(X, columns):
    return [pd.DataFrame(x, columns=list(columns)) for x in X]


def polars_frames(X, columns):
    return [pl.DataFrame(x, schema=list(columns)) for x in X]


frames = pytest.mark.parametrize("make", [pandas_frames, polars_frames], ids=["pandas", "polars"])


@each
@frames
def test_columns_of_frames_in_a_list_are_matched_by_name(estimator, make):
    X = ragged(3)
    in_order, turned = make(X, "abc"), make([x[:, [2, 0, 1]] for x in X], "cab")
    plain, named = fitted(estimator, X), fitted(estimator, in_order)
    assert named.feature_names_in_.tolist() == ["a", "b", "c"]
    assert named.n_features_in_ == 3
    same(answer(named, turned), answer(plain, X))
    mixed = [(in_order, turned)[i % 2][i] for i in range(len(X))]
    same(answer(fitted(estimator, mixed), turned), answer(plain, X))


@each
@frames
def test_other_columns_of_frames_in_a_list_are_refused(estimator, make):
    named = fitted(estimator, make(ragged(), "ab"))
    with pytest.raises(ValueError, match=r"feature names should match those that were passed during fit(.|\n)*- c"):
        answer(named, make(ragged(), "ac"))
    with pytest.raises(ValueError, match=r"match in all sequences: X\[0\] has \['a', 'b'\], X\[5\] has \['a', 'c'\]"):
        fitted(estimator, [*make(ragged(), "ab")[:5], *make(ragged()[5:], "ac")])


@net
def test_frames_after_arrays_and_arrays_after_frames_are_told_as_in_scikit_learn(estimator):
    X = ragged()
    with pytest.warns(UserWarning, match="X has feature names, but .* was fitted without feature names"):
        named = answer(fitted(estimator, X), pandas_frames(X, "ab"))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but .* was fitted with feature names"):
        plain = answer(fitted(estimator, pandas_frames(X, "ab")), X)
    same(named, plain)


@each
@frames
def test_a_list_that_mixes_frames_and_arrays_is_refused(estimator, make):
    X = ragged()
    mixed = [X[0], *make(X[1:], "ba")]
    sentence = r"X\[1\] is DataFrame with columns \['b', 'a'\], X\[0\] is ndarray\. Pass frames only, or arrays only\."
    with pytest.raises(ValueError, match=sentence):
        fitted(estimator, mixed)
    with pytest.raises(ValueError, match=sentence):
        answer(fitted(estimator, make(X, "ab")), mixed)


@pytest.mark.parametrize("estimator", [*ESTIMATORS[:2], *ESTIMATORS[3:]], ids=lambda e: type(e).__name__)
def test_tensors_that_require_gradients_are_read_as_their_values(estimator):
    X = values(6, 8, 2).astype(np.float32)
    expected = answer(fitted(estimator, X), X)
    tensor = torch.tensor(X, requires_grad=True)
    same(answer(fitted(estimator, tensor), tensor), expected)
    same(answer(fitted(estimator, list(X)), [torch.tensor(x, requires_grad=True) for x in X]), list(expected))


@each
def test_numbered_columns_are_matched_within_x(estimator):
    X = ragged()
    X_frames = [pd.DataFrame(x)[[1, 0] if i % 2 else [0, 1]] for i, x in enumerate(X)]
    estimator = fitted(estimator, X_frames)
    assert not hasattr(estimator, "feature_names_in_")
    same(answer(estimator, X_frames), answer(estimator, X))


def test_codes_of_frames_have_the_estimator_s_names():
    autoencoder = clone(AUTOENCODER).set_output(transform="pandas")
    codes = autoencoder.fit_transform(pandas_frames(ragged(), "ab"))
    assert codes.columns.tolist() == autoencoder.get_feature_names_out().tolist()
    assert codes.columns[0] == "rnnautoencodertransformer0"


@gappy
def test_missing_values_of_pandas_and_polars_are_gaps(estimator):
    X = ragged()
    for x in X:
        x[1, 0] = nan
    expected = answer(fitted(estimator, X), X)
    nullable = [frame.convert_dtypes(dtype_backend="numpy_nullable") for frame in pandas_frames(X, "ab")]
    same(answer(fitted(estimator, nullable), nullable), expected)
    nulls = [frame.fill_nan(None) for frame in polars_frames(X, "ab")]
    same(answer(fitted(estimator, nulls), nulls), expected)


# 58


@each
def test_many_features_at_one_step_name_the_conversion(estimator):
    X = values(8, 1, 100)
    if isinstance(estimator, SequenceDifferencer):
        pytest.skip("needs two steps")
    with pytest.warns(UserWarning, match=r"\(8, 1, 100\) was read as 8 sequences with one step of 100.*from_aeon\(X\)"):
        fitted(estimator, X)


@each
def test_features_first_name_the_conversion(estimator):
    X = make_two_patterns(8, n_steps=60, random_state=0)[0]  # (8, 60, 1)
    X = np.concatenate([X.cumsum(1), -(X.cumsum(1) ** 2), values(8, 60, 1).cumsum(1)], axis=2)
    with pytest.warns(UserWarning, match=r"3 steps of 60 features, and each feature is near the next.*from_aeon"):
        fitted(estimator, X.transpose(0, 2, 1))
    fitted(estimator, X)  # silent


@pytest.mark.parametrize(
    "X",
    [
        values(20, 5, 64),
        values(20, 1, 3),
        np.eye(40)[np.random.default_rng(0).integers(0, 40, (20, 8))],
        values(20, 8, 32).cumsum(1).cumsum(2),
    ],
    ids=["vectors of words", "one step of few", "one-hot", "spectra"],
)
def test_many_features_that_are_no_time_are_read_in_silence(X):
    fitted(AUTOENCODER, X)


@net
def test_features_first_at_prediction_name_the_conversion(estimator):
    estimator = fitted(estimator, values(8, 20, 3))
    with pytest.raises(
        ValueError, match=r"X has 20 features, .* expecting 3 .*shape is \(8, 3, 20\); if features come"
    ):
        answer(estimator, values(8, 3, 20))


@each
def test_a_list_of_arrays_with_features_first_names_the_conversion(estimator):
    with pytest.raises(
        ValueError, match=r"same number of features, got \[5, 6, 7, 8, 9\]\. All have 2 steps; .*from_aeon"
    ):
        fitted(estimator, [x.T for x in ragged()])


@each
def test_a_panel_of_pandas_names_the_conversion(estimator):
    panel = to_long_frame(ragged()).set_index(["sequence", "time"])
    with pytest.raises(ValueError, match=r"several rows for each value.*from_long_frame\(X\.reset_index\(\), seq"):
        fitted(estimator, panel)


def test_a_frame_with_an_index_of_two_levels_and_one_row_each_is_a_table():
    X = values(8, 6)
    index = pd.MultiIndex.from_product([range(8), ["first"]])
    same(answer(fitted(AUTOENCODER, pd.DataFrame(X, index=index)), X), answer(fitted(AUTOENCODER, X), X))


# Columns of lists


class Column(collections.abc.Sequence):
    """A column as Hugging Face's datasets give it: a sequence that is no list."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __getitem__(self, i):
        return self.values[i]


def objects(X):
    column = np.empty(len(X), dtype=object)
    for i, x in enumerate(X):
        column[i] = x
    return column


def arrow(X):
    return pytest.importorskip("pyarrow").array(X)


COLUMNS = {
    "pandas": pd.Series,
    "pandas, other index": lambda X: pd.Series(X, index=[*"hgfedcba"]),
    "polars": pl.Series,
    "polars, of frames": lambda X: pl.DataFrame({"x": X})["x"],
    "objects": objects,
    "a sequence": Column,
    "arrow": arrow,
    "arrow, in chunks": lambda X: pytest.importorskip("pyarrow").chunked_array([X[:3], X[3:]]),
}
column = pytest.mark.parametrize("make", COLUMNS.values(), ids=COLUMNS)


@each
@column
@pytest.mark.parametrize("lengths", [LENGTHS, (6,) * 8], ids=["ragged", "equal"])
def test_a_column_of_lists_is_sequences(estimator, make, lengths):
    lists = make([x.ravel().tolist() for x in ragged(1, lengths)])
    same(answer(fitted(estimator, lists), lists), answers_to_arrays(estimator, "values", lengths))


@net
@column
@pytest.mark.parametrize("lengths", [LENGTHS, (6,) * 8], ids=["ragged", "equal"])
def test_a_column_of_lists_of_ids_is_token_ids(estimator, make, lengths):
    lists = make([x.tolist() for x in ids(lengths)])
    same(answer(fitted(estimator, lists), lists), answers_to_arrays(estimator, "ids", lengths))


@net
@column
def test_a_column_of_lists_of_vectors_is_sequences(estimator, make):
    lists = make([x.tolist() for x in ragged()])
    same(answer(fitted(estimator, lists), lists), answers_to_arrays(estimator, "vectors"))


@gappy
@pytest.mark.parametrize("make", [pd.Series, pl.Series, objects, list, arrow])
def test_none_within_a_list_is_a_gap(estimator, make):
    X = [x.ravel() for x in ragged(1)]
    X[2][1] = nan
    lists = make([[None if np.isnan(value) else value for value in x] for x in X])
    same(answer(fitted(estimator, lists), lists), answer(fitted(estimator, X), X))


@pytest.mark.parametrize("make", [pd.Series, pl.Series, objects])
def test_a_missing_sequence_in_a_column_is_named(make):
    with pytest.raises(ValueError, match=r"X must be a list of arrays; X\[1\] is NoneType"):
        fitted(AUTOENCODER, make([[1.0, 2.0], None, [3.0]]))


@each
@pytest.mark.parametrize(
    "make",
    [
        lambda X: pd.DataFrame({"a": [x[:, 0] for x in X], "b": [x[:, 1] for x in X]}),
        lambda X: pd.DataFrame({"a": [pd.Series(x[:, 0]) for x in X], "b": [pd.Series(x[:, 1]) for x in X]}),
        lambda X: pl.DataFrame({"a": [x[:, 0].tolist() for x in X], "b": [x[:, 1].tolist() for x in X]}),
    ],
    ids=["pandas", "nested, as in sktime", "polars"],
)
def test_several_columns_of_series_are_features(estimator, make):
    X = ragged()
    frame = make(X)
    named = fitted(estimator, frame)
    assert named.feature_names_in_.tolist() == ["a", "b"]
    same(answer(named, frame), answers_to_arrays(estimator, "vectors"))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_columns_of_series_that_do_not_fit_are_named(make):
    with pytest.raises(ValueError, match=r"columns of arrays, \['a'\], and columns of single values, \['b'\]"):
        PerSequenceScaler().fit(make({"a": [[1.0, 2.0], [3.0]], "b": [1.0, 2.0]}))
    message = r"series in row 1 of X must be 1-D and have equal lengths, got \[\(1,\), \(2,\)\]"
    with pytest.raises(ValueError, match=message):
        PerSequenceScaler().fit(make({"a": [[1.0, 2.0], [3.0]], "b": [[1.0, 2.0], [3.0, 4.0]]}))
    with pytest.raises(ValueError, match=r"one column of arrays; pass the column: X\['a'\]"):
        PerSequenceScaler().fit(make({"a": [[1.0, 2.0], [3.0]]}))


# What is no array


class Windows(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return values(5, 2, seed=i), i % 2


class Table:
    """A data set of Hugging Face."""

    column_names = ("x", "y")
    shape = (4, 2)

    def __len__(self):
        return 4

    def __getitem__(self, name):
        return Column(ragged()) if name == "x" else [0, 1, 0, 1]


LONG = pd.DataFrame({"id": np.repeat(np.arange(4), 5), "x": np.arange(20.0)})
ENCODED = {"input_ids": [[3, 5, 0], [4, 0, 0]], "attention_mask": [[1, 1, 0], [1, 0, 0]]}


@each
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (Windows(), r"X is a Windows, not an array.*for x, _ in X\]"),
        (torch.utils.data.DataLoader(Windows()), r"X is a DataLoader, .*for x, _ in X\.dataset\]"),
        ((x for x in ragged()), r"X is a generator, which can be read only once.*list\(X\)"),
        (map(np.asarray, ragged()), r"X is a map, which can be read only once"),
        ({"x": ragged(), "y": Y}, r"X is a dict with keys \['x', 'y'\]\. .* the value that .*, such as X\['x'\]"),
        ({0: values(5, 2), 1: values(6, 2)}, r"keys \[0, 1\]\. Pass a list of arrays: list\(X\.values\(\)\)"),
        ({0: values(5, 2)}.values(), r"X is a dict_values, not an array\. Pass a list of arrays: list\(X\)"),
        (LONG.groupby("id"), r"from_long_frame\(frame, sequence='id'\), or, .*\[group for _, group in X\]"),
        (LONG.groupby("id")["x"], r"X is a SeriesGroupBy\..*sequence='id'"),
        (pl.from_pandas(LONG).group_by("id"), r"X is a GroupBy\. Pass datasets\.from_long_frame\(frame, seq"),
        (ENCODED, r"X is a tokenizer's dict\. Pass the token ids of each text without padding: "),
        (collections.UserDict(ENCODED), "X is a tokenizer's UserDict"),
        (Table(), r"X is a Table with columns \['x', 'y'\]\. Pass the column"),
        ({1, 2}, "X is a set, not an array"),
    ],
)
def test_what_is_no_array_is_refused_with_what_to_pass(estimator, X, message):
    with pytest.raises(TypeError, match=message):
        clone(estimator).fit(X, Y)


def test_what_the_refusals_name_works():
    X = Windows()
    assert fitted(AUTOENCODER, [np.asarray(x) for x, _ in (X[i] for i in range(len(X)))]).n_features_in_ == 2
    X = ENCODED
    rows = [np.array(ids)[np.array(mask) == 1] for ids, mask in zip(X["input_ids"], X["attention_mask"], strict=True)]
    assert [row.tolist() for row in rows] == [[3, 5], [4]]
    assert fitted(AUTOENCODER, rows)._kind == "tokens"


def test_encodings_of_tokenizers_are_refused_with_what_to_pass():
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    X = tokenizer.encode_batch(["a b", "b"])
    with pytest.raises(ValueError, match=r"X\[0\] is a tokenizer's Encoding; pass its ids: \[np\.array\(x\.ids\)"):
        fitted(AUTOENCODER, X)
    assert fitted(AUTOENCODER, [np.array(x.ids) for x in X])._kind == "tokens"


LISTS_OF_WORDS = [["a", "good", "film"], ["a", "dull", "one"], ["good", "fun", "too"], ["a", "bad", "film"]] * 2


@net
@pytest.mark.parametrize(
    "make",
    [list, pd.Series, pl.Series, objects, Column, lambda X: [np.array(x) for x in X], lambda X: [*X[:-1], ["bad"]]],
    ids=["list", "pandas", "polars", "objects", "a sequence", "arrays", "ragged"],
)
def test_lists_of_words_are_sent_to_the_vectorizer(estimator, make):
    with pytest.raises(ValueError, match=r"X is lists of words\. .*put a TokenSequenceVectorizer\(analyzer=list\)"):
        fitted(estimator, make(LISTS_OF_WORDS))


@pytest.mark.parametrize(
    "make", [list, pd.Series, lambda X: [np.array(x) for x in X]], ids=["list", "pandas", "arrays"]
)
def test_the_vectorizer_takes_lists_of_words(make):
    reader = make_pipeline(TokenSequenceVectorizer(analyzer=list), clone(NETS[0])).fit(make(LISTS_OF_WORDS), Y)
    assert reader[0].vocabulary_.keys() == {"<unk>", "a", "good", "film", "bad", "dull", "fun", "one", "too"}
    ids = np.array([reader[0].vocabulary_[word] for word in ("a", "film")])
    np.testing.assert_array_equal(reader.predict_proba([["a", "film"]]), reader[1].predict_proba([ids]))


# Times and masks


def times(length):
    return np.datetime64("2024-05-01T00:00:00", "us") + np.arange(length) * np.timedelta64(90, "s")


@each
@pytest.mark.parametrize(
    "X",
    [
        np.stack([times(6)] * 4),
        np.stack([times(6)] * 4) - times(1),
        np.stack([times(6)] * 4)[:, :, None],
        [times(5), times(6)],
        [times(5) - times(1), times(6)],
        [np.array(["NaT", "2024-05-01"], dtype="datetime64[s]"), times(6)],
        [pd.DataFrame({"time": times(5), "x": 1.0}), pd.DataFrame({"time": times(6), "x": 1.0})],
        [pd.DataFrame({"time": pd.to_datetime(times(5)).tz_localize("UTC"), "x": 1.0})],
        [pl.DataFrame({"time": times(5), "x": [1.0] * 5})],
        [pd.Series(times(5)), pd.Series(times(6))],
        pd.DataFrame({"start": times(4), "end": times(4)}),
        pl.DataFrame({"start": times(4), "end": times(4)}),
        np.ma.masked_array(np.stack([times(6)] * 4)),
    ],
    ids=[
        *("table", "durations", "grid", "list", "a list of both", "NaT", "frames", "time zone", "polars frames"),
        *("columns", "frame", "polars frame", "masked"),
    ],
)
def test_times_are_refused_with_how_to_pass_them(estimator, X):
    with pytest.raises(ValueError, match=r"times.*Pass seconds since the start of the sequence"):
        fitted(estimator, X)


def test_seconds_since_the_start_are_made_as_the_refusal_says():
    t = times(4)
    assert ((t - t[0]) / np.timedelta64(1, "s")).tolist() == [0, 90, 180, 270]
    t = pd.Series(times(4))
    assert (t - t.iloc[0]).dt.total_seconds().tolist() == [0, 90, 180, 270]


def masked(X):
    """Masked arrays whose masked values are -999, and the same with NaN."""
    hidden = [np.random.default_rng(i).random(np.shape(x)) < 0.2 for i, x in enumerate(X)]
    for mask in hidden:
        mask[-1] = False
    with_nan = [np.where(mask, nan, x) for mask, x in zip(hidden, X, strict=True)]
    return [np.ma.masked_array(np.where(m, -999, x), m) for m, x in zip(hidden, X, strict=True)], with_nan


FORMS = {
    "list": lambda arrays: arrays,
    "grid": lambda arrays: np.ma.stack([a[:5] for a in arrays]),
    "table": lambda arrays: np.ma.stack([a[:5, 0] for a in arrays]),
}


@gappy
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("whole", [False, True])
def test_what_is_masked_is_missing(estimator, form, whole):
    X, with_nan = masked([(10 * x).round() if whole else x for x in ragged()])
    if whole:
        X = [x.astype(int) for x in X]
    X, with_nan = FORMS[form](X), FORMS[form](with_nan)
    with_nan = with_nan.filled(nan) if form != "list" else with_nan
    same(answer(fitted(estimator, X), X), answer(fitted(estimator, with_nan), with_nan), rtol=1e-6)


@net
@pytest.mark.parametrize("form", FORMS)
def test_what_is_masked_is_refused_as_nan_is(estimator, form):
    with pytest.raises(ValueError, match=r"Input X contains NaN\."):
        fitted(estimator, FORMS[form](masked(ragged())[0]))


@net
def test_a_mask_that_hides_nothing_changes_nothing(estimator):
    X = values(8, 6, 2)
    same(answer(fitted(estimator, np.ma.masked_array(X)), X), answer(fitted(estimator, X), X))
    tokens = ids()
    same(
        answer(fitted(estimator, list(map(np.ma.masked_array, tokens))), tokens),
        answer(fitted(estimator, tokens), tokens),
    )


@net
def test_masked_steps_at_the_end_of_a_grid_are_padding(estimator):
    X = [x[:5] if i % 2 else x[:3] for i, x in enumerate(ragged())]
    grid = np.ma.masked_all((8, 5, 2))
    for row, x in zip(grid, X, strict=True):
        row[: len(x)] = x
    same(answer(fitted(estimator, grid), grid), answer(fitted(estimator, X), X))


# 60


@gappy
def test_a_row_of_which_nothing_was_seen_is_a_sequence_of_missing_values(estimator):
    X = values(6, 5, 2)
    unseen = np.full((1, 5, 2), nan)
    estimator = fitted(estimator, X)
    both = answer(estimator, np.concatenate([X, unseen]))
    same(both[:6], answer(estimator, X))
    same(both[6:], answer(estimator, list(unseen)))
    assert len(answer(fitted(estimator, np.concatenate([X, unseen])), X)) == 6


def test_what_was_never_seen_gets_the_means_of_fit():
    X = np.array([[[1.0, 10], [3, 30]], [[nan, nan], [nan, nan]]])
    assert SequenceImputer().fit_transform(X)[1].tolist() == [[2, 20], [2, 20]]
    marked = SequenceMissingIndicator().fit(X[:1]).transform(X)
    assert marked[1].tolist() == [[2, 20, 1, 1, 1, 1], [2, 20, 1, 1, 2, 2]]
    imputer = SequenceImputer(clone(AUTOENCODER)).fit(values(6, 5, 2))
    assert np.isfinite(imputer.transform(np.full((2, 5, 2), nan))).all()


@net
def test_a_row_of_nan_is_refused_where_gaps_are(estimator):
    X = values(8, 5, 2)
    X[3] = nan
    with pytest.raises(ValueError, match=r"NaN\.\nAll steps of X\[3\] are NaN\. .*preprocessing\.SequenceImputer"):
        fitted(estimator, X)


# A Series in a Pipeline with `set_output`


@pytest.mark.parametrize("step", ESTIMATORS[3:], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("lengths", [LENGTHS, (6,) * 8], ids=["ragged", "equal"])
def test_the_index_of_a_series_goes_through_a_pipeline_with_set_output(step, lengths):
    X = pd.Series(ragged(lengths=lengths), index=[*"hgfedcba"])
    pipeline = make_pipeline(clone(step), clone(AUTOENCODER))
    plain = pipeline.fit(X.tolist()).transform(X.tolist())
    codes = clone(pipeline).set_output(transform="pandas").fit(X).transform(X)
    assert codes.index.tolist() == [*"hgfedcba"]
    np.testing.assert_allclose(codes.to_numpy(), plain, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("step", ESTIMATORS[3:], ids=lambda e: type(e).__name__)
def test_sequences_of_a_series_are_a_series_with_its_index(step):
    X = pd.Series(ragged(), index=[*"hgfedcba"])
    out = clone(step).fit_transform(X)
    assert out.index.tolist() == [*"hgfedcba"]
    same(out, clone(step).fit_transform(X.tolist()))


def test_rows_of_a_column_answer_as_they_do_beside_others():
    X = pd.Series([x.tolist() for x in ragged(1, (6,) * 8)], index=[*"hgfedcba"])
    classifier, rows = fitted(NETS[0], X), [5, 2, 7, 0]
    same(answer(classifier, X.iloc[rows]), answer(classifier, X)[rows], rtol=1e-5)
