"""The parameters that several objectives share: constraint and description of each, written once."""

from __future__ import annotations

from typing import Any

from .._documented import parameter
from .._sklearn import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, SHARE, StrOptions
from ._step_errors import LOSSES


def number(default: float | None, constraint: list[Any], text: str) -> Any:
    """Return a parameter that is a float."""
    return parameter(default, constraint, "float", text, positional=True)


def count(default: int | None, text: str, constraint: list[Any] = COUNT) -> Any:
    """Return a parameter that is an int, at least 1."""
    return parameter(default, constraint, "int" if default is not None else "int or None", text, positional=True)


def weight(default: float, text: str = "Weight :math:`w` of the added terms; the labeled rows have weight 1.") -> Any:
    """Return the weight of what an objective adds to the loss of the labeled rows."""
    return number(default, NOT_NEGATIVE, f"{text} With 0,\nthe objective trains exactly what `Supervised` trains.")


def ramp(default: float = 0.4) -> Any:
    """Return the duration over which the weight of the unlabeled terms rises."""
    text = "Fraction of training over which the weight of the unlabeled terms rises from near 0."
    return number(default, FRACTION, text)


def ratio() -> Any:
    """Return the number of unlabeled rows in an optimiser step."""
    text = "Number of unlabeled rows in an optimiser step, as a fraction of `batch_size`."
    return number(1, POSITIVE, text)


def threshold(
    default: float, text: str = "An unlabeled row counts if its largest probability is at least this."
) -> Any:
    """Return the confidence from which on an unlabeled row counts."""
    return number(default, FRACTION, text)


def memory() -> Any:
    """Return the time constant of the teacher's weights."""
    text = """
    Time constant of the teacher, whose weights are a moving average of the student's, as a fraction of
    training: the decay is ``1 - 1 / (memory * n_steps)`` per optimiser step, and less in the first steps,
    where the average is over all steps so far. The teacher gives the targets and predicts. With 0 there is
    no teacher, and the student does both.
    """
    return number(0.1, FRACTION, text)


def begin() -> Any:
    """Return the time from which on a teacher's answers are learned."""
    text = "Fraction of training before which only the labeled rows are learned, because the teacher knows too little."
    return number(0.5, FRACTION, text)


def alignment() -> Any:
    """Return the exponent of distribution alignment."""
    text = r"""
    Exponent :math:`\beta` of distribution alignment (see `FixMatch`). With 1, each class is expected to be
    as frequent among the unlabeled rows as among the labels, which holds if the rows to label were drawn at
    random; lower it if they were not. With 0 there is no alignment, as in the paper. A regressor has none.
    """
    return number(1, FRACTION, text)


def guard() -> Any:
    """Return whether the weight of unlabeled rows is lowered where their predicted classes are doubtful."""
    text = """
    Whether the weight of the unlabeled rows is lowered while teacher and student predict different classes for many
    of them: it is full where they agree for 70% (running mean), and 0 at 40%. `history_` has the factor as `"guard"`.
    The paper has no guard.
    """
    return parameter(True, ["boolean"], "bool", text, positional=True)


def momentum() -> Any:
    """Return the decay of running means."""
    text = "Decay of the running means, per optimiser step; 0.999 in the paper, whose training is far longer."
    return number(0.99, FRACTION, text)


def alpha() -> Any:
    """Return the parameter of the distribution from which the fractions of a mixture are drawn."""
    text = "Parameter of the Beta distribution: small values mix little, 1 is uniform."
    return number(1, POSITIVE, text)


def epsilon() -> Any:
    """Return the size of an adversarial perturbation."""
    text = "Length of the perturbation: its root mean square over the values of a sequence."
    return number(0.05, POSITIVE, text)


def latent_size() -> Any:
    """Return the width of embeddings that have a prior."""
    return count(16, "Width of the embeddings.")


def n_noise() -> Any:
    """Return the number of values in a generator's noise."""
    return count(16, "Number of values in a draw of the generator's noise.")


def word_dropout() -> Any:
    """Return the fraction of tokens that are hidden from the decoder."""
    text = "Fraction of the previous tokens that are hidden from the decoder in training (Bowman 2016)."
    return number(0.25, FRACTION, text)


def feed() -> Any:
    """Return what a decoder reads."""
    text = """
    What the decoder reads at each patch of steps: the embedding (Cho 2014), the steps of the previous patch,
    or nothing. With `"steps"` and `"nothing"` the embedding is the decoder's first state (Sutskever 2014).
    """
    kind = '{"code", "steps", "nothing"}'
    return parameter("code", [StrOptions({"code", "steps", "nothing"})], kind, text, positional=True)


def own_share() -> Any:
    """Return the fraction of decoded steps that a decoder reads in training."""
    text = """
    For ``feed="steps"``: fraction of the patches that the decoder reads as it decoded them, instead of the true
    ones, at the end of training; it rises from 0 (Bengio 2015). In `score_samples` and `reconstruct`, the
    decoder reads only what it decoded.
    """
    return number(0.5, FRACTION, text)


def reverse() -> Any:
    """Return whether sequences are decoded from their end."""
    text = "Whether the last step is decoded first (Srivastava 2015)."
    return parameter(False, ["boolean"], "bool", text, positional=True)


def loss() -> Any:
    """Return the error of decoded numbers."""
    text = "Error of standardised numbers. The error of token ids is always the cross-entropy."
    kind = '{"squared", "absolute", "huber"}'
    return parameter("squared", [StrOptions(set(LOSSES))], kind, text, positional=True)


def n_candidates() -> Any:
    """Return the number of tokens that a softmax is computed over."""
    text = """
    If the vocabulary is larger than this, the softmax of a training step is over the tokens of the batch and
    this number of tokens drawn at random (Jean 2015). `score_samples` uses all tokens.
    """
    return count(4096, text)


def tied() -> Any:
    """Return whether the softmax has weights of its own."""
    text = "Whether the vectors of tokens are also the weights of the softmax (Inan 2017)."
    return parameter(False, ["boolean"], "bool", text, positional=True)


def k_best() -> Any:
    """Return the number of rows of each class that are chosen."""
    text = """
    If given, replaces the threshold: the `k_best` most confident rows of each predicted class are chosen, so
    that the classes are balanced.
    """
    return count(None, text, [*COUNT, None])


def n_rounds(text: str) -> Any:
    """Return the number of rounds."""
    return count(3, text)


ITEM_LOSSES = ("bpr_max", "cross_entropy", "top1_max")


def item_loss() -> Any:
    """Return the loss of the item that came next."""
    text = """
    Loss of a step. With the ranking losses `"bpr_max"` and `"top1_max"`, scores are no logarithms of probabilities.
    """
    return parameter(
        "cross_entropy",
        [StrOptions(set(ITEM_LOSSES))],
        '{"cross_entropy", "bpr_max", "top1_max"}',
        text,
        positional=True,
    )


def n_negatives() -> Any:
    """Return the number of items that are drawn in an optimiser step."""
    text = """
    Number of items that are drawn in an optimiser step, to be compared with the items that came next. The cross-entropy
    is over all items if they are not more than this; otherwise its sum over items is estimated from those drawn.
    """
    return parameter(2048, COUNT, "int", text)


def negative_power() -> Any:
    """Return the power of popularity with which items are drawn."""
    text = "Items are drawn with a probability proportional to this power of their frequency: 0 is uniform."
    return parameter(0.75, FRACTION, "float", text)


def score_penalty() -> Any:
    """Return the penalty of scores in BPR-max."""
    text = r"Weight :math:`\lambda` of the squared scores of the drawn items in `bpr_max`."
    return parameter(1.0, NOT_NEGATIVE, "float", text)


def tied_items() -> Any:
    """Return whether items have the same vectors as input and as output."""
    text = "Whether the vectors of the input are also those that predictions are compared with."
    return parameter(True, ["boolean"], "bool", text)


def item_dropout() -> Any:
    """Return the fraction of items that are hidden."""
    text = """
    Fraction of the items of a history that are replaced by the unknown item, in training. From these the vector of the
    unknown item is learned, which stands for new items.
    """
    return parameter(0.2, SHARE, "float", text)


def recency() -> Any:
    """Return the half-life of the weights of steps."""
    text = """
    Half-life of the weights of steps in the loss: the loss of an item that lies this number of steps before the end of
    its sequence counts half. None: all steps count the same.
    """
    return parameter(None, [*POSITIVE, None], "float or None", text)


def weight_memory() -> Any:
    """Return the time constant of averaged weights."""
    text = """
    Time constant of the moving average of the weights, which predicts, as a fraction of training. 0: no average.
    """
    return parameter(0.1, FRACTION, "float", text)
