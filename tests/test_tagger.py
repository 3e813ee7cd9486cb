"""The tagger: what goes in, what comes out, and what it learns."""

from itertools import groupby

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_validate
from skorch.callbacks import EpochScoring

from sklearn_rnn import Embedding, Pretraining, RNNAutoencoderTransformer, SemiSupervisedRNNTagger, _files, io
from sklearn_rnn.datasets import hide_labels
from sklearn_rnn.inspection import Segment, find_segments
from sklearn_rnn.model_selection import (
    PartiallyLabeledSplit,
    compare_to_supervised,
    cross_val_predict,
    make_labeled_scorer,
)
from sklearn_rnn.perturbations import Compose, Jitter, Light, SpecAugment, StepDrop, Strong, Swap, TimeWarp
from sklearn_rnn.plotting import SegmentDisplay
from sklearn_rnn.sequences import Vocabulary

TINY = {"hidden_size": 8, "n_kernels": 4, "max_epochs": 1, "batch_size": 8, "random_state": 0}
WORDS = [["the", "cat", "sleeps"], ["a", "dog", "barks", "!"], ["the", "dog", "sleeps"], ["a", "bird", "sings"]] * 4
TAGS = [["D", "N", "V"], ["D", "N", "V", "P"], ["D", "N", "V"], ["D", "N", "V"]] * 4


def levels(n=24, n_steps=12, seed=0):
    """Series that jump to a higher level somewhere, where their tag changes from 0 to 1."""
    random = np.random.default_rng(seed)
    y = (np.arange(n_steps) >= random.integers(3, n_steps - 3, size=n)[:, None]).astype(int)
    return random.normal(0, 0.3, size=(n, n_steps, 2)) + 2 * y[:, :, None], y


def ragged():
    X, y = levels()
    return [x[: 6 + i % 7] for i, x in enumerate(X)], [row[: 6 + i % 7] for i, row in enumerate(y)]


def few(y, n=8):
    """The same tags, of which only the first n rows are known."""
    return [row if i < n else np.full(len(row), -1) for i, row in enumerate(y)]


def fitted(X, y, **params):
    return SemiSupervisedRNNTagger("supervised", **{**TINY, **params}).fit(X, y)


def assert_equal_rows(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# It learns


@pytest.mark.full_epochs
@pytest.mark.parametrize("patch_size", [1, 3])
def test_it_finds_where_the_level_changes(patch_size):
    X, y = levels(40)
    few_tags = y.copy()
    few_tags[6:] = -1
    tagger = SemiSupervisedRNNTagger(
        patch_size=patch_size, hidden_size=16, n_kernels=8, max_epochs=2, lr=0.02, random_state=0
    )
    tagger.fit(X, few_tags)
    assert tagger.score(*levels(20, seed=1)) > (0.95 if patch_size == 1 else 0.9)
    assert np.mean(tagger.transduction_ == y) > 0.9


@pytest.mark.full_epochs
def test_it_knows_the_ending_of_a_word_that_it_never_saw():
    random = np.random.default_rng(0)
    stems = ["".join(random.choice(list("bcdfgklmnprst"), 4)) for _ in range(40)]
    X = [[stem + random.choice(["ing", "ly"]) for stem in random.choice(stems, 5)] for _ in range(30)]
    y = [["V" if word.endswith("ing") else "A" for word in row] for row in X]
    tagger = SemiSupervisedRNNTagger("supervised", hidden_size=16, max_epochs=3, lr=0.04, random_state=0).fit(X, y)
    assert tagger.predict([["zvwxing", "hqhjly"]])[0].tolist() == ["V", "A"]


# What goes in


def test_labels_may_be_lists_arrays_or_one_array_and_none_stands_for_a_whole_sequence():
    X, y = levels()
    y[8:] = -1
    expected = fitted(X, y).predict_proba(X)
    assert expected.shape == (24, 12, 2)
    for form in (y.tolist(), list(y), [row if i < 8 else None for i, row in enumerate(y)], pd.DataFrame(y)):
        np.testing.assert_array_equal(fitted(X, form).predict_proba(X), expected)
    marks = [row if i < 8 else -1 for i, row in enumerate(y)]
    assert_equal_rows(fitted(list(X), marks).predict_proba(list(X)), expected)


def test_strings_and_markers_may_be_mixed():
    named = [np.array(["low", "high"])[row] for row in levels()[1]]
    X, y = levels()
    expected = fitted(X, few(1 - y)).predict(X)  # "high" comes before "low"
    for rows in (
        [row.tolist() if i < 8 else [-1] * 12 for i, row in enumerate(named)],
        [row if i < 8 else np.full(12, -1) for i, row in enumerate(named)],
        [row if i < 8 else None for i, row in enumerate(named)],
    ):
        tagger = fitted(X, rows)
        assert tagger.classes_.tolist() == ["high", "low"]
        np.testing.assert_array_equal(tagger.predict(X) == "low", expected == 1)
    text = [row if i < 8 else np.full(12, "") for i, row in enumerate(named)]
    np.testing.assert_array_equal(fitted(X, text, missing_label="").predict(X) == "low", expected == 1)


def test_single_steps_may_be_unlabeled():
    X, y = ragged()
    partly = [np.where(np.arange(len(row)) % 3 == 0, row, -1) for row in y]
    tagger = SemiSupervisedRNNTagger("fixmatch", **TINY).fit(X, partly)
    for i, (known, row) in enumerate(zip(partly, tagger.transduction_, strict=True)):
        assert row[known >= 0].tolist() == known[known >= 0].tolist()
        assert tagger.label_distributions_[i][known >= 0].max(1).tolist() == [1] * int((known >= 0).sum())
        assert (row >= 0).all()
    assert "matching" in tagger.history_[0]


def test_padding_of_x_needs_labels_of_its_width_or_of_its_length():
    X, y = levels(8)
    lengths = 6 + np.arange(8) % 7
    padded = np.where(np.arange(12)[None, :, None] < lengths[:, None, None], X, np.nan)
    cut = [row[:n] for row, n in zip(y, lengths, strict=True)]
    whole = np.where(np.arange(12) < lengths[:, None], y, -1)
    one, two = fitted(padded, whole), fitted([x[:n] for x, n in zip(X, lengths, strict=True)], cut)
    assert_equal_rows(one.predict(padded), two.predict([x[:n] for x, n in zip(X, lengths, strict=True)]))
    assert [len(row) for row in one.predict(padded)] == lengths.tolist()
    assert one.score(padded, whole) == one.score(padded, cut)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda y: [*y[:3], y[3][:-1], *y[4:]],
            r"y\[3\] has 8 labels, but X\[3\] has 9 steps; SemiSupervisedRNNTagger",
        ),
        (lambda y: y[:-1], r"inconsistent numbers of samples: \[24, 23\]"),
        (lambda y: [row[0] for row in y], r"y\[0\] is .*needs a label for each step.*SemiSupervisedRNNClassifier"),
        (lambda y: [row[:, None] for row in y], r"y\[0\] must be a 1-D array with a label for each step, got 2"),
        (lambda y: [np.full(len(row), -1) for row in y], "y has no labeled sample"),
        (lambda y: [None for _ in y], "y has no labeled sample"),
        (lambda y: [row + 0.5 for row in y], "Unknown label type"),
        (lambda y: None, "requires y to be passed, but the target y is None"),
    ],
)
def test_wrong_labels_are_refused_with_the_row(change, message):
    X, y = ragged()
    with pytest.raises(ValueError, match=message):
        fitted(X, change(y))


def test_words_and_numbers_are_not_confused():
    tagger = fitted(WORDS, TAGS)
    with pytest.raises(ValueError, match=r"X\[0\] is a string"):
        tagger.predict(["the", "cat"])
    with pytest.raises(ValueError, match="X must be lists of words for SemiSupervisedRNNTagger"):
        tagger.predict([[1, 2], [3]])
    X, y = ragged()
    with pytest.raises(ValueError, match="lists of words"):
        fitted(X, y).predict(WORDS)


def test_vectors_of_ids_do_not_fit_words():
    tagger = SemiSupervisedRNNTagger(embedding=Embedding(init=np.ones((9, 4))))
    with pytest.raises(ValueError, match="embedding__init is an array, but X has words"):
        tagger.fit(WORDS, TAGS)


def test_a_new_fit_forgets_the_words_of_the_last():
    tagger = fitted(WORDS, TAGS)
    assert {"the", "dog", "sleeps"} <= set(tagger.words_)
    X, y = ragged()
    tagger.fit(X, y)
    assert not hasattr(tagger, "words_")
    assert [len(row) for row in tagger.predict(X)] == [len(x) for x in X]


def test_words_are_numbered_in_lower_case_with_their_parts():
    values, lengths = np.array(["The", "the", "Ends", "bends", "X9"]), np.array([3, 2])
    vocabulary = Vocabulary.of(values)
    assert vocabulary.words.tolist() == ["the"]
    assert {"-ends", "-s", "the-", "=x"} <= set(vocabulary.parts)
    ids = vocabulary.read(values, lengths).values
    assert ids[:, 0].tolist() == [0, 0, 1, 1, 1]
    assert (ids[0, 1:8] == ids[1, 1:8]).all()  # the same letters
    assert ids[0, 8] != ids[1, 8]  # another shape


def test_token_ids_are_tagged_and_unknown_ones_are_told():
    X, y = [np.array([0, 1, 2]), np.array([2, 1])] * 4, [[0, 1, 0], [0, 1]] * 4
    tagger = fitted(X, y)
    with pytest.warns(UserWarning, match="token ids outside the vocabulary"):
        assert len(tagger.predict([np.array([0, 7])])[0]) == 2


@pytest.mark.parametrize("name", ["augmentation", "strong_augmentation"])
@pytest.mark.parametrize(
    "moving", [TimeWarp(), Light(), Strong(shift=0), SpecAugment(), Compose([Jitter(), Swap()])], ids=str
)
def test_views_that_move_steps_are_refused(name, moving):
    X, y = ragged()
    with pytest.raises(ValueError, match=f"{name}=.* moves steps, but SemiSupervisedRNNTagger has a label for each"):
        fitted(X, y, **{name: moving})


def test_views_that_leave_steps_in_their_places_are_used():
    X, y = ragged()
    still = {"augmentation": Compose([Jitter(), StepDrop()]), "strong_augmentation": Strong(shift=0, warp=0)}
    assert np.isfinite(SemiSupervisedRNNTagger("uda", **TINY, **still).fit(X, few(y)).history_[-1]["train_loss"])


# What comes out


def test_the_form_of_the_answers_is_that_of_x():
    X, y = levels()
    tagger = fitted(X, y)
    assert tagger.predict(X).shape == tagger.transduction_.shape == y.shape
    as_list = tagger.predict(list(X))
    assert isinstance(as_list, list)
    assert_equal_rows(as_list, tagger.predict(X))
    np.testing.assert_allclose(tagger.predict_proba(X).sum(2), 1, rtol=1e-5)
    assert tagger.transform(X).shape == (24, tagger.get_feature_names_out().size)


def test_the_score_counts_labeled_steps_and_weights_of_sequences():
    X, y = ragged()
    tagger = fitted(X, few(y))
    right = [predicted == row for predicted, row in zip(tagger.predict(X), y, strict=True)]
    assert tagger.score(X, y) == pytest.approx(np.concatenate(right).mean())
    assert tagger.score(X, few(y, 3)) == pytest.approx(np.concatenate(right[:3]).mean())
    weights = np.arange(24.0)
    expected = np.average(np.concatenate(right), weights=np.repeat(weights, [len(x) for x in X]))
    assert tagger.score(X, y, weights) == pytest.approx(expected)
    with pytest.raises(ValueError, match="y has no labeled sample"):
        tagger.score(X, few(y, 0))


def test_weights_of_sequences_and_classes_change_what_is_learned():
    X, y = ragged()
    plain = np.concatenate(fitted(X, few(y)).predict_proba(X))[:, 1].mean()
    assert np.concatenate(fitted(X, few(y), class_weight={0: 1, 1: 9}).predict_proba(X))[:, 1].mean() > plain
    weights = np.array([1.0] * 4 + [0] * 20)
    tagger = SemiSupervisedRNNTagger("supervised", **TINY).fit(X, few(y), sample_weight=weights)
    alone = SemiSupervisedRNNTagger("supervised", **TINY).fit(X, few(y))
    assert np.abs(np.concatenate(tagger.predict_proba(X)) - np.concatenate(alone.predict_proba(X))).max() > 0
    with pytest.raises(ValueError, match="at least one non-zero number"):
        SemiSupervisedRNNTagger("supervised", **TINY).fit(X, few(y), sample_weight=np.zeros(24))


def test_rows_held_out_give_a_loss_and_callbacks_score_labeled_steps():
    X, y = ragged()
    partly = [np.where(np.arange(len(row)) % 3 == 0, row, -1) for row in y]
    callbacks = [("acc", EpochScoring("accuracy", name="acc", lower_is_better=False))]
    tagger = SemiSupervisedRNNTagger("cross_view", early_stopping=True, callbacks=callbacks, **TINY | {"max_epochs": 2})
    history = tagger.fit(X, partly).history_
    assert np.isfinite(history[:, "valid_loss"]).all()
    assert all(0 <= value <= 1 for value in history[:, "acc"])


def test_pretraining_starts_from_an_encoder_of_words():
    params = {**TINY, "embedding": Embedding(4)}
    tagger = SemiSupervisedRNNTagger("supervised", pretraining="next_step", **params).fit(WORDS, TAGS)
    assert len(tagger.predict([["the", "cow"]])[0]) == 2


def test_pretraining_may_cut_sentences_of_words():
    sentences = [["a", "b", "x", "y", "z"], ["b", "a", "z", "x", "y"]] * 4
    transformer = RNNAutoencoderTransformer("next_step", max_length=2, hidden_size=8, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="only their first steps are used"):
        tagger = fitted(sentences, [["D"] * 5, ["N"] * 5] * 4, pretraining=transformer)
    assert len(tagger.predict(sentences)[0]) == 5


@pytest.mark.parametrize("form", ["file", "frozen"])
def test_an_encoder_of_token_ids_does_not_fit_words(form, tmp_path):
    ids = [np.arange(len(words)) for words in WORDS]
    autoencoder = RNNAutoencoderTransformer("next_step", **{k: v for k, v in TINY.items() if k != "n_kernels"})
    pretraining = FrozenEstimator(autoencoder.fit(ids))
    if form == "file":
        pretraining = tmp_path / "encoder.safetensors"
        io.save_encoder(autoencoder, pretraining)
    assert len(fitted(ids, TAGS, pretraining=pretraining).predict(ids)) == len(ids)
    with pytest.raises(ValueError, match="was fitted on token ids, but X has words"):
        fitted(WORDS, TAGS, pretraining=pretraining)


def test_the_file_of_an_encoder_of_words_has_their_numbers(tmp_path):
    path = tmp_path / "encoder.safetensors"
    first = fitted(WORDS, TAGS)
    io.save_encoder(first, path)
    changed = [[{"dog": "ant", "the": "zebra"}.get(word.lower(), word) for word in words] for words in WORDS]
    other = fitted(changed, TAGS, pretraining=Pretraining(path, freeze=1.0))
    np.testing.assert_array_equal(other.words_, first.words_)
    np.testing.assert_array_equal(other.parts_, first.parts_)
    for words in (WORDS, changed):
        assert_equal_rows(first.transform(words), other.transform(words))
    with pytest.raises(ValueError, match=r"was fitted on words with \d+ parts, but X has token ids"):
        fitted([np.arange(len(words)) for words in WORDS], TAGS, pretraining=path)


def test_older_and_damaged_files_of_an_encoder_of_words(tmp_path):
    path = tmp_path / "encoder.safetensors"
    io.save_encoder(fitted(WORDS, TAGS), path)
    content, tensors, _ = _files.read_file(path, "encoder")
    words = content.pop("vocabulary")
    _files.write_file(path, "encoder", content, tensors)
    assert io.load_encoder(path).architecture.hidden_size == 8
    with pytest.raises(ValueError, match="saved by an older version and lacks its words"):
        fitted(WORDS, TAGS, pretraining=path)
    _files.write_file(path, "encoder", content | {"vocabulary": [words[0][::-1], words[1]]}, tensors)
    with pytest.raises(ValueError, match=r"damaged.*an invalid vocabulary"):
        io.load_encoder(path)


@pytest.mark.parametrize("kind", ["words", "numbers"])
def test_a_file_keeps_the_tagger(kind, tmp_path):
    X, y = (WORDS, TAGS) if kind == "words" else ragged()
    tagger = SemiSupervisedRNNTagger("cross_view", **TINY).fit(X, y)
    io.save(tagger, tmp_path / "tagger.safetensors")
    loaded = io.load(tmp_path / "tagger.safetensors")
    new = [["The", "zebra", "sings"]] if kind == "words" else X
    assert_equal_rows(loaded.predict_proba(new), tagger.predict_proba(new))


def test_it_cannot_be_exported_which_is_told(tmp_path):
    pytest.importorskip("onnx")
    X, y = ragged()
    with pytest.raises(TypeError, match="SemiSupervisedRNNTagger cannot be exported"):
        io.to_onnx(fitted(X, y), tmp_path / "tagger.onnx")


# Model selection


def test_labels_of_whole_sequences_or_of_steps_are_hidden():
    y = [np.arange(n) % 2 for n in (4, 2, 3, 5)]
    kept = hide_labels(y, 2, per_step=False, random_state=0)
    assert sorted((row >= 0).mean() for row in kept) == [0, 0, 1, 1]
    steps = np.concatenate(hide_labels(y, 6, per_step=True, random_state=0))
    assert (steps >= 0).sum() == 6
    assert ((steps == np.concatenate(y)) | (steps == -1)).all()
    again = hide_labels(kept, 1, per_step=False, random_state=1)
    assert sum((row >= 0).any() for row in again) == 1
    assert hide_labels(np.array(y[:1] * 3), 1, per_step=False, random_state=0).shape == (3, 4)
    groups = ["a", "a", "b", "b"]
    known = [(row >= 0).all() for row in hide_labels(y, 2, per_step=False, groups=groups, random_state=0)]
    assert known in ([True, True, False, False], [False, False, True, True])


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("marker", [None, -1])
def test_what_stands_for_a_sequence_without_labels_stays(per_step, marker):
    y = [[0, 1, 1], marker, [1, 0, 1]]
    kept = hide_labels(y, 2, per_step=per_step, random_state=0)
    assert kept[1] is marker
    assert [len(row) for row in kept[::2]] == [3, 3]
    tagger = fitted([np.ones((3, 1))] * 3, kept)
    assert [len(row) for row in tagger.transduction_] == [3, 3, 3]


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("n_groups", [2, 6])
def test_each_sequence_whose_labels_are_hidden_needs_a_group(per_step, n_groups):
    with pytest.raises(ValueError, match=f"inconsistent numbers of samples: \\[3, {n_groups}\\]"):
        hide_labels([[0, 1], [1, 0], [1, 1]], 2, per_step=per_step, groups=range(n_groups), random_state=0)


def test_splits_test_on_sequences_with_labels():
    X, y = ragged()
    y = few(y, 9)
    for train, test in PartiallyLabeledSplit(3, per_step=True).split(X, y):
        assert len(test) == 3
        assert set(test) <= set(range(9))
        assert set(range(9, 24)) <= set(train)


def test_scorers_score_all_labeled_steps_together():
    X, y = ragged()
    tagger = fitted(X, few(y))
    partly = few(y, 5)
    steps = [np.concatenate(list(rows)[:5]) for rows in (y, tagger.predict(X))]
    recalls = [np.mean(steps[1][steps[0] == k] == k) for k in (0, 1)]
    scorer = make_labeled_scorer("balanced_accuracy", per_step=True)
    assert scorer(tagger, X, partly) == pytest.approx(np.mean(recalls))
    assert make_labeled_scorer("accuracy", per_step=True)(tagger, X, partly) == pytest.approx(tagger.score(X, partly))
    assert 0 <= make_labeled_scorer("roc_auc", per_step=True)(tagger, X, partly) <= 1


def test_searches_and_comparisons_take_labels_of_steps():
    X, y = ragged()
    y = few(y)
    tagger, split = SemiSupervisedRNNTagger("supervised", **TINY), PartiallyLabeledSplit(2, per_step=True)
    search = GridSearchCV(tagger, {"objective": ["supervised", "pi_model"]}, cv=split).fit(X, y)
    assert search.best_params_["objective"] in ("supervised", "pi_model")
    scores = cross_validate(tagger, X, y, cv=split, scoring=make_labeled_scorer("f1_macro", per_step=True))
    assert np.isfinite(scores["test_score"]).all()
    comparison = compare_to_supervised(tagger, X, y, cv=2)
    assert len(comparison.scores) == len(comparison.supervised_scores) == 2
    with pytest.raises(ValueError, match="cross_val_predict is not for labels of steps"):
        cross_val_predict(tagger, X, y, cv=2)


# Segments


def test_segments_are_runs_of_one_tag():
    assert find_segments([]) == []
    assert find_segments(np.array([2, 2, 5])) == [Segment(0, 2, 2), Segment(2, 3, 5)]
    assert find_segments(list("aabbba"), ignore="b") == [Segment(0, 2, "a"), Segment(5, 6, "a")]


def test_a_run_without_a_value_is_one_segment():
    assert [segment[:2] for segment in find_segments([1.0, np.nan, np.nan, 2.0])] == [(0, 1), (1, 3), (3, 4)]
    assert find_segments(["a", np.nan, None, "a"]) == [Segment(0, 1, "a"), Segment(1, 3, None), Segment(3, 4, "a")]
    assert find_segments([np.nan, np.nan, 1.0, np.nan, np.nan], ignore=np.nan) == [Segment(2, 3, 1.0)]
    assert len(find_segments([np.nan, np.nan, 1.0, np.nan, np.nan], min_length=2)) == 1


@pytest.mark.parametrize("tags", [[[1, 2], [1, 1]], [["a"], ["a", "b"]], [["a", "b"], None], [np.ones(2), np.ones(3)]])
def test_segments_of_several_sequences_are_found_one_by_one(tags):
    with pytest.raises(ValueError, match="Call find_segments for each sequence"):
        find_segments(tags)


def test_short_segments_get_the_tag_of_the_longer_neighbour():
    assert find_segments(list("aaabccccc"), min_length=2) == [Segment(0, 3, "a"), Segment(3, 9, "c")]
    assert find_segments(list("abababa"), min_length=8) == [
        Segment(0, 7, find_segments(list("abababa"), min_length=8)[0].tag)
    ]
    assert find_segments(list("aabaa"), min_length=2) == [Segment(0, 5, "a")]


def join_one_by_one(tags, min_length):
    """Segments by the definition, in quadratic time."""
    runs = [(tag, len(list(run))) for tag, run in groupby(tags)]
    while len(runs) > 1 and (shortest := min(length for _, length in runs)) < min_length:
        i = [length for _, length in runs].index(shortest)
        longer = max((k for k in (i - 1, i + 1) if 0 <= k < len(runs)), key=lambda k: runs[k][1])
        steps = [tag for k, (tag, length) in enumerate(runs) for tag in [runs[longer][0] if k == i else tag] * length]
        runs = [(tag, len(list(run))) for tag, run in groupby(steps)]
    stops = np.cumsum([length for _, length in runs]).tolist()
    return [Segment(stop - length, stop, tag) for stop, (tag, length) in zip(stops, runs, strict=True)]


@pytest.mark.parametrize("min_length", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_short_segments_are_joined_the_shortest_first(n_classes, min_length):
    random = np.random.default_rng(0)
    for n_steps in (1, 2, 5, 40):
        for _ in range(5):
            tags = np.repeat(random.integers(0, n_classes, n_steps), random.integers(1, 4, n_steps)).tolist()
            assert find_segments(tags, min_length=min_length) == join_one_by_one(tags, min_length)


@pytest.mark.parametrize("n_features", [1, 2, 9])
def test_the_plot_has_a_span_for_each_segment(n_features):
    matplotlib.use("Agg")
    X, y = levels()
    X = np.repeat(X[:, :, :1], n_features, axis=2)
    tagger = fitted(X, y)
    display = SegmentDisplay.from_estimator(tagger, X[0], np.where(np.arange(12) < 3, -1, y[0]))
    assert display.segments_ == find_segments(tagger.predict([X[0]])[0])
    n_spans = len(display.segments_) + len(find_segments(np.where(np.arange(12) < 3, -1, y[0]), ignore=-1))
    assert len(display.ax_.patches) == n_spans
    assert len(display.ax_.lines) == n_features
    matplotlib.pyplot.close(display.figure_)
    with pytest.raises(ValueError, match="truth has 2 tags, but the series has 12 steps"):
        SegmentDisplay(X[0], y[0], truth=[0, 1]).plot()
    with pytest.raises(ValueError, match="one series of numbers"):
        SegmentDisplay.from_estimator(tagger, X)


# An array of labels for sequences that end earlier


def test_a_label_beyond_the_end_of_a_sequence_is_an_error_and_not_cut_off():
    X = [np.zeros((3, 1)), np.ones((2, 1))]
    tagger = SemiSupervisedRNNTagger("supervised", **TINY)
    with pytest.raises(ValueError, match=r"y\[1\] has 3 labels, but X\[1\] has 2 steps"):
        tagger.fit(X, np.array([[0, 1, 1], [-1, 0, 1]]))
    tagger.fit(X, np.array([[0, 1, 1], [0, 1, -1]]))
    assert [labels.tolist() for labels in tagger.transduction_] == [[0, 1, 1], [0, 1]]


def test_an_array_of_labels_may_be_wider_than_all_sequences():
    X, y = levels()
    X[:, 10:], y[:, 10:] = np.nan, -1
    tagger = SemiSupervisedRNNTagger("supervised", **TINY).fit(X, y)
    assert tagger.score(X, y) == tagger.score(X[:, :10], y[:, :10])


def test_masked_labels_are_nan_and_never_classes():
    X, y = levels()
    hidden = np.broadcast_to(np.arange(12) % 3 == 0, y.shape)
    masked = np.ma.MaskedArray(np.where(hidden, 5, y), mask=hidden)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        SemiSupervisedRNNTagger("supervised", **TINY).fit(X, masked)
    one = SemiSupervisedRNNTagger("supervised", missing_label=None, **TINY).fit(X, masked)
    other = SemiSupervisedRNNTagger("supervised", **TINY).fit(X, np.where(hidden, -1, y))
    assert one.classes_.tolist() == [0, 1]
    for some, same in zip(one.predict_proba(X), other.predict_proba(X), strict=True):
        np.testing.assert_array_equal(some, same)


# The plot of segments


def faces(display):
    """Where the spans of a plot begin and stop, with their colors."""
    spans = [(round(patch.get_x()), round(patch.get_x() + patch.get_width())) for patch in display.ax_.patches]
    colors = [matplotlib.colors.to_hex(patch.get_facecolor()) for patch in display.ax_.patches]
    matplotlib.pyplot.close(display.figure_)
    return dict(zip(spans, colors, strict=True))


@pytest.mark.parametrize(
    ("tags", "truth", "marker"),
    [
        (["a"] * 6, ["a"] * 2 + ["b"] * 2 + [None] * 2, None),
        (["a"] * 6, ["a"] * 2 + ["b"] * 2 + [np.nan] * 2, None),
        (["a"] * 6, ["a"] * 2 + ["b"] * 2 + [""] * 2, ""),
        ([1] * 6, [1] * 2 + [2] * 2 + [-1] * 2, -1),
        ([1] * 6, [1.0] * 2 + [2.0] * 2 + [np.nan] * 2, np.nan),
    ],
)
def test_true_tags_that_were_not_predicted_have_a_color_and_unknown_ones_are_white(tags, truth, marker):
    matplotlib.use("Agg")
    display = SegmentDisplay(np.arange(6.0), tags, truth=truth, missing_label=marker).plot()
    assert len(display.ax_.get_legend().get_texts()) == 2
    colors = faces(display)
    assert list(colors) == [(0, 6), (0, 2), (2, 4)]
    assert colors[0, 6] == colors[0, 2] != colors[2, 4]


def test_the_marker_is_white_even_if_it_is_a_class():
    matplotlib.use("Agg")
    display = SegmentDisplay(np.arange(6.0), [1] * 6, truth=[1] * 4 + [-1] * 2, classes=[-1, 1]).plot()
    assert list(faces(display)) == [(0, 6), (0, 4)]


@pytest.mark.parametrize(("tags", "truth"), [("ab", None), ("aa", ["a", "b"])])
def test_a_tag_that_is_not_a_class_is_refused(tags, truth):
    with pytest.raises(ValueError, match=r"The tag 'b' is not in classes=\['a', 'c'\]"):
        SegmentDisplay(np.arange(2.0), list(tags), truth=truth, classes=["a", "c"]).plot()


def test_columns_of_a_frame_are_drawn_in_the_order_of_the_fit():
    matplotlib.use("Agg")
    X, y = levels()
    frames = [pd.DataFrame(x, columns=["high", "low"]) for x in X]
    tagger = fitted(frames, y)
    for frame in (frames[0], frames[0][["low", "high"]]):
        display = SegmentDisplay.from_estimator(tagger, frame)
        assert display.segments_ == find_segments(tagger.predict(frames[:1])[0])
        assert [line.get_label() for line in display.ax_.lines] == ["high", "low"]
        np.testing.assert_array_equal([line.get_ydata() for line in display.ax_.lines], X[0].T)
        matplotlib.pyplot.close(display.figure_)
