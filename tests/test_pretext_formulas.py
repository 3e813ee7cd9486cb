"""Law 4 for what is learned without labels: each loss against its paper's, sequence by sequence, with its gradient."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import LENGTHS, TINY, assert_terms, made_batch, made_model, scaled_at_random
from torch.nn.functional import log_softmax

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.objectives import Composite, Contrastive, Denoising, MaskedReconstruction, NextStep, Reconstruction
from sklearn_rnn.objectives._contrastive import cropped
from sklearn_rnn.perturbations import TimeShift

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


def inputs(model, embedded, beyond=True):
    """Inputs (K, H) of the recurrence, patch by patch, of embedded steps (1, L, E), kernels silent or not."""
    p, kernels = model.encoder.architecture.patch_size, getattr(model.encoder.input, "kernels", None)
    made = []
    for first in range(0, embedded.shape[1], p):
        patch = torch.zeros(p, embedded.shape[2], dtype=embedded.dtype)
        some = embedded[0, first : first + p]
        patch = torch.cat([some, patch[len(some) :]]).flatten()
        if kernels is not None:
            patch = torch.cat([patch, kernels(embedded, None)[0, first // p] * beyond])
        made.append(model.encoder.norm(model.encoder.patches(patch)))
    return torch.stack(made)


def step_error(model, batch, i, t, answer):
    """Error of an answer for step `t` of row `i`: values, or a vector that all tokens' weights are compared with."""
    if batch.values.dim() == 3:
        truth = (alone(batch, i)[0, t] - model.encoder.input.mean) / model.encoder.input.scale
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
        past = inputs(model, embedded, beyond=False)
        if not tokens:  # the first change of a patch is the value before
            embedded = embedded.clone()
            embedded[:, ::patch_size, 2:] = 0
        future = inputs(model, embedded, beyond=False)
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
@pytest.mark.parametrize(("num_layers", "second_changes"), [(1, False), (2, False), (1, True)])
def test_next_step_sees_no_answer(tokens, patch_size, num_layers, second_changes):
    objective = NextStep()
    model, batch = case(objective, tokens, patch_size, num_layers=num_layers, second_changes=second_changes)
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
    model, batch = case(cls(tied=True), tokens=True, embedding_size=5)
    assert "vocabulary" not in model.parts
    tied = cls(tied=True).errors(model, batch)
    model.parts["vocabulary"] = torch.nn.Linear(5, 7).double()
    with torch.no_grad():
        model.parts["vocabulary"].bias.zero_()
        model.parts["vocabulary"].weight.copy_(model.encoder.input.embedding.weight)
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
@pytest.mark.parametrize("second_changes", [False, True])
def test_what_is_hidden_is_not_seen(tokens, second_changes):
    objective = MaskedReconstruction()
    model, batch = case(objective, tokens, patch_size=3, second_changes=second_changes)
    hidden = torch.zeros(8, 9, dtype=torch.bool)
    hidden[:, 3:6] = True
    other = batch.values.clone()
    other[:, 3:6] = (other[:, 3:6] + 1) % 6 if tokens else other[:, 3:6] + 1
    one, same = (objective.filled(model, b, hidden) for b in (batch, replace(batch, values=other)))
    assert torch.equal(one, same)
    assert not torch.equal(one, objective.filled(model, batch, ~hidden))


ERRORS = {
    "squared": lambda e: e**2,
    "absolute": abs,
    "huber": lambda e: e**2 / 2 if abs(e) < 1 else abs(e) - 0.5,
}


def rebuilding_error(batch, i, t, answer, loss="squared"):
    """Error of a decoder's answer for step `t` of row `i`: values, which are standard here, or logits."""
    if batch.values.dim() == 2:
        return -log_softmax(answer, 0)[batch.values[i, t]]
    return sum(ERRORS[loss](answer[f] - batch.values[i, t, f]) for f in range(2)) / 2


def written(decoder, code, known=None, own=None):
    """Decode one sequence (1, C) patch by patch, from the true patches before (K, p, ...) but for its `own`."""
    n_patches, patch_size = len(own), decoder.patch_size
    state, answers = torch.tanh(decoder.start(code))[None], []
    for k in range(n_patches):
        before = torch.zeros(1, 1, decoder.n_inputs, dtype=code.dtype)
        if k and decoder.reads:
            last = answers[-1].detach() if own[k - 1] else known[k - 1]
            if decoder.embedding is not None:
                last = decoder.embedding(last.argmax(1) if own[k - 1] else last)
            before = last.reshape(1, 1, -1)
        states, state = decoder.recurrence(before, state)
        answers.append(decoder.output(states[0, 0]).reshape(patch_size, -1))
    return torch.cat(answers)


@kinds
@patches
@pytest.mark.parametrize("loss", list(ERRORS))
@pytest.mark.parametrize("reverse", [False, True])
def test_reconstruction_is_srivastava_2015(tokens, patch_size, loss, reverse):
    objective = Reconstruction(loss=loss, reverse=reverse)
    model, batch = case(objective, tokens, patch_size)
    total = 0.0
    for i, length in enumerate(LENGTHS.tolist()):
        rebuilt = model.parts["decoder"](model.embed_sequences(alone(batch, i), None), length)[0]
        for t in range(length):
            answer = rebuilt[length - 1 - t if reverse else t]
            total = total + rebuilding_error(batch, i, t, answer, loss) / length / len(LENGTHS)
    assert_terms(objective, model, batch, {"reconstruction": total})


@kinds
@patches
@pytest.mark.parametrize("noise", [False, True], ids=["scored", "trained"])
@pytest.mark.parametrize(("feed", "own_share"), [("nothing", 0), ("steps", 0), ("steps", 0.5), ("steps", 1)])
def test_a_decoder_that_reads_steps_is_sutskever_2014_with_the_sampling_of_bengio_2015(
    tokens, patch_size, noise, feed, own_share
):
    objective = Reconstruction(feed=feed, own_share=own_share)
    model, batch = case(objective, tokens, patch_size, noise)
    model.augmentation = None
    batch = replace(batch, progress=0.8)
    n_patches = 9 // patch_size
    own = torch.ones(8, n_patches, dtype=torch.bool)
    if noise:
        own = torch.rand(8, n_patches, generator=torch.Generator().manual_seed(2)) < own_share * 0.8
        assert own_share == 0 or 0 < own.float().mean() < 1
    total = 0.0
    for i, length in enumerate(LENGTHS.tolist()):
        known = batch.values[i].reshape(n_patches, patch_size, *batch.values.shape[2:])
        rebuilt = written(model.parts["decoder"], model.embed_sequences(alone(batch, i), None), known, own[i])
        for t in range(length):
            total = total + rebuilding_error(batch, i, t, rebuilt[t]) / length / len(LENGTHS)
    assert_terms(objective, model, batch, {"reconstruction": total})


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru", "rnn"])
@pytest.mark.parametrize("feed", ["code", "steps", "nothing"])
def test_what_is_rebuilt_backwards_is_returned_forwards(feed, cell):
    X = [np.random.default_rng(0).normal(size=n) for n in (12, 9, 12, 7)]
    autoencoder = RNNAutoencoderTransformer(Reconstruction(reverse=True, feed=feed), cell=cell, **TINY).fit(X)
    model = autoencoder.net_.module_
    codes = torch.from_numpy(autoencoder.transform(X))
    rebuilt = autoencoder.objective_.decode(model, codes, 12) * model.encoder.input.scale + model.encoder.input.mean
    for x, again, steps in zip(X, autoencoder.reconstruct(X), rebuilt, strict=True):
        np.testing.assert_allclose(again[:, 0], steps[: len(x)].flip(0)[:, 0].detach(), rtol=1e-5)


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


@kinds
@patches
@pytest.mark.parametrize(("past", "loss"), [(0.5, "squared"), (0.7, "absolute")])
def test_composite_is_srivastava_2015_cut_within_each_length(tokens, patch_size, past, loss):
    objective = Composite(past=past, loss=loss)
    model, batch = case(objective, tokens, patch_size)
    total = {"past": 0.0, "future": 0.0}
    for i, length in enumerate(LENGTHS.tolist()):
        cut = max(1, math.ceil(past * length))
        code = model.embed_sequences(batch.values[i : i + 1, :cut], None)
        answers = {"past": model.parts["decoder"](code, cut)[0]}
        if cut < length:
            answers["future"] = model.parts["future"](code, length - cut)[0]
        for name, steps in answers.items():
            for t, answer in enumerate(steps, 0 if name == "past" else cut):
                total[name] = total[name] + rebuilding_error(batch, i, t, answer, loss) / length / len(LENGTHS)
    assert_terms(objective, model, batch, total)


@kinds
def test_composite_predicts_what_it_has_not_seen(tokens):
    model, batch = case(Composite(), tokens, noise=True)
    model.augmentation = TimeShift(0.5)
    codes = []
    model.parts["future"].register_forward_pre_hook(lambda _, arguments: codes.append(arguments[0]))
    for change in (0, 1):
        values = batch.values.clone()
        values[:, 5:] = (values[:, 5:] + change) % 6
        generator = torch.Generator().manual_seed(0)
        Composite().terms(model, replace(batch, values=values, lengths=None, generator=generator))
    assert torch.equal(*codes)


def cosine(a, b):
    return a @ b / a.norm() / b.norm()


def found(views, temperature):
    """Cross-entropy of finding the other view's vector among all; `views` are two lists of vectors."""
    both = [*views[0], *views[1]]
    m, total = len(views[0]), 0.0
    for i, z in enumerate(both):
        likeness = {j: (cosine(z, other) / temperature).exp() for j, other in enumerate(both) if j != i}
        total = total - (likeness[(i + m) % (2 * m)] / sum(likeness.values())).log() / (2 * m)
    return total


def windows(objective, batch, patch_size):
    """First patches and numbers of steps of what the batch's generator cuts."""
    generator, drawn = torch.Generator().manual_seed(2), []
    for _ in range(2):
        first, window = cropped(replace(batch, generator=generator), objective.crop, patch_size)
        drawn.append((first.tolist(), window.lengths.tolist() if objective.crop else LENGTHS.tolist()))
        torch.rand((), generator=generator)  # the factor of the view
    return drawn


@kinds
@patches
@pytest.mark.parametrize("crop", [0, 0.7])
@pytest.mark.parametrize("temporal", [0, 0.3, 1])
def test_contrastive_is_chen_2020_and_for_steps_yue_2022(tokens, patch_size, crop, temporal):
    objective = Contrastive(temperature=0.5, crop=crop, temporal=temporal)
    model, batch = case(objective, tokens, patch_size, noise=True)
    generator, factors = torch.Generator().manual_seed(2), []
    for _ in range(2):
        if crop:
            torch.rand(2, 8, generator=generator)
        factors.append(0.5 + torch.rand((), generator=generator))
    codes, states = [[], []], [[], []]
    for view, (firsts, lengths) in enumerate(windows(objective, batch, patch_size)):
        for i, (first, length) in enumerate(zip(firsts, lengths, strict=True)):
            start = first * patch_size
            assert start + length <= LENGTHS[i]
            x = factors[view] * model.encoder.embed(batch.values[i : i + 1, start : start + length])
            codes[view].append(model.encoder(x, None)[0])
            own = model.encoder.recurrence(inputs(model, x)[None], None)[0]
            states[view].append(dict(enumerate(own, first)))
    expected = {}
    if temporal < 1:
        z = [[model.parts["projection"](code) for code in some] for some in codes]
        expected["instance"] = (1 - temporal) * found(z, 0.5)
    if temporal > 0:
        losses = []
        for one, other in zip(*states, strict=True):
            shared = sorted(one.keys() & other.keys())
            if shared:
                z = [[model.parts["temporal_projection"](view[k]) for k in shared] for view in (one, other)]
                losses.append(found(z, 0.5))
        expected["temporal"] = temporal * sum(losses) / len(losses)
        assert len(losses) > 4
    assert_terms(objective, model, batch, expected)


@patches
def test_windows_are_whole_patches_of_each_sequence_and_up_to_the_share_is_cut(patch_size):
    batch = replace(made_batch(Contrastive, 0), generator=torch.Generator().manual_seed(0))
    cuts = []
    for _ in range(300):
        first, window = cropped(batch, 0.5, patch_size)
        for i in range(8):
            start, end = first[i] * patch_size, first[i] * patch_size + window.lengths[i]
            assert torch.equal(window.values[i, : window.lengths[i]], batch.values[i, start:end])
            assert end == LENGTHS[i] or end % patch_size == 0
        cuts.append(LENGTHS - window.lengths)
    cuts = torch.stack(cuts)  # (300, 8)
    assert (cuts.amax(0) <= (LENGTHS + patch_size - 1) // 2).all()
    assert cuts[:, 2].amin() == 0
    assert cuts[:, 2].amax() >= 3
