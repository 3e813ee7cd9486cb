"""Law 4 for what is learned without labels: each loss against its paper's, sequence by sequence, with its gradient."""

from dataclasses import replace

import pytest
import torch
from objective_cases import LENGTHS, assert_terms, made_batch, made_model, scaled_at_random
from torch.nn.functional import log_softmax

from sklearn_rnn.objectives import Denoising, MaskedReconstruction, NextStep

kinds = pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
patches = pytest.mark.parametrize("patch_size", [1, 3])


def case(objective, tokens=False, patch_size=1, noise=False, **architecture):
    """Model and batch of doubles; views are scaled at random where there is noise."""
    model = made_model(type(objective), tokens, patch_size=patch_size, objective=objective, **architecture).double()
    model.augmentation = model.strong_augmentation = scaled_at_random
    batch = made_batch(type(objective), 0, tokens=tokens, noise=noise)
    return model, batch if tokens else replace(batch, values=batch.values.double())


def alone(batch, i):
    """Values of row `i` without padding."""
    return batch.values[i : i + 1, : LENGTHS[i]]


def inputs(model, embedded):
    """Inputs (K, H) of the recurrence, patch by patch, of embedded steps (1, L, E)."""
    p = model.encoder.architecture.patch_size
    made = []
    for first in range(0, embedded.shape[1], p):
        patch = torch.zeros(p, embedded.shape[2], dtype=embedded.dtype)
        some = embedded[0, first : first + p]
        patch = torch.cat([some, patch[len(some) :]])
        made.append(model.encoder.norm(model.encoder.patches(patch.flatten())))
    return torch.stack(made)


def step_error(model, batch, i, t, answer):
    """Error of an answer for step `t` of row `i`: values, or a vector that all tokens' weights are compared with."""
    if batch.values.dim() == 3:
        truth = (alone(batch, i)[0, t] - model.encoder.mean) / model.encoder.scale
        return sum((answer[f] - truth[f]) ** 2 for f in range(2)) / 2
    logits = model.parts["vocabulary"](answer)
    return -(logits[batch.values[i, t]] - logits.exp().sum().log())


def answer_for(model, head, state, t):
    """Return the part for step `t` of what a head says of its patch."""
    p = model.encoder.architecture.patch_size
    return model.parts[head](state).reshape(p, -1)[t % p]


@kinds
@patches
def test_next_step_is_dai_and_le_2015_in_both_directions_as_peters_2018(tokens, patch_size):
    objective = NextStep()
    model, batch = case(objective, tokens, patch_size)
    forwards, backwards = model.encoder.recurrence.forwards[0], model.encoder.recurrence.backwards[0]
    nothing = torch.zeros(8, dtype=torch.float64)
    total = 0.0
    for i, length in enumerate(LENGTHS.tolist()):
        embedded = model.encoder.embed(alone(batch, i))
        past = inputs(model, embedded)
        if not tokens:  # the first change of a patch is the value before
            embedded = embedded.clone()
            embedded[:, ::patch_size, 2:] = 0
        future = inputs(model, embedded)
        for t in range(length):
            k = t // patch_size
            before = forwards(past[None, :k])[0][0, -1] if k else nothing
            after = backwards(future[None, k + 1 :].flip(1))[0][0, -1] if k + 1 < len(future) else nothing
            for head, state in (("next", before), ("previous", after)):
                answer = answer_for(model, head, state, t)
                total = total + step_error(model, batch, i, t, answer) / length / 2 / len(LENGTHS)
    assert_terms(objective, model, batch, {"next_step": total})


@kinds
@patches
@pytest.mark.parametrize("num_layers", [1, 2])
def test_next_step_sees_no_answer(tokens, patch_size, num_layers):
    objective = NextStep()
    model, batch = case(objective, tokens, patch_size, num_layers=num_layers)
    batch = replace(batch, lengths=None)
    forwards, backwards = objective.predictions(model, batch)
    for t in range(9):
        first = t - t % patch_size  # what a patch holds is predicted together
        for later in (True, False):
            other = batch.values.clone()
            part = other[:, t:] if later else other[:, : t + 1]
            part.copy_((part + 1) % 6 if tokens else part + 1)
            again = objective.predictions(model, replace(batch, values=other))
            if later:
                assert torch.equal(again[0][:, : first + patch_size], forwards[:, : first + patch_size])
                assert first + patch_size >= 9 or not torch.equal(again[0], forwards)
            else:
                assert torch.equal(again[1][:, first:], backwards[:, first:])
                assert first == 0 or not torch.equal(again[1], backwards)


def test_next_step_in_one_direction_predicts_in_one():
    model = made_model(NextStep, bidirectional=False)
    assert set(model.parts) == {"next"}
    assert len(NextStep().predictions(model, made_batch(NextStep, 0))) == 1


def test_the_softmax_of_large_vocabularies_is_jean_2015():
    objective = NextStep(n_candidates=2)
    model, batch = case(objective, tokens=True, noise=True)
    drawn = [
        torch.randint(7, (2,), generator=generator).tolist()
        for generator in [torch.Generator().manual_seed(2)]
        for _ in range(2)
    ]
    batch = replace(batch, values=batch.values % 3)  # of six tokens
    total = 0.0
    quiet = replace(batch, generator=None)
    for some, predicted in zip(drawn, objective.predictions(model, quiet), strict=True):
        candidates = sorted({0, 1, 2, *some})
        for i, length in enumerate(LENGTHS.tolist()):
            for t in range(length):
                scores = model.parts["vocabulary"](predicted[i, t])[candidates]
                error = -log_softmax(scores, 0)[candidates.index(batch.values[i, t])]
                total = total + error / length / 2 / len(LENGTHS)
    assert_terms(objective, model, batch, {"next_step": total})


@pytest.mark.parametrize("cls", [NextStep, MaskedReconstruction])
def test_tied_vectors_are_the_weights_of_the_softmax(cls):
    model, batch = case(cls(tied=True), tokens=True)
    assert "vocabulary" not in model.parts
    tied = cls(tied=True).errors(model, batch)
    model.parts["vocabulary"] = torch.nn.Linear(8, 7).double()
    with torch.no_grad():
        model.parts["vocabulary"].bias.zero_()
        model.parts["vocabulary"].weight.copy_(model.encoder.embedding.weight)
    torch.testing.assert_close(tied, cls().errors(model, batch))


@pytest.mark.parametrize("cls", [NextStep, MaskedReconstruction])
def test_many_tokens_in_parts_are_the_same_as_at_once(cls, monkeypatch):
    model, batch = case(cls(), tokens=True)
    expected = cls().terms(model, batch)
    monkeypatch.setattr("sklearn_rnn.objectives._prediction.LOGITS", 40)
    assert_terms(cls(), model, batch, expected)


@kinds
@patches
def test_masked_reconstruction_without_noise_hides_each_step_once(tokens, patch_size):
    objective, span = MaskedReconstruction(share=0.3, span=2), 2 * patch_size
    model, batch = case(objective, tokens, patch_size)
    total = 0.0
    for i, length in enumerate(LENGTHS.tolist()):
        for phase in range(3):
            embedded = model.encoder.embed(alone(batch, i)).clone()
            hidden = [t for t in range(length) if t // span % 3 == phase]
            for t in hidden:
                embedded[:, t] = 0
                if not tokens and t + 1 < length:
                    embedded[:, t + 1, 2:] = 0
            states = model.encoder.recurrence(inputs(model, embedded)[None], None)[0]
            for t in hidden:
                answer = answer_for(model, "fill", states[t // patch_size], t)
                total = total + step_error(model, batch, i, t, answer) / length / len(LENGTHS)
    assert_terms(objective, model, batch, {"masked_reconstruction": total})


@patches
@pytest.mark.parametrize("span", [1, 3])
def test_masked_reconstruction_draws_whole_patches_of_its_share(patch_size, span):
    own = torch.arange(120) < torch.tensor([120, 7, 60, 1] * 250)[:, None]
    batch = replace(made_batch(MaskedReconstruction, 0), generator=torch.Generator().manual_seed(0))
    hidden = MaskedReconstruction(share=0.4, span=span)._drawn(own, patch_size, batch)
    whole = hidden[:, ::patch_size].repeat_interleave(patch_size, 1)[:, :120]
    assert torch.equal(hidden, whole & own)
    assert hidden.any(1).all()
    assert hidden[::4].float().mean() == pytest.approx(0.4, abs=0.02)


@kinds
def test_what_is_hidden_is_not_seen(tokens):
    objective = MaskedReconstruction()
    model, batch = case(objective, tokens, patch_size=3)
    hidden = torch.zeros(8, 9, dtype=torch.bool)
    hidden[:, 3:6] = True
    other = batch.values.clone()
    other[:, 3:6] = (other[:, 3:6] + 1) % 6 if tokens else other[:, 3:6] + 1
    one, same = (objective.filled(model, b, hidden) for b in (batch, replace(batch, values=other)))
    assert torch.equal(one, same)
    assert not torch.equal(one, objective.filled(model, batch, ~hidden))


def test_denoising_is_vincent_2008_the_clean_sequence_from_a_strong_view():
    model, batch = case(Denoising(), noise=True)
    model.augmentation = None
    factor = 0.5 + torch.rand((), generator=torch.Generator().manual_seed(2))
    total = 0.0
    for i, length in enumerate(LENGTHS.tolist()):
        values = alone(batch, i)
        code = model.encoder(factor * model.encoder.embed(values), None)
        rebuilt = model.parts["decoder"](code, length)[0]
        total = total + sum(
            (rebuilt[t, f] - values[0, t, f]) ** 2 for t in range(length) for f in range(2)
        ) / length / 2 / len(LENGTHS)  # fmt: skip
    assert_terms(Denoising(), model, batch, {"denoising": total})
