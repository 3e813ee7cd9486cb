"""Transcripts by definition: sums over all alignments, the best of all transcripts, edits, and what a teacher gives."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import LENGTHS, assert_encoder_is_trained, made_batch, made_model, moved, terms_and_gradients

from sklearn_rnn.model_selection import label_error_rate
from sklearn_rnn.objectives import IteratedPseudoLabel, JointReconstruction, Supervised
from sklearn_rnn.sequences import Batch
from sklearn_rnn.tasks import Transcription, beam_search, best_path, edit_distance

BLANK = 2  # of two labels


def task(n_labels=2, patch_size=1):
    task = Transcription("the test")
    task.read([list(range(n_labels))], 1)
    task.patch_size = patch_size
    return task


def collapse(path, blank=BLANK):
    """Labels of a path: repeats once, without blanks."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def all_transcripts(log_p):
    """Log-probability of each transcript of a sequence, added up over all paths."""
    totals = {}
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        own = sum(log_p[t, label] for t, label in enumerate(path))
        key = collapse(path, log_p.shape[1] - 1)
        totals[key] = np.logaddexp(totals.get(key, -np.inf), own)
    return totals


def log_probabilities(n_steps, n_labels=2, seed=0, sharpness=1.5):
    logits = sharpness * np.random.default_rng(seed).normal(size=(n_steps, n_labels + 1))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def batch_of(transcripts, lengths, n_labeled=None):
    width = max(1, *map(len, transcripts))
    targets = torch.tensor([[*t, *[-1] * (width - len(t))] for t in transcripts])
    n = len(transcripts) if n_labeled is None else n_labeled
    return Batch(torch.zeros(len(targets), 1, 1), lengths, targets, torch.arange(len(targets)), None, n, None, 1.0)


@pytest.mark.parametrize("transcript", [(), (0,), (0, 1), (1, 1), (0, 0, 1), (1, 0, 1)])
def test_the_loss_is_the_sum_over_all_alignments(transcript):
    outputs = torch.from_numpy(log_probabilities(5)).requires_grad_()
    loss = task().loss(outputs[None], batch_of([transcript], None))
    paths = [p for p in itertools.product(range(3), repeat=5) if collapse(p) == transcript]
    sums = torch.stack([sum(outputs.log_softmax(1)[t, label] for t, label in enumerate(p)) for p in paths])
    expected = -sums.logsumexp(0)[None] / max(1, len(transcript))
    torch.testing.assert_close(loss, expected)
    gradients = [torch.autograd.grad(value.sum(), outputs)[0] for value in (loss, expected)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("patch_size", [1, 3])
def test_neither_padding_nor_rows_without_a_transcript_reach_the_loss(patch_size):
    lengths = torch.tensor([5, 3, 4]) * patch_size - (patch_size - 1)
    outputs = torch.stack([torch.from_numpy(log_probabilities(5, seed=i)) for i in range(3)])
    batch = batch_of([(0, 1), (1, 1), (0,)], lengths, n_labeled=2)
    together = task(patch_size=patch_size).loss(outputs, batch)
    alone = [
        task(patch_size=patch_size).loss(outputs[i : i + 1, :n], batch_of([t], None))
        for i, n, t in ((0, 5, (0, 1)), (1, 3, (1, 1)))
    ]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("n_labels", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_beam_search_finds_the_most_probable_of_all_transcripts(seed, n_labels):
    log_p = log_probabilities(6 if n_labels < 3 else 5, n_labels, seed)
    totals = all_transcripts(log_p)
    found = tuple(beam_search(log_p, 1000).tolist())
    assert found == max(totals, key=totals.get)


def test_beam_search_keeps_the_probability_of_each_prefix():
    from sklearn_rnn.tasks._decoding import _Beam

    log_p, beam = log_probabilities(5), _Beam([()], np.zeros(1), np.full(1, -np.inf))
    for step in log_p:
        beam = beam.step(step, 1000)
    totals = all_transcripts(log_p)
    assert {prefix: pytest.approx(total) for prefix, total in zip(beam.prefixes, beam.total, strict=True)} == totals


def test_a_beam_finds_what_the_best_path_misses():
    log_p = np.log([[0.4, 0.6], [0.4, 0.6]])  # the blank twice has 0.36, the label 0.64 over three paths
    assert beam_search(log_p, 2).tolist() == [0]
    assert best_path(torch.from_numpy(log_p)[None], torch.tensor([2])).tolist() == [[-1]]


def test_the_best_path_collapses_to_labels_and_ends_with_the_sequence():
    paths = [[0, 0, BLANK, 0, 1, 1, 0], [BLANK, 1, 1, BLANK, 0, 0, 1], [BLANK] * 7]
    log_p = torch.nn.functional.one_hot(torch.tensor(paths), 3).double().log()
    assert best_path(log_p, torch.tensor([7, 4, 7])).tolist() == [[0, 0, 1, 0], [1, -1, -1, -1], [-1] * 4]


def edits(a, b):
    """Levenshtein's definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))


def test_the_edit_distance_is_the_least_number_of_edits():
    random = np.random.default_rng(0)
    for _ in range(30):
        a, b = (random.integers(3, size=random.integers(0, 6)).tolist() for _ in range(2))
        assert edit_distance(a, b) == edits(a, b)


def test_the_label_error_rate_is_over_all_labels_and_known_rows():
    assert label_error_rate(["tea", None, "milk"], ["ta", "jam", list("silk")]) == 2 / 7
    assert label_error_rate([[1, 2]], [[3, 4, 5, 6]]) == 2
    with pytest.raises(ValueError, match="y has no labeled sample"):
        label_error_rate([None], [[1]])
    with pytest.raises(ValueError, match="y_true has 1 rows, but y_pred has 2"):
        label_error_rate([[1]], [[1], [2]])


def made(cls, n_labeled, extra=0, lengths=LENGTHS, objective=None, patch_size=2, **options):
    """Model and batch of transcripts of two labels."""
    model = made_model(cls, task=task(), objective=objective, patch_size=patch_size, confidence=4.0, **options)
    batch = made_batch(cls, n_labeled, lengths=lengths, extra=extra)
    return model, replace(batch, targets=torch.tensor([[0, -1], [1, -1], [0, 1], [-1, -1]]).repeat(2, 1))


def plainly(objective):
    """Without augmentation, whose draws depend on the padded length."""
    return lambda x, lengths, generator: x


def test_the_unlabeled_term_is_the_loss_of_the_teachers_transcripts_of_sure_rows():
    objective = IteratedPseudoLabel(threshold=0.2)
    model, batch = made(IteratedPseudoLabel, 2, objective=objective)
    model.augmentation = model.strong_augmentation = plainly(objective)
    objective.start(model, 10, len(LENGTHS))
    moved(model)
    teacher = objective.predictor(model)
    assert teacher is not model
    got, expected, counted = objective.terms(model, batch)["pseudo_label"], 0.0, 0
    for i in range(2, 8):
        values = batch.values[i : i + 1, : LENGTHS[i]]
        log_q, log_p = (m(values, None)[0].detach().double() for m in (teacher, model))
        transcript = collapse(log_q.argmax(1).tolist())
        sure = (log_q.amax(1).sum() / max(1, len(transcript))).exp() >= 0.2
        counted += bool(sure and transcript)
        if sure and transcript:
            expected -= all_transcripts(log_p.numpy())[transcript] / len(transcript) / 6
    assert 0 < counted < 6
    assert got.item() == pytest.approx(expected, rel=1e-5)


def test_a_teacher_does_not_teach_before_it_begins():
    objective = IteratedPseudoLabel(begin=0.5, threshold=0)
    model, batch = made(IteratedPseudoLabel, 2, objective=objective)
    objective.start(model, 10, len(LENGTHS))
    assert set(objective.terms(model, replace(batch, progress=0.4))) == {"supervised"}
    assert set(objective.terms(model, replace(batch, progress=0.5))) == {"supervised", "pseudo_label"}


def test_the_unlabeled_term_alone_trains_the_encoder():
    objective = IteratedPseudoLabel(threshold=0)
    model, batch = made(IteratedPseudoLabel, 0, objective=objective)
    objective.start(model, 10, len(LENGTHS))
    assert_encoder_is_trained(objective, model, batch)


@pytest.mark.parametrize("cls", [Supervised, IteratedPseudoLabel, JointReconstruction])
def test_padding_changes_neither_terms_nor_gradients(cls):
    results = []
    for extra in (0, 3):
        objective = cls(threshold=0) if cls is IteratedPseudoLabel else cls()
        model, batch = made(cls, 4, extra=extra, objective=objective)
        model.augmentation = model.strong_augmentation = plainly(objective)
        results.append(terms_and_gradients(objective, model, batch))
    (terms, gradients), (padded, padded_gradients) = results
    assert terms == pytest.approx(padded, rel=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, padded_gradients[name], rtol=1e-4, atol=1e-6)
