"""A generative model of sequences whose class is one of its causes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from .._sklearn import COUNT, FRACTION
from ..modules import linear
from ..sequences import Batch
from ._base import weighted_mean
from ._latent import gaussian_kl, generative_parts, kept_words, log_likelihood, normal, sizes, write
from ._semi_supervised import SemiSupervisedObjective


class SemiSupervisedVAE(SemiSupervisedObjective):
    r"""Semi-supervised variational autoencoder (M2): a class and a code make each sequence.

    The net's probabilities are the posterior :math:`q(y | x)` of the class. Labeled rows add
    :math:`w L(x, y) / \bar s`, and unlabeled ones, for which all classes are tried,

    .. math:: \frac{w w(t)}{\bar s} \left(\sum_y q(y | x) L(x, y) - H(q(y | x))\right), \quad
        L(x, y) = - \log p(x | y, z) - \log p(y) + KL(q(z | x, y) \| N(0, 1))

    as means over rows, with :math:`z \sim q(z | x, y)`, even classes :math:`p(y)`, and :math:`\bar s` the
    mean number of values in a sequence. Numbers and token ids are decoded as in `Variational`.

    The paper's weight of the cross-entropy, 0.1 N for N rows, is ``weight = 10 * s`` here; on
    sequences of hundreds of values that leaves the labels little say.

    The estimator's `sample` draws sequences of given classes.

    Parameters
    ----------
    weight : float, default=0.1
        Weight :math:`w` of the bounds, against 1 for the labels. Zero trains exactly what `Supervised`
        trains.
    latent_size : int, default=16
        Units of the code.
    word_dropout : float, default=0.25
        Share of the tokens before that the decoder does not see in training (Bowman 2016).
    ramp : float, default=0.4
        Share of training over which the weight of the unlabeled rows rises from near 0.
    ratio : float, default=1
        Unlabeled rows in a step, as a share of `batch_size`.

    References
    ----------
    Kingma, Rezende, Mohamed and Welling (2014), "Semi-supervised learning with deep generative models",
    NeurIPS.

    Bowman et al. (2016), "Generating sentences from a continuous space", CoNLL.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import SemiSupervisedVAE
    >>> X, y = np.random.default_rng(0).normal(size=(40, 12)), np.arange(40) % 2
    >>> few = np.where(np.arange(40) < 8, y, -1)
    >>> clf = SemiSupervisedRNNClassifier(SemiSupervisedVAE(latent_size=4), hidden_size=8, max_epochs=2).fit(X, few)
    >>> clf.sample(3, y=[0, 1, 1]).shape
    (3, 12)
    """

    needs = "classes"
    _parameter_constraints: dict[str, list[Any]] = {
        **SemiSupervisedObjective._parameter_constraints,
        "latent_size": COUNT,
        "word_dropout": FRACTION,
    }

    def __init__(
        self,
        weight: float = 0.1,
        latent_size: int = 16,
        word_dropout: float = 0.25,
        ramp: float = 0.4,
        ratio: float = 1,
    ):
        self.weight = weight
        self.latent_size = latent_size
        self.word_dropout = word_dropout
        self.ramp = ramp
        self.ratio = ratio

    @property
    def keeps_levels(self) -> bool:  # type: ignore[override]
        """Whether sequences are rebuilt at all."""
        return bool(self.weight)

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"posterior"` of codes given sequences and classes, a `"decoder"`, and for numbers `"noise"`."""
        posterior = linear(encoder.out_features + task.n_classes, 2 * self.latent_size)
        return {"posterior": posterior, **generative_parts(encoder, self.latent_size + task.n_classes)}

    def sample(self, model: Any, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Draw a sequence of each of the classes `rows` (n,): standardised steps, or logits, the largest drawn."""
        codes = normal(model, rows, self.latent_size, generator)
        classes = one_hot(rows, model.task.n_classes).to(codes)
        return write(model, torch.cat([codes, classes], dim=1), n_steps, generator)

    def labeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"labeled_bound"`, for each value."""
        classes = one_hot(batch.targets, outputs.shape[1]).to(outputs)
        bound = self.bounds(model, batch, view, classes[:, None])[:, 0]
        return {"labeled_bound": weighted_mean(bound, batch) / sizes(batch.values, batch.lengths).mean()}

    def unlabeled_terms(self, model: Any, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"bound"`, for each value."""
        n_classes, log_q = outputs.shape[1], outputs.log_softmax(1)
        classes = torch.eye(n_classes).to(outputs).expand(len(batch), -1, -1)
        bound = (log_q.exp() * (self.bounds(model, batch, view, classes) + log_q)).sum(1)
        return {"bound": bound.mean() / sizes(batch.values, batch.lengths).mean()}

    def bounds(self, model: Any, batch: Batch, view: Tensor, classes: Tensor) -> Tensor:
        """Bounds (n, k) of minus the log-likelihood of each row and each of its classes (n, k, K)."""
        n, k, n_classes = classes.shape
        noise = normal(model, batch, self.latent_size, batch.generator)  # the same for all classes
        keep = kept_words(batch, self.word_dropout)
        coded = model.encoder(view, batch.lengths, batch.generator)
        known = torch.cat([coded[:, None].expand(-1, k, -1), classes], dim=2)
        mean, log_variance = model.parts["posterior"](known).chunk(2, dim=2)  # (n, k, C)
        z = mean + noise[:, None] * (log_variance / 2).exp()
        values, lengths, keep = (_each(x, k) for x in (batch.values, batch.lengths, keep))
        codes = torch.cat([z, classes], dim=2).flatten(0, 1)
        logs = log_likelihood(model, values, lengths, codes, keep).reshape(n, k)
        return gaussian_kl(mean, log_variance).sum(2) + math.log(n_classes) - logs


def _each(x: Any, k: int) -> Any:
    """Repeat each row `k` times."""
    return x if x is None else x.repeat_interleave(k, 0)
