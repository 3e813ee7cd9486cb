"""What pretexts say when they train nothing, and what they learn."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import RNNAutoencoderTransformer
from sklearn_rnn.objectives import Composite, Contrastive, MaskedReconstruction, NextStep, Reconstruction
from sklearn_rnn.objectives._contrastive import MAX_STATES, common_states

random = np.random.default_rng(0)
WAVES = np.sin(np.linspace(0, 9, 12) * random.uniform(0.5, 1.5, (16, 1)) + random.uniform(0, 6, (16, 1)))


def trained(objective, X=WAVES, **params):
    params = {"hidden_size": 6, "n_kernels": 8, "max_epochs": 4, "patch_size": 3, "random_state": 0} | params
    return RNNAutoencoderTransformer(objective, **params).fit(X)


@pytest.mark.usefixtures("judged_soon")
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


@pytest.mark.usefixtures("judged_soon")
@pytest.mark.parametrize("objective", [NextStep(), MaskedReconstruction(), Composite(), Contrastive(temporal=0.5)])
def test_nobody_is_warned_where_there_is_something_to_learn(objective):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(objective, hidden_size=16, max_epochs=8)


@pytest.mark.parametrize("objective", ["contrastive", "variational", "recurrent_gan"])
def test_what_history_shows_is_of_training_rows_alone(objective):
    assert trained(objective, early_stopping=objective != "recurrent_gan", max_epochs=1).objective_.observed() == {}


def test_contrastive_codes_are_validated_on_perturbed_views_of_several_sequences():
    losses = []
    for augmentation in ("auto", None):
        model = trained(
            "contrastive", WAVES[:6], early_stopping=True, strong_augmentation=augmentation, lr=1e-12, max_epochs=3
        )
        losses.append(model.history_[:, "valid_loss"])
        assert losses[-1] == pytest.approx([losses[-1][0]] * model.n_iter_, abs=1e-5)  # each time the same noise
    assert losses[0][0] > losses[1][0] + 1e-3
    with pytest.raises(ValueError, match="needs 3 samples or more"):
        trained("contrastive", WAVES[:2], early_stopping=True)


@pytest.mark.full_epochs
@pytest.mark.parametrize(
    ("objective", "max_epochs"),
    [
        (NextStep(), 4),
        pytest.param(MaskedReconstruction(), 4, marks=pytest.mark.slow),
        pytest.param(Reconstruction(feed="steps"), 12, marks=pytest.mark.slow),
    ],
)
def test_what_can_be_told_from_its_surroundings_is_told_better_than_noise(objective, max_epochs):
    noise = np.random.default_rng(1).normal(size=WAVES.shape) * WAVES.std()
    params = {"n_kernels": 32, "patch_size": 1, "max_epochs": max_epochs, "lr": 0.03}
    waves, nothing = (trained(objective, X, **params).score(X) for X in (WAVES, noise))
    assert waves > -0.5
    assert nothing < waves - 0.2


@pytest.mark.parametrize(
    "objective", [NextStep(), MaskedReconstruction(), Reconstruction(), Reconstruction(reverse=True, loss="absolute")]
)
def test_the_odd_step_has_the_largest_error(objective):
    X = WAVES.copy()
    X[:, 4] += 30
    autoencoder = trained(objective, patch_size=1)
    net, model = autoencoder.net_, autoencoder.net_.module_
    batch = net.plain_batch(torch.from_numpy(X[:, :, None]).float(), torch.full((16,), 9))
    errors = autoencoder.objective_.errors_by_step(model, batch)  # (16, 12)
    assert (errors[:, :9].argmax(1) == 4).all()
    torch.testing.assert_close(errors[:, :9].mean(1), autoencoder.objective_.errors(model, batch))


def test_steps_of_a_composite_score_what_its_sequences_score():
    X = [np.random.default_rng(0).normal(size=(n, 2)) for n in (12, 5, 1, 9)]
    autoencoder = RNNAutoencoderTransformer(Composite(past=0.6), hidden_size=8, max_epochs=1, random_state=0).fit(X)
    means = [steps.mean() for steps in autoencoder.score_steps(X)]
    np.testing.assert_allclose(means, autoencoder.score_samples(X), rtol=1e-5)


def test_states_are_told_apart_whatever_the_length_of_the_next_sequence():
    states = torch.randn(2, 3 * MAX_STATES, 4, generator=torch.Generator().manual_seed(0))
    lengths, first = torch.tensor([100, 3 * MAX_STATES]), torch.zeros(2, dtype=torch.long)
    one, _, mask = common_states((first, states, lengths), (first, states, lengths))
    assert mask.sum(1).tolist() == [100, MAX_STATES]
    assert torch.equal(one[0, :100], states[0, :100])


@pytest.mark.parametrize("objective", [NextStep(), MaskedReconstruction()])
def test_scores_change_nothing_that_was_fitted(objective):
    X = np.random.default_rng(0).normal(size=(20, 12, 1))
    autoencoder = RNNAutoencoderTransformer(objective, hidden_size=8, patch_size=2, max_epochs=1).fit(X)
    before = dict(vars(autoencoder.objective_))
    autoencoder.score_samples(np.concatenate([X, X], axis=1))
    assert vars(autoencoder.objective_) == before
