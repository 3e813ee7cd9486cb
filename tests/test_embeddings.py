"""Vectors of tokens: counted, given, normalised, frozen."""

import numpy as np
import pytest
import torch
from objective_cases import topics
from scipy.sparse import csr_array
from sklearn.frozen import FrozenEstimator

from sklearn_rnn import Embedding, Pretraining, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.estimators._token_vectors import (
    SMOOTHING,
    WINDOW,
    cooccurrence_vectors,
    count_pairs,
    decomposed,
    positive_information,
)
from sklearn_rnn.objectives import FixMatch
from sklearn_rnn.sequences._reading import read_sequences

TINY = {"hidden_size": 8, "embedding": Embedding(4), "max_epochs": 1, "batch_size": 8, "random_state": 0}
BOTH = (SemiSupervisedRNNClassifier, RNNAutoencoderTransformer)
random = np.random.default_rng(0)
IDS = [random.integers(1, 12, random.integers(1, 15)) for _ in range(20)]
Y = np.where(np.arange(20) < 8, np.arange(20) % 2, -1)


def sequences(X, **options):
    return read_sequences(SemiSupervisedRNNClassifier(), X, reset=True, **options)


def fitted(cls, X=IDS, **params):
    return cls(**{**TINY, **params}).fit(X, Y[: len(X)])


def weight(estimator):
    return estimator.net_.module_.encoder.input.embedding.weight.detach()


def seeded():
    return torch.Generator().manual_seed(0)


def test_pairs_are_counted_within_the_window_and_within_a_sequence():
    expected = np.zeros((13, 13))
    for ids in IDS:
        for i, one in enumerate(ids):
            for j, other in enumerate(ids):
                if 0 < abs(i - j) <= WINDOW:
                    expected[one, other] += 1
    np.testing.assert_array_equal(count_pairs(sequences(IDS), 13).toarray(), expected)


@pytest.mark.filterwarnings("ignore:.*longer than max_length")
def test_steps_that_are_cut_off_are_not_counted():
    cut = count_pairs(sequences(IDS, max_length=4), 13)
    np.testing.assert_array_equal(cut.toarray(), count_pairs(sequences([ids[:4] for ids in IDS]), 13).toarray())


def test_information_is_that_of_levy_goldberg_and_dagan_2015():
    counts = count_pairs(sequences(IDS), 13)
    table = counts.toarray().astype(float)
    context = table.sum(0) ** SMOOTHING / (table.sum(0) ** SMOOTHING).sum()
    word, both = table.sum(1) / table.sum(), table / table.sum()
    got = positive_information(counts).toarray()
    for i in range(13):
        for j in range(13):
            expected = max(0, np.log(both[i, j] / (word[i] * context[j]))) if both[i, j] else 0
            assert got[i, j] == pytest.approx(expected, abs=1e-5)


def test_the_randomised_decomposition_finds_the_largest_singular_vectors():
    draws = np.random.default_rng(1)
    table = draws.normal(size=(80, 6)) @ np.diag([9, 7, 5, 3, 2, 1]) @ draws.normal(size=(6, 80))
    left, strengths = decomposed(csr_array(table.astype(np.float32)), 3, seeded())
    expected, values, _ = np.linalg.svd(table)
    np.testing.assert_allclose(strengths, values[:3], rtol=1e-4)
    np.testing.assert_allclose(np.abs(expected[:, :3].T @ left.numpy()), np.eye(3), atol=1e-3)


def test_words_in_like_places_have_like_vectors():
    X, _ = topics()
    vectors = cooccurrence_vectors(sequences(X), 80, 8, seeded())
    alike = (vectors[:80] @ vectors[:80].T).numpy()
    same = np.arange(80)[:, None] // 40 == np.arange(80) // 40
    assert alike[same].mean() > alike[~same].mean() + 0.3


def test_given_vectors_may_be_many_more_than_are_used():
    vectors = np.zeros((1_000_200, 1), np.float32)
    X = [np.array([0, 1_000_199]), np.array([1])]
    clf = SemiSupervisedRNNClassifier(embedding=Embedding(init=vectors), hidden_size=2, max_epochs=1, random_state=0)
    assert clf.fit(X, [0, 1]).net_.module_.encoder.architecture.n_tokens == 1_000_200


def test_counted_vectors_are_the_same_bits_whatever_the_threads():
    X, _ = topics()
    threads = torch.get_num_threads()
    one, other = [], []
    try:
        for n, vectors in ((1, one), (2, other)):
            torch.set_num_threads(n)
            vectors.append(cooccurrence_vectors(sequences(X), 80, 8, seeded()))
            assert torch.get_num_threads() == n
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(one[0], other[0])


@pytest.mark.parametrize("X", [[np.array([3])], [np.array([2, 2, 2])], [np.array([0]), np.array([5])]])
def test_tokens_without_neighbours_are_told_apart(X):
    vectors = cooccurrence_vectors(sequences(X), 7, 4, seeded())
    assert vectors.isfinite().all()
    assert len(torch.unique(vectors[:7], dim=0)) == 7


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("freeze", [False, True], ids=["trained", "frozen"])
@pytest.mark.parametrize(
    "init", ["cooccurrence", "random", random.normal(3, 5, (12, 6))], ids=["counted", "random", "given"]
)
def test_embedded_tokens_have_mean_0_and_variance_1_over_the_data(cls, init, freeze):
    estimator = fitted(cls, embedding=Embedding(4, init, freeze))
    ids = torch.cat([torch.arange(13), *map(torch.from_numpy, IDS)])  # each counts once more than it occurs
    steps = estimator.net_.module_.encoder.embed(ids[None])[0]
    torch.testing.assert_close(steps.mean(0), torch.zeros(steps.shape[1]), atol=1e-4, rtol=0)
    assert steps.var(0, unbiased=False).mean().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("cls", BOTH)
def test_counted_and_given_vectors_are_frozen_unless_asked_and_random_ones_are_trained(cls):
    frozen = {
        name: fitted(cls, embedding=Embedding(4, init), max_epochs=n)
        for name, init, n in (
            ("counted", "cooccurrence", 1),
            ("longer", "cooccurrence", 2),
            ("random", "random", 1),
            ("longer random", "random", 2),
        )
    }
    assert torch.equal(weight(frozen["counted"]), weight(frozen["longer"]))
    assert not torch.equal(weight(frozen["random"]), weight(frozen["longer random"]))
    free, longer = (fitted(cls, embedding=Embedding(4, "cooccurrence", False), max_epochs=n) for n in (1, 2))
    assert not torch.equal(weight(free), weight(longer))


def test_few_ids_get_random_vectors_and_many_get_counted_ones():
    few = fitted(RNNAutoencoderTransformer, embedding=Embedding(12))
    assert torch.equal(weight(few), weight(fitted(RNNAutoencoderTransformer, embedding=Embedding(12, "random"))))
    many = fitted(RNNAutoencoderTransformer)
    assert torch.equal(weight(many), weight(fitted(RNNAutoencoderTransformer, embedding=Embedding(4, "cooccurrence"))))


def test_given_vectors_keep_their_directions_and_make_ids_known_that_fit_did_not_see():
    table = np.random.default_rng(2).normal(size=(30, 5))
    clf = fitted(SemiSupervisedRNNClassifier, embedding=Embedding(4, table))
    got = weight(clf).numpy()[:30]
    scaled = (got - got.mean(0)) / (got - got.mean(0)).std()
    np.testing.assert_allclose(scaled, (table - table.mean(0)) / (table - table.mean(0)).std(), atol=1e-4)
    assert not np.array_equal(clf.predict_proba([np.array([3, 28])]), clf.predict_proba([np.array([3, 29])]))


def test_tokens_without_a_given_vector_get_the_mean():
    table = np.random.default_rng(2).normal(size=(14, 5))
    table[[4, 13]] = np.nan
    clf = fitted(SemiSupervisedRNNClassifier, embedding=Embedding(4, table))
    got = weight(clf)
    torch.testing.assert_close(got[4], got[[i for i in range(14) if i not in (4, 13)]].mean(0), atol=1e-5, rtol=0)
    assert torch.equal(got[4], got[13])


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (np.zeros((5, 3)), "embedding__init has 5 rows, but X has token ids up to 11"),
        (np.zeros(12), r"shape \(n_tokens, size\), got \(12,\)"),
        (np.where(np.arange(36).reshape(12, 3) == 7, np.nan, 1.0), "embedding__init has NaN in row 2"),
        (np.full((12, 3), np.inf), "infinity"),
        ("glove", "The 'init' parameter of Embedding"),
    ],
)
def test_wrong_vectors_are_refused(init, message):
    with pytest.raises(ValueError, match=message):
        fitted(SemiSupervisedRNNClassifier, embedding=Embedding(4, init))


def test_pretraining_hands_its_vectors_on():
    given = RNNAutoencoderTransformer(**{**TINY, "embedding": Embedding(5)})
    with pytest.raises(ValueError, match="embedding__size"):
        fitted(SemiSupervisedRNNClassifier, pretraining=given)
    transformer = fitted(RNNAutoencoderTransformer, embedding=Embedding(4, "cooccurrence"))
    for freeze, alike in (("auto", True), (False, False)):
        clf = fitted(
            SemiSupervisedRNNClassifier, pretraining=FrozenEstimator(transformer), embedding=Embedding(4, frozen=freeze)
        )
        assert torch.equal(weight(clf), weight(transformer)) is alike


def test_a_warm_start_may_freeze_the_vectors():
    clf = fitted(SemiSupervisedRNNClassifier, embedding=Embedding(4, "random"), warm_start=True)
    ids, first = torch.arange(12)[None], weight(clf).clone()
    embedded = clf.net_.module_.encoder.embed(ids).detach()
    for freeze, alike in ((True, True), ("auto", True), (False, False)):
        clf.set_params(embedding__frozen=freeze).fit(IDS, Y)
        assert torch.allclose(clf.net_.module_.encoder.embed(ids), embedded, atol=1e-5) is alike
    assert not torch.equal(weight(clf), first)


@pytest.mark.full_epochs
@pytest.mark.parametrize("objective", ["supervised", FixMatch(threshold=0.8)], ids=["labels", "fixmatch"])
def test_counted_vectors_carry_labels_to_words_that_no_label_has(objective):
    X, y = topics(300, n_words=80)
    few = np.where(np.arange(300) < 4, y, -1)
    params = {"objective": objective, "hidden_size": 8, "max_epochs": 2, "random_state": 0}
    counted, drawn = (
        SemiSupervisedRNNClassifier(embedding=Embedding(8, init), **params).fit(X, few).transduction_
        for init in ("cooccurrence", "random")
    )
    assert np.mean(counted == y) > 0.95
    assert np.mean(drawn == y) < 0.9


def test_frozen_vectors_stay_what_they_are_when_the_encoder_thaws():
    few = {"objective": "supervised", "max_epochs": 4, "embedding": Embedding(4, "cooccurrence")}
    cold, thawed = (
        fitted(SemiSupervisedRNNClassifier, pretraining=Pretraining("next_step", freeze=share), **few)
        for share in (1, 0.5)
    )
    assert torch.equal(weight(cold), weight(thawed))
    inside = [clf.net_.module_.encoder.patches.weight for clf in (cold, thawed)]
    assert not torch.equal(*inside)


def test_only_long_documents_are_grouped():
    for length, expected in ((30, 1), (200, 4)):
        X = [np.arange(length - i % 3) % 12 for i in range(20)]
        model = fitted(SemiSupervisedRNNClassifier, X).net_.module_
        assert model.encoder.architecture.patch_size == expected
