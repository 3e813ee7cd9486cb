"""Decoding: codes back into sequences, and how far those are from what was encoded."""

import numpy as np
import pytest
import torch

from sklearn_rnn import RNNAutoencoderTransformer

random = np.random.default_rng(0)
LENGTHS = [9, 4, 9, 1, 6]
FORMS = {
    "table": random.normal(size=(5, 9)),
    "grid": random.normal(size=(5, 9, 2)),
    "list": [random.normal(size=(length, 2)) for length in LENGTHS],
    "tokens": [random.integers(0, 6, length) for length in LENGTHS],
}
forms = pytest.mark.parametrize("form", FORMS)


def fitted(form, **parameters):
    return RNNAutoencoderTransformer(**{"hidden_size": 8, "random_state": 0, "max_epochs": 1} | parameters).fit(
        FORMS[form]
    )


@forms
def test_a_reconstruction_has_the_form_of_x(form):
    X = FORMS[form]
    again = fitted(form).reconstruct(X)
    assert [np.shape(x) for x in again] == [np.shape(x) for x in X]
    assert isinstance(again, list) == isinstance(X, list)


@forms
def test_inverse_transform_takes_lengths_and_else_the_longest_of_fit(form):
    autoencoder = fitted(form)
    codes = autoencoder.transform(FORMS[form])
    assert {len(x) for x in autoencoder.inverse_transform(codes)} == {9}
    assert [len(x) for x in autoencoder.inverse_transform(codes, LENGTHS)] == LENGTHS


@pytest.mark.parametrize(("lengths", "words"), [([3, 3], "inconsistent numbers"), ([0] * 5, "at least 1, got 0")])
def test_lengths_that_no_sequence_has_are_refused(lengths, words):
    autoencoder = fitted("grid")
    with pytest.raises(ValueError, match=words):
        autoencoder.inverse_transform(autoencoder.transform(FORMS["grid"]), lengths)


def test_a_number_of_codes_that_transform_does_not_make_is_refused():
    with pytest.raises(ValueError, match="X has 3 features, but the embeddings of RNNAutoencoderTransformer have 32"):
        fitted("grid").inverse_transform(np.zeros((2, 3)))


@pytest.mark.parametrize("form", ["table", "grid", "list"])
def test_scores_are_minus_the_squared_error_in_standard_units(form):
    X, autoencoder = FORMS[form], fitted(form)
    scale = autoencoder.net_.module_.encoder.input.scale.numpy()
    pairs = zip(X, autoencoder.reconstruct(X), strict=True)
    expected = [-np.mean(((x - r).reshape(len(x), -1) / scale) ** 2) for x, r in pairs]
    np.testing.assert_allclose(autoencoder.score_samples(X), expected, rtol=1e-4)
    assert autoencoder.score(X) == pytest.approx(np.mean(expected), rel=1e-4)


def test_what_is_unlike_the_rest_scores_lowest():
    X = np.sin(np.linspace(0, 6, 20) + random.uniform(0, 6, size=(200, 1)))
    odd = np.sign(np.sin(np.linspace(0, 40, 20)))
    autoencoder = RNNAutoencoderTransformer(hidden_size=16, n_kernels=16, lr=0.02, max_epochs=5, random_state=0).fit(X)
    assert autoencoder.score_samples(odd[None])[0] < autoencoder.score_samples(X).min()


def test_codes_are_decoded_where_the_net_is_whatever_device_is_set_now():
    autoencoder = fitted("grid")
    codes, before = autoencoder.transform(FORMS["grid"]), autoencoder.reconstruct(FORMS["grid"])
    autoencoder.set_params(device=torch.device("meta"))
    np.testing.assert_array_equal(autoencoder.inverse_transform(codes), before)


def test_codes_are_named():
    autoencoder = fitted("grid").set_output(transform="pandas")
    assert autoencoder.get_feature_names_out()[:2].tolist() == [
        "rnnautoencodertransformer0",
        "rnnautoencodertransformer1",
    ]
    assert list(autoencoder.transform(FORMS["grid"]).columns) == list(autoencoder.get_feature_names_out())
