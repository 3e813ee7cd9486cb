"""Reading X: arrays that lie in files."""

import mmap

import numpy as np
import pytest

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.sequences._sequences import Pages

X = np.random.default_rng(0).normal(size=(40, 12, 2)).astype(np.float32)
y = np.where(np.arange(40) < 20, np.arange(40) % 2, -1)


@pytest.fixture(autouse=True)
def _hand_pages_back_at_once(monkeypatch):
    monkeypatch.setattr(Pages, "allowance", 0)


def probabilities(X):
    clf = SemiSupervisedRNNClassifier(hidden_size=4, max_epochs=2, random_state=0)
    return clf.fit(X, y).predict_proba(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_memory_mapped_array_gives_the_bits_of_one_in_memory(tmp_path, dtype):
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(probabilities(mapped), probabilities(X))


@pytest.mark.parametrize("mode", ["copy on write", "private", "r+"])
def test_what_was_written_to_a_mapped_array_survives_fit(tmp_path, mode):
    if mode == "private":
        mapped = np.ndarray(X.shape, X.dtype, buffer=mmap.mmap(-1, X.nbytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    else:
        np.save(tmp_path / "X.npy", np.zeros_like(X))
        mapped = np.load(tmp_path / "X.npy", mmap_mode="c" if mode == "copy on write" else mode)
    mapped[:] = X
    probabilities(mapped)
    np.testing.assert_array_equal(mapped, X)
