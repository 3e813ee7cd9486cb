"""What all tests share: short epochs, unless a test says otherwise."""

import pytest

import sklearn_rnn.objectives._base
import sklearn_rnn.sequences._batches as batches

STEPS = batches.MIN_STEPS_PER_EPOCH  # of an epoch of few rows, as a user has it
FEW_STEPS = 2  # laws and messages hold after two as well


@pytest.fixture(autouse=True, scope="module")
def _short_epochs():
    """Give an epoch few steps, also where a fixture of the module fits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "MIN_STEPS_PER_EPOCH", FEW_STEPS)
        yield


@pytest.fixture(autouse=True)
def _full_epochs(request, monkeypatch):
    """Give an epoch all its steps where the test is marked `full_epochs`: it learns, or counts steps."""
    if request.node.get_closest_marker("full_epochs") is not None:
        monkeypatch.setattr(batches, "MIN_STEPS_PER_EPOCH", STEPS)


@pytest.fixture
def judged_soon(monkeypatch):
    """Give an epoch 6 steps and judge whether a training converged after 24, not after 100."""
    monkeypatch.setattr(batches, "MIN_STEPS_PER_EPOCH", 6)
    monkeypatch.setattr(sklearn_rnn.objectives._base, "MIN_STEPS", 24)
