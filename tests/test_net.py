"""Training: callbacks, early stopping, warm start, epochs, pretraining, weights and markers."""

import functools

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochScoring, LRScheduler, ProgressBar

from sklearn_rnn import Optimizer, Pretraining, RNNAutoencoderTransformer, SemiSupervisedRNNClassifier
from sklearn_rnn.objectives import Reconstruction, TemporalEnsembling, objective_names

OF_EACH_KIND = {  # alone, with a teacher, with gradients of its own, in rounds, with a decoder, without, with opponents
    "supervised",
    "fixmatch",
    "vat",
    "noisy_student",
    "reconstruction",
    "contrastive",
    "feature_matching_gan",
}
TINY = {"hidden_size": 6, "n_kernels": 4, "max_epochs": 2, "batch_size": 8, "random_state": 0}


def toy(n=60, n_labels=20, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = (rng.normal(size=(n, 10, 1)) + y[:, None, None]).astype(np.float32)
    return X, y, np.where(np.arange(n) < n_labels, y, -1)


def fitted(X, y, *, sample_weight=None, **params):
    return SemiSupervisedRNNClassifier(**{**TINY, **params}).fit(X, y, sample_weight=sample_weight)


class Counted(TemporalEnsembling):
    """Keeps how often the answers were remembered."""

    def finish(self, model):
        Counted.total = int(self.times_.sum())
        super().finish(model)


class Recorded(Callback):
    """Record a fingerprint of the weights that would predict after each epoch."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("fingerprint", fingerprint(net.module_))


def fingerprint(module):
    return float(sum(w.detach().double().abs().sum() for w in module.parameters()))


# Callbacks


def made_callbacks(tmp_path):
    return {
        "EarlyStopping": EarlyStopping(patience=1, threshold=10, threshold_mode="abs"),
        "LRScheduler": LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5),
        "EpochScoring": EpochScoring("accuracy", lower_is_better=False),
        "ProgressBar": ProgressBar(),
        "Checkpoint": Checkpoint(dirname=str(tmp_path), monitor="valid_loss_best"),
    }


@pytest.mark.parametrize("objective", ["supervised", "mean_teacher"])
@pytest.mark.parametrize("name", ["EarlyStopping", "LRScheduler", "EpochScoring", "ProgressBar", "Checkpoint"])
def test_the_users_callbacks_are_used_as_skorch_does_and_work(name, objective, tmp_path, capsys):
    X, _, y = toy()
    callback = made_callbacks(tmp_path)[name]
    before = callback.get_params()
    clf = fitted(X, y, objective=objective, callbacks=[callback], early_stopping=True, max_epochs=4)
    assert callback.get_params() == before
    # `fit` changes no other parameter object; the loggers, pruners and checkpoints that act are the user's own
    assert clf.callbacks[0] is dict(clf.net_.callbacks_)[name] is callback
    if name == "EarlyStopping":
        assert clf.n_iter_ < 4
    elif name == "LRScheduler":
        assert clf.history_[:, "lr"] == pytest.approx([0.008, 0.004, 0.002, 0.001])
    elif name == "EpochScoring":
        assert all(0 <= score <= 1 for score in clf.history_[:, "accuracy"])
        assert "accuracy_best" in clf.history_[-1]
    elif name == "ProgressBar":
        assert "/4" in capsys.readouterr().err  # 3 steps and one batch held out
    else:
        assert (tmp_path / "params.pt").exists()
        assert (tmp_path / "history.json").exists()
    assert clf.predict(X).shape == (60,)


def test_the_score_of_a_callback_is_the_accuracy_on_the_rows_held_out():
    X, truth, _ = toy()
    X = X + 9 * truth[:, None, None].astype(np.float32)
    clf = fitted(X, truth, early_stopping=True, callbacks=[EpochScoring("accuracy", lower_is_better=False)])
    assert clf.history_[-1]["accuracy"] == 1.0


@pytest.mark.full_epochs
def test_scores_of_probabilities_are_those_of_the_second_class():
    X, truth, _ = toy()
    X = X + 9 * truth[:, None, None].astype(np.float32)
    best = {"roc_auc": 1, "average_precision": 1, "neg_log_loss": 0, "f1": 1}
    scorings = [(name, EpochScoring(name, lower_is_better=False)) for name in best]
    clf = fitted(X, truth, early_stopping=True, callbacks=scorings)
    assert {name: clf.history_[-1][name] for name in best} == pytest.approx(best, abs=0.3)


@pytest.mark.parametrize("callbacks", [[("named", Recorded())], [Recorded], [Recorded()]])
def test_callbacks_come_named_as_classes_or_as_instances(callbacks):
    X, _, y = toy()
    assert "fingerprint" in fitted(X, y, callbacks=callbacks).history_[0]


def test_verbose_prints_a_line_for_each_epoch(capsys):
    X, _, y = toy()
    fitted(X, y, verbose=1)
    assert capsys.readouterr().out.count("\n") >= 4


# Early stopping


@pytest.mark.parametrize("objective", ["supervised", "mean_teacher"])
def test_early_stopping_stops_and_keeps_the_best_weights(objective):
    X, truth, _ = toy(seed=3)
    y = np.random.default_rng(0).permutation(truth)  # nothing to learn: more training is worse
    clf = fitted(
        X,
        y,
        objective=objective,
        callbacks=[Recorded()],
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=2,
        max_epochs=40,
    )
    losses = clf.history_[:, "valid_loss"]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    assert clf.n_iter_ == len(losses) == best + 3 < 40
    assert fingerprint(clf.net_.module_) == pytest.approx(clf.history_[best]["fingerprint"], rel=1e-9)
    assert clf.history_[-1]["fingerprint"] != clf.history_[best]["fingerprint"]


def test_rows_without_weight_have_no_say_in_when_to_stop():
    X, y, _ = toy(200, 200)
    wrong = np.where(np.arange(200) < 100, 1 - y, y)
    weight = (np.arange(200) >= 100).astype(float)
    params = {"early_stopping": True, "validation_fraction": 0.3, "class_weight": {0: 1, 1: 3}}
    params |= {"objective": "supervised", "max_epochs": 1}
    clf = fitted(X, wrong, sample_weight=weight, **params)
    flipped = fitted(X, np.where(weight == 0, 1 - wrong, wrong), sample_weight=weight, **params)
    assert clf.history_[:, "valid_loss"] == flipped.history_[:, "valid_loss"]
    even = fitted(X, wrong, sample_weight=weight, **params | {"class_weight": None})
    assert clf.history_[0, "valid_loss"] != pytest.approx(even.history_[0, "valid_loss"], rel=1e-3)


class TrainedMore(Reconstruction):
    """Its loss falls as training goes on, whatever the net does."""

    def terms(self, model, batch):
        return {"reconstruction": super().terms(model, batch)["reconstruction"] * 0 + 1 - batch.progress}


def test_losses_of_all_epochs_are_validated_as_at_the_end_of_training():
    X, _, _ = toy()
    autoencoder = RNNAutoencoderTransformer(TrainedMore(), **TINY, early_stopping=True).fit(X)
    assert autoencoder.history_[:, "valid_loss"] == [0, 0]


def test_an_autoencoder_stops_early_too():
    X, _, _ = toy()
    autoencoder = RNNAutoencoderTransformer(**{**TINY, "early_stopping": True, "n_iter_no_change": 1, "lr": 1e-12})
    autoencoder.set_params(max_epochs=9).fit(X)
    assert "valid_loss" in autoencoder.history_[0]
    assert autoencoder.n_iter_ < 9


def test_a_score_of_training_batches_is_over_their_labeled_rows():
    X, _, y = toy(60, 8)  # one batch has all labels
    scoring = EpochScoring("accuracy", on_train=True, lower_is_better=False, name="train_accuracy")
    clf = fitted(X, y, callbacks=[scoring], lr=1e-12, max_epochs=1)
    assert clf.history_[-1]["train_accuracy"] == clf.score(X, y)


# Warm start


@pytest.mark.parametrize("objective", ["supervised", "mean_teacher"])
def test_a_warm_start_goes_on_from_the_last_weights(objective):
    X, _, y = toy()
    clf = fitted(X, y, objective=objective, max_epochs=3)
    before = clf.predict_proba(X)
    warm = clf.set_params(warm_start=True, lr=1e-9, max_epochs=1).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(warm, before, atol=1e-5)
    cold = clf.set_params(warm_start=False).fit(X, y).predict_proba(X)
    assert np.abs(cold - before).max() > 1e-2


def test_a_warm_start_with_other_classes_is_an_error():
    X, _, y = toy()
    clf = fitted(X, y, warm_start=True)
    with pytest.raises(ValueError, match="warm_start"):
        clf.fit(X, np.where(y == 1, 5, y))


def test_an_autoencoder_starts_warm_too():
    X, _, _ = toy()
    autoencoder = RNNAutoencoderTransformer(**TINY).fit(X)
    before = autoencoder.transform(X)
    autoencoder.set_params(warm_start=True, lr=1e-9).fit(X)
    np.testing.assert_allclose(autoencoder.transform(X), before, atol=1e-5)


@pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, RNNAutoencoderTransformer])
@pytest.mark.parametrize("other", [lambda X: np.repeat(X, 2, axis=2), lambda X: X[:, :, 0]], ids=["features", "kind"])
def test_a_warm_start_on_another_kind_of_x_is_an_error_and_leaves_the_last_fit(cls, other):
    X, _, y = toy()
    estimator = cls(**TINY, warm_start=True).fit(X, y)
    before = estimator.transform(X)
    with pytest.raises(ValueError, match=r"expecting 1 features|was fitted on sequences"):
        estimator.fit(other(X), y)
    np.testing.assert_array_equal(estimator.transform(X), before)


@pytest.mark.parametrize("cls", [SemiSupervisedRNNClassifier, RNNAutoencoderTransformer])
@pytest.mark.parametrize("change", [{"hidden_size": 8}, {"pooling": "max"}, {"n_kernels": 0}, {"patch_size": 2}])
def test_a_warm_start_of_another_architecture_is_an_error(cls, change):
    X, _, y = toy()
    estimator = cls(**TINY, warm_start=True).fit(X, y)
    (name,) = change
    with pytest.raises(ValueError, match=f"warm_start=True needs {name}="):
        estimator.set_params(**change).fit(X, y)


def test_a_warm_start_drops_out_what_is_set_now():
    X, _, y = toy()
    clf = fitted(X, y, warm_start=True).set_params(dropout=0.7).fit(X, y)
    assert clf.net_.module_.encoder.recurrence.dropout == 0.7


# Epochs and history


@pytest.mark.full_epochs
@pytest.mark.parametrize("objective", ["supervised", "mean_teacher"])
def test_an_epoch_of_ten_labels_among_many_rows_is_25_steps(objective):
    X, _, y = toy(2000, 10)
    clf = fitted(X, y, objective=objective, max_epochs=1)
    assert clf.history_[0]["train_batch_count"] == 25


def test_an_epoch_of_many_labels_is_one_pass():
    X, truth, _ = toy(400)
    assert fitted(X, truth, max_epochs=1).history_[0]["train_batch_count"] == 50


def test_the_history_names_each_term_of_the_loss():
    X, _, y = toy()
    clf = fitted(X, y)
    for epoch in clf.history_:
        assert epoch["train_loss"] == pytest.approx(epoch["supervised"] + epoch["matching"])
    assert len(clf.history_) == clf.n_iter_ == 2
    assert "matching" not in fitted(X, y, objective="supervised").history_[0]
    assert "reconstruction" in RNNAutoencoderTransformer(**TINY).fit(X).history_[0]


@pytest.mark.full_epochs
def test_the_rate_follows_one_cycle():
    X, _, y = toy()
    rates = fitted(X, y, objective="supervised", max_epochs=10).history_[:, "lr"]
    assert max(rates) == pytest.approx(0.008, rel=0.05)
    assert rates[0] < max(rates)
    assert rates[-1] < 1e-5


@pytest.mark.parametrize("wrap", [lambda method: method, Optimizer], ids=["class", "object"])
def test_lbfgs_is_refused_with_the_optimizers_that_fit(wrap):
    X, _, y = toy(20, 8)
    with pytest.raises(ValueError, match=r"optimizer=LBFGS .*Choose from \['adam', 'adamw', 'sgd'\]"):
        fitted(X, y, optimizer=wrap(torch.optim.LBFGS))


@pytest.mark.full_epochs
def test_an_objective_is_moved_once_in_each_step():
    X, _, y = toy()
    fitted(X, y, objective=Counted(), lr=0.01)
    assert Counted.total == 2 * 25 * 8  # epochs, steps and unlabeled rows in each


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", torch.optim.RMSprop, torch.optim.Rprop])
def test_every_kind_of_optimizer_trains(optimizer):
    X, _, y = toy()
    still, trained = (
        fitted(X, y, objective="supervised", optimizer=optimizer, augmentation=None, lr=lr) for lr in (1e-12, 0.01)
    )
    assert np.isfinite(trained.history_[:, "supervised"]).all()
    assert np.abs(trained.predict_proba(X) - still.predict_proba(X)).max() > 1e-4


class Wrapped(torch.optim.AdamW):
    """Passes its options on."""

    def __init__(self, params, **options):
        super().__init__(params, **options)


def test_weight_decay_reaches_optimizers_that_pass_their_options_on():
    X, _, y = toy()
    one, other = (
        fitted(X, y, objective="supervised", optimizer=Optimizer(method, weight_decay=0.5))
        for method in (torch.optim.AdamW, Wrapped)
    )
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_a_loss_that_is_not_finite_is_an_error_that_says_where():
    X, _, y = toy()
    with pytest.raises(FloatingPointError, match="epoch 1, step"):
        fitted(X, y, optimizer=Optimizer("sgd", gradient_clip=None), lr=1e30)


# Pretraining


def pretrained(**params):
    return RNNAutoencoderTransformer(**{**TINY, **params})


@pytest.mark.parametrize("form", ["name", "objective", "unfitted", "frozen"])
def test_pretraining_in_all_its_forms_hands_on_an_encoder_and_is_left_as_it_was(form):
    X, _, y = toy()
    pretraining = {
        "name": "reconstruction",
        "objective": Reconstruction(),
        "unfitted": pretrained(),
        "frozen": FrozenEstimator(pretrained().fit(X)),
    }[form]
    frozen = pretraining.transform(X) if form == "frozen" else None
    options = {"objective": "supervised", "max_epochs": 1}
    clf, again = (fitted(X, y, pretraining=pretraining, **options) for _ in range(2))
    assert clf.pretraining is pretraining
    assert not np.array_equal(clf.predict_proba(X), fitted(X, y, **options).predict_proba(X))
    np.testing.assert_array_equal(clf.predict_proba(X), again.predict_proba(X))
    if form == "unfitted":
        assert not hasattr(pretraining, "net_")
    if form == "frozen":
        np.testing.assert_array_equal(pretraining.transform(X), frozen)


@pytest.mark.parametrize("form", ["unfitted", "frozen"])
def test_the_encoder_is_the_pretrained_one(form):
    X, _, y = toy()
    expected = pretrained().fit(X)
    pretraining = pretrained() if form == "unfitted" else FrozenEstimator(expected)
    clf = fitted(X, y, pretraining=pretraining, lr=1e-12)
    np.testing.assert_allclose(clf.embed(X), expected.transform(X), atol=1e-5)


@pytest.mark.parametrize("form", ["unfitted", "frozen"])
def test_dropout_is_the_classifiers_whatever_that_of_pretraining(form):
    X, _, y = toy()
    pretraining = pretrained(dropout=0, num_layers=2)
    if form == "frozen":
        pretraining = FrozenEstimator(pretraining.fit(X))
    options = {"objective": "supervised", "num_layers": 2, "pretraining": pretraining}
    clfs = [fitted(X, y, **options, dropout=p) for p in (0, 0.2)]
    assert [clf.net_.module_.encoder.recurrence.dropout for clf in clfs] == [0, 0.2]
    assert not np.array_equal(*(clf.predict_proba(X) for clf in clfs))


@pytest.mark.parametrize(("name", "value"), [("cell", "lstm"), ("hidden_size", 5), ("pooling", "last")])
@pytest.mark.parametrize("frozen", [False, True], ids=["unfitted", "frozen"])
def test_pretraining_of_another_architecture_is_an_error_that_says_what_differs(name, value, frozen):
    X, _, y = toy()
    other = pretrained(**{name: value})
    with pytest.raises(ValueError, match=f"pretraining has {name}={value!r}.*[Ss]et the same value in both"):
        fitted(X, y, pretraining=FrozenEstimator(other.fit(X)) if frozen else other)


def test_a_frozen_estimator_that_was_not_fitted_is_an_error():
    X, _, y = toy()
    with pytest.raises(ValueError, match="fitted RNNAutoencoderTransformer"):
        fitted(X, y, pretraining=FrozenEstimator(pretrained()))


def test_a_frozen_estimator_for_other_features_is_an_error():
    X, _, y = toy()
    with pytest.raises(ValueError, match="features"):
        fitted(X, y, pretraining=FrozenEstimator(pretrained().fit(np.concatenate([X, X], axis=2))))


def test_a_supervised_objective_pretrains_nothing():
    X, _, y = toy()
    with pytest.raises(ValueError, match=r"pretraining='supervised' is not an unsupervised objective.*reconstruction"):
        fitted(X, y, pretraining="supervised")


def encoder_weights(estimator):
    return estimator.net_.module_.encoder.state_dict()


def changed(one, other):
    return any(not torch.equal(weight, other[name]) for name, weight in one.items())


@functools.cache
def pretrained_once():
    return pretrained().fit(toy()[0])


def test_an_encoder_that_is_not_frozen_is_trained():
    X, _, y = toy()
    clf = fitted(X, y, pretraining=FrozenEstimator(pretrained_once()), max_epochs=1)
    assert changed(encoder_weights(clf), encoder_weights(pretrained_once()))


@pytest.mark.parametrize("objective", objective_names("classification"))
def test_a_frozen_encoder_keeps_its_bits(objective):
    X, _, y = toy()
    expected = pretrained_once()
    clf = fitted(X, y, objective=objective, pretraining=Pretraining(FrozenEstimator(expected), freeze=1), max_epochs=1)
    assert not changed(encoder_weights(clf), encoder_weights(expected))
    resting = [name for name, weight in clf.net_.module_.named_parameters() if not weight.requires_grad]
    assert resting == [name for name, _ in clf.net_.module_.named_parameters() if ".kernels." in name]


def test_the_encoder_is_frozen_for_the_share_of_training_that_freeze_says():
    class Encoders(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("encoder", net.module_.encoder.patches.weight.sum().item())
            net.history.record("head", net.module_.head.weight.sum().item())

    X, _, y = toy()
    frozen = Pretraining("next_step", freeze=0.5)
    history = fitted(X, y, callbacks=[Encoders()], pretraining=frozen, objective="supervised", max_epochs=4).history_
    assert [len(set(history[:half, "encoder"])) for half in (2, 4)] == [1, 3]
    assert len(set(history[:, "head"])) == 4


@pytest.mark.parametrize(("gradual", "moments"), [(True, [1, 2, 3]), (False, [3, 3, 3])], ids=["gradual", "at once"])
def test_layers_thaw_one_after_the_other_the_last_first_or_all_at_once(gradual, moments):
    class Layers(Callback):
        def on_epoch_begin(self, net, **kwargs):
            encoder = net.module_.encoder
            weights = (encoder.recurrence.backwards[1], encoder.recurrence.forwards[0], encoder.patches)
            for name, layer in zip("abc", weights, strict=True):
                net.history.record(name, next(layer.parameters()).sum().item())

    X, _, y = toy()
    options = {"objective": "supervised", "max_epochs": 6, "num_layers": 2}
    pretraining = Pretraining("next_step", freeze=0.5, gradual=gradual)
    history = fitted(X, y, callbacks=[Layers()], pretraining=pretraining, **options).history_
    kept = [[history[i, name] == history[0, name] for i in range(6)].index(False) - 1 for name in "abc"]
    assert kept == moments


@pytest.mark.parametrize("X", [toy()[0], list(np.arange(120).reshape(20, 6) % 5)], ids=["numbers", "tokens"])
def test_the_layers_of_an_encoder_hold_each_weight_that_is_trained_once(X):
    encoder = RNNAutoencoderTransformer(**TINY, pooling="attention", num_layers=2).fit(X).net_.module_.encoder
    held = [id(weight) for layer in encoder.layers() for weight in layer]
    assert sorted(held) == sorted(id(weight) for weight in encoder.parameters() if weight.requires_grad)
    assert len(encoder.layers()) == 3


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_first_step_of_a_pretrained_encoder_is_as_long_as_its_factor_says(optimizer):
    class Steps(Callback):
        def on_batch_begin(self, net, **kwargs):
            net.history.record_batch("encoder", net.module_.encoder.patches.weight.detach().clone())
            net.history.record_batch("head", net.module_.head.weight.detach().clone())

    def first_step(factor):
        options = {"optimizer": Optimizer(optimizer, weight_decay=0), "objective": "supervised"}
        options |= {"pretraining": Pretraining(pretraining, lr_factor=factor)}
        history = fitted(X, y, callbacks=[Steps()], **options).history_
        return [history[0]["batches"][1][part] - history[0]["batches"][0][part] for part in ("encoder", "head")]

    X, _, y = toy()
    pretraining = FrozenEstimator(pretrained().fit(X))
    (whole, head), (half, same) = first_step(1), first_step(0.5)
    assert whole.abs().max() > 0
    torch.testing.assert_close(half, whole / 2, rtol=1e-2, atol=1e-7)
    assert torch.equal(head, same)


def test_both_rates_follow_one_cycle():
    class Rates(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("rates", [group["lr"] for group in net.optimizer_.param_groups])

    X, _, y = toy()
    clf = fitted(X, y, pretraining=Pretraining(lr_factor=0.25), callbacks=[Rates()], max_epochs=4)
    for epoch in clf.history_:
        assert epoch["rates"] == [epoch["lr"], epoch["lr"] / 4]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in OF_EACH_KIND else [pytest.mark.slow])
        for name in objective_names("representation")
    ],
)
def test_the_same_seed_pretrains_the_same_bits(name):
    X, _, y = toy()
    options = {"pretraining": name, "objective": "supervised", "max_epochs": 1}
    one, same, other = (fitted(X, y, **options, random_state=seed).predict_proba(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


# Weights


def test_rows_without_weight_teach_nothing():
    X, truth, _ = toy(80)
    wrong = np.arange(80) % 4 < 2
    y = np.where(wrong, 1 - truth, truth)
    options = {"objective": "supervised", "max_epochs": 3}
    right = fitted(X, y, sample_weight=(~wrong).astype(float), **options).score(X, truth)
    false = fitted(X, y, sample_weight=wrong.astype(float), **options).score(X, truth)
    assert right > 0.8
    assert false < 0.2


def test_equal_weights_change_nothing():
    X, _, y = toy()
    np.testing.assert_allclose(
        fitted(X, y).predict_proba(X), fitted(X, y, sample_weight=np.full(60, 3.0)).predict_proba(X), atol=1e-4
    )


def test_class_weights_leave_the_given_sample_weights_alone():
    X, _, y = toy()
    weights = np.ones(60)
    fitted(X, y, sample_weight=weights, class_weight={0: 3, 1: 1})
    assert (weights == 1).all()


@pytest.mark.parametrize("favoured", [0, 1])
def test_a_class_of_more_weight_is_predicted_more(favoured):
    X, truth, _ = toy()
    X = np.random.default_rng(0).normal(size=X.shape)
    clf = fitted(X, truth, class_weight={favoured: 30, 1 - favoured: 1}, objective="supervised")
    assert (clf.predict(X) == favoured).mean() > 0.8


def test_balanced_classes_help_the_rare_one():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 10, 1)), (np.arange(100) < 10).astype(int)
    plain, balanced = (
        fitted(X, y, objective="supervised", class_weight=weight).predict_proba(X)[:, 1].mean()
        for weight in (None, "balanced")
    )
    assert balanced > plain + 0.1


# Markers


@pytest.mark.parametrize("marker", [None, np.nan, "unlabeled", 99])
def test_any_marker_of_unlabeled_rows_gives_the_same_bits(marker):
    X, _, y = toy()
    expected = fitted(X, y)
    if isinstance(marker, str):
        marked = np.array([marker if label < 0 else f"class {label}" for label in y])
    elif marker is None:
        marked = np.array([None if label < 0 else f"class {label}" for label in y], dtype=object)
    else:
        marked = np.where(y < 0, marker, y)
    clf = fitted(X, marked, missing_label=marker)
    assert len(clf.classes_) == 2
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    np.testing.assert_array_equal(clf.transduction_, clf.classes_[expected.transduction_])
    assert clf.score(X, marked) == expected.score(X, y)


def test_the_transduction_keeps_the_labels_and_fills_in_the_others():
    X, _, y = toy()
    clf = fitted(X, y)
    np.testing.assert_array_equal(clf.transduction_[:20], y[:20])
    np.testing.assert_array_equal(clf.transduction_[20:], clf.predict(X)[20:])
    np.testing.assert_allclose(clf.label_distributions_.sum(1), 1, atol=1e-5)


def test_random_kernels_are_never_trained():
    X, _, y = toy()

    def kernels(estimator):
        return dict(estimator.net_.module_.encoder.input.kernels.named_parameters())

    short, long = fitted(X, y, max_epochs=1), fitted(X, y, max_epochs=3)
    assert not changed(kernels(short), kernels(long))
    assert changed(kernels(short), kernels(fitted(X, y, max_epochs=1, random_state=1)))


def test_few_labels_do_without_the_kernels_for_half_of_the_steps_and_many_hardly_ever():
    X, y, _ = toy()

    def share(X, y, **params):
        return fitted(X, y, objective="supervised", max_epochs=1, **params).net_.module_.kernel_dropout

    assert share(X, y) == 0.5
    assert share(np.tile(X, (4, 1, 1)), np.arange(4 * len(X)) % 2) == 50 / (4 * len(X))
    assert share(X, y, kernel_dropout=0.3) == 0.3
    assert share(X, y, pretraining="reconstruction") == 0.5
    assert pretrained_once().net_.module_.kernel_dropout == 0


def test_kernel_dropout_changes_nets_that_have_kernels_and_no_others():
    X, _, y = toy()

    def silent(share, **params):
        return fitted(X, y, kernel_dropout=share, **params).predict_proba(X)

    assert not np.array_equal(silent(0), silent(0.5))
    np.testing.assert_array_equal(silent(0, n_kernels=0), silent(0.5, n_kernels=0))


def test_smooth_series_are_told_apart_with_the_kernels_as_without():
    random, y = np.random.default_rng(0), np.arange(120) % 3
    phases, sizes = random.uniform(0, 1, (120, 1)), random.uniform(0.5, 1.5, (120, 1))
    X = sizes * np.sin(2 * np.pi * (np.linspace(0, 1, 250) * (2 + y / 2)[:, None] + phases))
    clf = SemiSupervisedRNNClassifier("supervised", random_state=0)
    assert clf.fit(X[:, :, None], np.where(np.arange(120) < 24, y, -1)).score(X[24:, :, None], y[24:]) > 0.95


@pytest.mark.filterwarnings("ignore:NoisyStudent trained|Training ended")
@pytest.mark.parametrize("kind", ["numbers", "tokens"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in OF_EACH_KIND else [pytest.mark.slow])
        for name in objective_names("classification") + objective_names("representation")
    ],
)
def test_every_objective_trains_under_autocast_to_bfloat16_as_without(name, kind):
    X, _, y = toy()
    X = X if kind == "numbers" else [np.clip(4 * x[:, 0] + 10, 0, 20).astype(int) for x in X]
    params = {**TINY, "max_epochs": 1, "dropout": 0, "augmentation": None, "strong_augmentation": None}
    cls = SemiSupervisedRNNClassifier if name in objective_names("classification") else RNNAutoencoderTransformer

    def weights(**more):
        module = cls(name, **{**params, **more}).fit(X, y).net_.module_
        return torch.cat([w.flatten() for w in module.encoder.parameters() if w.requires_grad])

    first, whole = weights(lr=1e-9), weights()
    with torch.autocast("cpu", torch.bfloat16):
        half = weights()
    apart = (half - whole).norm() / (whole - first).norm()
    assert apart > 0
    assert apart < 0.4 or name == "recurrent_gan"  # whose two nets drive each other


def test_what_is_predicted_under_autocast_is_of_the_last_weights():
    X, _, y = toy()
    with torch.autocast("cpu", torch.bfloat16):
        clf = fitted(X, y)
        within = clf.predict_proba(X)
    assert within == pytest.approx(clf.predict_proba(X), abs=0.05)
    assert clf.transform(X).dtype == np.float32
