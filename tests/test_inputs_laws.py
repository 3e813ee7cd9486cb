"""The laws of objectives, for nets that read several inputs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from objective_cases import CLASSES, VATAndFixMatch, classes, started

from sklearn_rnn import SemiSupervisedRNNClassifier
from sklearn_rnn._inputs import Inputs
from sklearn_rnn.modules import (
    Architecture,
    Augmentations,
    FusedArchitecture,
    FusedEncoder,
    Model,
    StaticArchitecture,
    initialise,
)
from sklearn_rnn.objectives import (
    Batch,
    Composite,
    Contrastive,
    EachInput,
    MaskedReconstruction,
    NextStep,
    Supervised,
    for_several_inputs,
)
from sklearn_rnn.perturbations import Light, StepDrop, Strong
from sklearn_rnn.tasks import Representation

LENGTHS = Inputs(
    [
        torch.tensor([7, 4, 0, 1, 9, 5, 2, 0]),
        torch.tensor([3, 0, 5, 2, 6, 1, 0, 4]),
        torch.tensor([1, 1, 1, 1, 0, 1, 1, 1]),
    ]
)


def across():
    """Objective that compares the inputs of a row."""
    return Contrastive(across_inputs=True)


across.needs = "sequences"
FITTING = [
    cls
    for cls in [*CLASSES, VATAndFixMatch, across]
    if cls().several_inputs or (cls().by_input and cls().n_rounds == 1)
]
UNLABELED = [cls for cls in FITTING if cls().unlabeled_ratio > 0]
WEIGHTED = [c for c in FITTING if c is VATAndFixMatch or (c is not across and "weight" in c().get_params())]
every = pytest.mark.parametrize(("cls", "fusion"), [*((cls, "concat") for cls in FITTING), (VATAndFixMatch, "gate")])
fused = pytest.mark.parametrize("fusion", ["concat", "gate"])


def made(cls, fusion="concat", input_dropout=0.0, **params):
    """An objective, and an untrained model of numbers, token ids and static columns for it."""
    common = {"cell": "gru", "hidden_size": 8, "num_layers": 1, "bidirectional": True, "dropout": 0.0}
    common |= {"pooling": "mean_max", "patch_size": 1, "embedding_size": 8, "n_kernels": 5}
    parts = {
        "numbers": Architecture(n_features=2, n_tokens=0, **common),
        "tokens": Architecture(n_features=1, n_tokens=6, **common),
        "static": StaticArchitecture((0, 2), (True, False), 4, 0.0),
    }
    encoder = FusedEncoder(FusedArchitecture(parts, fusion, 8, 0.0, input_dropout))
    objective, task = for_several_inputs(cls(**params), "the test", "classification"), None
    task = classes(3) if cls.needs != "sequences" else Representation()
    model = Model(encoder, task=task, parts=objective.parts(encoder, task))
    initialise(model, torch.Generator().manual_seed(0))
    if task.n_outputs:
        with torch.no_grad():
            model.head.weight.mul_(40)
    model.augmentation = Augmentations([Light(), StepDrop(), None])
    model.strong_augmentation = Augmentations([Strong(), StepDrop(), None])
    started(objective, model)
    return objective, model


def batch(cls, n_labeled, extra=0, noise=False, missing=1.0):
    """Batch with padding of any content; `missing` scales the values of inputs that rows do not have."""
    numbers = torch.Generator().manual_seed(1)
    parts = [
        torch.randn(8, 9, 2, generator=numbers),
        torch.randint(6, (8, 6), generator=numbers),
        torch.stack([torch.randn(8, generator=numbers), torch.arange(8.0) % 2], 1)[:, None],
    ]
    parts[2][3, 0, 0] = torch.nan
    for part, ends in zip(parts, LENGTHS.parts, strict=True):
        part[ends == 0] = (part[ends == 0] * missing).to(part.dtype)
    for k in range(2):
        part, ends = parts[k], LENGTHS.parts[k]
        parts[k] = part = torch.cat([part, torch.full((8, extra, *part.shape[2:]), 3).to(part)], 1)
        if extra:
            outside = (torch.arange(part.shape[1]) >= ends[:, None]) & (ends > 0)[:, None]
            part[outside] = 3
    n_labeled = n_labeled if cls.needs != "sequences" else 0
    targets = torch.arange(8) % 3
    targets[n_labeled:] = -1
    generator = torch.Generator().manual_seed(2) if noise else None
    return Batch(Inputs(parts), LENGTHS, targets, torch.arange(8), None, n_labeled, generator, 1.0)


def without(rows, numbers):
    """The batch, in which no row has the inputs of these numbers."""
    ends = [part * (k not in numbers) for k, part in enumerate(rows.lengths.parts)]
    return replace(rows, lengths=Inputs(ends))


def terms_and_gradients(cls, fusion, rows):
    objective, model = made(cls, fusion)
    terms = objective.terms(model, rows)
    sum(terms.values()).backward()
    gradients = {name: w.grad for name, w in model.named_parameters() if w.grad is not None}
    return {name: term.detach() for name, term in terms.items()}, gradients


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            torch.testing.assert_close(a[name], b[name], rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


# Law 1


@pytest.mark.parametrize("cls", UNLABELED)
def test_the_unlabeled_term_alone_trains_the_encoders(cls):
    objective, model = made(cls, input_dropout=0.2)
    for _ in range(3):
        model.zero_grad()
        sum(objective.terms(model, batch(cls, 0, noise=True)).values()).backward()
        objective.after_step(model)
    for encoder in model.encoder.each[:2]:
        gradients = [w.grad for w in encoder.parameters() if w.requires_grad]
        assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
        assert max(gradient.abs().max() for gradient in gradients) > 0


# Law 2


@pytest.mark.parametrize("cls", WEIGHTED)
def test_without_weight_it_trains_what_supervised_trains(cls):
    (objective, model), (supervised, same) = made(cls, "gate", 0.2, weight=0), made(Supervised, "gate", 0.2)
    terms = objective.terms(model, batch(cls, 5, noise=True).labeled)
    expected = supervised.terms(same, batch(cls, 5, noise=True).labeled)
    assert terms.keys() == expected.keys() == {"supervised"}
    assert torch.equal(terms["supervised"], expected["supervised"])


# Law 3


@every
def test_padding_changes_neither_loss_nor_gradient(cls, fusion):
    short, long = (terms_and_gradients(cls, fusion, batch(cls, 5, extra)) for extra in (0, 4))
    assert_same(short, long)


@every
def test_missing_inputs_change_neither_loss_nor_gradient(cls, fusion):
    one, other = (terms_and_gradients(cls, fusion, batch(cls, 5, missing=scale)) for scale in (1.0, 0.0))
    assert_same(one, other)


@pytest.mark.parametrize("inner", [MaskedReconstruction(), NextStep(), Composite(), Contrastive()])
def test_objectives_of_each_input_count_only_inputs_that_rows_of_the_batch_have(inner):
    objective, model = made(EachInput, objective=inner)
    rows = batch(EachInput, 0)
    first, second, none = (without(rows, numbers) for numbers in ([1], [0], [0, 1]))
    each = [objective.terms(model, part) for part in (first, second)]
    together = objective.terms(model, rows)
    nothing = objective.terms(model, none)
    assert together.keys() == nothing.keys() == each[0].keys()
    for name, term in together.items():
        torch.testing.assert_close(term, (each[0][name] + each[1][name]) / 2)
        assert term > 0
    assert all(term == 0 for term in nothing.values())
    sum(nothing.values()).backward()


def test_rows_without_sequences_get_the_mean_error_of_the_others():
    objective, model = made(EachInput)
    rows, kept = batch(EachInput, 0), torch.arange(8) != 3
    with torch.no_grad():
        errors = objective.errors(model, replace(rows, lengths=Inputs([ends * kept for ends in LENGTHS.parts])))
        assert (objective.errors(model, without(rows, [0, 1])) == 0).all()
        expected = objective.errors(model, rows)
    torch.testing.assert_close(errors[kept], expected[kept])
    assert errors[kept].min() < errors[3] < errors[kept].max()


@pytest.mark.parametrize("pretraining", ["masked_reconstruction", Contrastive()])
def test_batches_without_any_sequence_are_no_error(pretraining):
    random = np.random.default_rng(0)
    X = pd.DataFrame({"s": [random.normal(size=6 + i % 3) for i in range(24)], "age": random.normal(size=24)})
    X.loc[2:, "s"] = None
    few = np.where(np.arange(24) < 12, np.arange(24) % 2, -1)
    clf = SemiSupervisedRNNClassifier(
        "supervised", pretraining=pretraining, batch_size=2, hidden_size=4, n_kernels=2, max_epochs=1, random_state=0
    ).fit(X, few)
    assert np.isfinite(clf.predict_proba(X)).all()


# Law 4


@fused
def test_embeddings_are_fused_as_written_down(fusion):
    _, model = made(Supervised, fusion)
    encoder, rows = model.encoder, batch(Supervised, 5)
    embedded = encoder.embed(rows.values)
    got = encoder(embedded, rows.lengths)
    for i in range(8):
        codes, present = [], []
        for k, part in enumerate(encoder.each):
            end = int(LENGTHS.parts[k][i])
            codes.append(part(embedded.parts[k][i : i + 1, :end], None)[0] if end else encoder.absent[k])
            present.append(float(end > 0))
        x, layers = torch.cat([*codes, torch.tensor(present)]), encoder.fusion
        if fusion == "concat":
            expected = torch.cat([x[:-3], (layers.joint.weight @ x + layers.joint.bias).relu()])
        else:  # Arevalo et al., equations 1 to 5, with a softmax over the inputs
            scores = (layers.gates.weight @ x + layers.gates.bias).reshape(3, 8).exp() * torch.tensor(present)[:, None]
            units = [torch.tanh(layer.weight @ c + layer.bias) for layer, c in zip(layers.units, codes, strict=True)]
            expected = sum(scores[k] / scores.sum(0) * units[k] for k in range(3))
        torch.testing.assert_close(got[i], expected, rtol=1e-4, atol=1e-5)


def test_static_columns_are_standardised_and_their_missing_values_are_told():
    _, model = made(Supervised)
    layer = model.encoder.each[2].input
    layer.standardise(torch.tensor([50.0, 0.0]), torch.tensor([10.0, 0.0]))
    values = torch.tensor([[[60.0, 1.0]], [[torch.nan, 0.0]], [[1e6, 2.0]], [[50.0, torch.nan]]])
    expected = [[1, 0, 0, 1], [0, 1, 1, 0], [10, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(layer.embed(values)[:, 0], expected)
