"""What all tests share: short epochs, unless a test says otherwise."""

import pytest

import sklearn_rnn.sequences._batches

FEW_STEPS = 3  # of an epoch, instead of 25: laws and messages hold after three as well


@pytest.fixture(autouse=True)
def _short_epochs(request, monkeypatch):
    """Give an epoch few steps, but where the test is marked `full_epochs`: it learns, or counts steps."""
    if request.node.get_closest_marker("full_epochs") is None:
        monkeypatch.setattr(sklearn_rnn.sequences._batches, "MIN_STEPS_PER_EPOCH", FEW_STEPS)
        monkeypatch.setattr(sklearn_rnn.sequences._batches, "LABELED_A_STEP", 1)  # also in classifiers
