"""Splits and scorers of recommenders, and the baselines of the benchmark."""

import importlib.util
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import ndcg_score
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from sklearn_rnn import Embedding, RNNNextItemRecommender
from sklearn_rnn.model_selection import LeaveLastOut, leave_last_out, make_ranking_scorer, split_by_time

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path("/work/shared/bench/next_item.py")
METRICS = ("hit_rate", "recall", "ndcg", "mrr")


class Fixed(BaseEstimator):
    """Recommends the same items to all, whatever they saw."""

    def __init__(self, best):
        self.best = best

    @property
    def items_(self):
        return np.arange(10)

    def recommend(self, X, n_items=10, exclude_seen=True):
        kept = [[i for i in self.best if not (exclude_seen and i in x)][:n_items] for x in X]
        return np.array(kept)


X = [[0, 1, 4], [1, 7], [2, 3, 9], [2, 5]]
BEST = [4, 5, 6, 7, 8, 9, 0, 1, 2, 3]


# Splits


def test_the_last_items_are_left_out():
    past, following = leave_last_out(X)
    assert [x.tolist() for x in past] == [[0, 1], [1], [2, 3], [2]]
    assert following == [4, 7, 9, 5]


def test_several_last_items_are_left_out_and_short_sequences_dropped():
    with pytest.warns(UserWarning, match=r"2 of 4 sequences have at most 2 item\(s\) and are left out"):
        past, following = leave_last_out(X, 2)
    assert [x.tolist() for x in past] == [[0], [2]]
    assert [y.tolist() for y in following] == [[1, 4], [3, 9]]


def test_nothing_but_short_sequences_is_an_error():
    with (
        pytest.warns(UserWarning, match="are left out"),
        pytest.raises(ValueError, match=r"X must have a sequence of more than 1 item\(s\)"),
    ):
        leave_last_out([["a"], ["b"]])


@pytest.mark.parametrize(
    ("times", "cutoff"),
    [
        ([[1, 2, 8], [3, 4], [9], [1, 9, 9.5]], 5),
        (
            [
                np.array(days, "datetime64[D]")
                for days in (
                    ["2020-01-01", "2020-01-02", "2020-01-08"],
                    ["2020-01-03", "2020-01-04"],
                    ["2020-01-09"],
                    ["2020-01-01", "2020-01-09", "2020-01-10"],
                )
            ],
            "2020-01-05",
        ),
    ],
)
def test_a_split_by_time_learns_from_the_past_of_all(times, cutoff):
    train, past, following = split_by_time([["a", "b", "c"], ["b", "c"], ["d"], ["a", "c", "d"]], times, cutoff)
    assert [x.tolist() for x in train] == [["a", "b"], ["b", "c"], ["a"]]
    assert [x.tolist() for x in past] == [["a", "b"], ["a"]]
    assert following == ["c", "c"]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([[1, 2], [1]], "times should have a time for each item of X"),
        ([[2, 1, 3], [1]], r"times\[0\] does not ascend"),
        ([[1, 2, 3], [1]], "No sequence of X has items before and after cutoff=9"),
    ],
)
def test_a_split_by_time_refuses_what_it_cannot_split(times, message):
    with pytest.raises(ValueError, match=message):
        split_by_time([["a", "b", "c"], ["b"]], times, 9)


def test_a_search_trains_on_the_past_and_tests_on_what_came_next():
    seen = []

    class Watching(Fixed):
        def fit(self, X, y=None):
            seen.append([list(x) for x in X])
            return self

    search = GridSearchCV(
        Watching(BEST), {"best": [BEST, BEST[::-1]]}, cv=LeaveLastOut(), scoring=make_ranking_scorer("mrr", k=3)
    )
    search.fit(*leave_last_out(X))
    assert seen == [[[0, 1], [1], [2, 3], [2]]] * 3
    assert search.best_params_ == {"best": BEST}


def test_the_last_items_must_have_been_left_out_before_a_search():
    with pytest.raises(ValueError, match="y should be the next item of each sequence"):
        next(LeaveLastOut().split(X))


def test_users_can_be_split_with_the_splitters_of_scikit_learn():
    rounds = [[i % 5, (i + 1) % 5, (i + 2) % 5] for i in range(30)]
    rec = RNNNextItemRecommender(hidden_size=8, embedding=Embedding(4), max_epochs=2, random_state=0)
    scoring = {name: make_ranking_scorer(name, k=2) for name in (*METRICS, "coverage")}
    result = cross_validate(rec, rounds, cv=KFold(2), scoring=scoring)
    for name in scoring:
        assert ((result[f"test_{name}"] >= 0) & (result[f"test_{name}"] <= 1)).all()
    assert (result["test_hit_rate"] >= result["test_ndcg"]).all()


# Metrics


@pytest.mark.parametrize("k", [1, 3, 6, 10])
def test_metrics_of_one_item_are_their_definitions(k):
    rec = Fixed(BEST)
    ranks = np.array([[i for i in BEST if i not in x[:-1]].index(x[-1]) + 1 for x in X])
    found = ranks <= k
    expected = {
        "hit_rate": found.mean(),
        "recall": found.mean(),
        "ndcg": np.where(found, 1 / np.log2(ranks + 1), 0).mean(),
        "mrr": np.where(found, 1 / ranks, 0).mean(),
    }
    k = min(k, 8)  # what is left of ten items
    for name, value in expected.items():
        assert make_ranking_scorer(name, k=k)(rec, X) == pytest.approx(value), name


def test_metrics_of_several_items_are_their_definitions():
    past, following = [[0], [1]], [[4, 9, 3], [8, 2]]
    scorers = {name: make_ranking_scorer(name, k=4) for name in METRICS}
    got = {name: scorer(Fixed(BEST), past, following) for name, scorer in scorers.items()}
    relevance = np.array([[item in y for item in BEST] for y in following]).astype(float)
    scores = np.tile(-np.arange(10.0), (2, 1))
    assert got["hit_rate"] == 0.5
    assert got["recall"] == pytest.approx((1 / 3 + 0) / 2)
    assert got["mrr"] == 0.5
    assert got["ndcg"] == pytest.approx(ndcg_score(relevance, scores, k=4))


def test_coverage_is_the_fraction_of_items_that_anyone_gets():
    assert make_ranking_scorer("coverage", k=2)(Fixed(BEST), X) == 0.2
    assert make_ranking_scorer("coverage", k=2)(Fixed(BEST), [[4, 0], [1, 2]]) == 0.3


def test_seen_items_are_left_out_unless_items_repeat():
    repeating = Fixed([1, 2, 3])
    assert make_ranking_scorer("hit_rate", k=1)(repeating, [[1, 1]]) == 0
    repeating.repeats_ = True
    assert make_ranking_scorer("hit_rate", k=1)(repeating, [[1, 1]]) == 1
    assert make_ranking_scorer("hit_rate", k=1, exclude_seen=True)(repeating, [[1, 1]]) == 0


def test_scorers_can_be_pickled_and_say_what_they_are():
    scorer = pickle.loads(pickle.dumps(make_ranking_scorer("mrr", k=3)))
    assert repr(scorer) == "make_ranking_scorer('mrr', k=3, exclude_seen=None)"
    assert scorer(Fixed(BEST), X) == make_ranking_scorer("mrr", k=3)(Fixed(BEST), X)
    with pytest.raises(ValueError, match="The 'metric' parameter of make_ranking_scorer"):
        make_ranking_scorer("accuracy")


@pytest.mark.parametrize("repeats", [False, True])
def test_the_score_of_the_estimator_is_the_ndcg_of_the_scorer(repeats):
    sequences = [[i % 6, (i + 1) % 6, (i + 1 + (not repeats)) % 6] for i in range(24)]
    rec = RNNNextItemRecommender(hidden_size=8, embedding=Embedding(4), max_epochs=2, random_state=0).fit(sequences)
    assert rec.repeats_ == repeats
    past, following = leave_last_out(sequences)
    assert rec.score(sequences, k=3) == make_ranking_scorer("ndcg", k=3)(rec, sequences)
    assert rec.score(sequences, k=3) == rec.score(past, following, k=3) > 0
    with pytest.warns(UserWarning, match="1 of 25 sequences"):
        assert rec.score([*sequences, [3]], k=3) == rec.score(sequences, k=3)


# The benchmark


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="/work/shared/bench/next_item.py is missing")
@pytest.mark.parametrize(
    ("name", "floor"), [("Popularity", "popularity"), ("Markov", "markov"), ("ItemNeighbours", "item_neighbours")]
)
def test_the_baselines_of_the_benchmark_have_the_scores_of_its_floors(benchmarks, monkeypatch, name, floor):
    import item_baselines

    spec = importlib.util.spec_from_file_location("next_item_protocol", SHARED)
    protocol = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "next_item_protocol", protocol)
    spec.loader.exec_module(protocol)
    task = protocol.task()
    baseline = getattr(item_baselines, name)().fit(task.contexts)
    scores = np.full((len(task.contexts), task.n_items), -np.inf)
    scores[:, baseline.items_] = baseline.decision_function(task.contexts)
    assert task.score(scores) == pytest.approx(task.score(getattr(protocol, floor)(task)))
    best = make_ranking_scorer("hit_rate", exclude_seen=True)(baseline, task.contexts, task.next)
    assert best == pytest.approx(task.score(scores)[0], abs=0.005)  # ties


def test_the_benchmark_says_so_where_its_protocol_is_missing(benchmarks, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("benchmark", ROOT / "benchmarks" / "next_item.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark, "HERE", tmp_path)
    benchmark.main(str(tmp_path))
    assert "has no next_item.py: nothing is run" in capsys.readouterr().out
    assert (tmp_path / "next_item.md").read_text().startswith("# The next film")
