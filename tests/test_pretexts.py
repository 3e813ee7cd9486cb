"""What pretexts say when they train nothing, and what they learn."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.objectives import Composite, Contrastive, MaskedReconstruction, NextStep, Reconstruction

random = np.random.default_rng(0)
WAVES = np.sin(np.linspace(0, 9, 12) * random.uniform(0.5, 1.5, (16, 1)) + random.uniform(0, 6, (16, 1)))


def trained(objective, X=WAVES, **params):
    params = {"hidden_size": 6, "max_epochs": 4, "patch_size": 3, "random_state": 0} | params
    return RNNAutoencoderTransformer(objective, **params).fit(X)


@pytest.mark.parametrize(
    ("objective", "params", "words"),
    [
        (NextStep(), {"patch_size": 12}, "NextStep trained no recurrence.*Lower patch_size"),
        (MaskedReconstruction(), {"patch_size": 12}, "MaskedReconstruction trained no recurrence.*Lower patch_size"),
        (Composite(past=0.95), {}, "Composite predicted no future.*past=0.95.*Lower past"),
        (Contrastive(), {"X": WAVES[:1]}, "one sequence in each batch"),
        (Contrastive(), {"X": np.ones((16, 12)) * WAVES[0]}, "found by chance.*temperature"),
        (Contrastive(temporal=1), {"patch_size": 12}, "no two views share two patches.*crop"),
    ],
)
def test_a_loss_that_trains_nothing_warns_and_says_what_to_change(objective, params, words):
    with pytest.warns(ConvergenceWarning, match=words):
        trained(objective, **params)


@pytest.mark.parametrize("objective", [NextStep(), MaskedReconstruction(), Composite(), Contrastive(temporal=0.5)])
def test_nobody_is_warned_where_there_is_something_to_learn(objective):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(objective)


@pytest.mark.parametrize("objective", [NextStep(), MaskedReconstruction(), Reconstruction(feed="steps")])
def test_what_can_be_told_from_its_surroundings_is_told_better_than_noise(objective):
    noise = random.normal(size=WAVES.shape) * WAVES.std()
    waves, nothing = (trained(objective, X, patch_size=1, max_epochs=8).score(X) for X in (WAVES, noise))
    assert waves > -0.5
    assert nothing < waves - 0.2
