"""Padding changes nothing, whatever the architecture; the recurrence is torch's own."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
from objective_cases import classes
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.modules import CELLS, POOLINGS, Architecture, Decoder, Encoder, Model, RecurrentStack, initialise
from sklearn_rnn.modules._kernels import RandomKernels
from sklearn_rnn.perturbations import Light
from sklearn_rnn.tasks import Representation

LENGTHS = torch.tensor([5, 1, 9, 3, 8])
OWN = torch.arange(9) < LENGTHS[:, None]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def made_encoder(
    cell="gru", pooling="mean_max", bidirectional=True, patch_size=1, n_tokens=0, num_layers=2, n_features=1, **others
):
    """Encoder of sequences of one feature: with its changes, two embedded ones."""
    sizes = (6, num_layers, bidirectional, 0.3, pooling, patch_size)
    encoder = Encoder(Architecture(n_features, n_tokens, cell, *sizes, **{"n_kernels": 5} | others))
    initialise(encoder, seeded())
    return encoder.requires_grad_(False)


@pytest.mark.parametrize(("bidirectional", "patch_size"), [(False, 4), (True, 1), (True, 3)])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_has_the_same_code_alone_in_a_batch_and_beside_a_longer_one(
    cell, pooling, bidirectional, patch_size
):
    encoder = made_encoder(cell, pooling, bidirectional, patch_size)
    x = torch.randn(5, 9, 2, generator=seeded(1))  # what follows a sequence is not zero
    batch = encoder(x, LENGTHS)
    longer = encoder(torch.cat([x, torch.full((5, 8, 2), 7.0)], dim=1), LENGTHS)
    neighbour = torch.cat([longer.new_ones(1, 17, 2), nn.functional.pad(x, (0, 0, 0, 8))])
    beside = encoder(neighbour, torch.cat([torch.tensor([17]), LENGTHS]))[1:]
    alone = torch.cat([encoder(row[None, :n], None) for row, n in zip(x, LENGTHS, strict=True)])
    assert batch.shape == (5, encoder.out_features)
    for other in (longer, beside, alone):
        torch.testing.assert_close(batch, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("patch_size", [1, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_of_token_ids_changes_no_code(pooling, patch_size):
    encoder = made_encoder(pooling=pooling, n_tokens=4, patch_size=patch_size)
    ids = torch.randint(4, (5, 9), generator=seeded(1))
    batch = encoder(encoder.embed(ids), LENGTHS)
    for row, n, code in zip(ids, LENGTHS, batch, strict=True):
        torch.testing.assert_close(encoder(encoder.embed(row[None, :n]), None)[0], code, rtol=0, atol=1e-5)


@pytest.mark.parametrize("patch_size", [1, 3])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_no_gradient(pooling, patch_size):
    gradients = []
    for extra in (0, 8):
        encoder = made_encoder(pooling=pooling, patch_size=patch_size).requires_grad_(True)
        x = nn.functional.pad(torch.randn(5, 9, 2, generator=seeded(1)), (0, 0, 0, extra), value=7.0)
        encoder(x, LENGTHS).square().sum().backward()
        gradients.append([w.grad for w in encoder.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_both_directions_of_a_cell_that_torch_does_not_have_read_each_sequence_alone():
    stack = RecurrentStack("mingru", 3, 4, 2, True, 0.0)
    initialise(stack, seeded())
    x = torch.randn(5, 9, 3, generator=seeded(1))
    got = stack(x, LENGTHS)
    for row, values, own in zip(got, x, LENGTHS, strict=True):
        states = values[None, :own]
        for there, back in zip(stack.forwards, stack.backwards, strict=True):
            states = torch.cat([there(states)[0], back(states.flip(1))[0].flip(1)], 2)
        torch.testing.assert_close(row[:own], states[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_both_directions_equal_torch_on_a_packed_sequence(cell, num_layers):
    stack = RecurrentStack(cell, 3, 4, num_layers, True, 0.0)
    initialise(stack, seeded())
    reference = CELLS[cell](3, 4, num_layers, batch_first=True, bidirectional=True)
    for i in range(num_layers):
        for layer, suffix in ((stack.forwards[i], ""), (stack.backwards[i], "_reverse")):
            for name, weight in layer.named_parameters():
                reference.get_parameter(name.replace("_l0", f"_l{i}") + suffix).data.copy_(weight)
    x = torch.randn(5, 9, 3, generator=seeded(1))
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(reference(packed)[0], batch_first=True)[0]
    got = stack(x, LENGTHS)
    torch.testing.assert_close(got[OWN], expected[OWN], rtol=0, atol=1e-6)


@pytest.mark.parametrize("patch_size", [1, 3])
@pytest.mark.parametrize("n_steps", [1, 2, 3, 7])
def test_a_decoder_makes_as_many_steps_as_asked(n_steps, patch_size):
    architecture = Architecture(2, 0, "lstm", 6, 1, True, 0.0, "mean", patch_size)
    decoder = Decoder(Encoder(architecture), 5)
    initialise(decoder, seeded())
    code = torch.randn(4, 5, generator=seeded(1))
    steps = decoder(code, n_steps)
    assert steps.shape == (4, n_steps, 2)
    torch.testing.assert_close(steps, decoder(code, 12)[:, :n_steps])


STARTS = {1: [0], 2: [0, 1], 3: [0, 1, 2], 7: [0, 2, 4], 12: [0, 4, 8]}


@pytest.mark.parametrize("patch_size", STARTS)
@torch.no_grad()
def test_what_is_classified_is_the_mean_over_the_steps_at_which_patches_begin(patch_size):
    starts = STARTS[patch_size]
    model = Model(made_encoder(patch_size=patch_size), task=classes())
    initialise(model.head, seeded(2))
    whole = torch.randn(5, 9, 1, generator=seeded(1)).cumsum(1)
    code, probabilities = model.embed_sequences(whole, LENGTHS), model(whole, LENGTHS)
    for row, values, own in zip(range(5), whole, LENGTHS, strict=True):
        x = values[:own]
        codes = [model.encoder(model.encoder.embed(torch.cat([x[:1]] * s + [x])[None]), None)[0] for s in starts]
        assert code[row] == pytest.approx(torch.stack(codes).mean(0), abs=1e-6)
        assert probabilities[row] == pytest.approx(model.head(code[row]).softmax(0), abs=1e-6)
        if own > 1:
            assert (len(starts) == 1) == (codes[0] == pytest.approx(code[row], abs=1e-6))


def test_what_is_rebuilt_is_of_patches_that_begin_at_the_first_step():
    model = Model(made_encoder(patch_size=3), task=Representation())
    whole = torch.randn(5, 9, 1, generator=seeded(1))
    assert torch.equal(model.embed_sequences(whole, LENGTHS), model.encoder(model.encoder.embed(whole), LENGTHS))


def test_a_decoder_of_tokens_makes_a_logit_for_each_and_for_the_unknown():
    decoder = Decoder(Encoder(Architecture(1, 6, "gru", 4, 1, False, 0.0, "mean", 1)), 5)
    initialise(decoder, seeded())
    assert decoder(torch.zeros(2, 5), 3).shape == (2, 3, 7)


def test_dropout_acts_only_with_a_generator():
    encoder = made_encoder()
    x = torch.randn(5, 9, 2, generator=seeded(1))
    assert torch.equal(encoder(x, LENGTHS), encoder(x, LENGTHS))
    assert torch.equal(encoder(x, LENGTHS, seeded(2)), encoder(x, LENGTHS, seeded(2)))
    assert not torch.equal(encoder(x, LENGTHS, seeded(2)), encoder(x, LENGTHS))


@pytest.mark.parametrize("n_tokens", [0, 5])
def test_making_and_initialising_touch_no_global_random_state(n_tokens):
    before = torch.get_rng_state()
    made_encoder(pooling="attention", n_tokens=n_tokens)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("patch_size", [1, 2, 4])
def test_random_kernels_are_rectified_convolutions_averaged_over_patches(patch_size):
    kernels = RandomKernels(2, 5, patch_size, 24 * patch_size)
    initialise(kernels, seeded())
    x = torch.randn(5, 9, 2, generator=seeded(1)) * OWN[:, :, None]
    seen = kernels(x, LENGTHS)
    for row, n, got in zip(x, LENGTHS, seen, strict=True):
        responses = []
        for layer in kernels.convolutions:
            for weight, bias in zip(*layer.parameters(), strict=True):
                answer = torch.zeros(int(n))
                for t, k in itertools.product(range(n), range(9)):
                    step = t + (k - 4) * layer.dilation[0]
                    answer[t] += weight[:, k] @ row[step] if 0 <= step < n else 0
                responses.append((answer + bias).clamp(min=0))
        for i, patch in enumerate(torch.stack(responses).split(patch_size, dim=1)):
            means, largest = patch.mean(1), patch.amax(1)
            features = means
            if patch_size == 4:  # dilation after dilation
                counts = [layer.out_channels for layer in kernels.convolutions]
                pairs = zip(means.split(counts), (largest - means).split(counts), strict=True)
                features = torch.cat([part for pair in pairs for part in pair])
            expected = 0.25 * (features - features.mean()) / (features.var(correction=0) + 1e-5).sqrt()
            torch.testing.assert_close(got[i], expected)


def test_kernels_reach_over_no_more_steps_than_asked_and_share_out_what_there_is():
    def dilated(n_kernels, n_steps):
        layers = RandomKernels(3, n_kernels, 1, n_steps).convolutions
        return {layer.dilation[0]: layer.out_channels for layer in layers}

    assert dilated(10, 65) == {1: 3, 2: 3, 4: 2, 8: 2}
    assert dilated(10, 64) == {1: 4, 2: 3, 4: 3}
    assert dilated(10, 2) == {1: 10}
    assert dilated(2, 65) == {1: 1, 2: 1}


def test_scaled_kernels_answer_with_mean_0_and_deviation_1_beside_their_bias():
    encoder = made_encoder(n_features=2)
    layer, biases = encoder.input.kernels.convolutions[0], encoder.input.kernels.convolutions[0].bias.clone()
    values = 100 + 30 * torch.randn(200, 9, 2, generator=seeded(1)).cumsum(1)
    lengths = LENGTHS.repeat(40)
    encoder.input.scale_kernels(values, lengths)
    own = OWN.repeat(40, 1)
    answers = layer((encoder.embed(values) * own[:, :, None]).transpose(1, 2)).transpose(1, 2)[own]
    torch.testing.assert_close(answers.mean(0), biases, rtol=0, atol=1e-4)
    torch.testing.assert_close(answers.std(0), torch.ones_like(biases), rtol=0, atol=1e-3)


def test_kernels_that_would_answer_noise_more_than_the_data_are_turned_off():
    smooth = torch.sin(torch.linspace(0, 6, 500) + torch.arange(6.0)[:, None])[:, :, None]
    for values, n_on in ((torch.zeros(5, 9, 1), 0), (smooth, 0), (torch.randn(50, 9, 1, generator=seeded(1)), 5)):
        encoder = made_encoder()
        encoder.input.scale_kernels(values, None)
        weights = torch.cat([layer.weight.flatten(1) for layer in encoder.input.kernels.convolutions])
        assert weights.any(1).sum() == n_on
        assert torch.isfinite(weights).all()


def test_kernels_that_answer_mostly_to_the_noise_of_the_data_are_turned_off():
    walk = torch.randn(50, 99, 1, generator=seeded(1)).cumsum(1)
    n_on = []
    for noise in (0.0, 1.0, 3.0):  # of both inputs of a kernel, the changes have more of it than the values
        encoder = made_encoder(n_kernels=40)
        values = walk + noise * torch.randn(50, 99, 1, generator=seeded(2))
        encoder.input.scale_kernels(values, None, torch.tensor([noise]))
        n_on.append([int(k.weight.flatten(1).any(1).sum()) for k in encoder.input.kernels.convolutions])
    short, long = zip(*n_on, strict=True)
    assert short[0] == long[0] == 20
    assert 20 > long[1] > short[1] > 0
    assert long[2] < 3
    assert short[2] == 0


@pytest.mark.parametrize("split", [1, 90, 1 << 23])
def test_kernels_see_the_same_in_parts(split, monkeypatch):
    monkeypatch.setattr("sklearn_rnn.modules._kernels.CHUNK", split)
    encoder = made_encoder()
    x = torch.randn(5, 9, 2, generator=seeded(1)) * OWN[:, :, None]
    parts = torch.cat([encoder.input.kernels(x[i : i + 1], LENGTHS[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(encoder.input.kernels(x, LENGTHS), parts, rtol=0, atol=1e-5)
    torch.testing.assert_close(encoder.input.kernels(x, None)[2], parts[2], rtol=0, atol=1e-5)


def test_masked_kernels_have_zero_features_and_then_no_patch_depends_on_later_steps():
    encoder = made_encoder(patch_size=3)
    x = torch.randn(50, 9, 2, generator=seeded(1))
    lengths, none = LENGTHS.repeat(10), torch.zeros(50, dtype=torch.bool)
    kernel_mask = torch.arange(50) % 3 == 0
    whole, silent, mixed = (encoder.patched(x, lengths, mask)[0] for mask in (None, none, kernel_mask))
    torch.testing.assert_close(mixed, torch.where(kernel_mask[:, None, None], whole, silent), rtol=0, atol=1e-6)
    later = x.clone()
    later[:, 3:] += 1
    assert torch.equal(encoder.patched(later, None, none)[0][:, 0], encoder.patched(x, None, none)[0][:, 0])
    assert not torch.equal(encoder.patched(later, None)[0][:, 0], encoder.patched(x, None)[0][:, 0])


def test_labeled_sequences_alone_do_without_the_kernels_in_training_and_only_a_share_of_them():
    encoder = made_encoder()
    encoder.set_dropout(0.0)
    model = Model(encoder, task=classes())
    initialise(model, seeded(0))
    model.kernel_dropout = 0.5
    x = torch.randn(100, 9, 2, generator=seeded(1))
    whole = model.train_outputs(x, None)
    changed = (model.train_outputs(x, None, seeded(2), n_labeled=60) != whole).any(1)
    assert 15 < changed[:60].sum() < 45
    assert not changed[60:].any()
    assert torch.equal(model.train_outputs(x, None, seeded(2)), whole)
    assert torch.equal(model.train_outputs(x, None, n_labeled=60), whole)


def test_standardising_brings_features_to_mean_0_and_deviation_1_their_changes_to_size_1_and_constants_to_0():
    encoder = made_encoder(n_features=2)
    values = torch.randn(500, 9, 2, generator=seeded(1)) * torch.tensor([3.0, 0.0]) + 5
    encoder.input.standardise(values.mean((0, 1)), values.std((0, 1)), values.diff(dim=1).square().mean((0, 1)).sqrt())
    embedded = encoder.embed(values)
    torch.testing.assert_close(embedded[:, :, :2].mean((0, 1)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(embedded[:, :, :2].std((0, 1)), torch.tensor([1.0, 0.0]), atol=1e-4, rtol=0)
    size = embedded[:, 1:, 2:].square().mean((0, 1)).sqrt()
    torch.testing.assert_close(size, torch.tensor([1.0, 0.0]), atol=1e-4, rtol=0)
    steps = embedded[:, :, 2] * encoder.input.change[0] * encoder.input.scale[0]
    torch.testing.assert_close(values[:, :1, 0] + steps.cumsum(1), values[:, :, 0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("n_steps", [1, 2, 3, 9])
def test_second_changes_are_the_changes_of_the_changes_at_size_1(n_steps):
    encoder = made_encoder(n_features=2, second_changes=True)
    values = torch.randn(500, n_steps, 2, generator=seeded(1)) * torch.tensor([3.0, 0.0]) + 5
    first, second = (values.diff(n=n, dim=1).square().mean((0, 1)).sqrt().nan_to_num() for n in (1, 2))
    encoder.input.standardise(values.mean((0, 1)), values.std((0, 1)), first, second_change=second)
    embedded = encoder.embed(values)[:, :, 4:]
    assert embedded.shape == (500, n_steps, 2)
    assert not embedded[:, :2].any()
    assert not embedded[:, :, 1].any()
    if n_steps > 2:
        torch.testing.assert_close(embedded[:, 2:, 0], values[:, :, 0].diff(n=2, dim=1) / second[0])


@pytest.mark.parametrize(("noise", "smooth"), [(0.0, True), (0.3, False)])
def test_only_classifiers_of_smooth_sequences_read_second_changes(noise, smooth):
    random = np.random.default_rng(0)
    phase, y = random.uniform(0, 6, (40, 1)), np.arange(40) % 2
    waves = np.sin(np.arange(60) / 5 + phase) + noise * random.normal(size=(40, 60))
    fit = {"hidden_size": 4, "max_epochs": 1, "random_state": 0}
    for X in (waves, [wave[: 40 + i % 9] for i, wave in enumerate(waves)]):
        layer = SemiSupervisedRNNClassifier("supervised", **fit).fit(X, y).net_.module_.encoder.input
        assert (layer.second_change is not None) == smooth
        if smooth:
            steps = torch.from_numpy(np.stack([x[:40] for x in X])).float()[:, :, None]
            assert layer.embed(steps)[:, 2:, 2].square().mean().sqrt() == pytest.approx(1, abs=0.1)
    autoencoder = RNNAutoencoderTransformer(**fit).fit(waves)
    assert autoencoder.net_.module_.encoder.input.second_change is None


def test_decoded_numbers_are_the_values_whose_standardised_steps_these_are():
    layer = made_encoder(n_features=2).input
    layer.standardise(torch.tensor([5.0, -1.0]), torch.tensor([3.0, 0.5]), torch.ones(2))
    steps = torch.randn(5, 9, 2, generator=seeded(1))
    for values in (layer.to_values(steps), layer.decoded(steps)):
        torch.testing.assert_close(layer.target(values), steps, atol=1e-5, rtol=0)
    origin = torch.tensor([1e9 + 1, 0.5], dtype=torch.float64)
    layer.standardise(torch.zeros(2), torch.ones(2), torch.ones(2), origin=origin)
    assert torch.equal(layer.decoded(steps), steps.double() + origin)


def test_tokens_made_of_logits_are_the_largest_with_the_gradient_of_the_softmax_and_never_decoded_as_unknown():
    layer = made_encoder(n_tokens=4).input
    logits = torch.randn(5, 9, 5, generator=seeded(1), requires_grad=True)
    ones, weights = layer.to_values(logits), torch.randn(5, 9, 5, generator=seeded(2))
    ids = logits.argmax(2)
    torch.testing.assert_close(layer.embed(ones), layer.embed(ids), atol=1e-5, rtol=0)
    gradients = [torch.autograd.grad((x * weights).sum(), logits)[0] for x in (ones, logits.softmax(2))]
    torch.testing.assert_close(*gradients)
    known = ids < 4
    assert 0 < known.sum() < 45
    assert torch.equal(layer.decoded(logits)[known], ids[known])
    assert layer.decoded(logits).max() < 4


LIGHTS = {
    "all": Light(),
    "strong": Light(shift=0.5, scale=0.5, jitter=1),
    **{
        name: Light(**{**dict.fromkeys(("shift", "scale", "jitter"), 0), name: 0.5})
        for name in ("shift", "scale", "jitter")
    },
}


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_light_keeps_padding_zero_and_does_not_see_what_is_in_it(light):
    x = torch.randn(5, 9, 2, generator=seeded(1)) * OWN[:, :, None]
    changed = light(x, LENGTHS, seeded(2))
    dirty = light(x + 50.0 * ~OWN[:, :, None], LENGTHS, seeded(2))
    assert (changed[~OWN] == 0).all()
    assert not torch.equal(changed, x)
    torch.testing.assert_close(changed, dirty, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["shift", "scale"])  # noise is drawn for padding too
def test_light_does_not_depend_on_the_length_of_padding(name):
    x = torch.randn(5, 9, 2, generator=seeded(1)) * OWN[:, :, None]
    changed = LIGHTS[name](x, LENGTHS, seeded(2))
    longer = LIGHTS[name](nn.functional.pad(x, (0, 0, 0, 8)), LENGTHS, seeded(2))
    torch.testing.assert_close(changed, longer[:, :9], rtol=0, atol=1e-6)
    assert (longer[:, 9:] == 0).all()


def test_light_without_strength_changes_nothing():
    x = torch.randn(5, 9, 2, generator=seeded(1))
    assert torch.equal(Light(0, 0, 0)(x, None, seeded(2)), x)


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_light_takes_lengths_or_none_alike_and_draws_from_the_generator_alone(light):
    x = torch.randn(5, 9, 2, generator=seeded(1))
    before = torch.get_rng_state()
    torch.testing.assert_close(light(x, None, seeded(2)), light(x, torch.full((5,), 9), seeded(2)), rtol=0, atol=1e-6)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_of_a_model_has_the_weights_of_each_recurrent_layer_together(copied, monkeypatch):
    joined = []
    monkeypatch.setattr(nn.GRU, "flatten_parameters", lambda layer: joined.append(layer))
    twin = copied(Model(made_encoder(), task=Representation()))
    layers = [layer for layer in twin.modules() if isinstance(layer, nn.GRU)]
    assert len(layers) == 4  # two in each direction
    assert set(map(id, layers)) <= set(map(id, joined))
