"""Values missing at steps and times of steps inside the encoder, and the laws of objectives with both."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import (
    CLASSES,
    LENGTHS,
    VATAndFixMatch,
    assert_encoder_is_trained,
    made_batch,
    made_model,
    started,
    terms_and_gradients,
)

from sklearn_rnn.modules import GapEncoding, NumberInput, step_mask
from sklearn_rnn.objectives import FixMatch, MaskedReconstruction, NextStep, Reconstruction, Supervised
from sklearn_rnn.objectives._next_step import one_direction
from sklearn_rnn.perturbations import Light, Strong

CASES = [*CLASSES, VATAndFixMatch]
WEIGHTED = [c for c in CASES if c.needs != "sequences" and (c is VATAndFixMatch or "weight" in c().get_params())]
UNLABELED = [cls for cls in CASES if cls().unlabeled_ratio > 0]
TIMES = 1  # position of the column of times


def gappy(values, lengths=LENGTHS, seed=5):
    """Values of which some are missing, all of a row, and all of a feature in a row; with a column of gaps in time."""
    draws = torch.Generator().manual_seed(seed)
    n_seen = int(LENGTHS.max())  # so that longer padding has the same draws
    missing = torch.rand(len(values), n_seen, 2, generator=draws) < 0.4
    missing[2], missing[0, :, 1] = True, True
    gaps = torch.rand(len(values), n_seen, 1, generator=draws) * 3
    values = values.clone()
    values[:, :n_seen] = values[:, :n_seen].masked_fill(missing, torch.nan)
    times = torch.cat([gaps, values.new_full((len(values), values.shape[1] - n_seen, 1), 5)], 1)
    values = torch.cat([values[..., :TIMES], times, values[..., TIMES:]], dim=2)
    if lengths is not None:
        values[~step_mask(lengths, values.shape[1])] = 3
    return values


def gap_model(cls, **options):
    return made_model(cls, **{"gaps": True, "time_column": TIMES} | options)


def gap_batch(cls, n_labeled, lengths=LENGTHS, extra=0, noise=True):
    batch = made_batch(cls, n_labeled, lengths, extra=extra, noise=noise)
    return replace(batch, values=gappy(batch.values, lengths))


def made_layer(**options):
    """Input layer of two features with a column of times, whose decay is not the first one."""
    layer = NumberInput(2, 0, 1, gaps=True, time_column=TIMES, **options)
    layer.standardise(torch.tensor([0.5, 0, -1.0]), torch.tensor([2.0, 1, 0.5]), torch.tensor([1.0, 1, 2.0]))
    layer.gaps.rate.data, layer.gaps.bias.data = torch.tensor([0.3, -0.2]), torch.tensor([0.1, 0.05])
    return layer


def gru_d(values, times, rate, bias, mean):
    """Input decay of Che et al. (2018), equations 3, 4 and 10, for one sequence: filled values, masks, intervals."""
    n_steps, n_features = len(values), len(values[0])
    filled, mask, delta = (np.zeros((n_steps, n_features)) for _ in range(3))
    for d in range(n_features):
        last = mean[d]
        for t in range(n_steps):
            mask[t, d] = float(not np.isnan(values[t, d]))
            if t > 0 and mask[t - 1, d] == 0:
                delta[t, d] = times[t] - times[t - 1] + delta[t - 1, d]
            elif t > 0:
                delta[t, d] = times[t] - times[t - 1]
            gamma = np.exp(-max(0.0, rate[d] * delta[t, d] + bias[d]))
            if mask[t, d]:
                filled[t, d] = last = values[t, d]
            else:
                filled[t, d] = gamma * last + (1 - gamma) * mean[d]
    return filled, mask, delta


def test_filled_values_masks_and_intervals_are_those_of_gru_d():
    layer, values = made_layer(), gappy(torch.randn(8, 9, 2, generator=torch.Generator().manual_seed(0)), None)
    layer.learn_gaps(values, None)
    unit, age = layer.gaps.typical_gap, layer.gaps.typical_age
    embedded = layer.embed(values).detach().double().numpy()
    for row, x in zip(embedded, values, strict=True):
        times = np.cumsum([0, *x[1:, TIMES].tolist()]) / unit.item()
        x = ((x[:, [0, 2]] - layer.mean) / layer.scale).double().numpy()
        rate = (layer.gaps.rate / age).tolist()
        filled, mask, delta = gru_d(x, times, rate, layer.gaps.bias.tolist(), [0, 0])
        np.testing.assert_allclose(row[:, :2], filled, atol=1e-5)
        channels = row[:, 4:] * layer.gaps.channel_scale.numpy() + layer.gaps.channel_mean.numpy()
        np.testing.assert_allclose(channels[:, :2], mask, atol=1e-5)
        np.testing.assert_allclose(channels[1:, 2:4], np.log1p(delta / age.numpy())[1:], atol=1e-5)
        np.testing.assert_allclose(channels[1:, 4], np.log1p(np.diff(times)), atol=1e-5)
        assert not row[0, 6:].any()


def test_typical_times_are_means_over_all_steps_but_the_first():
    encoding = GapEncoding(1, 1)
    values = torch.tensor([[[1.0, 9], [torch.nan, 2], [3, 4]], [[1, 9], [2, 6], [torch.nan, 0]]])
    encoding.learn(values, torch.tensor([3, 2]))
    assert encoding.typical_gap.item() == 4
    assert encoding.typical_age.item() == pytest.approx((2 + 6 + 6) / 4 / 3)


def test_without_gaps_the_values_and_changes_are_those_of_a_layer_that_knows_none():
    values = torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0))
    plain, layer = (NumberInput(2, 0, 1, True, gaps=gaps) for gaps in (False, True))
    layer.learn_gaps(values, None)
    np.testing.assert_array_equal(plain.embed(values), layer.embed(values)[..., :6].detach())
    assert not layer.embed(values)[..., 6:].any()


def test_changes_are_those_since_a_value_was_last_seen():
    layer = NumberInput(1, 0, 1, second_changes=True, gaps=True)
    values = torch.tensor([torch.nan, 1, torch.nan, 4, 5, torch.nan])[None, :, None]
    _, change, second = layer.embed(values)[0].detach().T[:3]
    assert change.tolist() == [0, 0, 0, 3, 1, 0]
    assert second.tolist() == [0, 0, 0, 0, -2, 0]


@pytest.mark.parametrize("factor", [0.001, 3600])
def test_the_unit_of_times_does_not_matter(factor):
    values = gappy(torch.randn(8, 9, 2, generator=torch.Generator().manual_seed(0)), None)
    scaled = values * torch.tensor([1, factor, 1])
    layers = made_layer(), made_layer()
    for layer, x in zip(layers, (values, scaled), strict=True):
        layer.learn_gaps(x, None)
    torch.testing.assert_close(layers[0].embed(values), layers[1].embed(scaled), rtol=1e-4, atol=1e-5)


def test_errors_count_only_values_that_were_seen():
    model, batch = gap_model(Reconstruction), gap_batch(Reconstruction, 0, noise=False)
    decoded = torch.zeros(8, 9, 2)
    errors = model.encoder.input.errors(decoded, batch.values, torch.nn.functional.mse_loss)
    x = batch.values[..., [0, 2]]
    np.testing.assert_allclose(errors, np.nan_to_num((x.square().nansum(2) / (~x.isnan()).sum(2)).numpy()), rtol=1e-6)
    for row, score in enumerate(Reconstruction().errors(model, batch)):
        steps = x[row, : LENGTHS[row]]
        assert (score == 0) == bool(steps.isnan().all())


@pytest.mark.parametrize("augmentation", [Light(offset=1), Strong(offset=1, channels=0.2)])
def test_augmentations_get_no_nan(augmentation):
    model, batch = gap_model(FixMatch), gap_batch(FixMatch, 4)
    model.augmentation = augmentation
    assert model.view(batch.values, LENGTHS, torch.Generator().manual_seed(0)).isfinite().all()


def test_views_hide_a_share_of_the_values_that_is_at_most_the_share_missing_in_training():
    model = gap_model(FixMatch)
    values = torch.zeros(40, 50, 3)
    values[:, ::2, 0] = torch.nan
    model.encoder.input.learn_gaps(values, None)
    model.augmentation, model.hidden_share = None, 0.3
    view = model.view(values, None, torch.Generator().manual_seed(0))
    seen = model.encoder.input.gaps.seen(view[..., 4:]).float().mean((0, 1))
    assert seen[0].item() == pytest.approx(0.5 * 0.7, abs=0.03)
    assert seen[1].item() == 1
    torch.testing.assert_close(model.view(values, None, None), model.encoder.embed(values))


def test_hidden_steps_are_not_seen():
    model, batch = gap_model(MaskedReconstruction), gap_batch(MaskedReconstruction, 0)
    hidden = torch.zeros(8, 9, dtype=torch.bool)
    hidden[:, 3:5] = True
    changed = batch.values.clone()
    changed[:, 3:5, [0, 2]] = 7.0
    one, other = (
        MaskedReconstruction().filled(model, replace(batch, values=v), hidden) for v in (batch.values, changed)
    )
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("backward", [False, True])
def test_one_direction_sees_no_value_that_the_other_has_read(backward):
    model, batch = gap_model(NextStep, patch_size=2), gap_batch(NextStep, 0)
    values = batch.values.clone().requires_grad_()
    states, _ = one_direction(model.encoder, model.encoder.embed(values), batch, backward)
    (gradient,) = torch.autograd.grad(states[4, 2].square().sum(), values)  # of steps 4 and 5, of nine
    seen = gradient[4].nan_to_num(0).abs().sum(1) > 0
    assert seen.any()
    assert not seen[:4].any() if backward else not seen[6:].any()


@pytest.mark.parametrize("cls", UNLABELED)
def test_the_unlabeled_term_alone_trains_the_encoder_with_its_decay(cls):
    model, objective = gap_model(cls, dropout=0.2, confidence=40), cls()
    started(objective, model)
    assert_encoder_is_trained(objective, model, gap_batch(cls, 0))


@pytest.mark.parametrize("cls", WEIGHTED)
def test_without_weight_it_trains_what_supervised_trains_with_gaps(cls):
    terms = []
    for objective in (cls(weight=0), Supervised()):
        model = gap_model(cls)
        objective.start(model, 10, 8)
        terms.append(sum(objective.terms(model, gap_batch(cls, 8, noise=False)).values()).item())
    assert terms[0] == terms[1]


@pytest.mark.parametrize("cls", CASES)
@pytest.mark.parametrize("patch_size", [1, 3])
def test_padding_changes_neither_loss_nor_gradient_with_gaps(cls, patch_size):
    results = []
    for extra in (0, 7):
        batch = gap_batch(cls, 5, extra=extra, noise=False)
        results.append(terms_and_gradients(cls(), gap_model(cls, confidence=20, patch_size=patch_size), batch))
    for one, other in zip(*results, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            torch.testing.assert_close(one[name], other[name], rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("cls", CASES)
def test_no_loss_and_no_gradient_is_nan(cls):
    values, gradients = terms_and_gradients(cls(), gap_model(cls, dropout=0.2), gap_batch(cls, 5))
    assert np.isfinite([*values.values()]).all()
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert {"encoder.input.gaps.rate", "encoder.input.gaps.bias"} <= gradients.keys()
