"""The laws of objectives, for those that serve a tagger: what holds for rows holds for steps."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import (
    CLASSES,
    LENGTHS,
    TINY,
    assert_encoder_is_trained,
    assert_terms,
    made_batch,
    made_model,
    moved,
    slow_but,
)
from sklearn.base import clone
from test_objectives import assert_same

from sklearn_rnn import Embedding, SemiSupervisedRNNClassifier, SemiSupervisedRNNTagger
from sklearn_rnn.objectives import (
    ICT,
    VAT,
    CrossView,
    FixMatch,
    SelfTraining,
    Supervised,
    TemporalEnsembling,
    objective_names,
)
from sklearn_rnn.tasks import Tagging

CASES = [*(cls for cls in CLASSES if cls.needs in ("targets", "classes") and cls.by_step), CrossView]
UNLABELED = [cls for cls in CASES if cls().unlabeled_ratio > 0]
SHOWN = {CrossView, FixMatch}
every = pytest.mark.parametrize("cls", CASES)
kinds = pytest.mark.parametrize("kind", ["numbers", "tokens", "words"])


def tags(n=3):
    """Task of a tagger that knows n classes."""
    task = Tagging(-1, None, "the test")
    task.read([np.arange(n)], np.array([n]))
    return task


def tagging_model(cls, kind="numbers", **options):
    n_parts = 5 if kind == "words" else 0
    return made_model(cls, kind != "numbers", task=tags(), n_parts=n_parts, **options)


def tagging_batch(cls, n_labeled, kind="numbers", **options):
    """Batch in which every fourth step of the labeled rows has no label, and the last step of the first row neither."""
    batch = made_batch(cls, n_labeled, tokens=kind != "numbers", **options)
    if kind == "words":
        parts = torch.randint(6, (6, 2), generator=torch.Generator().manual_seed(4))  # of each word
        batch = replace(batch, values=torch.cat([batch.values[..., None], parts[batch.values]], dim=2))
    ends = torch.full((len(batch),), batch.values.shape[1]) if batch.lengths is None else batch.lengths
    places = torch.arange(int(ends.sum()))
    targets = places % 3
    targets[::4] = -1
    targets[int(ends[:n_labeled].sum()) :] = -1
    return replace(batch, targets=targets, rows=places, by_step=True)


def begun(objective, model, batch):
    """Start an objective; one that trains in rounds is brought into its second."""
    places = torch.arange(len(batch.targets))
    objective.start(model, 10, len(places))
    if objective.n_rounds > 1:
        answers = torch.full((len(places), 3), 0.05)
        answers[places, places % 3] = 0.9
        objective.relabel(torch.full_like(places, -1), places, answers)
        objective.start(model, 10, len(places))


def sentences(n=24, n_tagged=6):
    """Numbers whose tag is their sign, shifted by one step, in sequences of different lengths."""
    random = np.random.default_rng(0)
    X = [random.normal(size=(6 + i % 4, 2)).astype(np.float32) for i in range(n)]
    y = [(x[:, 0] > 0).astype(int) for x in X]
    return X, [row if i < n_tagged else np.full(len(row), -1) for i, row in enumerate(y)]


def made_tagger(cls, **params):
    return SemiSupervisedRNNTagger(cls(), **{**TINY, **params})


def weights(estimator):
    return estimator.net_.module_.state_dict()


def test_the_objectives_of_a_tagger_are_those_that_need_no_answer_for_a_whole_row():
    assert len(objective_names("tagging")) == len(CASES)
    assert set(objective_names("tagging")) - set(objective_names("classification")) == {"cross_view"}
    assert {"ict", "mixup", "semi_supervised_vae", "feature_matching_gan"}.isdisjoint(objective_names("tagging"))
    X, y = sentences()
    for objective in (ICT(), ICT() + VAT()):
        with pytest.raises(ValueError, match="does not fit SemiSupervisedRNNTagger, which is for tagging; choose from"):
            SemiSupervisedRNNTagger(objective, **TINY).fit(X, y)
    with pytest.raises(ValueError, match="does not fit SemiSupervisedRNNClassifier"):
        SemiSupervisedRNNClassifier(CrossView() + VAT(), **TINY).fit(X, [0, 1] * 12)


# Law 1


@pytest.mark.parametrize("cls", UNLABELED)
@kinds
def test_the_unlabeled_term_alone_trains_the_encoder(cls, kind):
    model, objective = tagging_model(cls, kind, dropout=0.2, confidence=20), cls()
    batch = tagging_batch(cls, 0, kind)
    begun(objective, model, batch)
    assert_encoder_is_trained(objective, model, batch)


# Law 2


@pytest.mark.parametrize("cls", slow_but(SHOWN, [cls for cls in CASES if "weight" in cls().get_params()]))
def test_without_weight_it_trains_what_supervised_trains(cls):
    X, y = sentences()
    expected = made_tagger(Supervised).fit(X, y)
    got = SemiSupervisedRNNTagger(cls(weight=0), **TINY).fit(X, y)
    for name, value in weights(expected).items():
        assert torch.equal(value, weights(got)[name]), name


@every
def test_labeled_steps_without_weight_add_nothing(cls):
    model, objective = tagging_model(cls), cls()
    batch = tagging_batch(cls, 8)
    objective.start(model, 10, len(batch.targets))
    assert sum(objective.terms(model, replace(batch, weights=torch.zeros(len(batch.targets)))).values()).item() == 0


@every
def test_steps_without_a_label_reach_no_loss_of_labels(cls):
    """Their targets may be anything but a class: the loss is that of the labeled steps, whatever the others hold."""
    model, objective = tagging_model(cls), Supervised()
    batch = tagging_batch(cls, 8, noise=False)
    objective.start(model, 10, len(batch.targets))
    outputs = model.train_outputs(model.encoder.embed(batch.values), batch.lengths)
    known = batch.targets >= 0
    expected = -outputs.log_softmax(1)[known].gather(1, batch.targets[known, None]).mean()
    torch.testing.assert_close(objective.terms(model, batch)["supervised"], expected)
    (gradient,) = torch.autograd.grad(objective.terms(model, batch)["supervised"], model.head.bias)
    counts = torch.bincount(batch.targets[known], minlength=3) / known.sum()
    torch.testing.assert_close(gradient, outputs[known].softmax(1).mean(0) - counts)


# Law 3


def loss_and_gradient(cls, batch, kind="numbers", **options):
    objective, model = cls(), tagging_model(cls, kind, confidence=20, **options)
    begun(objective, model, batch)
    moved(model)
    terms = objective.terms(model, batch)
    sum(terms.values()).backward()
    gradients = {name: w.grad for name, w in model.named_parameters() if w.grad is not None}
    return {name: term.detach() for name, term in terms.items()}, gradients


@every
@pytest.mark.parametrize(("kind", "patch_size"), [("numbers", 3), ("tokens", 1), ("words", 3)])
def test_padding_changes_neither_loss_nor_gradient(cls, kind, patch_size):
    short, long = (tagging_batch(cls, 4, kind, extra=extra, noise=False) for extra in (0, 5))
    options = {"patch_size": patch_size}
    assert_same(loss_and_gradient(cls, short, kind, **options), loss_and_gradient(cls, long, kind, **options))


@every
def test_equal_lengths_need_not_be_told(cls):
    ends = torch.full_like(LENGTHS, int(LENGTHS.max()))
    with_lengths = tagging_batch(cls, 4, lengths=ends, noise=False)
    without_lengths = replace(with_lengths, lengths=None)
    assert_same(loss_and_gradient(cls, with_lengths), loss_and_gradient(cls, without_lengths))


# Law 4

NO_KERNELS = torch.tensor([False])


def test_cross_view_is_that_of_clark_2018():
    model, objective = tagging_model(CrossView, patch_size=1).double(), CrossView(weight=0.7, memory=0)
    batch = tagging_batch(CrossView, 3, noise=False)
    batch = replace(batch, values=batch.values.double(), progress=0.2)
    encoder, stack, expected = (
        model.encoder,
        model.encoder.recurrence,
        dict.fromkeys(("to_step", "past", "from_step", "future"), 0.0),
    )
    n_steps = int(LENGTHS[3:].sum())
    for i in range(3, 8):
        x = encoder.embed(batch.values[i : i + 1, : LENGTHS[i]])
        q = model.train_outputs(x, None).softmax(1).detach()
        steps = torch.ones(x.shape[1], dtype=torch.bool)
        still = encoder.input.without(x, ~steps, steps)  # a change contains the step before
        inputs, back = (encoder.norm(encoder.patches(encoder.input.group(e, None, NO_KERNELS))) for e in (x, still))
        forward = stack.forwards[0](inputs)[0][0]
        backward = stack.backwards[0](back.flip(1))[0][0].flip(0)
        none = torch.zeros(1, 8, dtype=torch.float64)
        views = {
            "to_step": forward,
            "past": torch.cat([none, forward[:-1]]),
            "from_step": backward,
            "future": torch.cat([backward[1:], none]),
        }
        for name, states in views.items():
            log_p = model.parts[name](states).log_softmax(1)
            expected[name] = expected[name] + 0.7 * (q * (q.log() - log_p)).sum() / n_steps
    labeled = objective_of_labels(model, batch)
    objective.start(model, 10, len(batch.targets))
    assert_terms(objective, model, batch, {"supervised": labeled, **expected}, started=True)


def objective_of_labels(model, batch):
    terms = Supervised()
    terms.start(model, 10, len(batch.targets))
    return terms.terms(model, batch.labeled)["supervised"]


SEEN = {  # first and last of the values that each view of step 4 of 9 may see, by patch size
    1: {"to_step": (0, 4), "past": (0, 3), "from_step": (4, 8), "future": (5, 8)},
    3: {"to_step": (0, 5), "past": (0, 2), "from_step": (3, 8), "future": (6, 8)},
}


@pytest.mark.parametrize("second_changes", [False, True])
@pytest.mark.parametrize("patch_size", SEEN)
def test_a_view_of_one_side_sees_no_value_of_the_other(patch_size, second_changes):
    model = tagging_model(CrossView, n_kernels=5, patch_size=patch_size, second_changes=second_changes)
    batch = tagging_batch(CrossView, 0, lengths=torch.full_like(LENGTHS, 9), noise=False)
    values = batch.values.requires_grad_()
    for name, outputs in CrossView().views(model, batch, model.encoder.embed(values)).items():
        (gradient,) = torch.autograd.grad(outputs.reshape(8, 9, 3)[:, 4].sum(), values, retain_graph=True)
        seen = gradient.abs().amax((0, 2)) > 0
        first, last = SEEN[patch_size][name]
        assert seen.tolist() == [first <= t <= last for t in range(9)], name


def test_a_net_of_one_direction_has_the_view_of_the_past_alone():
    model = tagging_model(CrossView, bidirectional=False)
    assert list(model.parts) == ["past"]
    objective, batch = CrossView(), tagging_batch(CrossView, 2)
    objective.start(model, 10, len(batch.targets))
    assert list(objective.terms(model, batch)) == ["supervised", "past"]


# Laws 5 and 6


@pytest.mark.parametrize("cls", slow_but(SHOWN | {SelfTraining, TemporalEnsembling}, CASES))
def test_copies_and_refits_predict_the_same(cls):
    X, y = sentences()
    fitted = made_tagger(cls).fit(X, y)
    expected = fitted.predict_proba(X)
    for other in (clone(fitted).fit(X, y), copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        for one, two in zip(expected, other.predict_proba(X), strict=True):
            np.testing.assert_array_equal(one, two)


# Steps of rows


def test_weights_of_rows_are_the_means_of_those_of_their_steps():
    batch = tagging_batch(VAT, 8)
    weights = torch.arange(len(batch.targets)).float()
    got = replace(batch, weights=weights).by_row.weights
    expected = torch.stack([part.mean() for part in weights.split(LENGTHS.tolist())])
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("patch_size", [1, 2, 3, 5])
def test_a_sequence_has_the_same_answers_alone_and_beside_longer_ones(patch_size):
    model = tagging_model(Supervised, patch_size=patch_size)
    batch = tagging_batch(Supervised, 8)
    together = model(batch.values, batch.lengths).split(LENGTHS.tolist())
    for i, answers in enumerate(together):
        alone = model(batch.values[i : i + 1, : LENGTHS[i]], None)
        torch.testing.assert_close(alone, answers, rtol=1e-4, atol=1e-5)


def test_a_class_of_self_training_is_given_to_steps():
    X, y = sentences()
    y[0][2:] = -1
    tagger = SemiSupervisedRNNTagger(SelfTraining(threshold=0.5, n_rounds=2), **TINY).fit(X, y)
    rounds = np.split(tagger.objective_.labeled_iter_, np.cumsum([len(x) for x in X])[:-1])
    assert rounds[0].tolist() == [0, 0] + [1] * 4
    assert set(rounds[-1]) == {1}


def test_vectors_of_words_are_frozen_with_those_of_their_parts():
    X = [["a", "b"], ["b", "a", "a"]] * 6
    y = [[0, 1], [1, 0, 0]] * 6
    params = {**TINY, "embedding": Embedding(4, frozen=True)}
    layer = SemiSupervisedRNNTagger("supervised", **params).fit(X, y).net_.module_.encoder.input
    assert layer.frozen
    assert not any(weight.requires_grad for weight in layer.parameters())
