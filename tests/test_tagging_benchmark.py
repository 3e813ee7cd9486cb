"""The benchmark of tags: its splits and features, and that its table needs no data."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "runs", raising=False)
    spec = importlib.util.spec_from_file_location("benchmark", ROOT / "benchmarks" / "tagging.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "HERE", tmp_path)
    return module


def test_without_its_data_the_table_is_made_of_the_runs_kept(benchmark, tmp_path, capsys):
    benchmark.main(tmp_path / "nowhere")
    assert "has no bench/tagging.py: nothing is run" in capsys.readouterr().out
    assert (tmp_path / "tagging.md").read_text().startswith("# A tag for each step")


def test_a_tenth_of_the_series_is_tagged_and_none_is_on_both_sides(benchmark):
    data = {"X": [np.zeros((5, 2))] * 35, "anomaly": [np.array([0, 0, 1, 1, i > 0]) * (i > 0) for i in range(35)]}
    for seed in range(3):
        train, tagged, test = benchmark.skab_split(data, seed)
        assert len(tagged) == 2
        assert set(tagged) <= set(train)
        assert sorted([*train, *test]) == list(range(35))
        assert all(0 < data["anomaly"][i].mean() < 1 for i in tagged)


def test_the_features_of_the_floor_are_those_of_windows(benchmark):
    x = np.random.default_rng(0).normal(size=(40, 2))
    features = benchmark.window_features(x)
    scaled = (x - x.mean(0)) / (x.std(0) + 1e-6)
    np.testing.assert_allclose(features[:, :2], scaled)
    np.testing.assert_allclose(features[10, 2:4], scaled[5:16].mean(0))
    np.testing.assert_allclose(features[10, 4:6], scaled[5:16].std(0))
    np.testing.assert_allclose(features[10, 6:8], scaled[5:16].mean(0) - scaled[5:10].mean(0))
    assert np.isfinite(features).all()
