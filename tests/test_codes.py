"""What codes are good for besides labels: clusters and pictures."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.datasets import make_sines
from sklearn_rnn.plotting import CodesDisplay

TINY = {"hidden_size": 8, "max_epochs": 1, "random_state": 0}
CODES = np.random.default_rng(0).normal(size=(12, 5))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_clusters_of_codes_are_found_in_a_pipeline_and_are_about_the_digits():
    digits = load_digits(n_class=4)
    X = digits.images[:360].astype(np.float32)  # 8 steps of 8 values
    autoencoder = RNNAutoencoderTransformer(hidden_size=32, lr=0.02, max_epochs=6, random_state=0)
    pipeline = make_pipeline(autoencoder, KMeans(4, n_init=4, random_state=0))
    clusters = pipeline.fit_predict(X)
    assert adjusted_rand_score(digits.target[:360], clusters) > 0.4  # by chance 0
    np.testing.assert_array_equal(pipeline.predict(X), clusters)


def drawn(display):
    return {dots.get_label(): dots for dots in display.ax_.collections}


def test_each_class_has_its_own_colour_and_unlabeled_rows_are_grey_and_below():
    y = np.array([0, 1, 2, -1] * 3)
    display = CodesDisplay(CODES, y).plot()
    dots = drawn(display)
    assert list(dots) == ["unlabeled", "0", "1", "2"]
    assert tuple(dots["unlabeled"].get_facecolor()[0][:3]) == to_rgba("0.8")[:3]
    for name, label in {"unlabeled": -1, "1": 1}.items():
        np.testing.assert_array_equal(dots[name].get_offsets(), display.points_[y == label])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == list(dots)


def test_the_plane_is_that_of_the_first_two_components_unless_there_are_two_codes():
    expected = PCA(2).fit_transform(CODES)
    np.testing.assert_allclose(np.abs(CodesDisplay(CODES).plot().points_), np.abs(expected))
    np.testing.assert_array_equal(CodesDisplay(CODES[:, :2]).plot().points_, CODES[:, :2])


@pytest.mark.parametrize("y", [None, ["a", None, "b", "a"] * 3], ids=["no labels", "strings and None"])
def test_labels_may_be_missing_or_have_another_marker(y):
    y = None if y is None else np.array(y, dtype=object)
    dots = drawn(CodesDisplay(CODES, y, missing_label=None).plot())
    assert sum(len(d.get_offsets()) for d in dots.values()) == 12
    assert y is None or list(dots) == ["unlabeled", "a", "b"]


@pytest.mark.parametrize("n_classes", [3, 9, 10, 26])
def test_classes_have_different_colours_none_like_the_unlabeled_rows(n_classes):
    codes = np.random.default_rng(0).normal(size=(52, 3))
    dots = drawn(CodesDisplay(codes, np.arange(52) % n_classes).plot())
    colours = {tuple(d.get_facecolor()[0][:3]) for d in dots.values()}
    assert len(colours) == n_classes
    assert min(np.abs(np.subtract(c, 0.8)).max() for c in colours) > 0.25


def test_estimators_of_both_kinds_are_drawn_where_asked():
    X, y = make_sines(30, n_steps=12, ragged=True, random_state=0)
    fitted = [RNNAutoencoderTransformer(**TINY).fit(X), SemiSupervisedRNNClassifier("supervised", **TINY).fit(X, y)]
    _, axes = plt.subplots(1, 2)
    for estimator, ax in zip(fitted, axes, strict=True):
        display = CodesDisplay.from_estimator(estimator, X, y, ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        np.testing.assert_array_equal(display.codes, estimator.transform(X))


@pytest.mark.parametrize(
    ("codes", "y", "words"), [(CODES[:, :1], None, "minimum of 2"), (CODES, [0, 1], "inconsistent")]
)
def test_what_cannot_be_drawn_is_refused(codes, y, words):
    with pytest.raises(ValueError, match=words):
        CodesDisplay(codes, y).plot()
