"""Sequences drawn from the generative objectives."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from test_autoencoder import FORMS, forms

from sklearn_rnn import Optimizer, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import (
    VAT,
    AdversarialAutoencoder,
    FeatureMatchingGAN,
    FixMatch,
    JointReconstruction,
    RecurrentGAN,
    SemiSupervisedVAE,
    Variational,
)

random = np.random.default_rng(0)


def fitted(form, objective="variational", **parameters):
    small = {"hidden_size": 8, "n_kernels": 8, "random_state": 0, "max_epochs": 1}
    return RNNAutoencoderTransformer(objective, **small | parameters).fit(FORMS[form])


def waves(n=200, seed=0):
    """Waves of one period, of random phase and height, and their steps."""
    rng = np.random.default_rng(seed)
    steps = np.arange(24)
    return (rng.uniform(0.5, 1.5, (n, 1)) * np.sin(steps * 0.5 + rng.uniform(0, 6, (n, 1)))).astype(np.float32)


@forms
@pytest.mark.parametrize("objective", ["variational", "adversarial_autoencoder", "recurrent_gan"])
def test_samples_have_the_form_of_x(form, objective):
    X, drawn = FORMS[form], fitted(form, objective).sample(30, random_state=0)
    assert isinstance(drawn, list) == isinstance(X, list)
    assert len(drawn) == 30
    assert {np.shape(x)[1:] for x in drawn} == {np.shape(x)[1:] for x in X}
    assert {len(x) for x in drawn} == {len(x) for x in X}
    assert {np.asarray(x).dtype.kind for x in drawn} == {"i" if form == "tokens" else "f"}


@forms
def test_samples_are_of_the_lengths_asked_for(form):
    assert [len(x) for x in fitted(form).sample(4, lengths=[3, 12, 1, 5])] == [3, 12, 1, 5]


@forms
def test_the_same_seed_draws_the_same_and_another_another(form):
    model = fitted(form)
    one, same, other = (np.concatenate(model.sample(20, [4] * 20, random_state=seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("objective", ["variational", "adversarial_autoencoder", "recurrent_gan"])
def test_no_token_is_drawn_that_was_not_in_the_vocabulary(objective):
    drawn = np.concatenate(fitted("tokens", objective).sample(200, random_state=0))
    assert set(drawn) <= set(range(6))
    assert len(set(drawn)) > 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"n_samples": 0}, "n_samples == 0, must be >= 1"),
        ({"n_samples": 2, "lengths": [1, 2, 3]}, "inconsistent numbers"),
        ({"n_samples": 2, "lengths": [4, 0]}, "at least 1, got 0"),
        ({"n_samples": 2, "lengths": [4, 2.7]}, "integers, got .*2.7"),
    ],
)
def test_samples_that_cannot_be_are_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        fitted("grid").sample(**asked)


def test_only_objectives_that_can_draw_let_the_estimator_sample():
    assert not hasattr(RNNAutoencoderTransformer(), "sample")
    with pytest.raises(NotFittedError):
        RNNAutoencoderTransformer("variational").sample()


@pytest.mark.slow
@pytest.mark.full_epochs
@pytest.mark.filterwarnings("error")
def test_samples_are_as_high_and_as_smooth_as_what_was_learned():
    X = waves()
    small = {"hidden_size": 24, "patch_size": 4, "max_epochs": 24, "random_state": 0}
    model = RNNAutoencoderTransformer(Variational(latent_size=4), **small).fit(X)
    drawn = model.sample(200, random_state=0)
    assert drawn.std() == pytest.approx(X.std(), rel=0.2)
    assert np.diff(drawn, axis=1).std() == pytest.approx(np.diff(X, axis=1).std(), rel=0.2)
    nearest = np.square(drawn[:, None] - X).mean(2).min(1)
    assert np.median(nearest) < 0.1 * X.var()
    assert model.history_[-1]["active_units"] >= 2
    assert model.score(waves(seed=1)) > model.score(random.normal(size=(50, 24)))


def test_a_score_is_in_the_units_of_x():
    X = waves(40)
    one, other = (fitted_on(scale * X) for scale in (1, 10))
    np.testing.assert_allclose(one.score_samples(X) - 24 * np.log(10), other.score_samples(10 * X), rtol=1e-3)


def fitted_on(X):
    return RNNAutoencoderTransformer("variational", hidden_size=8, max_epochs=1, random_state=0).fit(X)


@pytest.mark.full_epochs
def test_a_posterior_that_collapses_is_warned_of_with_what_to_change():
    model = RNNAutoencoderTransformer(
        Variational(latent_size=4, beta=100, free_bits=0, ramp=0),
        hidden_size=8,
        n_kernels=8,
        max_epochs=4,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match="none of its 4 code units is active. Raise free_bits"):
        model.fit(waves(40))
    assert model.history_[-1]["active_units"] == 0
    assert max(value for name, value in model.history_[-1].items() if name.startswith("kl_of_units_")) < 0.05


# Samples of classes

LABELS = np.array(["short", "short", "long", "long", "short"], dtype=object)
WORDS = [random.integers(0, 6, length) for length in (3, 4, 9, 8, 3)]


def classifier(objective, X, y, **parameters):
    small = {"hidden_size": 8, "n_kernels": 8, "random_state": 0, "max_epochs": 1}
    return SemiSupervisedRNNClassifier(objective, **small | parameters).fit(X, y)


def test_samples_of_a_class_have_lengths_of_its_rows():
    model = classifier("semi_supervised_vae", WORDS, LABELS, missing_label=None)
    assert {len(x) for x in model.sample(30, y="short", random_state=0)} == {3, 4}
    assert {len(x) for x in model.sample(30, y=["long"] * 30, random_state=0)} == {8, 9}
    assert {len(x) for x in model.sample(60, random_state=0)} == {3, 4, 8, 9}


@pytest.mark.full_epochs
def test_samples_are_like_the_rows_of_their_class():
    y = np.arange(80) % 2
    X = waves(80) + 2 * y[:, None]
    small = {"hidden_size": 12, "patch_size": 4, "max_epochs": 3, "lr": 0.02}
    model = classifier(SemiSupervisedVAE(latent_size=4), X, np.where(np.arange(80) < 20, y, -1), **small)
    low, high = (model.sample(40, y=label, random_state=0).mean() for label in (0, 1))
    assert low == pytest.approx(0, abs=0.4)
    assert high == pytest.approx(2, abs=0.4)


@pytest.mark.parametrize(
    ("y", "words"),
    [("medium", "y has the class 'medium', which was not in fit"), (["short"] * 3, "inconsistent numbers")],
)
def test_classes_that_cannot_be_drawn_are_refused(y, words):
    model = classifier("semi_supervised_vae", WORDS, LABELS, missing_label=None)
    with pytest.raises(ValueError, match=words):
        model.sample(2, y=y)


@pytest.mark.parametrize("objective", ["supervised", "feature_matching_gan", "joint_reconstruction", "nothing"])
def test_a_classifier_that_generates_no_classes_does_not_sample(objective):
    assert hasattr(SemiSupervisedRNNClassifier(objective), "sample") == (objective == "nothing")  # which fit refuses


# Parts and opponents


def test_a_sum_trains_the_parts_of_both():
    y = np.arange(40) % 2
    partly = np.where(np.arange(40) < 8, y, -1)
    model = classifier(JointReconstruction() + VAT() + FeatureMatchingGAN(), waves(40), partly)
    assert {"supervised", "reconstruction", "vat", "real", "fake", "feature_matching"} <= set(model.history_[0])
    assert set(model.net_.module_.parts) == {"decoder", "generator"}


@pytest.mark.full_epochs
def test_fakes_are_seen_as_strongly_as_the_rows_they_are_told_from():
    seen = []

    def strong(x, lengths, generator):
        seen.append(len(x))
        return x

    partly = np.where(np.arange(12) < 4, np.arange(12) % 2, -1)
    objective = FixMatch() + FeatureMatchingGAN()
    classifier(objective, waves(12), partly, batch_size=4, max_epochs=1, strong_augmentation=strong)
    assert seen == [4] * 4 * 25  # unlabeled rows, fakes for them, and both once more for the generator


def test_a_sum_samples_as_the_part_that_can():
    partly = np.where(np.arange(12) < 4, np.arange(12) % 2, -1)
    model = classifier(VAT() + SemiSupervisedVAE(), waves(12), partly, max_epochs=1)
    assert len(model.sample(3, y=[0, 1, 1])) == 3
    assert not hasattr(classifier(VAT() + FixMatch(), waves(12), partly, max_epochs=1), "sample")


def test_a_sum_of_two_parts_of_one_name_is_refused():
    with pytest.raises(ValueError, match="JointReconstruction and SemiSupervisedVAE both train a part named 'decoder'"):
        classifier(JointReconstruction() + SemiSupervisedVAE(), waves(4), [0, 1, 0, 1])


class OnlyOpponents(RecurrentGAN):
    """A GAN whose discriminator has nothing to learn."""

    def terms(self, model, batch):
        return {name: 0 * term for name, term in super().terms(model, batch).items()}


class NoOpponents(RecurrentGAN):
    """A GAN whose generator has nothing to learn."""

    def opponent_terms(self, model, batch):
        return {name: term.detach() + 0 * term for name, term in super().opponent_terms(model, batch).items()}


@pytest.mark.parametrize(
    ("objective", "trained"), [(OnlyOpponents, {"generator"}), (NoOpponents, {"score", "encoder"})]
)
def test_each_side_of_a_gan_is_trained_by_its_own_terms_alone(objective, trained):
    fits = [
        RNNAutoencoderTransformer(
            objective(),
            hidden_size=8,
            patch_size=6,
            optimizer=Optimizer(weight_decay=0),
            max_epochs=1,
            lr=lr,
            random_state=0,
        ).fit(waves(30))
        for lr in (1e-12, 0.008)
    ]
    first, last = (model.net_.module_.state_dict() for model in fits)
    changed = {name for name in first if not np.allclose(first[name], last[name], atol=1e-9)}
    assert {name.removeprefix("parts.").split(".")[0] for name in changed} == trained


class SteepOpponents(AdversarialAutoencoder):
    """An autoencoder with a term that depends on the discriminator's weights alone."""

    def terms(self, model, batch):
        steep = sum(weight.sum() for weight in model.parts["discriminator"].parameters())
        return super().terms(model, batch) | {"steep": 1000 * steep}


def test_a_gradient_that_opponents_do_not_follow_is_not_clipped_with_the_others():
    plain, steep = (
        fitted("grid", objective(), optimizer="sgd") for objective in (AdversarialAutoencoder, SteepOpponents)
    )
    np.testing.assert_array_equal(steep.transform(FORMS["grid"]), plain.transform(FORMS["grid"]))


@pytest.mark.parametrize("objective", ["recurrent_gan", "adversarial_autoencoder"])
def test_opponents_start_warm_and_do_not_stop_early(objective):
    X = waves(60)
    small = {"hidden_size": 8, "patch_size": 6, "max_epochs": 1, "random_state": 0}
    model = RNNAutoencoderTransformer(objective, **small)
    before = model.fit(X).sample(2, random_state=0)
    again = model.set_params(warm_start=True).fit(X).sample(2, random_state=0)
    assert not np.array_equal(before, again)
    assert model.net_.opponent_optimizer_ is None
    with pytest.raises(ValueError, match=f"early_stopping=True needs a loss.*{type(model.objective_).__name__}"):
        model.set_params(early_stopping=True).fit(X)


@pytest.mark.parametrize("objective", ["variational", "adversarial_autoencoder", "recurrent_gan"])
def test_the_vectors_of_tokens_are_trained(objective):
    slow, fast = (
        fitted("tokens", objective, lr=lr).net_.module_.encoder.input.embedding.weight for lr in (1e-12, 0.008)
    )
    assert (slow - fast)[:6].abs().amax(1).min() > 1e-3


@pytest.mark.full_epochs
def test_a_generator_that_loses_is_warned_of_with_what_to_change():
    small = {"hidden_size": 8, "patch_size": 6, "max_epochs": 4, "lr": 0.1, "random_state": 0}
    gan = RNNAutoencoderTransformer(NoOpponents(penalty=0), **small)
    with pytest.warns(ConvergenceWarning, match="generator of RecurrentGAN lost.*Raise penalty"):
        gan.fit(waves(60))
