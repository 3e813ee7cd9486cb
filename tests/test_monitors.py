"""What `history_` tells of the unlabeled rows, and the warnings when they trained nothing or too much."""

import warnings

import numpy as np
import pytest
from objective_cases import CLASSES, TINY
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import (
    ICT,
    UDA,
    VAT,
    AdversarialTraining,
    EntropyMinimization,
    FixMatch,
    FlexMatch,
    MeanTeacher,
    MixUp,
    NoisyStudent,
    PiModel,
    PseudoLabel,
    SelfTraining,
    Supervised,
    TemporalEnsembling,
)
from sklearn_rnn.objectives._semi_supervised import evenness

SHARES = {"class_share_0", "class_share_1", "class_share_2", "class_entropy"}
LABELS_ALONE = (AdversarialTraining, MixUp, SelfTraining, Supervised)


def toy(n=60, n_labels=12, n_classes=3):
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    X = (rng.normal(size=(n, 6, 1)) + y[:, None, None]).astype(np.float32)
    return X, np.where(np.arange(n) < n_labels, y, -1)


def fitted(objective, n_classes=3, **params):
    X, y = toy(n_classes=n_classes)
    return SemiSupervisedRNNClassifier(objective, **{**TINY, **params}).fit(X, y)


def warnings_of(objective, n_classes=3, **params):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted(objective, n_classes, max_epochs=4, **params)
    assert all(w.category is ConvergenceWarning for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.needs != "sequences"])
def test_the_history_has_the_monitors_that_apply(cls):
    last = fitted(cls(), batch_size=16).history_[-1]
    expected = set() if cls in LABELS_ALONE else set(SHARES)
    if {"memory", "threshold"} & cls().get_params().keys():
        expected |= set() if cls is SelfTraining else {"confident", "agreement"}
    if cls is PseudoLabel:
        expected -= {"agreement"}
    assert {name for name in last if name in SHARES | {"confident", "agreement"}} == expected
    if expected:
        shares = [last[f"class_share_{i}"] for i in range(3)]
        assert sum(shares) == pytest.approx(1)
        assert last["class_entropy"] == pytest.approx(evenness(shares))
        assert 0 <= last.get("confident", 0) <= 1
        assert 0 <= last.get("agreement", 0) <= 1


def test_the_entropy_of_classes_is_1_for_even_ones_and_0_for_one():
    assert evenness([0.25] * 4) == pytest.approx(1)
    assert evenness([0, 1, 0]) == 0
    assert 0 < evenness([0.9, 0.1]) < evenness([0.6, 0.4]) < 1
    assert evenness([1.0]) == 1


@pytest.mark.parametrize("objective", [FixMatch(), NoisyStudent(n_rounds=2)])
def test_verbose_prints_columns_of_numbers_with_a_head_for_each_round(objective, capsys):
    clf = fitted(objective, max_epochs=2, verbose=1)
    lines = capsys.readouterr().out.strip("\n").split("\n")
    heads = [line.split() for line in lines if "epoch" in line]
    assert len(heads) == objective.n_rounds
    assert {"class_entropy", "confident", "agreement"} <= set(heads[-1])
    assert not {name for name in heads[-1] if name.startswith("class_share")}
    assert len(lines) == 2 * len(heads) + clf.n_iter_
    assert len(lines[-1].split()) == len(heads[-1])
    assert max(map(len, lines)) < 160


@pytest.mark.usefixtures("judged_soon")
@pytest.mark.parametrize(
    "cls",
    [
        FixMatch,
        SelfTraining,
        *(
            pytest.param(cls, marks=pytest.mark.slow)
            for cls in (ICT, MeanTeacher, NoisyStudent, PiModel, PseudoLabel, TemporalEnsembling, UDA)
        ),
    ],
)
def test_a_threshold_that_nothing_passes_is_told(cls):
    (message,) = warnings_of(cls(threshold=1.0))
    assert message.startswith(f"{cls.__name__} trained on the labels alone: no unlabeled row passed threshold=1.0.")
    assert "Lower threshold" in message


@pytest.mark.usefixtures("judged_soon")
def test_steps_too_short_to_matter_are_told():
    (message,) = warnings_of(VAT(epsilon=1e-6))
    assert "epsilon=1e-06" in message
    assert "Raise epsilon" in message


@pytest.mark.usefixtures("judged_soon")
@pytest.mark.parametrize(
    "objective", [EntropyMinimization(weight=300, balance=0, ramp=0), FlexMatch(weight=300, ramp=0, alignment=0)]
)
def test_predictions_of_one_class_alone_are_told(objective):
    (message,) = warnings_of(objective, lr=0.03, n_kernels=0)  # kernels tell these classes apart
    assert "all unlabeled rows in class" in message
    assert "Lower the weight" in message


@pytest.mark.usefixtures("judged_soon")
def test_a_sum_tells_each_trouble_once():
    messages = warnings_of(VAT() + FixMatch(threshold=1.0) + EntropyMinimization())
    assert len(messages) == 1
    assert messages[0].startswith("FixMatch")
    collapsed = warnings_of(EntropyMinimization(weight=300, balance=0, ramp=0) + VAT(), lr=0.03)
    assert len([m for m in collapsed if "all unlabeled rows" in m]) == 1


@pytest.mark.usefixtures("judged_soon")
@pytest.mark.parametrize("objective", [FixMatch(threshold=0.6), MeanTeacher(threshold=0.6), EntropyMinimization()])
def test_a_healthy_fit_and_one_without_weight_warn_of_nothing(objective):
    assert warnings_of(objective) == []
    assert warnings_of(objective.set_params(weight=0)) == []


@pytest.mark.usefixtures("judged_soon")
def test_a_training_too_short_to_judge_warns_of_nothing():
    fitted(FixMatch(threshold=1.0), max_epochs=3)
