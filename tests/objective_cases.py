"""Models, batches and data that the tests of objectives share."""

import numpy as np
import pytest
import torch

import sklearn_rnn.objectives as exported
from sklearn_rnn.modules import Architecture, Encoder, Model, initialise
from sklearn_rnn.objectives import VAT, Batch, FixMatch, Objective, Sum
from sklearn_rnn.perturbations import Light, Strong
from sklearn_rnn.tasks import Classification, Representation

CLASSES = [
    cls
    for name in exported.__all__
    if isinstance(cls := getattr(exported, name), type)
    and issubclass(cls, Objective)
    and cls is not Sum
    and not name.endswith("Objective")
    and cls.needs not in ("items", "steps", "transcripts")  # whose laws have files of their own
]
TINY = {"hidden_size": 8, "n_kernels": 4, "max_epochs": 1, "batch_size": 8, "random_state": 0}
LENGTHS = torch.tensor([7, 4, 9, 1, 9, 5, 2, 8])


def slow_but(shown, cases):
    """Cases, of which those that are not `shown` run in `make test-slow`."""
    return [pytest.param(cls, marks=[] if cls in shown else [pytest.mark.slow]) for cls in cases]


class VATAndFixMatch:
    """A sum that is made as the classes are, so that the laws run for it too."""

    needs = "classes"

    def __new__(cls, weight=1):
        return VAT(weight=weight) + FixMatch(weight=weight)


def classes(n=3):
    """Task of a classifier that knows n classes."""
    task = Classification(-1, None, "the test")
    task.read(np.arange(n), n)
    return task


def made_model(cls, tokens=False, dropout=0.0, confidence=1.0, patch_size=1, objective=None, task=None, **architecture):
    """Untrained model for a task, by default of three classes; a `confidence` above 1 makes it surer of them."""
    architecture = Architecture(
        **{
            "n_features": 2,
            "n_tokens": 6 if tokens else 0,
            "cell": "gru",
            "hidden_size": 8,
            "num_layers": 1,
            "bidirectional": True,
            "dropout": dropout,
            "pooling": "mean_max",
            "patch_size": patch_size,
            "embedding_size": 8,
            "n_kernels": 5,
        }
        | architecture
    )
    task = task or (classes(3) if cls.needs != "sequences" else Representation())
    encoder, objective = Encoder(architecture), objective or cls()
    model = Model(
        encoder,
        task=task,
        parts=objective.parts(encoder, task),
        augmentation=Light(),
        strong_augmentation=Strong(),
    )
    initialise(model, torch.Generator().manual_seed(0))
    if task.n_outputs:
        with torch.no_grad():
            model.head.weight.mul_(confidence)
    return model


def made_batch(cls, n_labeled, lengths=LENGTHS, tokens=False, extra=0, noise=True):
    """Batch whose padding is not zero, and of other content where it has `extra` steps."""
    n_labeled = n_labeled if cls.needs != "sequences" else 0
    numbers = torch.Generator().manual_seed(1)
    n, longest = len(LENGTHS), int(LENGTHS.max())
    shape = (n, longest) if tokens else (n, longest, 2)
    values = torch.randint(6, shape, generator=numbers) if tokens else torch.randn(shape, generator=numbers)
    padding = torch.full((n, extra, *shape[2:]), 3, dtype=values.dtype)
    values = torch.cat([values, padding], dim=1)
    if extra:
        values[torch.arange(longest + extra) >= lengths[:, None]] = 3
    codes = torch.arange(n) % 3
    codes[n_labeled:] = -1
    generator = torch.Generator().manual_seed(2) if noise else None
    return Batch(values, lengths, codes, torch.arange(n), None, n_labeled, generator, 1.0)


def started(objective, model):
    """Start an objective; one that trains in rounds is brought into its second."""
    objective.start(model, 10, len(LENGTHS))
    if objective.n_rounds > 1:
        answers = torch.full((len(LENGTHS), 3), 0.05)
        answers[range(8), torch.arange(8) % 3] = 0.9
        objective.relabel(torch.full_like(LENGTHS, -1), torch.arange(8), answers)
        objective.start(model, 10, len(LENGTHS))


def moved(model):
    """Change the weights a little, as some training steps would."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.1)


def toy(n=90, n_labels=6, seed=0, noise=0.5):
    """Slow and fast waves of random phase and length."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = []
    for label in y:
        steps = np.arange(rng.integers(18, 25))
        wave = np.sin(steps * (0.5 + 0.4 * label) + rng.uniform(0, 6))
        X.append((wave + rng.normal(0, noise, len(steps)))[:, None].astype(np.float32))
    return X, y, np.where(np.arange(n) < n_labels, y, -1)


def topics(n=200, n_words=40, seed=0):
    """Documents of words of two topics; each uses few of them."""
    draws = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return [draws.integers(0, n_words, draws.integers(7, 12)) + n_words * label for label in y], y


def scaled_at_random(x, lengths, generator):
    """Augmentation of one factor for a whole view, easy to repeat."""
    return x * (0.5 + torch.rand((), generator=generator))


def alone(model, batch, i, change=lambda x: x):
    """Probabilities (K,) of row `i` without the others and without padding, its embedded steps changed."""
    x = model.encoder.embed(batch.values[i : i + 1, : LENGTHS[i]])
    return model.train_outputs(change(x), None)[0].softmax(0)


def mixed(model, batch, i, j, share, u):
    """Probabilities of a mixture of two sequences, the shorter one followed by zeros."""
    x = torch.zeros(1, max(LENGTHS[i], LENGTHS[j]), 4, dtype=torch.float64)
    for part, row in ((share, i), (1 - share, j)):
        x[:, : LENGTHS[row]] += part * u * model.encoder.embed(batch.values[row : row + 1, : LENGTHS[row]])
    return model.train_outputs(x, None)[0].softmax(0)


def cross_entropy(p, q):
    return -sum(p[k] * q[k].log() for k in range(len(p)))


def entropy(p):
    return cross_entropy(p, p)


def supervised(model, batch, u=1.0):
    """Weighted cross-entropy of the labeled rows, scaled by `u`."""
    total = 0.0
    for i in range(batch.n_labeled):
        own = 1 if batch.weights is None else batch.weights[i]
        total -= own * alone(model, batch, i, lambda x: u * x)[batch.targets[i]].log() / batch.n_labeled
    return total


def ramped(progress, ramp):
    """Laine and Aila's ramp."""
    return np.exp(-5 * (1 - progress / ramp) ** 2) if progress < ramp else 1.0


def assert_terms(objective, model, batch, expected, started=False):
    """Terms have the values and the gradients of those expected."""
    if not started:
        objective.start(model, 10, len(LENGTHS))
    got = objective.terms(model, batch)
    assert got.keys() == expected.keys()
    weights = [w for w in model.parameters() if w.requires_grad]
    for name, term in got.items():
        value = torch.as_tensor(expected[name], dtype=term.dtype)
        torch.testing.assert_close(term, value, rtol=1e-6, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")
        if value.requires_grad:
            gradients = (
                torch.autograd.grad(t, weights, retain_graph=True, materialize_grads=True) for t in (term, value)
            )
            for one, other in zip(*gradients, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8, msg=lambda m, n=name: f"{n}: {m}")


def assert_encoder_is_trained(objective, model, batch):
    """Without labels, each weight of the encoder gets a gradient that is finite and not zero."""
    for _ in range(3):  # some objectives compare with what they saw before
        model.zero_grad()
        terms = objective.terms(model, batch)
        sum(terms.values()).backward()
        gradients = [w.grad for w in model.encoder.parameters() if w.requires_grad]
        moved(model)
        objective.after_step(model)
    assert "supervised" not in terms
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert all(gradient.abs().max() > 0 for gradient in gradients)


def terms_and_gradients(objective, model, batch):
    """Values of the loss terms by name, and the gradient of their sum for each weight, after some training."""
    started(objective, model)
    moved(model)
    terms = objective.terms(model, batch)
    sum(terms.values()).backward()
    gradients = {name: w.grad for name, w in model.named_parameters() if w.grad is not None}
    return {name: term.item() for name, term in terms.items()}, gradients
