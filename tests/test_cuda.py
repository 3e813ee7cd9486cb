"""On a GPU the same is learned and answered as on a CPU; skipped where there is none."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from objective_cases import TINY as ONE_EPOCH
from objective_cases import toy
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback

from sklearn_rnn import RNNAutoencoderTransformer, RNNOutlierDetector, SemiSupervisedRNNClassifier, io
from sklearn_rnn.inspection import attention_weights, integrated_gradients
from sklearn_rnn.objectives import objective_names

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
    pytest.mark.filterwarnings("ignore:NoisyStudent trained|SelfTraining trained|Training ended"),
]
TINY = {**ONE_EPOCH, "max_epochs": 2}
QUIET = {"dropout": 0, "augmentation": None, "strong_augmentation": None, "kernel_dropout": 0}
EVERY = [
    (cls, name)
    for cls, task in ((SemiSupervisedRNNClassifier, "classification"), (RNNAutoencoderTransformer, "representation"))
    for name in objective_names(task)
]


@pytest.fixture(autouse=True)
def whole_floats(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def data(kind):
    X, _, y = toy()
    return (X if kind == "numbers" else [np.clip(4 * x[:, 0] + 10, 0, 20).astype(int) for x in X]), y


def weights(estimator):
    """What is trained of the encoder."""
    return torch.cat(
        [w.detach().flatten().cpu() for w in estimator.net_.module_.encoder.parameters() if w.requires_grad]
    )


def same_on_the_cpu(estimator, answer):
    """What a method answers with the same weights on the GPU and on the CPU."""
    there = answer(estimator)
    assert next(estimator.net_.module_.parameters()).is_cuda
    estimator.net_.module_.cpu()
    np.testing.assert_allclose(there, answer(estimator), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["numbers", "tokens"])
@pytest.mark.parametrize(("cls", "name"), EVERY)
def test_every_objective_trains_on_a_gpu_and_answers_as_on_a_cpu(cls, name, kind):
    X, y = data(kind)
    still = cls(name, **TINY, lr=1e-9, device="cuda").fit(X, y)
    estimator = cls(name, **TINY, device="cuda").fit(X, y)
    assert (weights(estimator) - weights(still)).norm() > 1e-3
    same_on_the_cpu(estimator, lambda e: e.transform(X))
    if cls is SemiSupervisedRNNClassifier:
        same_on_the_cpu(cls(name, **TINY, device="cuda").fit(X, y), lambda e: e.predict_proba(X))


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru", "rnn"])
@pytest.mark.parametrize("kind", ["numbers", "tokens"])
def test_a_gpu_takes_the_same_steps_as_a_cpu(kind, cell):
    X, y = data(kind)
    fits = [
        SemiSupervisedRNNClassifier("supervised", **TINY, **QUIET, cell=cell, device=device).fit(X, y)
        for device in ("cpu", "cuda")
    ]
    np.testing.assert_allclose(*(fit.history_[:, "train_loss"] for fit in fits), rtol=1e-3)
    torch.testing.assert_close(*map(weights, fits), rtol=0, atol=1e-3)


@pytest.mark.parametrize("kind", ["numbers", "tokens"])
@pytest.mark.parametrize(("cls", "name"), EVERY)
def test_every_objective_trains_under_autocast_as_without(cls, name, kind):
    X, y = data(kind)
    quiet = {k: v for k, v in QUIET.items() if k in cls().get_params()}

    def fitted(**more):
        return weights(cls(name, **{**ONE_EPOCH, "device": "cuda", **quiet, **more}).fit(X, y))

    first, whole = fitted(lr=1e-9), fitted()
    with torch.autocast("cuda", torch.bfloat16):
        half = fitted()
    assert (half - whole).norm() > 0
    assert (half - whole).norm() < 0.4 * (whole - first).norm() or name == "recurrent_gan"  # two nets drive each other


@pytest.mark.parametrize("name", ["fixmatch", "mean_teacher", "temporal_ensembling", "flexmatch"])
def test_what_was_trained_on_a_gpu_predicts_where_there_is_none(name, tmp_path):
    X, y = data("numbers")
    clf = SemiSupervisedRNNClassifier(name, **TINY, device="cuda").fit(X, y)
    (tmp_path / "clf.pkl").write_bytes(pickle.dumps((clf, X)))
    script = (
        "import pickle, warnings, numpy as np, torch\n"
        "assert not torch.cuda.is_available()\n"
        "warnings.simplefilter('ignore')\n"  # skorch says that it falls back to the CPU
        "clf, X = pickle.load(open('clf.pkl', 'rb'))\n"
        "np.save('there.npy', clf.predict_proba(X))"
    )
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=hidden, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "there.npy"), clf.predict_proba(X), rtol=1e-3, atol=1e-4)


def test_a_file_of_a_gpu_is_loaded_exported_and_refitted_where_there_is_none(tmp_path):
    X, y = data("numbers")
    clf = SemiSupervisedRNNClassifier("mean_teacher", **TINY, device="cuda").fit(X, y)
    io.save(clf, tmp_path / "clf.safetensors")
    io.save_encoder(clf, tmp_path / "encoder.safetensors")
    np.savez(tmp_path / "data.npz", *X, y=y)
    same_device = io.load(tmp_path / "clf.safetensors")
    assert next(same_device.net_.module_.parameters()).is_cuda
    np.testing.assert_array_equal(same_device.predict_proba(X), clf.predict_proba(X))
    script = (
        "import warnings, numpy as np, torch\n"
        "from sklearn_rnn import io\n"
        "assert not torch.cuda.is_available()\n"
        "arrays = np.load('data.npz')\n"
        "X, y = [arrays[f'arr_{i}'] for i in range(len(arrays.files) - 1)], arrays['y']\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    clf = io.load('clf.safetensors')\n"
        "assert 'saved on the device cuda' in str(caught[0].message)\n"
        "np.save('there.npy', clf.predict_proba(X))\n"
        "clf.set_params(pretraining='encoder.safetensors').fit(X, y)\n"
    )
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=hidden, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "there.npy"), clf.predict_proba(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("objective", ["fixmatch", "flexmatch", "temporal_ensembling", "noisy_student"])
def test_a_checkpoint_of_a_gpu_goes_on(objective, tmp_path):
    class Kill(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) > 2:
                raise RuntimeError("killed")

    X, y = data("numbers")
    clf = SemiSupervisedRNNClassifier(objective, **{**TINY, "max_epochs": 4}, device="cuda")
    whole = weights(clf.fit(X, y))
    with pytest.raises(RuntimeError, match="killed"):
        clf.set_params(callbacks=[io.Checkpoint(tmp_path), Kill()]).fit(X, y)
    assert list(tmp_path.iterdir())
    resumed = weights(clf.set_params(callbacks=[io.Checkpoint(tmp_path)]).fit(X, y))
    torch.testing.assert_close(resumed, whole, rtol=1e-3, atol=1e-4)  # sums on a GPU have no order


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))], ids=["deepcopy", "pickle"])
def test_copies_on_a_gpu_predict_the_same(copied):
    X, y = data("numbers")
    clf = SemiSupervisedRNNClassifier(**TINY, device="cuda").fit(X, y)
    twin = copied(clf)
    assert next(twin.net_.module_.parameters()).is_cuda
    np.testing.assert_allclose(twin.predict_proba(X), clf.predict_proba(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("devices", [("cpu", "cuda"), ("cuda", "cpu")])
def test_an_encoder_goes_from_one_device_to_the_other(devices):
    X, y = data("numbers")
    first, second = devices
    encoder = RNNAutoencoderTransformer(**TINY, device=first).fit(X)
    clf = SemiSupervisedRNNClassifier(pretraining=FrozenEstimator(encoder), **TINY, device=second).fit(X, y)
    assert next(clf.net_.module_.parameters()).device.type == second
    clf.set_params(warm_start=True, pretraining=None, device=first).fit(X, y)
    assert next(clf.net_.module_.parameters()).device.type == first
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize("kind", ["numbers", "tokens"])
def test_what_carried_a_prediction_is_told_on_a_gpu(kind):
    X, y = data(kind)
    clf = SemiSupervisedRNNClassifier(**TINY, pooling="attention", device="cuda").fit(X, y)
    same_on_the_cpu(clf, lambda e: np.concatenate([a.ravel() for a in integrated_gradients(e, X[:9], target=1)]))
    clf.net_.module_.cuda()
    same_on_the_cpu(clf, lambda e: np.concatenate(attention_weights(e, X)))


@pytest.mark.parametrize("name", objective_names("representation"))
def test_a_gpu_decodes_draws_and_scores_as_a_cpu(name):
    X, _ = data("numbers")
    encoder = RNNAutoencoderTransformer(name, **TINY, device="cuda").fit(X)
    codes = encoder.transform(X[:5])
    answers = {
        "inverse_transform": lambda e: np.concatenate(e.inverse_transform(codes, [9] * 5)),
        "reconstruct": lambda e: np.concatenate(e.reconstruct(X)),
        "score_samples": lambda e: e.score_samples(X),
    }
    answers = {method: answer for method, answer in answers.items() if hasattr(encoder, method)}
    assert answers or name in ("contrastive", "recurrent_gan")
    for method, answer in answers.items():
        if method != "score_samples" or name != "variational":  # whose likelihoods are of draws
            encoder.net_.module_.cuda()
            same_on_the_cpu(encoder, answer)
    if hasattr(encoder, "sample"):
        encoder.net_.module_.cuda()
        assert all(np.isfinite(x).all() for x in encoder.sample(3, random_state=0))


def test_outliers_are_found_on_a_gpu():
    X, _ = data("numbers")
    X[0], X[1] = X[0] + 20, X[1] - 20
    autoencoder = RNNAutoencoderTransformer(**TINY, device="cuda")
    detector = RNNOutlierDetector(autoencoder, contamination=2 / len(X)).fit(X)
    np.testing.assert_array_equal(np.flatnonzero(detector.predict(X) == -1), [0, 1])
