"""The model of a forecaster: an encoder of contexts, pretrained or not, and a decoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..modules import Architecture, Encoder, Model, NumberInput, initialise
from ..objectives import Supervised
from ..sequences import Columns, Series, Windows, joined, window_starts
from ..tasks import Forecasting
from ._build import architecture, build_model, resumed_model, set_scales
from ._held_options import as_option
from ._pretraining import unfitted_autoencoder
from ._trained import draw_seed

MAX_ROWS = 1 << 20  # rows of windows in an epoch; of longer series, evenly spread windows are used
PATCHES, LONGEST_PATCH = 4, 24  # of a context, and steps of a patch, with patch_size="auto"


def forecast_model(
    estimator: Any,
    windows: Windows,
    task: Forecasting,
    series: Series,
    unlabeled: Series | None,
    random: np.random.RandomState,
) -> Model:
    """Return a model with new weights, with a pretrained encoder, or with the weights of the last fit."""
    seed = draw_seed(random)
    if estimator._goes_on:
        return resumed_model(estimator, estimator.net_.module_, Supervised(), task, seed)
    of_encoder = _architecture(estimator, windows, task)
    if estimator.pretraining is None:
        encoder = Encoder(of_encoder)
        initialise(encoder, torch.Generator().manual_seed(draw_seed(random)))
        assert isinstance(encoder.input, NumberInput)
        set_scales(encoder.input, windows.contexts(), False)
    else:
        contexts = _all_contexts(windows, [series] if unlabeled is None else [series, unlabeled])
        pretrained = _pretrained(estimator, contexts, of_encoder, random)
        encoder = Encoder(replace(pretrained.architecture, n_ahead=task.n_ahead))
        encoder.load_state_dict(pretrained.state_dict())
    return build_model(estimator, windows, Supervised(), task, seed, encoder)


def most_windows(columns: Columns) -> int:
    """Largest number of windows in an epoch."""
    return max(1, MAX_ROWS // columns.n_rows)


def _architecture(estimator: Any, windows: Windows, task: Forecasting) -> Architecture:
    patch = estimator.patch_size
    if patch == "auto":
        patch = min(max(1, windows.context // PATCHES), LONGEST_PATCH)
    return replace(architecture(estimator, windows), patch_size=int(patch), n_ahead=task.n_ahead)


def _pretrained(estimator: Any, contexts: Windows, of_encoder: Architecture, random: np.random.RandomState) -> Encoder:
    """Train an autoencoder on contexts, and return its encoder."""
    source = as_option("pretraining", estimator.pretraining).objective
    autoencoder = unfitted_autoencoder(estimator, source, random, "last")
    autoencoder.patch_size = of_encoder.patch_size
    return autoencoder._pretrain(contexts, estimator).net_.module_.encoder


def _all_contexts(windows: Windows, series: list[Series]) -> Windows:
    """Return the windows of all contexts of several sets of series, also those without a known future."""
    both = series[0] if len(series) == 1 else joined(series)
    limit = most_windows(windows.columns)
    starts = window_starts(both, windows.context, 0 * both.lengths, both.lengths, limit)
    moments = (windows.center, windows.scale)
    return Windows.of(both, starts, windows.columns, windows.context, windows.horizon, moments)
