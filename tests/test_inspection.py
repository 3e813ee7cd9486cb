"""What explains a prediction adds up, does not depend on padding, and finds what tells the classes apart."""

from functools import cache, partial

import matplotlib
import matplotlib.pyplot
import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor
from sklearn_rnn.inspection import attention_weights, integrated_gradients
from sklearn_rnn.plotting import SeriesAttributionDisplay, TokenAttributionDisplay
from sklearn_rnn.preprocessing import SequenceResampler
from sklearn_rnn.text import TokenSequenceVectorizer

KINDS = ["tokens", "series", "table"]
each_kind = pytest.mark.parametrize("kind", KINDS)
LENGTHS = [9, 5, 12, 1, 12, 7, 2, 10] * 3
CLASSES = np.array(["apple", "bean", "corn"])


def sequences(kind, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "tokens":
        return [rng.integers(0, 9, length) for length in LENGTHS]
    if kind == "table":
        return rng.normal(2, 3, size=(24, 12))
    return [rng.normal(2, 3, size=(length, 2)) for length in LENGTHS]


@cache
def fitted(kind, **options):
    options = {"hidden_size": 8, "n_kernels": 16, "max_epochs": 2, "batch_size": 8, "random_state": 0, **options}
    y = CLASSES[np.arange(len(LENGTHS)) % 3]
    return SemiSupervisedRNNClassifier("supervised", **options).fit(sequences(kind), y)


def log_odds(clf, X, target):
    p = clf.predict_proba(X)[:, list(clf.classes_).index(target)].astype(np.float64)
    return np.log(p / (1 - p))


def baseline_log_odds(clf, kind, target):
    """Score of sequences of the lengths of X that say nothing, one at a time."""
    model = clf.net_.module_
    encoder = model.encoder
    code, scores = list(clf.classes_).index(target), []
    for x in sequences(kind):
        with torch.no_grad():
            numbers = torch.from_numpy(x)[None] if kind == "tokens" else encoder.input.mean.expand(1, len(x), -1)
            embedded = encoder.embed(numbers) * (0 if kind == "tokens" else 1)
            p = model.predict_outputs(embedded, None).softmax(1)[0, code].item()
        scores.append(np.log(p / (1 - p)))
    return np.array(scores)


@each_kind
@pytest.mark.parametrize(
    ("pooling", "patch_size"),
    [
        ("mean", 1),
        ("attention", 3),
        pytest.param("mean_max", 1, marks=pytest.mark.slow),
        pytest.param("last", 3, marks=pytest.mark.slow),
    ],
)
def test_integrated_gradients_add_up_to_the_difference_of_the_scores(kind, pooling, patch_size):
    clf, X = fitted(kind, pooling=pooling, patch_size=patch_size), sequences(kind)[:4]
    shared = integrated_gradients(clf, X, target="bean", n_points=64)  # the random kernels have kinks
    difference = log_odds(clf, X, "bean") - baseline_log_odds(clf, kind, "bean")[:4]
    tolerance = 2e-2 if pooling == "mean_max" else 2e-3  # a maximum has kinks
    assert [a.sum() for a in shared] == pytest.approx(difference, abs=tolerance)
    assert np.ptp(difference) > 4 * tolerance


@each_kind
@pytest.mark.parametrize("patch_size", [1, 3])
def test_integrated_gradients_are_those_of_captum(kind, patch_size):
    attr = pytest.importorskip("captum.attr")
    clf, X = fitted(kind, patch_size=patch_size), sequences(kind)[:4]
    model = clf.net_.module_

    def score(x):
        logits = model.predict_outputs(x if kind == "tokens" else model.encoder.embed(x), None)
        return logits[:, 1] - logits[:, [0, 2]].logsumexp(1)

    ours = integrated_gradients(clf, X, target="bean", n_points=20)
    for own, sequence in zip(ours, X, strict=True):
        x = torch.as_tensor(sequence.reshape(1, len(sequence), -1), dtype=torch.float32)
        x = model.encoder.embed(torch.from_numpy(sequence)[None]).detach() if kind == "tokens" else x
        start = torch.zeros_like(x) if kind == "tokens" else model.encoder.input.mean.expand_as(x)
        theirs = attr.IntegratedGradients(score).attribute(x, start, n_steps=20, method="gausslegendre")[0]
        theirs = theirs if kind == "series" else theirs.sum(1)
        assert own == pytest.approx(theirs.detach().numpy(), abs=1e-5)


@pytest.mark.parametrize(
    "explain", [partial(integrated_gradients, n_points=8), attention_weights], ids=["gradients", "attention"]
)
@pytest.mark.parametrize("kind", ["tokens", "series"])
@pytest.mark.parametrize("patch_size", [1, 3])
def test_neighbours_and_padding_change_nothing(explain, kind, patch_size):
    clf, X = fitted(kind, pooling="attention", patch_size=patch_size), sequences(kind)
    together = explain(clf, X[:5])
    for own, x in zip(together, X, strict=False):
        assert len(own) == len(x)
        assert explain(clf, [x])[0] == pytest.approx(own, abs=1e-5)
    assert max(np.abs(own).max() for own in together) > 1e-2


def test_values_after_the_end_get_exactly_nothing():
    clf = fitted("series", patch_size=3)
    values = torch.randn(2, 12, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    model = clf.net_.module_
    model.predict_outputs(model.encoder.embed(values), torch.tensor([12, 5])).sum().backward()
    assert values.grad[1, 5:].eq(0).all()
    assert values.grad[1, :5].ne(0).all()


@pytest.mark.parametrize("patch_size", [1, 3])
def test_attention_weights_add_up_to_one_over_the_steps_that_there_are(patch_size):
    clf, X = fitted("series", pooling="attention", patch_size=patch_size), sequences("series")
    for weights, x in zip(attention_weights(clf, X), X, strict=True):
        assert len(weights) == len(x)
        assert weights.sum() == pytest.approx(1, abs=1e-6)
        assert weights.min() > 0


def test_attention_weights_are_the_mean_over_the_steps_at_which_patches_begin():
    clf, X = fitted("series", pooling="attention", patch_size=3), sequences("series")
    encoder = clf.net_.module_.encoder
    for own, x in zip(attention_weights(clf, X), X, strict=True):
        expected = np.zeros(len(x))
        for again in range(3):
            embedded = encoder.embed(torch.from_numpy(np.concatenate([x[:1]] * again + [x]))[None].float())
            with torch.no_grad():
                weights = encoder.pooling.attend(*encoder.states(embedded, None))[0].numpy()
            for patch, weight in enumerate(weights):
                steps = np.arange(3 * patch, min(3 * patch + 3, len(x) + again)) - again
                np.add.at(expected, np.maximum(steps, 0), weight / len(steps) / 3)
        assert own == pytest.approx(expected, abs=1e-6)


def test_steps_of_one_patch_have_one_attention_weight():
    autoencoder = RNNAutoencoderTransformer(pooling="attention", patch_size=3, hidden_size=8, max_epochs=1)
    X = sequences("series")
    for weights in attention_weights(autoencoder.fit(X), X):
        whole = weights[: 3 * (len(weights) // 3)].reshape(-1, 3)
        assert np.ptp(whole, axis=1) == pytest.approx(0)


def test_what_an_autoencoder_attends_to_can_be_seen():
    autoencoder = RNNAutoencoderTransformer(pooling="attention", hidden_size=8, max_epochs=1, random_state=0)
    weights = attention_weights(autoencoder.fit(sequences("series")), sequences("series"))
    assert [len(w) for w in weights] == LENGTHS


def test_what_speaks_for_one_of_two_classes_speaks_against_the_other():
    X, y = sequences("table"), np.arange(24) % 2
    clf = SemiSupervisedRNNClassifier("supervised", hidden_size=8, max_epochs=1, random_state=0).fit(X, y)
    one, other = (np.stack(integrated_gradients(clf, X, target=label)) for label in (0, 1))
    assert one == pytest.approx(-other, abs=1e-5)
    own = np.stack(integrated_gradients(clf, X, target=y))
    assert own == pytest.approx(np.where(y[:, None] == 0, one, other), abs=1e-6)
    predicted = clf.predict(X)
    assert np.stack(integrated_gradients(clf, X)) == pytest.approx(
        np.where(predicted[:, None] == 0, one, other), abs=1e-6
    )


@pytest.mark.full_epochs
def test_the_word_that_tells_the_class_is_found():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    X = []
    for label in y:
        words = rng.choice(["we", "saw", "that", "film", "and", "then", "left"], 6).astype(object)
        words[rng.integers(6)] = ["good", "bad"][label]
        X.append(" ".join(words))
    net = SemiSupervisedRNNClassifier("supervised", hidden_size=8, max_epochs=4, random_state=0)
    pipeline = make_pipeline(TokenSequenceVectorizer(), net).fit(X, y)
    assert pipeline.score(X, y) == 1
    tokens = pipeline[0].inverse_transform(pipeline[0].transform(X))
    chosen = [name[own.argmax()] for name, own in zip(tokens, integrated_gradients(pipeline, X), strict=True)]
    assert np.mean(np.array(chosen) == np.array(["good", "bad"])[y]) > 0.95


def test_the_place_that_tells_the_class_is_found():
    rng = np.random.default_rng(0)
    y, place = np.arange(160) % 2, rng.integers(0, 16, 160)
    X = rng.normal(0, 0.3, size=(160, 20, 1))
    for x, label, first in zip(X, y, place, strict=True):
        x[first : first + 4, 0] += 2 if label else -2
    clf = SemiSupervisedRNNClassifier("supervised", hidden_size=8, max_epochs=6, random_state=0).fit(X[:100], y[:100])
    assert clf.score(X[100:], y[100:]) > 0.95
    shares = []
    for own, first in zip(integrated_gradients(clf, X[100:]), place[100:], strict=True):
        size = np.abs(own[:, 0])
        shares.append(size[max(0, first - 1) : first + 5].sum() / size.sum())
    assert np.mean(shares) > 0.7  # 0.3 of the steps


def test_looking_changes_nothing():
    clf, X = fitted("tokens", pooling="attention"), sequences("tokens")
    before, state = clf.predict_proba(X), torch.get_rng_state()
    for explain in (integrated_gradients, attention_weights):
        explain(clf, X)
    assert np.array_equal(clf.predict_proba(X), before)
    assert all(weight.grad is None or not weight.grad.any() for weight in clf.net_.module_.parameters())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("explain", "error", "message"),
    [
        (lambda clf, X: attention_weights(clf, X), ValueError, "needs an estimator with pooling='attention', got"),
        (
            lambda clf, X: integrated_gradients(clf, X, target="pea"),
            ValueError,
            "target has the class 'pea', which was not in fit; choose from",
        ),
        (lambda clf, X: integrated_gradients(clf, X, target=CLASSES), ValueError, "inconsistent numbers of samples"),
        (lambda clf, X: integrated_gradients(clf, X, n_points=0), ValueError, "The 'n_points' parameter"),
        (
            lambda clf, X: integrated_gradients(LogisticRegression(), X),
            TypeError,
            "got LogisticRegression. For a search",
        ),
        (lambda clf, X: attention_weights(SemiSupervisedRNNClassifier(), X), NotFittedError, "not fitted yet"),
    ],
)
def test_what_cannot_be_explained_is_refused(explain, error, message):
    with pytest.raises(error, match=message):
        explain(fitted("table", max_epochs=1), sequences("table"))


def test_without_another_class_or_any_there_is_nothing_to_explain():
    X = sequences("table")
    autoencoder = RNNAutoencoderTransformer(hidden_size=4, max_epochs=1).fit(X)
    with pytest.raises(TypeError, match=r"SemiSupervisedRNNRegressor, got RNNAutoencoderTransformer"):
        integrated_gradients(autoencoder, X)
    regressor = SemiSupervisedRNNRegressor(hidden_size=4, max_epochs=1).fit(X, np.arange(len(X)))
    with pytest.raises(ValueError, match="target must be a column of y, from 0 to 0, got 1"):
        integrated_gradients(regressor, X, target=1)
    with pytest.warns(UserWarning, match="only one class"):
        clf = SemiSupervisedRNNClassifier("supervised", hidden_size=4, max_epochs=1).fit(X, np.zeros(24, int))
    with pytest.raises(ValueError, match="There is only one class"):
        integrated_gradients(clf, X)


@pytest.fixture
def no_window():
    """Draw without a window, and close the figures."""
    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


@pytest.mark.full_epochs
@pytest.mark.usefixtures("no_window")
def test_documents_are_drawn_with_a_colour_for_each_token():
    X, y = ["good film", "bad film", "good plot", "bad plot"] * 5, ["yes", "no", "yes", "no"] * 5
    net = SemiSupervisedRNNClassifier("supervised", hidden_size=8, max_epochs=4, random_state=0)
    pipeline = make_pipeline(TokenSequenceVectorizer(), net).fit(X, y)
    display = TokenAttributionDisplay.from_estimator(pipeline, X[:2], target="yes")
    shown = [text.get_text() for text in display.ax_.texts]
    assert [shown[1:3], shown[4:6]] == [["good", "film"], ["bad", "film"]]
    good, _, bad, _ = (patch.get_facecolor() for patch in display.ax_.patches)
    assert good[2] > 2 * good[0]  # blue
    assert bad[0] > 2 * bad[2]  # red
    p = pipeline.predict_proba(X[:2])[:, 1]
    assert [shown[0], shown[3]] == [f"yes: {p[0]:.2f}", f"yes: {p[1]:.2f}"]


@pytest.mark.usefixtures("no_window")
@pytest.mark.parametrize("width", [12, 30])
def test_tokens_are_broken_into_lines_of_the_width(width):
    tokens = ["aaaa", "bb", "cccccc", "d", "eeeeeeee", "ff"]
    display = TokenAttributionDisplay([tokens], [np.arange(6)]).plot(width=width)
    places = [(text.get_position()[1], text.get_position()[0]) for text in display.ax_.texts]
    assert places == sorted(places)
    for (row, column), token, after in zip(places, tokens, [*places[1:], (99, 0)], strict=True):
        assert column + len(token) <= width
        assert after[0] > row or after[1] == column + len(token) + 1
    assert TokenAttributionDisplay([tokens], [np.arange(6)]).plot(display.ax_).ax_ is display.ax_


@pytest.mark.usefixtures("no_window")
@pytest.mark.parametrize("kind", ["series", "table"])
def test_series_are_drawn_on_a_ground_of_their_attributions(kind):
    clf, x = fitted(kind), np.asarray(sequences(kind)[2])
    display = SeriesAttributionDisplay.from_estimator(clf, x, target="bean")
    (shares,) = integrated_gradients(clf, [x] if kind == "series" else x[None], target="bean")
    for ax, line, ground in zip(display.axes_, x.reshape(12, -1).T, shares.reshape(12, -1).T, strict=True):
        assert np.array_equal(ax.lines[0].get_ydata(), line)
        assert np.asarray(ax.images[0].get_array())[0] == pytest.approx(ground)
        assert ax.images[0].get_clim()[1] == pytest.approx(np.abs(shares).max())


@pytest.mark.usefixtures("no_window")
def test_one_value_a_step_is_drawn_where_lengths_differ():
    X = [x[:, 0] for x in sequences("series")]
    clf = SemiSupervisedRNNClassifier("supervised", hidden_size=4, max_epochs=1, random_state=0).fit(
        X, CLASSES[np.arange(24) % 3]
    )
    display = SeriesAttributionDisplay.from_estimator(clf, X[0])
    assert np.array_equal(display.axes_[0].lines[0].get_ydata(), X[0])


def test_tokens_are_drawn_of_a_pipeline_alone():
    with pytest.raises(TypeError, match=r"needs a Pipeline of a TokenSequenceVectorizer.*got SemiSupervised"):
        TokenAttributionDisplay.from_estimator(SemiSupervisedRNNClassifier(), ["a"])


@pytest.mark.filterwarnings("ignore:.*longer than max_length")
def test_a_display_shows_what_the_classifier_reads(no_window):
    documents, y = ["a good old film", "bad"] * 8, np.arange(16) % 2
    net = SemiSupervisedRNNClassifier("supervised", hidden_size=4, max_epochs=1, max_length=2)
    reader = make_pipeline(TokenSequenceVectorizer(token_pattern=r"\w+"), net).fit(documents, y)
    display = TokenAttributionDisplay.from_estimator(reader, documents[:1])
    assert display.tokens[0].tolist() == ["a", "good"]
    X = sequences("series")
    pipeline = make_pipeline(SequenceResampler(7), net.set_params(max_length=None)).fit(X, np.arange(len(X)) % 2)
    assert SeriesAttributionDisplay.from_estimator(pipeline, X[0]).sequence.shape == (7, 2)
