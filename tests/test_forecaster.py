"""The forecaster: forecasts, intervals, paths and scores of long series."""

import copy
import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sklearn_rnn import Pretraining, RNNAutoencoderTransformer, RNNForecaster, io
from sklearn_rnn.modules import Architecture, Encoder, SegmentDecoder, StepDecoder, initialise
from sklearn_rnn.preprocessing import PerTimestep, SequenceImputer
from sklearn_rnn.sequences import Batch, Columns, Futures, Windows, read_series, window_starts
from sklearn_rnn.tasks import Forecasting

TINY = {"context": 12, "hidden_size": 8, "max_epochs": 1, "batch_size": 64, "random_state": 0}
HORIZON = 5


def series(n=160, seed=0):
    """Four columns of different levels and scales."""
    random, t = np.random.default_rng(seed), np.arange(n)
    columns = [np.sin(t / 3), 10 * np.cos(t / 5) + 100, t % 7, random.normal(size=n)]
    return np.stack(columns, axis=1) + 0.1 * random.normal(size=(n, 4))


def tiny(**params):
    return RNNForecaster(**{"horizon": HORIZON, **TINY, **params})


def frame(n=160, **index):
    return pd.DataFrame(series(n), columns=list("abcd"), index=pd.date_range("2024-01-01", periods=n, freq="h"))


KINDS = {
    "default": {},
    "joint": {"channels": "joint"},
    "targets": {"targets": [1, 0]},
    "future": {"targets": [0, 1], "future": [2]},
    "joint future": {"targets": [0, 1], "future": [2], "channels": "joint"},
    "recursive": {"decoder": "recursive"},
    "recursive future": {"decoder": "recursive", "targets": [0, 1], "future": [2], "channels": "joint"},
    "lstm": {"cell": "lstm"},
    "rnn": {"cell": "rnn", "num_layers": 2},
    "conformal": {"conformal": True},
    "absolute": {"loss": "absolute"},
    "pretrained": {"pretraining": "masked_reconstruction"},
}
kinds = pytest.mark.parametrize("params", KINDS.values(), ids=KINDS)


def ahead(params, *n):
    """Columns known ahead, if there are any."""
    return {"future": np.ones((*n, HORIZON, 1))} if "future" in params else {}


# Windows


def windows_of(X, columns, context=4, horizon=3, **options):
    one = read_series(RNNForecaster(), X, reset=True)
    starts = window_starts(one, context + horizon, 0 * one.lengths, one.lengths)
    return Windows.of(one, starts, columns, context, horizon, (X.mean(0), X.std(0)), **options)


def test_windows_are_those_of_numpy_less_the_last_value_and_share_the_memory_of_the_series():
    X = series(20)
    windows = windows_of(X, Columns((0, 1), (), (3,), False))
    expected = np.lib.stride_tricks.sliding_window_view(X, 7, axis=0)  # (m, F, 7)
    assert np.shares_memory(windows.values, X)
    assert len(windows) == 2 * 14
    rows = np.array([0, 5, 27])
    values, futures = windows.batch(rows)[0], Futures(windows)[rows]
    for row, value, future in zip(rows, values, futures, strict=True):
        m, k = divmod(row, 2)
        window, scale = expected[m, k], X[:, k].std()
        np.testing.assert_allclose(value[:, 0], (window[:4] - window[3]) / scale, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(value[:, 1], (expected[m, 3, :4] - X[:, 3].mean()) / X[:, 3].std(), rtol=1e-4)
        np.testing.assert_allclose(future[:, 0], (window[4:] - window[3]) / scale, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(windows.restored(rows, futures)[rows == row][0, :, 0], window[4:], rtol=1e-5)


def test_only_columns_known_ahead_are_shown_after_the_context():
    X = series(20)
    columns = Columns((0,), (2,), (3,), False)
    values = windows_of(X, columns, n_ahead=3).batch(np.array([2]))[0][0]
    np.testing.assert_array_equal(values[4:, [0, 2]], 0)
    np.testing.assert_allclose(values[4:, 1], (X[6:9, 2] - X[:, 2].mean()) / X[:, 2].std(), rtol=1e-5)


def test_windows_of_a_file_are_not_copied(tmp_path):
    path = tmp_path / "long.npy"
    made = np.lib.format.open_memmap(path, "w+", np.float32, (500_000, 2))
    made[:] = np.random.default_rng(0).normal(size=made.shape)
    made.flush()
    X = np.load(path, mmap_mode="r")
    tracemalloc.start()
    forecaster = RNNForecaster(24, context=96, hidden_size=2, max_epochs=1, batch_size=1 << 15, random_state=0)
    one = read_series(forecaster, X, reset=True)
    starts = window_starts(one, 120, 0 * one.lengths, one.lengths, 1000)
    windows = Windows.of(one, starts, Columns((0, 1), (), (), False), 96, 24, (np.zeros(2), np.ones(2)))
    windows.batch(np.arange(100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.shares_memory(windows.values, X)
    assert peak < X.nbytes * 6  # blocks in which values are checked; all windows would be 96 times as large


def test_a_limited_number_of_windows_is_spread_over_all_series():
    one = read_series(RNNForecaster(), [series(100), series(50), series(5)], reset=True)
    starts = window_starts(one, 10, 0 * one.lengths, one.lengths, 40)
    every = window_starts(one, 10, 0 * one.lengths, one.lengths)
    assert len(starts) == 40
    assert set(starts) <= set(every)
    assert len(every) == 91 + 41
    assert 25 <= (starts < 100).sum() <= 30
    assert len({*(starts % 3)}) == 3


# Forms


@pytest.mark.parametrize(
    ("X", "shape"),
    [
        (series()[:, 0], (HORIZON,)),
        (series(), (HORIZON, 4)),
        (series().tolist(), (HORIZON, 4)),
        (frame(), (HORIZON, 4)),
        (frame()["a"], (HORIZON,)),
        (np.stack([series(), series()]), (2, HORIZON, 4)),
        ([series(), series(40), series(14)], (3, HORIZON, 4)),
        ([series()[:, 0], series(40)[:, 1]], (2, HORIZON)),
        ([frame(), frame(40)], (2, HORIZON, 4)),
    ],
    ids=["1-D", "2-D", "lists", "frame", "column", "3-D", "ragged", "ragged of numbers", "frames"],
)
def test_forecasts_have_the_form_of_x(X, shape):
    forecaster = tiny().fit(X)
    assert forecaster.predict().shape == shape
    assert forecaster.predict_interval().shape == (*shape, 2)
    np.testing.assert_array_equal(forecaster.predict(X), forecaster.predict())


@kinds
def test_forecasts_after_the_end_of_fit_are_those_after_the_given_series(params):
    X, of_one, of_two = series(), ahead(params), ahead(params, 2)
    forecaster = tiny(**params).fit(X)
    n_targets = len(forecaster.targets_)
    forecasts = forecaster.predict(**of_one)
    assert forecasts.shape == (HORIZON, n_targets)
    assert forecasts.dtype == np.float64
    np.testing.assert_array_equal(forecaster.predict(X[-12:], **of_one), forecasts)
    of_both = forecaster.predict([X[:50], X], **of_two)
    np.testing.assert_allclose(of_both[1], forecasts, rtol=1e-5, atol=1e-5)
    if "loss" not in params:
        quantiles = forecaster.predict_quantiles(X, **of_one)
        assert (np.diff(quantiles, axis=-1) >= 0).all()
    else:
        assert not hasattr(forecaster, "predict_quantiles")


@kinds
def test_a_backtest_forecasts_from_each_origin_what_predict_does(params):
    X = series()
    forecaster = tiny(**params).fit(X)
    forecasts = forecaster.backtest(X[:50], stride=4)
    assert len(forecasts) == len(range(12, 50 - HORIZON + 1, 4))
    origin = 12 + 2 * 4
    known = {"future": X[origin : origin + HORIZON, [2]]} if "future" in params else {}
    np.testing.assert_allclose(forecasts[2], forecaster.predict(X[:origin], **known), rtol=1e-5, atol=1e-5)


def test_a_backtest_of_several_series_is_a_list():
    forecaster = tiny().fit([series(), series(60)])
    forecasts = forecaster.backtest([series(40), series(14)], 3)
    assert [f.shape for f in forecasts] == [(8, HORIZON, 4), (0, HORIZON, 4)]


# Laws


@kinds
def test_the_same_seed_gives_the_same_bits_and_files_and_copies_forecast_the_same(params, tmp_path):
    X, known = series(), ahead(params)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    forecaster = tiny(**params).fit(X)
    forecasts = forecaster.predict(**known)
    assert (torch.get_rng_state() == state).all()
    io.save(forecaster, tmp_path / "forecaster.safetensors")
    copies = [
        clone(forecaster).fit(X),
        pickle.loads(pickle.dumps(forecaster)),
        copy.deepcopy(forecaster),
        io.load(tmp_path / "forecaster.safetensors"),
    ]
    for copied in copies:
        np.testing.assert_array_equal(copied.predict(**known), forecasts)
        np.testing.assert_array_equal(copied.backtest(X[:30]), forecaster.backtest(X[:30]))
    assert clone(forecaster).get_params() == forecaster.get_params()


@pytest.mark.parametrize("decoder", ["parallel", "recursive"])
def test_a_shifted_series_has_shifted_forecasts(decoder):
    X = series()[:, :2]
    forecaster = tiny(decoder=decoder).fit(X)
    np.testing.assert_allclose(forecaster.predict(X + 1000), forecaster.predict(X) + 1000, rtol=0, atol=1e-3)


def test_units_of_a_column_change_nothing_but_the_units_of_its_forecasts():
    X, factors = series(), np.array([1, 1024, 1 / 1024, 2])
    forecasts = tiny().fit(X).predict()
    np.testing.assert_allclose(tiny().fit(X * factors).predict() / factors, forecasts, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("channels", "depends"), [("independent", False), ("joint", True)])
def test_only_joint_channels_depend_on_each_other(channels, depends):
    X = series()
    forecaster, other = tiny(channels=channels).fit(X), X.copy()
    other[:-1, 1] *= 2
    changed = forecaster.predict(other) != forecaster.predict(X)
    assert changed[:, 1].any()
    assert changed[:, [0, 2, 3]].any() == depends


@pytest.mark.parametrize("channels", ["independent", "joint"])
def test_columns_that_are_only_read_or_known_ahead_are_read(channels):
    X = series()
    forecaster = tiny(targets=[0], future=[2], channels=channels).fit(X)
    future, other = np.ones((HORIZON, 1)), X.copy()
    other[-4, 3] += 1
    forecasts = forecaster.predict(X, future=future)
    assert (forecaster.predict(other, future=future) != forecasts).all()
    assert (forecaster.predict(X, future=future + 1) != forecasts).all()


@pytest.mark.full_epochs
@pytest.mark.parametrize("decoder", ["parallel", "recursive"])
def test_a_column_known_ahead_is_learned(decoder):
    random = np.random.default_rng(0)
    known = random.integers(2, size=400) * 1.0
    X = np.stack([3 * known + 0.05 * random.normal(size=400), known], axis=1)
    forecaster = RNNForecaster(
        3,
        context=6,
        future=[1],
        hidden_size=16,
        dropout=0,
        max_epochs=4,
        lr=0.02,
        decoder=decoder,
        batch_size=64,
        random_state=0,
    )
    forecaster.fit(X)
    assert forecaster.score(X) > -0.3  # 1.5 is the error of one level


@pytest.mark.full_epochs
def test_a_wave_with_a_trend_is_learned_better_than_the_season_before():
    t = np.arange(300)
    X = 0.05 * t + np.sin(2 * np.pi * t / 12) + 0.1 * np.random.default_rng(0).normal(size=300)
    sizes = {"context": 24, "hidden_size": 16, "batch_size": 64}
    forecaster = RNNForecaster(12, period=12, dropout=0, lr=0.01, max_epochs=6, random_state=0, **sizes)
    assert forecaster.fit(X[:200]).score(X[200:]) > -0.5


def test_fit_changes_neither_parameters_nor_data():
    X, pretraining = series(), Pretraining("reconstruction", freeze=0.5)
    before = X.copy()
    forecaster = tiny(pretraining=pretraining, quantiles=[0.2, 0.5])
    params = forecaster.get_params()
    forecaster.fit(X)
    assert forecaster.get_params() == params
    assert pretraining.get_params() == Pretraining("reconstruction", freeze=0.5).get_params()
    np.testing.assert_array_equal(X, before)


# Decoders and losses


def encoder(cell="gru", n_ahead=0, n_features=2):
    a = Architecture(n_features, 0, cell, 6, 1, False, 0.0, "last", 2, n_kernels=0, layer_norm=False, n_ahead=n_ahead)
    return Encoder(a)


@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru", "rnn"])
def test_segments_are_decoded_by_one_step_of_the_cell_from_the_final_state(cell):
    decoder = SegmentDecoder(encoder(cell), 5, 1, 1, 0)
    initialise(decoder, torch.Generator().manual_seed(0))
    state = torch.randn(3, 6)
    steps = decoder(state)
    for segment in range(3):
        first = state[None].contiguous()
        first = (first, torch.zeros_like(first)) if cell == "lstm" else first
        after = decoder.recurrence(decoder.positions.weight[segment].expand(3, 1, -1), first)[0][:, 0]
        expected = decoder.output(after)[:, : 5 - 2 * segment]
        torch.testing.assert_close(steps[:, 2 * segment : 2 * segment + 2, 0, 0], expected)


@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru"])
def test_a_path_given_its_own_noise_is_the_path_that_training_reads(cell):
    decoder = StepDecoder(encoder(cell, 4), 4, 1, 1)
    initialise(decoder, torch.Generator().manual_seed(0))
    embeddings = torch.randn(3, 6 + 4 * 4)
    medians, scales = decoder(embeddings).unbind(3)
    truth = embeddings[:, 6:].reshape(3, 4, 4)[:, :, :1]
    paths = decoder.paths(embeddings, (truth - medians) / scales)
    torch.testing.assert_close(paths, truth)


def batch_of(targets):
    n = len(targets)
    return Batch(torch.zeros(n, 1, 1), None, targets, torch.arange(n), None, n, None, 0.0)


def test_the_loss_of_a_step_by_step_decoder_is_the_density_of_laplace():
    task = Forecasting(4, 3, Columns((0, 1), (), (), True), "quantile", (0.5,), "recursive")
    targets, medians, scales = torch.randn(5, 4, 2), torch.randn(5, 4, 2), torch.rand(5, 4, 2) + 0.1
    expected = -torch.distributions.Laplace(medians, scales).log_prob(targets).mean((1, 2))
    torch.testing.assert_close(task.loss(torch.stack([medians, scales], 3), batch_of(targets)), expected)


def test_the_loss_of_quantiles_is_the_pinball_loss_of_scikit_learn():
    levels = (0.1, 0.5, 0.7)
    task = Forecasting(4, 3, Columns((0,), (), (), False), "quantile", levels, "parallel")
    targets, outputs = torch.randn(5, 4, 1), torch.randn(5, 4, 1, 3)
    losses = [
        np.mean([mean_pinball_loss(y, out[:, k], alpha=level) for k, level in enumerate(levels)])
        for y, out in zip(targets[..., 0].numpy(), outputs[:, :, 0].numpy(), strict=True)
    ]
    np.testing.assert_allclose(task.loss(outputs, batch_of(targets)), losses, rtol=1e-5)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_other_losses_are_those_of_the_forecast(loss):
    task = Forecasting(4, 3, Columns((0,), (), (), False), loss, (0.1, 0.9), "parallel")
    assert task.quantiles == ()
    errors = torch.tensor([0.5, -2.0]).expand(4, 2).T[:, :, None]  # of two rows
    expected = {"squared": [0.25, 4], "absolute": [0.5, 2], "huber": [0.125, 1.5]}[loss]
    torch.testing.assert_close(task.loss(errors[..., None], batch_of(0 * errors)), torch.tensor(expected))


# Intervals and paths


def test_conformal_intervals_hold_the_right_share_of_what_was_held_out():
    X = series(400)
    forecaster = tiny(conformal=True, validation_fraction=0.25).fit(X)
    origins = np.arange(300, 400 - HORIZON + 1)
    inside = np.mean(
        [
            (i[..., 0] <= X[o : o + HORIZON]) & (X[o : o + HORIZON] <= i[..., 1])
            for o in origins
            for i in [forecaster.predict_interval(X[:o])]
        ],
        axis=0,
    )
    share = np.ceil((len(origins) + 1) * 0.8) / len(origins)
    np.testing.assert_allclose(inside, share, atol=1.01 / len(origins))  # one value lies on the end of its interval
    assert forecaster.interval_correction_.shape == (HORIZON, 4)


def test_an_interval_lies_between_the_outer_quantiles():
    forecaster = tiny(quantiles=(0.2, 0.4, 0.6, 0.9)).fit(series())
    quantiles = forecaster.predict_quantiles()
    np.testing.assert_array_equal(forecaster.predict_interval(), quantiles[..., [0, -1]])
    np.testing.assert_array_equal(forecaster.predict(), quantiles[..., 1])


def test_paths_are_seeded_and_those_of_a_series_do_not_depend_on_others():
    X = series()
    forecaster = tiny(decoder="recursive", quantiles=(0.3, 0.5)).fit(X)
    paths = forecaster.sample(7, random_state=0)
    assert paths.shape == (7, HORIZON, 4)
    np.testing.assert_array_equal(forecaster.sample(7, X, random_state=0), paths)
    assert (forecaster.sample(7, random_state=1) != paths).all()
    assert (paths[0] != paths[1]).all()
    assert forecaster.sample(3, [X, X], random_state=0).shape == (2, 3, HORIZON, 4)
    alone, beside = forecaster.predict_quantiles(X), forecaster.predict_quantiles([X[:60], X])[1]
    np.testing.assert_allclose(alone, beside, rtol=1e-5, atol=1e-5)
    assert not hasattr(tiny(), "sample")


def test_quantiles_of_a_step_by_step_decoder_are_those_of_its_paths():
    forecaster = tiny(decoder="recursive").fit(series())
    paths = forecaster.sample(2000, random_state=1)
    spread = paths.std(0)
    expected = np.moveaxis(np.quantile(paths, [0.1, 0.5, 0.9], axis=0), 0, -1)
    assert (np.abs(forecaster.predict_quantiles() - expected) < 0.5 * spread[..., None]).all()


# Scores


@pytest.mark.parametrize("period", [None, 7])
def test_the_score_is_minus_the_absolute_error_over_all_origins(period):
    X = series()
    forecaster = tiny(period=period).fit(X)
    truth = np.lib.stride_tricks.sliding_window_view(X[12:60], HORIZON, axis=0).swapaxes(1, 2)
    error = np.abs(forecaster.backtest(X[:60]) - truth).mean((0, 1))
    if period:
        naive = np.lib.stride_tricks.sliding_window_view(X[12 - period : 60 - period], HORIZON, axis=0).swapaxes(1, 2)
        error /= np.abs(naive - truth).mean((0, 1))
    assert forecaster.score(X[:60]) == pytest.approx(-error.mean())


def test_the_season_is_repeated_where_the_horizon_is_longer():
    X = np.tile([0.0, 1, 5], 30) + 0.0
    forecaster = tiny(period=3).fit(X + 0.1 * np.random.default_rng(0).normal(size=90))
    assert forecaster.score(X) < -1e6  # the seasonal naive forecast has no error


def test_a_search_over_time_ordered_folds():
    X = series()[:, 0]
    search = GridSearchCV(tiny(period=6), {"hidden_size": [4, 8]}, cv=TimeSeriesSplit(3)).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(X).shape == (HORIZON,)


def test_a_pipeline_scales_series_and_fills_gaps():
    X = series()
    X[20:24, 1] = np.nan
    pipeline = make_pipeline(SequenceImputer(), PerTimestep(StandardScaler()), tiny())
    assert pipeline.fit([X, X[:80]]).predict([X]).shape == (1, HORIZON, 4)
    assert np.isfinite(pipeline.score([X]))
    scores = cross_val_score(make_pipeline(PerTimestep(StandardScaler()), tiny()), series(), cv=TimeSeriesSplit(3))
    assert np.isfinite(scores).all()
    scores = cross_val_score(make_pipeline(StandardScaler(), tiny()), frame(), cv=TimeSeriesSplit(3))
    assert np.isfinite(scores).all()


# Training


class Seen(Callback):
    """Keeps the data sets that training shows."""

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.sets = dataset_train.X, None if dataset_valid is None else dataset_valid.X


@pytest.mark.parametrize("option", ["early_stopping", "conformal"])
def test_the_last_part_of_each_series_is_held_out(option):
    forecaster = tiny(**{option: True, "callbacks": [Seen()]}).fit([series(100), series(200)])
    training, validation = forecaster.callbacks[0].sets
    ends = training.sequences.starts[training.labeled // 4] + 12 + HORIZON
    assert (ends[ends <= 100].max(), ends.max()) == (90, 280)
    assert (validation is None) == (option == "conformal")
    if validation is not None:
        origins = training.sequences.starts[validation.labeled // 4] + 12
        np.testing.assert_array_equal(np.unique(origins), [*range(90, 96), *range(280, 296)])
        assert "valid_loss" in forecaster.history_[-1]


def test_pretraining_reads_series_that_are_not_forecast():
    X, others = series(40), [series(30, seed=1), series(13, seed=2)]
    alone = tiny(pretraining="reconstruction").fit(X)
    with_others = tiny(pretraining="reconstruction").fit(X, unlabeled=others)
    assert (alone.predict() != with_others.predict()).all()
    without = tiny().fit(X)
    np.testing.assert_array_equal(tiny().fit(X, unlabeled=others).predict(), without.predict())
    assert (alone.predict() != without.predict()).all()


def test_an_autoencoder_for_pretraining_must_have_the_same_encoder():
    autoencoder = RNNAutoencoderTransformer("next_step", hidden_size=8, max_epochs=1)
    with pytest.raises(ValueError, match=r"pretraining has bidirectional=True, but RNNForecaster has bidirectional=F"):
        tiny(pretraining=autoencoder).fit(series())
    autoencoder.set_params(bidirectional=False, pooling="last", n_kernels=0)
    assert tiny(pretraining=autoencoder).fit(series()).predict().shape == (HORIZON, 4)


def test_a_warm_start_goes_on_from_the_weights_and_refuses_other_forecasts():
    X = series()
    forecaster = tiny(warm_start=True).fit(X)
    first = forecaster.predict()
    assert (forecaster.fit(X).predict() != first).all()
    with pytest.raises(ValueError, match=r"warm_start=True needs .* horizon was 5 and is 4"):
        forecaster.set_params(horizon=4).fit(X)


def test_training_goes_on_from_a_checkpoint_with_the_same_bits(tmp_path):
    class Kill(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise RuntimeError

    X = series()
    whole = tiny(max_epochs=3).fit(X)
    with pytest.raises(RuntimeError):
        tiny(max_epochs=3, callbacks=[io.Checkpoint(tmp_path, every_n_epochs=1), Kill()]).fit(X)
    resumed = tiny(max_epochs=3, callbacks=[io.Checkpoint(tmp_path, every_n_epochs=1)]).fit(X)
    np.testing.assert_array_equal(resumed.predict(), whole.predict())
