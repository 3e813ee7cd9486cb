"""What single objectives promise beyond their formulas: radii, directions, teachers, sums."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import CLASSES, LENGTHS, TINY, made_batch, made_model, moved, toy
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import (
    VAT,
    AdversarialTraining,
    EntropyMinimization,
    FixMatch,
    MeanTeacher,
    MixUp,
    NoisyStudent,
    PiModel,
    SelfTraining,
    Sum,
)
from sklearn_rnn.objectives._vat import random_like, sphere

AVERAGED = [cls for cls in CLASSES if {"weight", "memory"} <= cls().get_params().keys()]


class Seen:
    """Stand for a model, and note what its `train_outputs` were asked for."""

    def __init__(self, model):
        self.model, self.asked = model, []

    def __getattr__(self, name):
        return getattr(self.model, name)

    def train_outputs(self, embedded, lengths, generator=None, n_labeled=0):
        self.asked.append(embedded.detach())
        return self.model.train_outputs(embedded, lengths, generator, n_labeled)


# Kernels


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_mixtures_of_labeled_rows_do_without_the_kernels_as_those_rows_do(share):
    terms = []
    for cut in (False, True):
        model, batch = made_model(MixUp), made_batch(MixUp, 8)
        model.kernel_dropout = share
        if cut:
            with torch.no_grad():
                model.encoder.patches.weight[:, -model.encoder.input.kernels.out_features :] = 0
        terms.append(MixUp().terms(model, batch)["mixup"].item())
    assert (terms[0] == terms[1]) == (share == 1)


# Adversarial steps


@pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
@pytest.mark.parametrize("cls", [VAT, AdversarialTraining])
def test_the_step_is_epsilon_for_each_value_of_a_sequence_and_none_in_its_padding(cls, tokens):
    model = Seen(made_model(cls, tokens, confidence=20))
    batch = made_batch(cls, 4, tokens=tokens, extra=3, noise=False)
    cls(epsilon=0.3).terms(model, batch)
    step = model.asked[-1] - model.asked[1]
    lengths = LENGTHS[4:] if cls is VAT else LENGTHS[:4]
    for row, length in zip(step, lengths, strict=True):
        assert row[:length].square().mean().sqrt() == pytest.approx(0.3, rel=1e-3)
        assert row[length:].abs().max() == 0


def test_the_direction_of_vat_changes_predictions_more_than_any_of_20_random_ones():
    model = made_model(VAT, confidence=20)
    batch = made_batch(VAT, 0, noise=False)
    seen = Seen(model)
    VAT(epsilon=0.3, n_power=2).terms(seen, batch)
    view, worst, divergence = seen.asked[0], seen.asked[-1], model.task.divergence
    with torch.no_grad():
        target = model.train_outputs(view, LENGTHS)
        reached = divergence(model.train_outputs(worst, LENGTHS), target).mean()
        for seed in range(20):
            noise = random_like(view, torch.Generator().manual_seed(seed))
            elsewhere = model.train_outputs(view + sphere(noise, LENGTHS, 0.3), LENGTHS)
            assert reached > divergence(elsewhere, target).mean()


def test_the_adversarial_step_raises_the_loss_of_the_labels():
    terms = AdversarialTraining(epsilon=0.3).terms(made_model(VAT), made_batch(VAT, 8, noise=False))
    assert terms["adversarial"] > terms["supervised"]


# Teachers


@pytest.mark.parametrize("cls", AVERAGED)
def test_a_teacher_gets_no_gradient_and_follows_the_student(cls):
    model, objective = made_model(cls, confidence=20), cls()
    objective.start(model, 1000, 8)
    teacher = objective.predictor(model)
    assert teacher is not model
    sum(objective.terms(model, made_batch(cls, 3)).values()).backward()
    assert all(w.grad is None and not w.requires_grad for w in teacher.parameters())
    before = [w.clone() for w in teacher.parameters()]
    moved(model)
    objective.after_step(model)
    for old, new, student in zip(before, teacher.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(new, (old + student) / 2)


@pytest.mark.parametrize("cls", AVERAGED)
def test_without_memory_the_student_answers_for_itself(cls):
    model, objective = made_model(cls), cls(memory=0)
    objective.start(model, 10, 8)
    assert objective.predictor(model) is model


# Sums


def terms_of(objective, seed=2):
    model = made_model(VAT, confidence=20)
    objective.start(model, 10, 8)
    batch = replace(made_batch(VAT, 3), generator=torch.Generator().manual_seed(seed))
    return {name: term.item() for name, term in objective.terms(model, batch).items()}


def test_a_sum_has_the_terms_of_both():
    one, both = terms_of(VAT()), terms_of(VAT() + EntropyMinimization(weight=0.5) + AdversarialTraining())
    entropy = terms_of(EntropyMinimization(weight=0.5))
    assert both.keys() == {"supervised", "vat", "entropy", "balance", "adversarial"}
    assert both["vat"] == pytest.approx(one["vat"])
    assert both["entropy"] == pytest.approx(entropy["entropy"])


def test_terms_of_one_name_add_up():
    once, twice = terms_of(EntropyMinimization()), terms_of(EntropyMinimization() + EntropyMinimization())
    assert twice["supervised"] == pytest.approx(once["supervised"])
    assert twice["entropy"] == pytest.approx(2 * once["entropy"])


def test_a_sum_shows_strong_views_wherever_one_part_asks_for_them():
    matching = terms_of(FixMatch(threshold=0))["matching"]
    for objective in (FixMatch(threshold=0) + VAT(), VAT() + FixMatch(threshold=0)):
        assert terms_of(objective).keys() == {"supervised", "matching", "vat"}
        assert objective.strong
    assert terms_of(EntropyMinimization() + FixMatch(threshold=0))["matching"] == pytest.approx(matching)
    assert not (VAT() + FixMatch(weight=0)).strong


def test_one_part_without_weight_leaves_the_other_alone():
    X, _, y = toy(40)
    alone = SemiSupervisedRNNClassifier(VAT(), **TINY).fit(X, y).predict_proba(X)
    for objective in (VAT() + FixMatch(weight=0), FixMatch(weight=0) + VAT()):
        np.testing.assert_array_equal(SemiSupervisedRNNClassifier(objective, **TINY).fit(X, y).predict_proba(X), alone)


def test_the_average_of_the_second_predicts_where_the_first_has_none():
    objective, model = VAT() + MeanTeacher(), made_model(VAT)
    objective.start(model, 10, 8)
    assert objective.predictor(model) is objective.second.teacher_.module


def test_parameters_of_the_parts_can_be_searched():
    X, _, y = toy(40, n_labels=20)
    search = GridSearchCV(
        SemiSupervisedRNNClassifier(VAT() + EntropyMinimization(), **TINY),
        {"objective__first__weight": [0, 1], "objective__second__weight": [0.5]},
        cv=[(np.r_[:16, 20:40], np.r_[16:20])],
    ).fit(X, y)
    assert search.best_estimator_.objective_.first.weight == search.best_params_["objective__first__weight"]
    assert clone(search.best_estimator_.objective).second.weight == 0.5


@pytest.mark.parametrize("part", [SelfTraining(), NoisyStudent()])
@pytest.mark.parametrize("swap", [False, True])
def test_a_sum_refuses_what_trains_in_rounds(part, swap):
    X, _, y = toy(30)
    objective = PiModel() + part if swap else part + PiModel()
    with pytest.raises(ValueError, match=f"{type(part).__name__} trains in rounds and cannot be part of a sum"):
        SemiSupervisedRNNClassifier(objective, **TINY).fit(X, y)


@pytest.mark.parametrize("wrong", [VAT() + VAT(weight=-1), Sum(VAT(), "vat"), (VAT() + VAT(xi=0)) + VAT()])
def test_a_sum_checks_the_parameters_of_its_parts(wrong):
    X, _, y = toy(30)
    with pytest.raises(ValueError, match=r"The '(weight|second|xi)' parameter of (VAT|Sum) must be"):
        SemiSupervisedRNNClassifier(copy.deepcopy(wrong), **TINY).fit(X, y)
