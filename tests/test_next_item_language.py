"""The recommender as a language model: probabilities of whole texts, perplexity and new texts."""

from itertools import product

import numpy as np
import pytest

from sklearn_rnn import Embedding, RNNNextItemRecommender

TEXTS = [list("abcab."), list("bca."), list("cabcabc."), list("ab.")] * 4
PARAMS = {"hidden_size": 12, "embedding": Embedding(8), "batch_size": 8, "lr": 0.03, "random_state": 0}


@pytest.fixture(scope="module", params=["gru", "lstm"])
def model(request):
    return RNNNextItemRecommender(cell=request.param, num_layers=2, **PARAMS, max_epochs=4).fit(TEXTS)


def probabilities(model, history):
    """Probabilities of the next item, from the scores."""
    scores = model.decision_function([history])[0].astype(float)
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_probabilities_of_all_texts_of_a_length_add_up_to_one(model, length):
    texts = [list(text) for text in product(model.items_, repeat=length)]
    assert np.exp(model.score_samples(texts).astype(float)).sum() == pytest.approx(1, rel=1e-5)


def test_the_score_of_a_text_is_the_product_of_the_probabilities_of_its_items(model):
    text = list("abcab.")
    places = {item: i for i, item in enumerate(model.items_)}
    later = [np.log(probabilities(model, text[:t])[places[text[t]]]) for t in range(1, len(text))]
    first = model.score_samples([text[:1]])[0]
    assert model.score_samples([text])[0] == pytest.approx(first + sum(later), rel=1e-4)


def test_texts_are_scored_whole_whatever_max_length_is():
    short = RNNNextItemRecommender(**PARAMS, max_epochs=1, max_length=3).fit(TEXTS)
    long = list("abcabcabc.")
    rest = [short.score_samples([long[:t]])[0] for t in (9, 10)]
    unlimited = short.set_params(max_length=None).score_samples([long])[0]
    assert unlimited == rest[1] < rest[0]


def test_perplexity_is_the_exponential_of_the_mean_over_items(model):
    n_items = sum(map(len, TEXTS))
    expected = np.exp(-model.score_samples(TEXTS).astype(float).sum() / n_items)
    assert model.perplexity(TEXTS) == pytest.approx(expected, rel=1e-6)
    assert 1 < model.perplexity(TEXTS) < 4


def test_unknown_items_do_not_count_in_the_perplexity(model):
    with pytest.warns(UserWarning, match="not fitted on"):
        assert model.perplexity([["a", "?"]]) == pytest.approx(model.perplexity([["a"]]), rel=1e-5)
    with (
        pytest.warns(UserWarning, match="not fitted on"),
        pytest.raises(ValueError, match="X has no item that RNNNextItemRecommender was fitted on"),
    ):
        model.perplexity([["?"]])


def test_ranking_losses_have_no_probabilities():
    model = RNNNextItemRecommender("bpr_max")
    for method in ("perplexity", "score_samples", "sample"):
        assert not hasattr(model, method)
        assert hasattr(RNNNextItemRecommender(), method)


def test_items_are_drawn_with_their_probabilities(model):
    drawn = np.concatenate(model.sample(4000, 1, start=[list("ab")], random_state=0))
    shares = [(drawn == item).mean() for item in model.items_]
    np.testing.assert_allclose(shares, probabilities(model, list("ab")), atol=0.03)


def test_the_first_items_of_new_texts_are_drawn_with_their_probabilities(model):
    drawn = np.array([text[0] for text in model.sample(4000, 2, random_state=0)])
    expected = np.exp(model.score_samples([[item] for item in model.items_]))
    np.testing.assert_allclose([(drawn == item).mean() for item in model.items_], expected, atol=0.03)


def test_a_low_temperature_sharpens_the_probabilities(model):
    drawn = np.concatenate(model.sample(4000, 1, start=[list("ab")], temperature=0.5, random_state=0))
    sharp = probabilities(model, list("ab")) ** 2
    shares = [(drawn == item).mean() for item in model.items_]
    np.testing.assert_allclose(shares, sharp / sharp.sum(), atol=0.03)


def test_only_the_likeliest_items_are_drawn(model):
    drawn = np.concatenate(model.sample(500, 1, start=[list("a")], temperature=5, top_k=2, random_state=0))
    likeliest = model.items_[np.argsort(-probabilities(model, list("a")))[:2]]
    assert set(drawn) == set(likeliest)


def test_without_temperature_the_likeliest_continuation_is_written(model):
    beginnings = [list("ab"), list("a"), list("bca"), list("ca")]
    drawn = model.sample(n_steps=4, start=beginnings, temperature=0)
    for beginning, text in zip(beginnings, drawn, strict=True):
        history = list(beginning)
        for item in text:
            assert item == model.items_[probabilities(model, history).argmax()]
            history.append(item)
    top = model.sample(n_steps=4, start=beginnings, top_k=1, random_state=3)
    assert [text.tolist() for text in top] == [text.tolist() for text in drawn]


def test_a_text_ends_after_the_stop_item(model):
    texts = model.sample(50, 12, stop=".", random_state=0)
    assert all("." not in text[:-1] for text in texts)
    assert any(text[-1] == "." and len(text) < 12 for text in texts)
    assert any(len(text) == 12 for text in texts) or all(text[-1] == "." for text in texts)


def test_draws_are_repeated_with_the_same_seed_alone(model):
    one, again, other = (model.sample(5, 8, random_state=seed) for seed in (1, 1, 2))
    assert [text.tolist() for text in one] == [text.tolist() for text in again]
    assert [text.tolist() for text in one] != [text.tolist() for text in other]


def test_each_beginning_is_continued_as_often_as_asked(model):
    texts = model.sample(3, 2, start=[list("ab"), list("c")], temperature=0)
    assert len(texts) == 6
    assert [text.tolist() for text in texts[:3]] == [texts[0].tolist()] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_steps": 0}, "n_steps"),
        ({"temperature": -1}, "temperature"),
        ({"top_k": 0}, "top_k"),
    ],
)
def test_wrong_arguments_are_named(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        model.sample(**arguments)
