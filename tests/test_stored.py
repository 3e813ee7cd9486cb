"""X larger than memory: arrays in files and pieces give the bits of those in memory, and are read in blocks."""

import threading

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.sequences import _stored, read_ahead
from sklearn_rnn.sequences._batches import one_pass
from sklearn_rnn.sequences._list_column import ListColumn
from sklearn_rnn.sequences._reading import read_sequences
from sklearn_rnn.sequences._sequences import overlaps
from sklearn_rnn.sequences._stored import StoredRows

X = np.random.default_rng(0).normal(size=(60, 12, 2)).astype(np.float32)
y = np.where(np.arange(60) % 3 == 0, np.arange(60) % 2, -1)
TINY = {"hidden_size": 4, "n_kernels": 8, "max_epochs": 1, "random_state": 0}


class Rows:
    """The least that X must have: a shape, a dtype, and rows by slice and by number."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.n_read = array, array.shape, array.dtype, 0

    def __getitem__(self, key):
        values = self.array[key]
        self.n_read += len(values)
        return values


def of_zarr(array, path):
    zarr = pytest.importorskip("zarr", reason="needs zarr")
    stored = zarr.create_array(str(path / "x.zarr"), shape=array.shape, chunks=(7, *array.shape[1:]), dtype=array.dtype)
    stored[:] = array
    return stored


def of_hdf5(array, path):
    h5py = pytest.importorskip("h5py", reason="needs h5py")
    return h5py.File(path / "x.h5", "w").create_dataset("x", data=array, chunks=(7, *array.shape[1:]))


def of_dask(array, path):
    dask = pytest.importorskip("dask.array", reason="needs dask")
    return dask.from_array(array, chunks=(7, *array.shape[1:]))


STORES = {"any": lambda array, path: Rows(array), "zarr": of_zarr, "hdf5": of_hdf5, "dask": of_dask}


def of_arrow(rows, path):
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow")
    column = pa.array([row.tolist() for row in rows[:25]]), pa.array([row.tolist() for row in rows[25:]])
    return pa.chunked_array(column)


def of_datasets(rows, path):
    datasets = pytest.importorskip("datasets", reason="needs datasets")
    datasets.Dataset.from_dict({"x": [row.tolist() for row in rows]}).save_to_disk(path / "rows")
    return datasets.load_from_disk(str(path / "rows"))["x"]


def of_shuffled_datasets(rows, path):
    datasets = pytest.importorskip("datasets", reason="needs datasets")
    backwards = datasets.Dataset.from_dict({"x": [row.tolist() for row in rows[::-1]]})
    return backwards.select(np.arange(len(rows))[::-1])["x"]


def fitted(X, **params):
    return SemiSupervisedRNNClassifier(**TINY | params).fit(X, y)


@pytest.fixture
def _small_blocks(monkeypatch):
    monkeypatch.setattr(_stored, "BLOCK_BYTES", 14 * X[0].nbytes)
    monkeypatch.setattr(_stored, "PIECE_BYTES", 10 * X[0].nbytes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("store", STORES)
def test_an_array_outside_memory_gives_the_bits_of_one_in_memory(store, dtype, tmp_path):
    array = (X + (1e6 if dtype == np.float64 else 0)).astype(dtype)
    expected, clf = fitted(array), fitted(STORES[store](array, tmp_path))
    np.testing.assert_array_equal(clf.transduction_, expected.transduction_)
    np.testing.assert_array_equal(clf.predict_proba(Rows(array)), expected.predict_proba(array))
    np.testing.assert_array_equal(clf.transform(Rows(array)), expected.transform(array))


def test_a_table_outside_memory_gives_the_bits_of_one_in_memory():
    table = X[:, :, 0]
    np.testing.assert_array_equal(fitted(Rows(table)).predict_proba(Rows(table)), fitted(table).predict_proba(table))


def test_sequences_padded_with_nan_may_lie_outside_memory():
    padded = X.copy()
    for i in range(60):
        padded[i, 5 + i % 8 :] = np.nan
    np.testing.assert_array_equal(
        fitted(Rows(padded)).predict_proba(Rows(padded)), fitted(padded).predict_proba(padded)
    )


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("column", [of_arrow, of_datasets, of_shuffled_datasets])
def test_a_column_of_lists_gives_the_bits_of_a_list_of_arrays(column, width, tmp_path):
    rows = [x[: 5 + i % 8].astype(np.float64) + 1e6 for i, x in enumerate(X)]
    rows = [row[:, 0] for row in rows] if width == 1 else rows
    stored = column(rows, tmp_path)
    assert isinstance(read_sequences(RNNAutoencoderTransformer(), stored, reset=True).values, ListColumn)
    clf, expected = fitted(stored), fitted(rows)
    np.testing.assert_array_equal(clf.transduction_, expected.transduction_)
    np.testing.assert_array_equal(clf.predict_proba(stored), expected.predict_proba(rows))


def test_a_column_of_token_ids_of_datasets_is_a_list_of_ids(tmp_path):
    rows = [np.random.default_rng(i).integers(0, 9, 5 + i % 4) for i in range(60)]
    stored = of_datasets(rows, tmp_path)
    np.testing.assert_array_equal(fitted(stored).predict_proba(stored), fitted(rows).predict_proba(rows))


def test_a_column_with_a_missing_value_is_refused_as_a_list_is(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow")
    with pytest.raises(ValueError, match=r"X\[1\] has NaN at step 1"):
        SemiSupervisedRNNClassifier().fit(pa.array([[1.0, 2.0], [1.0, None]]), [0, 1])


@pytest.mark.usefixtures("_small_blocks")
def test_an_epoch_reads_each_block_once_however_the_labels_are_spread():
    rows = Rows(X)
    sequences = read_sequences(RNNAutoencoderTransformer(), rows, reset=True)
    for labeled in (np.arange(60), np.arange(0, 60, 5)):
        rows.n_read, seen = 0, []
        for batch in one_pass(sequences, labeled, 4, np.random.default_rng(0), str(len(labeled))):
            np.testing.assert_array_equal(sequences.batch(batch)[0], X[batch])
            seen += batch.tolist()
        assert sorted(seen) == labeled.tolist()
        assert rows.n_read == len(labeled)


@pytest.mark.usefixtures("_small_blocks")
def test_rows_are_shuffled_in_blocks_and_all_predicted():
    clf = fitted(Rows(X), batch_size=8, early_stopping=True)
    np.testing.assert_array_equal(clf.predict_proba(Rows(X)), clf.predict_proba(X))


@pytest.mark.usefixtures("_small_blocks")
def test_a_batch_that_spans_more_blocks_than_are_kept_is_read():
    stored = StoredRows(Rows(X))
    stored.take(np.arange(28))  # two blocks, which the rest of the batch below replaces
    rows = np.array([5, 15, 30, 45])
    np.testing.assert_array_equal(stored.take(rows), X[rows])


def test_a_few_chunks_are_read_at_a_time(monkeypatch):
    monkeypatch.setattr(_stored, "PIECE_BYTES", 14 * X[0].nbytes)  # of two chunks
    rows = Rows(X)
    rows.chunks = (7, 12, 2)
    keys, read = [], Rows.__getitem__
    monkeypatch.setattr(Rows, "__getitem__", lambda self, key: (keys.append(key), read(self, key))[1])
    several = np.array([0, 1, 5, 20, 22, 23, 40, 59])  # of the chunks 0, 0, 0, 2, 3, 3, 5, 8
    for wanted in (np.arange(0, 60, 12), several, np.arange(3, 40, 2)):
        np.testing.assert_array_equal(StoredRows(rows).read(wanted), X[wanted])
    assert [key.tolist() for key in keys[:3]] == [[0, 12], [24, 36], [48]]
    assert [key.tolist() for key in keys[3:6]] == [[0, 1, 5, 20], [22, 23, 40], [59]]
    assert keys[6:] == [slice(3, 14), slice(14, 28), slice(28, 40)]


def test_few_labeled_rows_are_read_once_for_all_passes():
    rows = Rows(X)
    stored, labeled = StoredRows(rows), np.arange(0, 60, 6)
    for _ in range(3):
        stored.plan("labeled", labeled)
        np.testing.assert_array_equal(stored.take(labeled[::-1]), X[labeled[::-1]])
    assert rows.n_read == len(labeled)


@pytest.mark.usefixtures("_small_blocks")
def test_blocks_of_a_pass_in_order_leave_memory_when_training_begins():
    stored = StoredRows(Rows(X))
    stored.take(np.arange(28))
    assert len(stored.kept["in order"]) == 2
    stored.plan("unlabeled", np.arange(14))
    assert list(stored.kept) == ["unlabeled"]


def test_chunks_of_a_file_are_read_whole():
    array = Rows(np.zeros((100, 4, 1), np.float32))
    array.chunks = (7, 4, 1)
    assert StoredRows(array).block % 7 == 0
    array.chunks = ((7, 90, 3), (4,), (1,))
    assert StoredRows(array).block % 90 == 0


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, r"X\[41\] has NaN at step 3"), (np.inf, "infinity or a value too large")]
)
def test_what_is_not_finite_is_found_block_by_block(value, message):
    wrong = X.copy()
    wrong[41, 3, 1] = value
    with pytest.raises(ValueError, match=message):
        fitted(Rows(wrong))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 4)), r"0 sample\(s\)"),
        (np.zeros((5, 0, 2)), r"0 time step\(s\)"),
        (np.zeros((5, 4, 2, 1)), "dim 4"),
        (np.zeros((5, 4), complex), "Complex data not supported"),
        (np.zeros((5, 4), "M8[s]"), "array of times"),
        (np.full((5, 4), "a"), "cannot be read as numbers"),
    ],
)
def test_what_is_refused_in_memory_is_refused_outside_it(array, message):
    with pytest.raises(ValueError, match=message):
        SemiSupervisedRNNClassifier().fit(Rows(array), np.arange(len(array)) % 2)


def test_a_block_of_another_shape_is_an_error():
    rows = Rows(X)
    rows.shape = (60, 12, 3)
    with pytest.raises(ValueError, match=r"X\[0:60\] must have the shape \(60, 12, 3\), got \(60, 12, 2\)"):
        fitted(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_windows_of_one_long_series_stay_a_view(dtype):
    series = np.random.default_rng(0).normal(size=(71, 2)).astype(dtype)
    windows = sliding_window_view(series, 12, axis=0).transpose(0, 2, 1)
    sequences = read_sequences(RNNAutoencoderTransformer(), windows, reset=True)
    assert overlaps(sequences.values)
    assert np.shares_memory(sequences.values, series)
    np.testing.assert_array_equal(fitted(windows).predict_proba(windows), fitted(windows.copy()).predict_proba(windows))


def test_windows_of_a_memory_map_are_read_from_it(tmp_path):
    np.save(tmp_path / "x.npy", X.reshape(-1, 2)[:71])
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    windows = sliding_window_view(mapped, 12, axis=0).transpose(0, 2, 1)
    assert read_sequences(RNNAutoencoderTransformer(), windows, reset=True).pages is not None
    np.testing.assert_array_equal(fitted(windows).predict_proba(windows), fitted(windows.copy()).predict_proba(windows))


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("make", [lambda array, path: array, of_zarr, of_hdf5], ids=["numpy", "zarr", "hdf5"])
@pytest.mark.parametrize("stored", [False, True])
def test_embeddings_and_probabilities_go_into_a_given_array(make, stored, tmp_path):
    clf, rows = fitted(X), Rows(X) if stored else X
    for i, method in enumerate(("transform", "predict_proba")):
        expected = getattr(clf, method)(X)
        (tmp_path / str(i)).mkdir()
        out = make(np.zeros_like(expected), tmp_path / str(i))
        assert getattr(clf, method)(rows, out=out) is out
        np.testing.assert_array_equal(out[:], expected)


def test_a_given_array_of_another_shape_or_dtype_is_an_error():
    clf = fitted(X)
    with pytest.raises(ValueError, match=r"out must be an array of shape \(60, 2\), got \(60, 3\)"):
        clf.predict_proba(X, out=np.zeros((60, 3)))
    with pytest.raises(TypeError, match="out must have a dtype like float32, got int64"):
        clf.predict_proba(X, out=np.zeros((60, 2), int))


def test_reading_ahead_keeps_the_order_and_waits_when_enough_is_read():
    read = []

    def items():
        for i in range(20):
            read.append(i)
            yield i

    ahead = read_ahead(items(), 3, lambda item: 1)
    assert next(ahead) == 0
    ahead.close()
    assert len(read) <= 6
    assert list(read_ahead(iter(range(20)), 3, lambda item: 1)) == list(range(20))


def test_an_error_while_reading_ahead_comes_where_its_item_would():
    def items():
        yield 1
        raise OSError("the disk is gone")

    ahead = read_ahead(items(), 3, lambda item: 1)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(ahead)


@pytest.mark.usefixtures("_small_blocks")
def test_no_thread_is_left_when_training_fails():
    class Failing(Rows):
        def __getitem__(self, key):
            if self.n_read > 300:
                raise OSError("the disk is gone")
            return super().__getitem__(key)

    with pytest.raises(OSError, match="the disk is gone"):
        fitted(Failing(X), max_epochs=20)
    assert not any(thread.name == "sklearn_rnn-reader" for thread in threading.enumerate())
