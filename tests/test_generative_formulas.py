"""Law 4 for the generative objectives: each against its paper's formula, written again in plain loops."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import LENGTHS, alone, assert_terms, made_batch, made_model, ramped, supervised
from torch.distributions import Normal, kl_divergence

from sklearn_rnn.objectives import (
    AdversarialAutoencoder,
    FeatureMatchingGAN,
    JointReconstruction,
    RecurrentGAN,
    SemiSupervisedVAE,
    Variational,
)
from sklearn_rnn.objectives._latent import gaussian_kl, kept_words

both = pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])


def case(cls, n_labeled=0, tokens=False, progress=0.2):
    """Model and batch of doubles, of which some rows are labeled; views are not perturbed."""
    model = made_model(cls, tokens=tokens).double()
    model.augmentation = None
    if "noise" in model.parts:
        with torch.no_grad():
            model.parts["noise"].log_scale.copy_(torch.tensor([0.3, -0.4]))
    batch = made_batch(cls, n_labeled, tokens=tokens)
    values = batch.values if tokens else batch.values.double()
    return model, replace(batch, values=values, progress=progress)


def draws(*shapes):
    """Repeat what the batch's generator gives: normal noise of each shape."""
    generator = torch.Generator().manual_seed(2)
    return [torch.zeros(shape, dtype=torch.float64).normal_(generator=generator) for shape in shapes]


def log_p(model, x, code):
    """Log-likelihood of one sequence without padding given its code, step by step."""
    decoder, total = model.parts["decoder"], 0.0
    if x.dim() == 2:
        steps = decoder(code[None], len(x))[0]
        for step, mean in zip(x, steps, strict=True):
            for f, log_scale in enumerate(model.parts["noise"].log_scale):
                total = total + Normal(mean[f], log_scale.exp()).log_prob(step[f])
        return total
    for t, token in enumerate(x):
        logits = decoder(code[None], x[None, : t + 1])[0, t]  # of this token given those before
        total = total + logits.log_softmax(0)[token]
    return total


def coded(model, batch, i):
    """Code of one row without padding."""
    return model.embed_sequences(batch.values[i : i + 1, : LENGTHS[i]], None)[0]


def test_the_divergence_of_gaussians_is_the_closed_form_of_kingma_and_welling_2014_appendix_b():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 3, generator=generator)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)


@both
@pytest.mark.parametrize("free_bits", [0.0, 0.05])
@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_variational_is_kingma_and_welling_2014_equation_10_with_the_free_bits_of_kingma_2016(
    tokens, free_bits, progress
):
    model, batch = case(Variational, tokens=tokens, progress=progress)
    (noise,) = draws((8, 16))
    likelihood, divergences = 0.0, torch.zeros(16, dtype=torch.float64)
    for i in range(8):
        posterior = model.parts["posterior"](coded(model, batch, i))
        mean, scale = posterior[:16], (posterior[16:] / 2).exp()
        divergences = divergences + kl_divergence(Normal(mean, scale), Normal(0.0, 1.0)) / 8
        likelihood += log_p(model, batch.values[i, : LENGTHS[i]], mean + scale * noise[i]) / 8
    n_values = LENGTHS.double().mean() * (1 if tokens else 2)
    free = sum(divergence if divergence > free_bits else torch.tensor(free_bits) for divergence in divergences)
    kinds = {bool(divergence > free_bits) for divergence in divergences}
    assert kinds == ({True, False} if free_bits else {True})
    expected = {"reconstruction": -likelihood / n_values, "kl": 2 * ramped(progress, 0.4) * free / n_values}
    assert_terms(Variational(beta=2, free_bits=free_bits, word_dropout=0), model, batch, expected)


@both
def test_the_score_of_a_sequence_is_below_a_tighter_bound_of_its_likelihood(tokens):
    model, batch = case(Variational, tokens=tokens)
    objective, generator = Variational(), torch.Generator().manual_seed(0)
    batch = replace(batch, values=batch.values[:1, : LENGTHS[0]], lengths=None, targets=batch.targets[:1])
    posterior = model.parts["posterior"](model.embed_sequences(batch.values, None))[0].detach()
    q, prior = Normal(posterior[:16], (posterior[16:] / 2).exp()), Normal(torch.zeros(16).double(), 1.0)
    with torch.no_grad():
        weights = []
        for _ in range(300):  # Burda 2016, equation 8
            z = q.mean + q.stddev * torch.randn(16, generator=generator).double()
            likelihood = log_p(model, batch.values[0], z)
            weights.append(likelihood + prior.log_prob(z).sum() - q.log_prob(z).sum())
        weights = torch.stack(weights)
        score = -objective.errors(model, batch).item()
    assert score == pytest.approx(weights.mean().item(), abs=4 * weights.std().item() / 4)
    assert score < (weights.logsumexp(0) - math.log(300)).item()


def test_a_word_that_is_dropped_does_not_count_for_the_next_one():
    model, batch = case(Variational, tokens=True)
    decoder, code = model.parts["decoder"], torch.zeros(8, 16, dtype=torch.float64)
    keep = torch.ones(8, 9, dtype=torch.float64)
    keep[:, 3] = 0
    other = batch.values.clone()
    other[:, 3] = (other[:, 3] + 1) % 6
    seen = (decoder(code, x, keep) for x in (batch.values, other))
    torch.testing.assert_close(*seen)
    assert not torch.allclose(decoder(code, batch.values), decoder(code, other))


def test_words_are_dropped_at_the_rate_asked_for_and_padding_shifts_no_draw():
    short, long = (made_batch(Variational, 0, tokens=True, extra=extra) for extra in (0, 7))
    one, other = kept_words(short, 0.25), kept_words(long, 0.25)
    assert torch.equal(one, other[:, :9])
    assert other.mean().item() == pytest.approx(0.75, abs=0.1)
    assert kept_words(made_batch(Variational, 0, tokens=True, noise=False), 0.25) is None


@both
def test_padding_shifts_no_draw_of_the_code(tokens):
    model = made_model(Variational, tokens=tokens)
    model.augmentation = None
    short, long = (Variational().terms(model, made_batch(Variational, 0, tokens=tokens, extra=e)) for e in (0, 7))
    np.testing.assert_allclose([t.item() for t in short.values()], [t.item() for t in long.values()], rtol=1e-5)


def made_generator_view(model, batch):
    """Embedded steps of the fakes that come first from the batch's generator."""
    generator = torch.Generator().manual_seed(2)
    steps = model.parts["generator"](len(batch), batch.values.shape[1], generator)
    return model.encoder.embed(steps * model.encoder.input.scale + model.encoder.input.mean)


def code_of(model, x, length):
    """Code (E,) of one row of embedded steps, without padding."""
    return model.encoder(x[None, :length], None)[0]


def bounds(model, batch, i, y, noise):
    """Minus the bound of Kingma 2014, equation 6, for one row and class."""
    class_of_three = torch.eye(3, dtype=torch.float64)[y]
    posterior = model.parts["posterior"](torch.cat([coded(model, batch, i), class_of_three]))
    q = Normal(posterior[:16], (posterior[16:] / 2).exp())
    z = q.mean + q.stddev * noise
    likelihood = log_p(model, batch.values[i, : LENGTHS[i]], torch.cat([z, class_of_three]))
    return -(likelihood + math.log(1 / 3) - kl_divergence(q, Normal(0.0, 1.0)).sum())


@both
def test_the_semi_supervised_vae_is_kingma_2014_equations_6_to_9(tokens):
    model, batch = case(SemiSupervisedVAE, 3, tokens)
    known, unknown = draws((3, 16), (5, 16))
    labeled = sum(bounds(model, batch, i, batch.targets[i], known[i]) for i in range(3)) / 3
    unlabeled = 0.0
    for i in range(3, 8):
        q = alone(model, batch, i)
        expected = sum(q[y] * bounds(model, batch, i, y, unknown[i - 3]) for y in range(3))  # equation 7
        unlabeled += (expected + sum(q[y] * q[y].log() for y in range(3))) / 5
    per_value = 1 if tokens else 2
    expected = {
        "supervised": supervised(model, batch),
        "labeled_bound": 2 * labeled / (per_value * LENGTHS[:3].double().mean()),
        "bound": 2 * ramped(0.2, 0.4) * unlabeled / (per_value * LENGTHS[3:].double().mean()),
    }
    assert_terms(SemiSupervisedVAE(weight=2, word_dropout=0), model, batch, expected)


def test_joint_reconstruction_is_the_mean_squared_error_of_all_rows_beside_the_labels():
    model, batch = case(JointReconstruction, 3)
    errors = []
    for i in range(8):
        rebuilt = model.parts["decoder"](coded(model, batch, i)[None], int(LENGTHS[i]))[0]
        errors.append((rebuilt - batch.values[i, : LENGTHS[i]]).square().mean())
    expected = {
        "supervised": supervised(model, batch),
        "labeled_reconstruction": 2 * sum(errors[:3]) / 3,
        "reconstruction": 2 * ramped(0.2, 0.4) * sum(errors[3:]) / 5,
    }
    assert_terms(JointReconstruction(weight=2, ramp=0.4), model, batch, expected)


def test_the_gan_of_k_plus_1_classes_is_salimans_2016_section_5():
    model, batch = case(FeatureMatchingGAN, 3)
    others = replace(batch.unlabeled, generator=None)
    fakes = made_generator_view(model, others).detach()
    real = fake = 0.0
    for i in range(5):
        logits = model.head(coded(model, batch, 3 + i))
        p = torch.cat([logits, logits.new_zeros(1)]).softmax(0)  # the class of fakes comes last
        real -= (1 - p[3]).log() / 5
        logits = model.head(code_of(model, fakes[i], LENGTHS[3 + i]))
        fake -= torch.cat([logits, logits.new_zeros(1)]).softmax(0)[3].log() / 5
    u = 2 * ramped(0.2, 0.4)
    expected = {"supervised": supervised(model, batch), "real": u * real, "fake": u * fake}
    assert_terms(FeatureMatchingGAN(weight=2), model, batch, expected)


def test_the_generator_matches_features_as_in_salimans_2016_section_3_1():
    model, batch = case(FeatureMatchingGAN, 3)
    fakes = made_generator_view(model, batch.unlabeled)
    real = sum(coded(model, batch, 3 + i) for i in range(5)) / 5
    fake = sum(code_of(model, fakes[i], LENGTHS[3 + i]) for i in range(5)) / 5
    got = FeatureMatchingGAN().opponent_terms(model, batch)
    torch.testing.assert_close(got["feature_matching"], (real - fake).square().sum())


def score_of(model, x, length):
    """Logit of one row of embedded steps, without padding."""
    return model.parts["score"](code_of(model, x, length))[0]


def test_the_recurrent_gan_is_esteban_2017_with_the_penalty_of_mescheder_2018_in_a_random_direction():
    model, batch = case(RecurrentGAN)
    fakes = made_generator_view(model, batch).detach()
    generator = torch.Generator().manual_seed(2)
    torch.rand(10, 8, 16, dtype=torch.float64, generator=generator)  # the generator's noise
    noise = torch.zeros(16, 9, 4, dtype=torch.float64).normal_(generator=generator)
    real = fake = steepness = 0.0
    for row, x in enumerate([*model.encoder.embed(batch.values), *fakes]):
        length = LENGTHS[row % 8]
        score, own = score_of(model, x, length), noise[row, :length]
        step = 0.05 * own / own.square().mean().sqrt()
        steepness += ((score_of(model, x[:length] + step, length) - score) / 0.05) ** 2 / 16
        if row < 8:
            real -= score.sigmoid().log() / 8
        else:
            fake -= (1 - score.sigmoid()).log() / 8
    expected = {"real": real, "fake": fake, "steepness": 3 * steepness}
    assert_terms(RecurrentGAN(penalty=3), model, batch, expected)


def test_the_steepness_is_the_squared_gradient_on_average():
    model, batch = case(RecurrentGAN)
    x = model.encoder.embed(batch.values[:1]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score_of(model, x[0], 9), x)
    directions = torch.randn(2000, 9, 4, generator=torch.Generator().manual_seed(0)).double()
    directions = directions / directions.square().mean((1, 2), keepdim=True).sqrt()
    with torch.no_grad():
        moved = model.parts["score"](model.encoder(x + 0.05 * directions, None))[:, 0]
        steepness = ((moved - score_of(model, x[0], 9)) / 0.05).square().mean()
    assert steepness.item() == pytest.approx(gradient.square().sum().item(), rel=0.15)


def test_the_generator_of_the_recurrent_gan_fools_and_matches():
    model, batch = case(RecurrentGAN)
    fakes = made_generator_view(model, batch)
    codes = torch.stack([code_of(model, fakes[i], LENGTHS[i]) for i in range(8)])
    real = sum(coded(model, batch, i) for i in range(8)) / 8
    got = RecurrentGAN(matching=3).opponent_terms(model, batch)
    torch.testing.assert_close(got["generated"], -model.parts["score"](codes).sigmoid().log().mean())
    torch.testing.assert_close(got["feature_matching"], 3 * (real - codes.mean(0)).square().mean())


@both
def test_the_adversarial_autoencoder_is_makhzani_2016_section_2(tokens):
    model, batch = case(AdversarialAutoencoder, tokens=tokens)
    discriminator = model.parts["discriminator"]
    codes = [model.parts["projection"](coded(model, batch, i)) for i in range(8)]
    error, fooled = 0.0, 0.0
    for i, code in enumerate(codes):
        rebuilt = model.parts["decoder"](code[None], int(LENGTHS[i]))[0]
        own = batch.values[i, : LENGTHS[i]]
        if tokens:
            error -= sum(step.log_softmax(0)[token] for step, token in zip(rebuilt, own, strict=True)) / LENGTHS[i] / 8
        else:
            error += (rebuilt - own).square().mean() / 8
        fooled -= discriminator(code[None])[0].sigmoid().log() / 8
    assert_terms(AdversarialAutoencoder(weight=2), model, batch, {"reconstruction": error, "prior": 2 * fooled})
    (drawn,) = draws((8, 16))
    got = AdversarialAutoencoder().opponent_terms(model, replace(batch, generator=torch.Generator().manual_seed(2)))
    torch.testing.assert_close(got["drawn"], -discriminator(drawn).sigmoid().log().mean())
    torch.testing.assert_close(got["coded"], -(1 - discriminator(torch.stack(codes)).sigmoid()).log().mean())
