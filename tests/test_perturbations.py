"""The laws that every perturbation keeps, and what each does; a new one is covered by being exported."""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.feature_selection import f_classif
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import InvalidParameterError

import sklearn_rnn.perturbations as exported
from sklearn_rnn import RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import VAT, JointReconstruction, SemiSupervisedVAE
from sklearn_rnn.perturbations import (
    ChannelDrop,
    Compose,
    Crop,
    FrequencyMask,
    Jitter,
    Light,
    MagnitudeWarp,
    Offset,
    Permutation,
    Perturbation,
    Replacement,
    Scaling,
    SpecAugment,
    StepDrop,
    Strong,
    Swap,
    TimeMask,
    TimeShift,
    TimeWarp,
    Trim,
    WindowSlice,
)
from sklearn_rnn.perturbations._base import Levels, Steps

CLASSES = [
    cls
    for name in exported.__all__
    if issubclass(cls := getattr(exported, name), Perturbation) and not inspect.isabstract(cls)
]
every = pytest.mark.parametrize("cls", CLASSES)
NOISE_OF_EACH_STEP = {Jitter, StepDrop, Swap, Replacement}
OF_OTHERS = {Replacement}
LENGTHS = torch.tensor([20, 12, 1, 17, 9])
OWN = torch.arange(20) < LENGTHS[:, None]


def made(cls, **parameters):
    needed = {
        Compose: {"perturbations": [TimeWarp(), ChannelDrop(0.5)]},
        FrequencyMask: {"share": 0.9},  # of few channels
    }
    return cls(**{**needed.get(cls, {}), **parameters})


def off(cls):
    """Instance at the least of all its parameters, which must change nothing."""
    if cls is Compose:
        return Compose([])
    return cls(**{name: constraint[0].left for name, constraint in cls._parameter_constraints.items()})


def quiet(cls):
    """Instance whose draws do not depend on the padded length."""
    return made(cls, **({"jitter": 0} if cls in (Light, Strong) else {}))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(n_channels=3, dtype=torch.float32):
    """Sequences of `LENGTHS`, padded with zeros."""
    return torch.randn(5, 20, n_channels, generator=seeded(1), dtype=dtype) * OWN[:, :, None]


def ramps(n=200, n_steps=40, lengths=None):
    """Sequences 1, 2, 3, ..., so that values tell where a step came from."""
    x = torch.arange(1.0, n_steps + 1).expand(n, n_steps)
    return (x if lengths is None else x * (x <= lengths[:, None]))[:, :, None]


def steps_of(changed):
    """Where the steps of changed ramps came from, (n, T)."""
    return changed.squeeze(2) - 1


def assert_same(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


# Laws


@every
def test_the_generator_alone_decides(cls):
    perturbation, x = made(cls), batch()
    before = torch.get_rng_state()
    changed = [perturbation(x, LENGTHS, seeded(seed)) for seed in range(8)]
    assert torch.equal(changed[0], perturbation(x, LENGTHS, seeded(0)))
    assert not all(torch.equal(changed[0], other) for other in changed)
    assert torch.equal(before, torch.get_rng_state())


@every
def test_defaults_change_the_sequences_and_leave_what_was_passed_as_it_is(cls):
    x, lengths = batch(), LENGTHS.clone()
    changed = [made(cls)(x, lengths, seeded(seed)) for seed in range(8)]
    assert not all(torch.equal(other, x) for other in changed)
    assert torch.equal(x, batch())
    assert torch.equal(lengths, LENGTHS)


@every
def test_the_least_of_all_parameters_changes_nothing(cls):
    for x, lengths in ((batch(), LENGTHS), (batch(), None), (batch()[:, :1], None)):
        assert torch.equal(off(cls)(x, lengths, seeded()), x)


@every
def test_padding_becomes_zero_and_is_never_looked_at(cls):
    x, perturbation = batch(), made(cls)
    soiled = torch.where(OWN[:, :, None], x, 7.0)
    for seed in range(8):
        changed = perturbation(soiled, LENGTHS, seeded(seed))
        assert not changed[~OWN].any()
        assert torch.equal(changed, perturbation(x, LENGTHS, seeded(seed)))


@every
def test_a_longer_neighbour_changes_nothing(cls):
    x, perturbation = batch(), quiet(cls)
    extra = 0 if cls in NOISE_OF_EACH_STEP else 8
    longer = torch.nn.functional.pad(x, (0, 0, 0, extra))
    lengths = LENGTHS.clone()
    if cls not in OF_OTHERS:
        longer[4], lengths[4] = 3.0, 20 + extra
    changed = perturbation(longer, lengths, seeded())
    assert_same(changed[:4, :20], perturbation(x, LENGTHS, seeded())[:4])


@every
def test_a_batch_of_equal_lengths_needs_no_lengths(cls):
    x, perturbation = batch(), made(cls)
    assert_same(perturbation(x, None, seeded()), perturbation(x, torch.full((5,), 20), seeded()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 1), (5, 2, 1), (1, 20, 3)])
@every
def test_one_step_one_value_or_one_sequence_is_enough(cls, shape, dtype):
    n, n_steps, _ = shape
    x = torch.randn(shape, generator=seeded(1), dtype=dtype)
    for lengths in (None, torch.ones(n, dtype=torch.int64), torch.full((n,), n_steps)):
        changed = made(cls)(x, lengths, seeded())
        assert (changed.shape, changed.dtype) == (x.shape, dtype)
        assert changed.isfinite().all()


@every
def test_its_gradient_is_the_derivative(cls):
    x = batch(n_channels=2, dtype=torch.float64)[:4, :12].requires_grad_(True)
    lengths = LENGTHS[:4].clamp_max(12)
    assert torch.autograd.gradcheck(lambda x: made(cls)(x, lengths, seeded()), x)


@every
def test_the_gradient_of_constant_sequences_is_finite(cls):
    x = torch.zeros(5, 20, 3, requires_grad=True)
    made(cls)(x, LENGTHS, seeded()).sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad.any()


@pytest.mark.parametrize("copied", [clone, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
@every
def test_copies_do_the_same(cls, copied):
    perturbation = made(cls)
    twin = copied(perturbation)
    assert twin is not perturbation
    assert repr(twin) == repr(perturbation)
    assert torch.equal(twin(batch(), LENGTHS, seeded()), perturbation(batch(), LENGTHS, seeded()))


@every
def test_each_parameter_is_documented_in_order_and_checked(cls):
    names = list(inspect.signature(cls).parameters)
    section = inspect.cleandoc(cls.__doc__).split("Parameters\n----------\n")[1].split("\n\n")[0]
    assert [line.split(" : ")[0] for line in section.splitlines() if not line.startswith(" ")] == names
    made(cls).validate()
    for name in names:
        with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of {cls.__name__}"):
            made(cls, **{name: -1}).validate()


# What each does


def test_jitter_is_a_share_of_the_own_deviation_but_of_1_at_most():
    x = torch.randn(3, 20_000, 1, generator=seeded(1)) * torch.tensor([0.5, 8, 0])[:, None, None] + 3
    noise = Jitter(0.3)(x, None, seeded()) - x
    assert_close_to(noise.std(1).flatten(), [0.15, 0.3, 0])
    assert_close_to(noise.mean(1).flatten(), [0, 0, 0])


def assert_close_to(numbers, expected, tolerance=0.02):
    torch.testing.assert_close(numbers, torch.tensor(expected, dtype=numbers.dtype), rtol=0, atol=tolerance)


def test_scaling_keeps_the_ratios_within_a_sequence():
    x = torch.rand(5_000, 3, 2, generator=seeded(1)) + 1
    factors = Scaling(0.2)(x, None, seeded()) / x
    torch.testing.assert_close(factors, factors[:, :1, :1].expand_as(x))
    assert_close_to(factors[:, 0, 0].std(), 0.2)
    assert_close_to(factors[:, 0, 0].mean(), 1.0)


def test_offset_adds_a_number_of_all_channels_and_one_of_each():
    x = batch(4).expand(1_000, 5, 20, 4).flatten(0, 1)
    added = Offset(0.5, channel_offset=0.2)(x, None, seeded()) - x
    assert_same(added, added[:, :1].expand_as(x))
    covariance = added[:, 0].T.cov()
    assert_close_to(covariance, (0.25 + 0.04 * torch.eye(4)).tolist())


KNOWN = Levels(torch.ones(1), torch.ones(2))


@pytest.mark.parametrize("parts", [{}, {"offset": 0}, {"channel_offset": 0}])
def test_offsets_leave_changes_alone_where_the_levels_of_the_data_say_which_they_are(parts):
    x, offset = batch(4), Offset(**parts)
    composed = Compose([offset])
    offset.levels_ = composed.levels_ = KNOWN
    added = offset(x, LENGTHS, seeded()) - x
    assert added[:, :, :2][OWN].all()
    assert not added[:, :, 2:].any()
    assert torch.equal(composed(x, LENGTHS, seeded()), offset(x, LENGTHS, seeded()))


@pytest.mark.parametrize("cls", [Light, Strong])
def test_presets_are_offset_where_levels_are_known_and_dropped_channels_never(cls):
    x, preset = torch.randn(40, 20, 2, generator=seeded(1)), off(cls).set_params(offset=3)
    if cls is Strong:
        preset.channels = 0.5
    unknown = preset(x, None, seeded())
    assert torch.equal(unknown, x * unknown.any(1, keepdim=True))
    preset.levels_ = KNOWN
    known = preset(x, None, seeded())
    shown = known.any(1)  # (n, E)
    assert ((known - x).abs().mean(1)[shown] > 0.01).all()
    assert shown.all() == (cls is Light)


def test_an_offset_leaves_sequences_alone_that_were_brought_to_mean_0_one_by_one():
    x = (batch() - batch().sum(1, keepdim=True) / LENGTHS[:, None, None]) * OWN[:, :, None]
    offset = Offset()
    offset.levels_ = Levels.of(Steps.of(x, LENGTHS).mean(x), torch.zeros(len(x)))
    assert_same(offset(x, LENGTHS, seeded()), x)


def test_magnitude_warp_goes_smoothly_from_knot_to_knot():
    factors = MagnitudeWarp(0.2, n_knots=4)(torch.ones(5_000, 31, 2), None, seeded())
    assert torch.equal(factors[:, :, 0], factors[:, :, 1])
    knots = factors[:, ::10, 0]  # (n, 4)
    assert_close_to(knots.std(0), [0.2] * 4)
    assert_close_to(knots.mean(0), [1.0] * 4)
    share = (1 - torch.cos(torch.pi * torch.arange(10) / 10)) / 2  # half a cosine wave
    between = knots[:, :-1, None] + knots.diff(dim=1)[:, :, None] * share
    assert_same(factors[:, :30, 0], between.flatten(1))


def test_time_shift_moves_all_steps_by_the_same_number():
    lengths = torch.tensor([40, 24]).repeat(100)
    source = steps_of(TimeShift(0.13)(ramps(200, 40, lengths), lengths, seeded()))
    for length, most in ((40, 5), (24, 3)):
        own = source[lengths == length, :length]
        shift = own[:, 12] - 12
        assert torch.equal(own, (torch.arange(length) + shift[:, None]).clamp(0, length - 1))
        assert set(shift.tolist()) == set(range(-most, most + 1))


def test_crop_keeps_a_window_at_an_even_pace():
    source = steps_of(Crop(0.4)(ramps(), None, seeded()))
    assert source.min() >= 0
    assert source.max() <= 39
    pace = source.diff(dim=1)
    assert pace.std(1).max() < 1e-4
    assert_close_to(pace.amin(), 0.6)
    assert_close_to(pace.amax(), 1.0)


def test_window_slice_stretches_a_window_of_fixed_width_from_end_to_end():
    lengths = torch.tensor([40, 21]).repeat(100)
    source = steps_of(WindowSlice(0.25)(ramps(200, 40, lengths), lengths, seeded()))
    for length, cut in ((40, 10), (21, 5)):
        own = source[lengths == length, :length]
        torch.testing.assert_close(own[:, -1] - own[:, 0], torch.full((100,), length - 1.0 - cut))
        assert set(own[:, 0].tolist()) == set(range(cut + 1))
        assert own.diff(dim=1).std(1).max() < 1e-4


def test_time_warp_goes_from_the_first_to_the_last_step_in_order():
    lengths = torch.tensor([40, 21]).repeat(1_000)
    source = steps_of(TimeWarp(0.3)(ramps(2_000, 40, lengths), lengths, seeded()))
    for length in (40, 21):
        own = source[lengths == length, :length]
        assert not own[:, 0].any()
        assert_same(own[:, -1], torch.full((1_000,), length - 1.0))
        speed = own.diff(dim=1)
        assert speed.min() > 0
        ratio = (speed[:, -1] / speed[:, 0]).log()  # of two draws
        assert_close_to(ratio.std(), 0.3 * 2**0.5, 0.05)


def test_permutation_keeps_the_steps_and_cuts_at_few_places():
    lengths = torch.randint(1, 41, (200,), generator=seeded(1))
    x = ramps(200, 40, lengths)
    changed = Permutation(4)(x, lengths, seeded())
    assert torch.equal(changed.sort(1).values, x.sort(1).values)
    inside = torch.arange(1, 40) < lengths[:, None]
    breaks = ((steps_of(changed).diff(dim=1) != 1) & inside).sum(1)
    assert set(breaks.tolist()) == {0, 1, 2, 3}


def test_permutation_of_two_segments_turns_two_steps_round_half_of_the_time():
    source = steps_of(Permutation(2)(ramps(2_000, 2), None, seeded()))
    assert_close_to(source[:, 0].mean(), 0.5, 0.04)


@pytest.mark.parametrize("n_spans", [1, 3])
def test_time_mask_hides_at_most_the_share(n_spans):
    lengths = torch.tensor([40, 20]).repeat(500)
    x = ramps(1_000, 40, lengths)
    changed = TimeMask(0.33, n_spans)(x, lengths, seeded())
    hidden = changed == 0
    assert torch.equal(changed, x.masked_fill(hidden, 0))
    for length in (40, 20):
        own = hidden[lengths == length, :length, 0]
        assert own.sum(1).max() <= 0.33 * length
        assert own.sum(1).max() > 0.2 * length
        assert own.any(0).all()  # each step has its turn
        starts = own[:, 0].int() + (own[:, 1:] & ~own[:, :-1]).sum(1)
        assert starts.max() == n_spans


def test_trim_hides_at_most_the_share_at_the_ends():
    lengths = torch.tensor([40, 20]).repeat(500)
    x = ramps(1_000, 40, lengths)
    changed = Trim(0.33)(x, lengths, seeded())
    hidden = changed == 0
    assert torch.equal(changed, x.masked_fill(hidden, 0))
    for length in (40, 20):
        own = hidden[lengths == length, :length, 0]
        assert 0.2 * length < own.sum(1).max() <= 0.33 * length
        assert own[:, 0].any()
        assert own[:, -1].any()
        assert (own[:, 1:] != own[:, :-1]).sum(1).max() <= 2  # one stretch stays


def test_channel_drop_hides_whole_channels_but_never_all():
    x = batch(4).expand(400, 5, 20, 4).flatten(0, 1)
    changed = ChannelDrop(0.3)(x, None, seeded())
    dropped = ~changed.any(1)  # (n, E)
    assert torch.equal(changed, x.masked_fill(dropped[:, None], 0))
    assert not dropped.all(1).any()
    assert_close_to(dropped.float().mean(), 0.3)


@pytest.mark.parametrize("n_bands", [1, 2])
def test_frequency_mask_hides_bands_of_at_most_the_share_of_the_values_and_their_changes(n_bands):
    mask = FrequencyMask(0.5, n_bands)
    mask.levels_ = Levels(torch.ones(1), torch.ones(10))  # 10 values, and as many changes
    changed = mask(torch.ones(500, 3, 20), torch.tensor([3, 2]).repeat(250), seeded())
    hidden = changed[:, 0] == 0
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert torch.equal(hidden[:, :10], hidden[:, 10:])
    assert 3 < hidden[:, :10].sum(1).max() <= 5
    assert hidden.any(0).all()  # each channel has its turn
    starts = hidden[:, 0].int() + (hidden[:, 1:10] & ~hidden[:, :9]).sum(1)
    assert starts.max() == n_bands


def test_spec_augment_is_a_warp_and_both_masks():
    x, lengths = (
        ramps(6, 40, torch.tensor([40, 20, 40, 30, 9, 1])).expand(6, 40, 12),
        torch.tensor([40, 20, 40, 30, 9, 1]),
    )
    together = SpecAugment(0.2, 0.4, 2, 0.3, 1)(x, lengths, seeded())
    parts = Compose([TimeWarp(0.2, 4), FrequencyMask(0.4, 2), TimeMask(0.3, 1)])(x, lengths, seeded())
    torch.testing.assert_close(together, parts)
    assert torch.equal(SpecAugment(0, 0, 0, 0, 0)(x, lengths, seeded()), x)


def test_step_drop_hides_whole_steps_but_never_all():
    lengths = torch.tensor([40, 2]).repeat(200)
    x = ramps(400, 40, lengths).expand(400, 40, 3)
    changed = StepDrop(0.3)(x, lengths, seeded())
    dropped = ~changed.any(2) & x.any(2)
    assert torch.equal(changed, x.masked_fill(dropped[:, :, None], 0))
    assert changed.flatten(1).any(1).all()
    assert_close_to(dropped[lengths == 40].float().mean(), 0.3)


def test_swap_keeps_the_steps_and_moves_none_further_than_one():
    lengths = torch.tensor([40, 7]).repeat(200)
    x = ramps(400, 40, lengths)
    changed = Swap(0.3)(x, lengths, seeded())
    assert torch.equal(changed.sort(1).values, x.sort(1).values)
    moved = (changed - x).squeeze(2)
    assert moved.abs().max() == 1
    assert_close_to(moved[lengths == 40].abs().mean(), 0.3 * 39 / 40)
    assert (moved[lengths == 7, :7] != 0).any(0).all()  # odd and even pairs


def test_replacement_draws_all_steps_of_the_others_alike():
    lengths = torch.tensor([6, 2, 4])
    offsets = torch.tensor([0.0, 10, 20])[:, None, None]  # values tell the sequence and the step
    x = (ramps(3, 6, lengths) + offsets) * (torch.arange(6) < lengths[:, None])[:, :, None]
    owned = {row: set((offsets[row] + torch.arange(1, lengths[row] + 1)).flatten().tolist()) for row in range(3)}
    generator, perturbation, drawn = seeded(), Replacement(0.4), {0: [], 1: [], 2: []}
    for _ in range(2_000):
        changed = perturbation(x, lengths, generator)
        for row in range(3):
            drawn[row] += changed[row][changed[row] != x[row]].tolist()
    for row, length in enumerate(lengths.tolist()):
        others = set.union(*(owned[other] for other in range(3) if other != row))
        frequencies = np.unique(drawn[row], return_counts=True)
        assert set(frequencies[0]) == others
        assert len(drawn[row]) == pytest.approx(0.4 * 2_000 * length, rel=0.05)
        np.testing.assert_allclose(frequencies[1] / len(drawn[row]), 1 / len(others), rtol=0.2)


def test_replacement_leaves_a_single_sequence_alone():
    x = batch()[:1]
    assert torch.equal(Replacement(0.9)(x, None, seeded()), x)


def test_compose_applies_one_after_the_other():
    x, first, second, generator = batch(), TimeWarp(), Jitter(), seeded()
    expected = second(first(x, LENGTHS, generator), LENGTHS, generator)
    assert torch.equal(Compose([first, second])(x, LENGTHS, seeded()), expected)


# Presets


@pytest.mark.parametrize(
    ("name", "single"),
    [
        ("scale", Scaling(0.3)),
        ("jitter", Jitter(0.3)),
        ("offset", Offset(0.3, channel_offset=0)),
        ("channel_offset", Offset(0, channel_offset=0.3)),
    ],
)
def test_light_with_one_of_its_parts_is_that_perturbation(name, single):
    generator = seeded()
    torch.rand(5, 5, generator=generator)  # what light draws for the rest
    light = off(Light).set_params(**{name: 0.3})
    light.levels_ = Levels(torch.ones(1), torch.ones(3))
    assert_same(light(batch(), LENGTHS, seeded()), single(batch(), LENGTHS, generator))


def test_strong_without_its_own_is_light():
    strong = Strong(**Light().get_params(), hide=0, trim=0, warp=0, magnitude=0)
    assert torch.equal(strong(batch(), LENGTHS, seeded()), Light()(batch(), LENGTHS, seeded()))


@pytest.mark.parametrize(
    ("name", "single"), [("warp", TimeWarp(0.3)), ("magnitude", MagnitudeWarp(0.3)), ("channels", ChannelDrop(0.3))]
)
def test_strong_with_one_of_its_own_is_that_perturbation(name, single):
    generator = seeded()
    torch.rand(5, 5, generator=generator)  # what strong draws for the rest
    strong = off(Strong).set_params(**{name: 0.3})
    assert_same(strong(batch(), LENGTHS, seeded()), single(batch(), LENGTHS, generator))


# In the estimators


TINY = {"hidden_size": 4, "max_epochs": 1, "random_state": 0}
both = pytest.mark.parametrize("estimator", [SemiSupervisedRNNClassifier(**TINY), RNNAutoencoderTransformer(**TINY)])


def series(n=24):
    random = np.random.default_rng(0)
    return random.normal(size=(n, 10)), np.arange(n) % 2


def weights(estimator):
    return torch.cat([w.flatten() for w in estimator.net_.module_.state_dict().values()])


def test_a_grid_search_goes_through_the_parameters_of_an_augmentation():
    X, y = series()
    clf = SemiSupervisedRNNClassifier(**TINY, augmentation=Strong())
    search = GridSearchCV(clf, {"augmentation__jitter": [0.1, 0.4]}, cv=2).fit(X, y)
    used = search.best_estimator_.net_.module_.augmentation
    assert used.jitter == search.best_params_["augmentation__jitter"]
    assert clf.augmentation.jitter == Strong().jitter


@both
def test_fit_uses_a_copy_of_the_augmentation(estimator):
    X, y = series()
    augmentation = Compose([TimeWarp(0.2), Jitter()])
    estimator = clone(estimator).set_params(augmentation=augmentation)
    estimator.fit(X, y)
    assert estimator.augmentation is augmentation
    used = estimator.net_.module_.augmentation
    assert repr(used) == repr(augmentation)
    assert used is not augmentation
    assert used.perturbations[0] is not augmentation.perturbations[0]


def standardised_means(X):
    return ((X - X.mean((0, 1))) / X.std((0, 1))).mean(1)


def levels(y, X, **options):
    """Those of each channel, and the common one for each channel."""
    clf = SemiSupervisedRNNClassifier(**TINY | {"batch_size": 500}).fit(X, y, **options)
    light, strong = clf.net_.module_.augmentation.levels_, clf.net_.module_.strong_augmentation.levels_
    assert light is strong
    return torch.stack([light.single, light.common])


def two_channels(n=24):
    X, _ = series(n)
    return np.stack([X, 3 * X + np.arange(n)[:, None] * 7 % 24], axis=2)


def analysed(means, y):
    """Deviations within classes, and F ratios, of means (n, F) and in the end of their own means."""
    table = np.c_[means, means.mean(1)]
    groups = [table[y == code] for code in np.unique(y)]
    squares = sum(((group - group.mean(0)) ** 2).sum(0) for group in groups)
    return np.sqrt(squares / (len(y) - len(groups))), f_classif(table, y)[0]


def test_levels_are_the_deviations_of_the_means_within_a_class_among_labeled_rows():
    X, y = two_channels(), np.resize([0, 1, 2, -1], 24)
    within, ratio = analysed(standardised_means(X)[y >= 0], y[y >= 0])
    assert (ratio < 4).all()
    assert_close_to(levels(y, X), [within[:2].tolist(), np.minimum(within[2], within[:2]).tolist()], 1e-5)


def test_levels_are_less_by_the_f_ratio_where_they_tell_the_class():
    X, y = two_channels(), np.arange(24) % 2
    X[:, :, 0] += y[:, None] * 3
    within, ratio = analysed(standardised_means(X), y)
    assert ratio[0] > 40 > ratio[2] > 4 > ratio[1]
    share = np.minimum(1, 4 / ratio)
    common = np.minimum(within[2] * share[2], within[:2])
    assert_close_to(levels(y, X), [(within * share)[:2].tolist(), common.tolist()], 1e-5)


def test_a_channel_that_tells_the_class_is_hardly_offset_among_loud_ones():
    random, y = np.random.default_rng(0), np.arange(40) % 2
    X = random.normal(size=(40, 10, 6)) * 0.1 + random.normal(size=(40, 1, 1)) * 3
    X[:, :, 0] = y[:, None] + random.normal(size=(40, 10)) * 0.1
    single, common = levels(y, X)
    assert max(single[0], common[0]) < 0.1
    assert min(single[1], common[1]) > 0.5


def test_levels_of_many_sequences_are_of_some_from_all_over():
    y, X = np.arange(3000) % 2, np.tile([-1.0, -1.0, 1.0, 1.0], 750)[:, None] + np.zeros((3000, 30))
    assert_close_to(levels(y, X), [[1.0], [1.0]], 0.01)
    read, unread = X.copy(), X.copy()
    read[2500:] *= 3  # of the last half of the rows some are read
    unread[[1, 2, 4, 5]] += 1000  # the first, the fourth and so on are read
    assert levels(y, read)[0] > 1.05 * levels(y, X)[0] * X.std() / read.std()
    assert_close_to(levels(y, unread) * unread.std(), levels(y, X).tolist(), 0.01)


def test_one_sequence_of_each_class_has_no_levels():
    assert not levels(np.r_[0, 1, np.full(22, -1)], two_channels()).any()


def test_levels_do_not_hang_on_rows_without_weight():
    X, y = two_channels(), np.arange(24) % 2
    flipped = np.where(np.arange(24) < 8, 1 - y, y)
    weight = (np.arange(24) >= 8).astype(float)
    assert torch.equal(levels(y, X, sample_weight=weight), levels(flipped, X, sample_weight=weight))
    assert not torch.equal(levels(y, X), levels(flipped, X))


def test_levels_of_an_autoencoder_are_those_of_all_sequences():
    X = two_channels()
    autoencoder = RNNAutoencoderTransformer(**TINY, augmentation=Offset(1)).fit(X)
    expected = standardised_means(X).std(0, ddof=1)
    assert_close_to(autoencoder.net_.module_.augmentation.levels_.single, expected, 1e-5)


def test_vectors_of_tokens_have_no_levels():
    X, y = series()
    tokens = SemiSupervisedRNNClassifier(**TINY, augmentation=Offset()).fit(list(X.argsort(1)), y)
    assert tokens.net_.module_.augmentation.levels_ is None


@pytest.mark.parametrize("objective", ["reconstruction", "denoising", "variational", "contrastive"])
def test_what_learns_without_labels_is_not_offset(objective):
    model = RNNAutoencoderTransformer(objective, **TINY).fit(series()[0]).net_.module_
    for augmentation in (model.augmentation, model.strong_augmentation):
        assert (augmentation.offset, augmentation.channel_offset) == (0, 0)


@pytest.mark.parametrize(
    ("objective", "offsets"),
    [
        (JointReconstruction(), (0, 0)),
        (JointReconstruction() + VAT(), (0, 0)),
        (SemiSupervisedVAE(), (0, 0)),
        (JointReconstruction(weight=0), (2, 0.2)),
        (VAT(), (2, 0.2)),
    ],
)
def test_what_rebuilds_beside_the_labels_is_not_offset(objective, offsets):
    X, y = series()
    model = SemiSupervisedRNNClassifier(objective, **TINY).fit(X, np.where(np.arange(24) < 8, y, -1)).net_.module_
    for augmentation in (model.augmentation, model.strong_augmentation):
        assert (augmentation.offset, augmentation.channel_offset) == offsets


def test_a_rebuilt_sequence_keeps_its_level():
    random = np.random.default_rng(0)
    levels = random.normal(size=(200, 1))
    X = np.sin(np.linspace(0, 6, 20) + random.uniform(0, 6, (200, 1))) + 3 * levels
    small = {"hidden_size": 16, "n_kernels": 16, "lr": 0.02, "max_epochs": 5, "random_state": 0}
    rebuilt = RNNAutoencoderTransformer(**small).fit(X).reconstruct(X)
    assert np.polyfit(X.mean(1), rebuilt.mean(1), 1)[0] > 0.9


def test_a_parameter_of_the_augmentation_changes_what_is_learned():
    X, y = series()
    fitted = [SemiSupervisedRNNClassifier(**TINY, augmentation=Jitter(d)).fit(X, y) for d in (0.1, 0.1, 0.4)]
    assert torch.equal(weights(fitted[0]), weights(fitted[1]))
    assert not torch.equal(weights(fitted[0]), weights(fitted[2]))


@pytest.mark.parametrize("name", ["augmentation", "strong_augmentation"])
def test_a_class_in_place_of_an_augmentation_is_refused(name):
    X, y = series()
    with pytest.raises(TypeError, match=r"got the class Jitter; pass Jitter\(\)"):
        SemiSupervisedRNNClassifier(**TINY, **{name: Jitter}).fit(X, y)


def test_a_warm_start_goes_on_with_the_augmentation_that_is_set_now():
    X, y = series()
    clf = SemiSupervisedRNNClassifier(**TINY, warm_start=True, augmentation=Jitter(0.1)).fit(X, y)
    clf.set_params(augmentation__deviation=0.4).fit(X, y)
    assert clf.net_.module_.augmentation.deviation == 0.4


def test_tokens_lose_words_unless_asked_otherwise():
    X = [np.arange(3 + i % 4) for i in range(24)]
    plain, auto, same, mixed = (
        SemiSupervisedRNNClassifier(**TINY, augmentation=a).fit(X, np.arange(24) % 2)
        for a in (None, "auto", StepDrop(0.2), Compose([Swap(0.3), Replacement(0.3), StepDrop(0.2)]))
    )
    assert torch.equal(weights(auto), weights(same))
    assert not torch.equal(weights(plain), weights(auto))
    assert not torch.equal(weights(mixed), weights(auto))


@pytest.mark.parametrize(
    ("augmentation", "error", "message"),
    [
        (Light(shift=1), InvalidParameterError, "The 'shift' parameter of Light"),
        (Compose([Jitter(), TimeWarp(n_knots=1)]), InvalidParameterError, "The 'n_knots' parameter of TimeWarp"),
        (Compose(Jitter()), InvalidParameterError, "The 'perturbations' parameter of Compose"),
        (Compose([Jitter(), 3]), TypeError, r"perturbations\[1\] must be a perturbation.* got 3"),
        (Compose([Jitter]), TypeError, r"perturbations\[0\] must be a perturbation"),
    ],
)
@both
def test_fit_refuses_an_augmentation_that_cannot_be(estimator, augmentation, error, message):
    X, y = series()
    with pytest.raises(error, match=message):
        clone(estimator).set_params(augmentation=augmentation).fit(X, y)
