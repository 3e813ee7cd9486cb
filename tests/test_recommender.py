"""Recommending the next item: what goes in, what comes out, and what it learns."""

import copy
import pickle
import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sklearn_rnn import Embedding, Pretraining, RNNNextItemRecommender, SemiSupervisedRNNClassifier, io
from sklearn_rnn.datasets import from_long_frame
from sklearn_rnn.estimators import _ranking

TINY = {"hidden_size": 8, "embedding": Embedding(8), "max_epochs": 1, "batch_size": 8, "random_state": 0}
SMALL = TINY | {"hidden_size": 16, "max_epochs": 6, "lr": 0.05, "batch_size": 16, "dropout": 0.1, "item_dropout": 0.05}
LOSSES = ("cross_entropy", "bpr_max", "top1_max")


def rounds(n=60, n_items=9, length=6, seed=0):
    """Users who go round a circle of items: 7 follows 6, and 0 follows the last."""
    rng = np.random.default_rng(seed)
    starts, lengths = rng.integers(n_items, size=n), rng.integers(2, length + 1, n)
    return [(start + np.arange(n)) % n_items for start, n in zip(starts, lengths, strict=True)]


@pytest.fixture(scope="module")
def trained():
    """Recommender of a circle of items."""
    return RNNNextItemRecommender(**SMALL).fit(rounds())


def weights(estimator):
    return estimator.net_.module_.state_dict()


def assert_same_weights(one, other):
    for name, value in weights(one).items():
        assert torch.equal(value, weights(other)[name]), name


# It learns


@pytest.mark.full_epochs
@pytest.mark.parametrize(
    ("loss", "cell"),
    [
        ("cross_entropy", "gru"),
        ("bpr_max", "gru"),
        pytest.param("top1_max", "gru", marks=pytest.mark.slow),
        pytest.param("cross_entropy", "lstm", marks=pytest.mark.slow),
        pytest.param("cross_entropy", "rnn", marks=pytest.mark.slow),
    ],
)
def test_it_learns_what_comes_next(loss, cell):
    rec = RNNNextItemRecommender(loss, cell=cell, n_negatives=64, **SMALL).fit(rounds())
    assert rec.predict([[3], [7, 8], [0, 1]]).tolist() == [4, 0, 2]
    assert rec.score(rounds(seed=1)) > 0.95


@pytest.mark.full_epochs
def test_it_learns_what_a_markov_chain_cannot():
    X = [[a, "x", a] for a in "bcd"] * 20
    rec = RNNNextItemRecommender(**SMALL | {"item_dropout": 0}).fit(X)
    assert rec.repeats_
    assert rec.predict([[a, "x"] for a in "bcd"]).tolist() == ["b", "c", "d"]


@pytest.mark.slow
@pytest.mark.full_epochs
def test_sampled_cross_entropy_learns_the_same_as_the_full_one():
    X = rounds(200, n_items=40)
    rec = RNNNextItemRecommender(n_negatives=10, **SMALL).fit(X)
    assert rec.score(X) > 0.8
    assert rec.perplexity([x[:2] for x in X]) < 20


# What goes in

NUMBERS = rounds(12)
FORMS = {
    "lists": [x.tolist() for x in NUMBERS],
    "small integers": [x.astype(np.int8) for x in NUMBERS],
    "whole floats": [x.astype(float) for x in NUMBERS],
    "columns": [x.astype(np.float32)[:, None] for x in NUMBERS],
    "object array": np.array([*(x.tolist() for x in NUMBERS), None], dtype=object)[:-1],
    "pandas": pd.Series([x.tolist() for x in NUMBERS]),
    "polars": pl.Series([x.tolist() for x in NUMBERS]),
    "polars items": [pl.Series(x) for x in NUMBERS],
    "pandas items": [pd.Series(x, index=x + 7) for x in NUMBERS],
}


@pytest.mark.parametrize("form", FORMS)
def test_all_containers_of_items_are_read_the_same(form):
    expected = RNNNextItemRecommender(**TINY).fit(NUMBERS)
    got = RNNNextItemRecommender(**TINY).fit(FORMS[form])
    assert_same_weights(got, expected)
    assert got.predict(FORMS[form]).tolist() == expected.predict(NUMBERS).tolist()
    assert expected.predict(FORMS[form]).tolist() == expected.predict(NUMBERS).tolist()


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("strings", np.array(list("abcdefghi"))),
        ("objects", np.array([*"abcdefg", 7, (8, 9)], dtype=object)),
        ("bytes", np.array([b"%d" % i for i in range(9)])),
        ("large", 10**12 + np.arange(9)),
    ],
)
def test_items_come_back_as_they_went_in(name, items):
    X = [items[x] for x in NUMBERS]
    rec = RNNNextItemRecommender(**TINY).fit(X)
    expected = RNNNextItemRecommender(**TINY).fit(NUMBERS)
    if name != "objects":  # which are numbered in the order of appearance
        assert rec.recommend(X, 3).tolist() == items[expected.recommend(NUMBERS, 3)].tolist()
    assert set(rec.items_.tolist()) == set(items.tolist())
    assert {rec.predict(X).tolist()[0]} < set(items.tolist())


def test_a_long_frame_is_read_in_the_order_of_time():
    frame = pd.DataFrame(
        {"user": ["b", "a", "b", "a", "b"], "film": ["x", "y", "z", "x", "y"], "at": [3, 1, 1, 0, 2], "stars": 3.0}
    )
    for kind in (frame, pl.DataFrame(frame.to_dict("list"))):
        X, users, times = from_long_frame(
            kind, sequence="user", time="at", item="film", return_ids=True, return_times=True
        )
        assert [x.tolist() for x in X] == [["z", "y", "x"], ["x", "y"]]
        assert users.tolist() == ["b", "a"]
        assert [t.tolist() for t in times] == [[1, 2, 3], [0, 1]]
        assert RNNNextItemRecommender(**TINY).fit(X).items_.tolist() == ["x", "y", "z"]


def test_a_long_frame_of_items_needs_each_item():
    frame = pd.DataFrame({"user": [1, 1], "film": ["x", None]})
    with pytest.raises(ValueError, match=r"1 row\(s\) have no item in 'film'"):
        from_long_frame(frame, sequence="user", item="film")
    with pytest.raises(ValueError, match="return_times=True needs time"):
        from_long_frame(frame, sequence="user", item="film", return_times=True)
    with pytest.raises(ValueError, match="time_delta=True adds a feature"):
        from_long_frame(frame.assign(t=1), sequence="user", item="film", time="t", time_delta=True)


@pytest.mark.parametrize(
    ("X", "kind", "message"),
    [
        ([], ValueError, r"Found array with 0 sample\(s\)"),
        ([["a"], []], ValueError, r"X\[1\] has 0 time step\(s\)"),
        (["abc", "de"], ValueError, r"X\[0\] is a string, 'abc'; pass a list of item sequences"),
        ([["a", None]], ValueError, r"X contains NaN.*\n?X\[0\] has a missing item at step 1"),
        ([[1.0], [2, np.nan]], ValueError, r"X\[1\] has a missing item at step 1"),
        ([[1.0, np.inf]], ValueError, "X contains infinity"),
        ([np.zeros((2, 3))], ValueError, r"X\[0\] must be a 1-D sequence of items, got 2 dimensions"),
        ([1, 2, 3], ValueError, r"X\[0\] must be a 1-D sequence of items, got 0 dimensions"),
        (np.zeros(3), ValueError, "Expected 2D array, got 1D array instead"),
        ([[{"a": 1}, "b"]], TypeError, "argument must be a string or a number"),
        (pd.DataFrame({"user": [1], "item": [2]}), TypeError, "from_long_frame"),
        ({"a": [1]}, TypeError, "X is a dict"),
        ([[1 + 2j, 1]], ValueError, "Complex data not supported"),
    ],
)
def test_bad_input_is_an_error_that_says_what_to_do(X, kind, message):
    with pytest.raises(kind, match=message):
        RNNNextItemRecommender(**TINY).fit(X)


def test_fractions_are_items_with_a_warning():
    with pytest.warns(UserWarning, match="X has numbers that are not whole"):
        rec = RNNNextItemRecommender(**TINY).fit([[0.5, 1.5], [1.5, 0.5]])
    assert rec.items_.tolist() == [0.5, 1.5]


def test_before_fit_there_is_nothing_to_recommend():
    for method in (
        "recommend",
        "predict",
        "score",
        "embed",
        "transform",
        "decision_function",
        "perplexity",
        "item_ids",
    ):
        with pytest.raises(NotFittedError):
            getattr(RNNNextItemRecommender(), method)([["a"]])


# Items that fit did not have


def test_new_items_are_the_unknown_item_with_a_warning(trained):
    with pytest.warns(UserWarning, match="X has 2 items that RNNNextItemRecommender was not fitted on, such as 77"):
        one = trained.decision_function([[3, 77], [78, 4]])
    with pytest.warns(UserWarning, match="such as 'new'"):
        other = trained.decision_function([[3, "new"], ["other", 4]])
    np.testing.assert_array_equal(one, other)
    assert one.shape == (2, 9)


def test_new_items_are_never_recommended(trained):
    with pytest.warns(UserWarning, match="not fitted on"):
        assert set(trained.recommend([[77, 78]], 9)[0]) == set(range(9))


def test_known_items_give_no_warning(trained):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained.recommend([[1, 2]], 3)


def test_a_new_item_is_no_candidate(trained):
    with pytest.raises(ValueError, match="candidates has the item 9, which RNNNextItemRecommender was not fitted on"):
        trained.recommend([[1]], 1, candidates=[1, 9])


# Recommending


def test_recommended_are_the_best_scores_without_what_was_seen(trained):
    X = rounds(20, seed=2)
    scores = trained.decision_function(X).astype(float)
    for row, seen in zip(scores, X, strict=True):
        row[seen] = -np.inf
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    np.testing.assert_array_equal(trained.recommend(X, 3), expected)


def test_blocks_of_scores_change_nothing(trained, monkeypatch):
    X = rounds(20, seed=2)
    candidates = [8, 3, 5, 0, 2, 7]
    whole = trained.recommend(X, 3), trained.recommend(X, 3, exclude_seen=False, candidates=candidates)
    scores = trained.decision_function(X, candidates)
    monkeypatch.setattr(_ranking, "ROWS", 3)
    monkeypatch.setattr(_ranking, "SCORES", 6)  # two items at a time
    np.testing.assert_array_equal(trained.recommend(X, 3), whole[0])
    np.testing.assert_array_equal(trained.recommend(X, 3, exclude_seen=False, candidates=candidates), whole[1])
    blocks = list(trained.iter_scores(X, candidates))
    assert [len(block) for block in blocks] == [3] * 6 + [2]
    np.testing.assert_allclose(np.concatenate(blocks), scores, rtol=1e-5, atol=1e-6)


def test_candidates_are_scored_in_their_order(trained):
    scores = trained.decision_function([[1], [2, 3]])
    np.testing.assert_allclose(trained.decision_function([[1], [2, 3]], [4, 0]), scores[:, [4, 0]], rtol=1e-5)
    assert trained.recommend([[1]], 1, candidates=[5, 2]).tolist() == [[2]]
    assert sorted(trained.recommend([[5, 8]], 4, candidates=[7, 8, 2, 5, 2, 1, 0]).tolist()[0]) == [0, 1, 2, 7]


def test_too_few_items_to_choose_from_is_an_error(trained):
    with pytest.raises(ValueError, match="n_items=10, but there are only 9 items"):
        trained.recommend([[1]], 10)
    with pytest.raises(ValueError, match=r"X\[1\] leaves only 1 items to choose from, but n_items=2"):
        trained.recommend([[5], [1, 2]], 2, candidates=[1, 2, 3])


def test_the_prediction_is_the_best_recommendation(trained):
    X = rounds(20, seed=3)
    assert not trained.repeats_
    np.testing.assert_array_equal(trained.predict(X), trained.recommend(X, 1)[:, 0])


def test_all_items_seen_still_gives_a_prediction(trained):
    everything = [list(range(9))]
    best = trained.recommend(everything, 1, exclude_seen=False)
    np.testing.assert_array_equal(trained.predict(everything), best[:, 0])


def test_seen_items_beyond_max_length_are_left_out_too():
    rec = RNNNextItemRecommender(**TINY, max_length=2).fit(NUMBERS)
    assert set(rec.recommend([[0, 1, 2, 3, 4]], 4)[0]) == {5, 6, 7, 8}


def test_only_the_last_max_length_items_are_read():
    rec = RNNNextItemRecommender(**TINY, max_length=3).fit(NUMBERS)
    np.testing.assert_array_equal(rec.decision_function([[8, 7, 1, 2, 3]]), rec.decision_function([[1, 2, 3]]))
    assert (rec.decision_function([[8, 1, 2]]) != rec.decision_function([[1, 2]])).any()


def test_long_sequences_are_cut_into_windows_that_have_all_items():
    rec = RNNNextItemRecommender(max_length=3)
    rec.items_ = np.arange(8)
    sequences = rec._read_training([np.arange(8), np.arange(3), np.arange(2)])
    windows = [sequences.batch(np.array([i]))[0][0].tolist() for i in range(len(sequences))]
    assert windows == [[0, 1], [2, 3, 4], [5, 6, 7], [0, 1, 2], [0, 1]]


def test_too_many_scores_for_one_array_are_refused(trained, monkeypatch):
    monkeypatch.setattr("sklearn_rnn.estimators._recommender.LARGEST", 10)
    with pytest.raises(ValueError, match="Pass candidates, or use iter_scores or recommend"):
        trained.decision_function([[1], [2]])


# Embeddings and known columns


def test_scores_are_products_of_embeddings_of_items(trained):
    model = trained.net_.module_
    state = torch.from_numpy(trained.embed([[1, 2], [3]]))
    with torch.no_grad():
        expected = model.head(state) @ torch.from_numpy(trained.item_embeddings_).T + model.parts["scores"].bias
    assert trained.item_embeddings_.shape == (9, 8)
    np.testing.assert_allclose(trained.decision_function([[1, 2], [3]]), expected, rtol=1e-4, atol=1e-5)


def test_untied_items_have_vectors_of_their_own():
    rec = RNNNextItemRecommender(**TINY, tied=False).fit(NUMBERS)
    assert not np.allclose(rec.item_embeddings_, rec.net_.module_.encoder.input.vectors()[:-1].detach())


COLUMNS = pd.DataFrame({"even": [i % 2 == 0 for i in range(9)], "size": np.arange(9.0) * 1000}, index=range(9))


@pytest.mark.slow
@pytest.mark.full_epochs
def test_known_columns_of_items_are_learned_from():
    groups = {i: [float(i >= 20)] for i in range(40)}  # users stay among the items below 20, or among the others
    rng = np.random.default_rng(0)
    X = [np.arange(4 * (i % 5), 4 * (i % 5) + 4) + 20 * (i % 2) for i in range(20)]
    params = SMALL | {"item_dropout": 0}
    with_columns = RNNNextItemRecommender(**params).fit(X, item_features=groups)
    fresh = [rng.permutation(20)[:5] + 20 * (i % 2) for i in range(100)]
    assert with_columns.score(fresh) > RNNNextItemRecommender(**params).fit(X).score(fresh)
    layer = with_columns.net_.module_.encoder.input
    assert layer.columns[:-1].mean(0).abs().max() < 1e-6
    assert not layer.columns[-1].any()


def test_columns_are_matched_by_item_and_standardised():
    one = RNNNextItemRecommender(**TINY).fit(NUMBERS, item_features=COLUMNS)
    other = RNNNextItemRecommender(**TINY).fit(NUMBERS, item_features=COLUMNS.iloc[::-1].astype(float) * 3)
    rows = RNNNextItemRecommender(**TINY).fit(NUMBERS, item_features=COLUMNS.astype(float).T.to_dict("list"))
    np.testing.assert_allclose(one.item_embeddings_, other.item_embeddings_, rtol=1e-4, atol=1e-6)
    assert_same_weights(one, rows)
    columns = one.net_.module_.encoder.input.columns[:-1]
    torch.testing.assert_close(columns.std(0, correction=0), torch.ones(2))


def test_items_without_columns_have_the_mean_with_a_warning():
    with pytest.warns(UserWarning, match="no row for 2 of 9 items"):
        rec = RNNNextItemRecommender(**TINY).fit(NUMBERS, item_features=COLUMNS.iloc[2:])
    assert not rec.net_.module_.encoder.input.columns[:2].any()


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        (np.ones((9, 2)), TypeError, "item_features must be a pandas DataFrame whose index is the items"),
        (pd.concat([COLUMNS, COLUMNS]), ValueError, "some items have several"),
        (COLUMNS.set_index(COLUMNS.index + 100), ValueError, "no row for any item of X, such as 0"),
        (COLUMNS.assign(name="film"), ValueError, "could not convert string to float"),
        (COLUMNS.assign(size=np.nan), ValueError, "item_features contains NaN"),
    ],
)
def test_a_bad_table_of_items_is_an_error(table, kind, message):
    with pytest.raises(kind, match=message):
        RNNNextItemRecommender(**TINY).fit(NUMBERS, item_features=table)


# The house's laws


@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_seed_gives_the_same_bits_and_no_global_state_changes(loss):
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one, other = (RNNNextItemRecommender(loss, **TINY | {"max_epochs": 2}).fit(NUMBERS) for _ in range(2))
    assert_same_weights(one, other)
    assert (np.random.get_state()[1] == before[0]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("items", [np.arange(9), np.array(list("abcdefghi")), np.array([*"abcdefg", 7, 8], object)])
@pytest.mark.parametrize("copied", ["pickle", "deepcopy", "file"])
def test_copies_recommend_the_same(items, copied, tmp_path):
    X = [items[x] for x in NUMBERS]
    table = {item: [i, i % 2] for i, item in enumerate(items.tolist())}
    rec = RNNNextItemRecommender("bpr_max", **TINY, tied=False, dropout=0.1).fit(X, item_features=table)
    if copied == "file":
        io.save(rec, tmp_path / "rec.safetensors")
        other = io.load(tmp_path / "rec.safetensors")
    else:
        other = pickle.loads(pickle.dumps(rec)) if copied == "pickle" else copy.deepcopy(rec)
    np.testing.assert_array_equal(other.decision_function(X), rec.decision_function(X))
    assert other.recommend(X, 2).tolist() == rec.recommend(X, 2).tolist()
    assert_same_weights(other.fit(X, item_features=table), rec)


def test_clones_are_unfitted_and_fit_the_same(trained):
    assert not hasattr(clone(trained), "net_")
    assert_same_weights(clone(trained).fit(rounds()), trained)


def test_what_every_item_has_is_not_a_parameter():
    assert not {"bidirectional", "patch_size", "n_kernels", "pooling", "objective"} & set(
        RNNNextItemRecommender().get_params()
    )
    with pytest.raises(TypeError, match="bidirectional"):
        RNNNextItemRecommender(bidirectional=True)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "hinge"}, "'loss' parameter of RNNNextItemRecommender must be a str among"),
        ({"n_negatives": 0}, "'n_negatives' parameter"),
        ({"recency": 0}, "'recency' parameter"),
        ({"item_dropout": 1}, "'item_dropout' parameter"),
        ({"negative_power": 2}, "'negative_power' parameter"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        RNNNextItemRecommender(**TINY | params).fit(NUMBERS)


def test_a_fit_that_fails_leaves_everything_as_it_was(trained):
    rec, before = copy.deepcopy(trained), trained.decision_function([[1]])
    with pytest.raises(ValueError, match="'lr' parameter"):
        rec.set_params(lr=-1).fit([["a", "b"]])
    np.testing.assert_array_equal(rec.decision_function([[1]]), before)


def test_early_stopping_keeps_the_weights_with_the_lowest_loss():
    params = SMALL | {"max_epochs": 60, "lr": 0.3, "memory": 0}
    rec = RNNNextItemRecommender(**params, early_stopping=True, n_iter_no_change=2).fit(rounds(40))
    assert rec.n_iter_ < 60
    assert rec.history_[-1]["valid_loss"] > min(rec.history_[:, "valid_loss"])


def test_warm_start_keeps_the_catalogue(trained):
    rec = copy.deepcopy(trained).set_params(warm_start=True, max_epochs=1)
    with pytest.warns(UserWarning, match="not fitted on, such as 50"):
        rec.fit([*rounds(), [3, 50, 4]])
    assert rec.items_.tolist() == list(range(9))
    assert rec.score(rounds()) > 0.9
    with pytest.raises(ValueError, match="item_features cannot be given with warm_start=True"):
        rec.fit(rounds(), item_features=COLUMNS)


@pytest.mark.full_epochs
def test_a_recommender_is_not_exported(trained, tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(TypeError, match="RNNNextItemRecommender cannot be exported"):
        io.to_onnx(trained, tmp_path / "rec.onnx")


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    params = TINY | {"max_epochs": 4}
    expected = RNNNextItemRecommender(**params).fit(NUMBERS)

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise RuntimeError("stopped")

    for callbacks in ([Stop(), io.Checkpoint(tmp_path)], [io.Checkpoint(tmp_path)]):
        rec = RNNNextItemRecommender(**params, callbacks=callbacks)
        with suppress(RuntimeError):
            rec.fit(NUMBERS)
    assert_same_weights(rec, expected)
    assert rec.n_iter_ == 4


def test_it_is_the_last_step_of_a_pipeline(trained):
    pipeline = make_pipeline("passthrough", RNNNextItemRecommender(**SMALL)).fit(rounds())
    assert pipeline.predict([[3]]).tolist() == [4]
    assert pipeline.score(rounds()) == trained.score(rounds())


# One encoder for a recommender and a classifier


SHARED = {"bidirectional": False, "pooling": "last", "hidden_size": 8, "embedding": Embedding(8), "random_state": 0}


@pytest.mark.parametrize("from_file", [False, True])
@pytest.mark.parametrize("columns", [None, COLUMNS])
def test_a_classifier_can_start_from_the_encoder_of_a_recommender(from_file, columns, tmp_path):
    X, y = [x * 10 for x in NUMBERS], np.arange(12) % 2
    table = None if columns is None else columns.set_index(columns.index * 10)
    rec = RNNNextItemRecommender(**TINY).fit(X, item_features=table)
    source = FrozenEstimator(rec)
    if from_file:
        source = tmp_path / "encoder.safetensors"
        io.save_encoder(rec, source)
    clf = SemiSupervisedRNNClassifier("supervised", pretraining=source, **SHARED, max_epochs=1, patch_size=1)
    clf.fit(rec.item_ids(X), y)
    assert set(clf.net_.module_.encoder.state_dict()) == set(rec.net_.module_.encoder.state_dict())
    assert clf.predict(rec.item_ids(X)).shape == (12,)


def test_a_frozen_encoder_embeds_histories_as_the_recommender_does():
    rec = RNNNextItemRecommender(**TINY).fit(NUMBERS)
    pretraining = Pretraining(FrozenEstimator(rec), freeze=1.0)
    clf = SemiSupervisedRNNClassifier("supervised", pretraining=pretraining, **SHARED, max_epochs=1, patch_size=1).fit(
        rec.item_ids(NUMBERS), np.arange(12) % 2
    )
    np.testing.assert_allclose(clf.embed(rec.item_ids(NUMBERS)), rec.embed(NUMBERS), rtol=1e-5, atol=1e-6)


def test_numbers_of_items_are_their_places_in_the_catalogue():
    rec = RNNNextItemRecommender(**TINY).fit([["b", "a"], ["c", "a"]])
    with pytest.warns(UserWarning, match="not fitted on"):
        assert [ids.tolist() for ids in rec.item_ids([["c", "b", "z"], ["a"]])] == [[2, 1, 3], [0]]
