"""Law 4 for the generative objectives: each against its paper's formula, written again in plain loops."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import LENGTHS, assert_terms, made_batch, made_model, ramped
from torch.distributions import Normal, kl_divergence

from sklearn_rnn.objectives import Variational
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
    return model.code(batch.values[i : i + 1, : LENGTHS[i]], None)[0]


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
    batch = replace(batch, values=batch.values[:1, : LENGTHS[0]], lengths=None, codes=batch.codes[:1])
    posterior = model.parts["posterior"](model.code(batch.values, None))[0].detach()
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
