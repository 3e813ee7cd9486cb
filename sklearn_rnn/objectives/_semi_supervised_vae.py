"""A generative model of sequences, given a class and an embedding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from .._documented import documented
from ..modules import Model, linear
from ..sequences import Batch
from . import _parameters as shared
from ._base import weighted_mean
from ._latent import decoded_steps, gaussian_kl, generative_parts, kept_words, log_likelihood, normal, sizes
from ._semi_supervised import SemiSupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class SemiSupervisedVAE(SemiSupervisedObjective):
    r"""Semi-supervised variational autoencoder (M2): each sequence is generated from a class and an embedding.

    The net's probabilities are the posterior :math:`q(y | x)` of the class. The term of the labeled rows is
    :math:`w L(x, y) / \bar s`. The term of the unlabeled rows, for which all classes are tried, is

    .. math:: \frac{w w(t)}{\bar s} \left(\sum_y q(y | x) L(x, y) - H(q(y | x))\right), \quad
        L(x, y) = - \log p(x | y, z) - \log p(y) + KL(q(z | x, y) \| N(0, 1))

    as means over rows, where :math:`z \sim q(z | x, y)`, all classes have the same :math:`p(y)`, and :math:`\bar s` is
    the mean number of values in a sequence. Numbers and token ids are decoded as in `Variational`.

    The paper's weight of the cross-entropy, 0.1 N for N rows, corresponds to ``weight = 10 * s`` here. For sequences
    of hundreds of values, the labels would then have little influence.

    The estimator's `sample` draws sequences of given classes.

    Parameters
    ----------
    %(parameters)s

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
    >>> clf = SemiSupervisedRNNClassifier(SemiSupervisedVAE(latent_size=4), hidden_size=8, max_epochs=1).fit(X, few)
    >>> clf.sample(3, y=[0, 1, 1]).shape
    (3, 12)
    """

    needs = "classes"
    several_inputs = False
    by_step = False

    weight: float = shared.weight(0.1)
    latent_size: int = shared.latent_size()
    word_dropout: float = shared.word_dropout()
    ramp: float = shared.ramp()
    ratio: float = shared.ratio()

    @property
    def keeps_levels(self) -> bool:  # type: ignore[override]
        """Whether sequences are reconstructed, which needs their levels."""
        return bool(self.weight)

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the `"posterior"` given a sequence and a class, a `"decoder"`, and for numbers `"noise"`."""
        posterior = linear(encoder.out_features + task.n_classes, 2 * self.latent_size)
        return {"posterior": posterior, **generative_parts(encoder, self.latent_size + task.n_classes)}

    def sample(self, model: Model, rows: Tensor, n_steps: int, generator: torch.Generator) -> Tensor:
        """Draw a sequence of each of the classes `rows` (n,): standardised steps, or logits whose largest is drawn."""
        embeddings = normal(model, rows, self.latent_size, generator)
        classes = one_hot(rows, model.task.n_classes).to(embeddings)
        return decoded_steps(model, torch.cat([embeddings, classes], dim=1), n_steps, generator)

    def labeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"labeled_bound"`, per value."""
        classes = one_hot(batch.targets, outputs.shape[1]).to(outputs)
        bound = self.bounds(model, batch, view, classes[:, None])[:, 0]
        return {"labeled_bound": weighted_mean(bound, batch) / sizes(model, batch.values, batch.lengths).mean()}

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return `"bound"`, per value."""
        n_classes, log_q = outputs.shape[1], outputs.log_softmax(1)
        classes = torch.eye(n_classes).to(outputs).expand(len(batch), -1, -1)
        bound = (log_q.exp() * (self.bounds(model, batch, view, classes) + log_q)).sum(1)
        return {"bound": bound.mean() / sizes(model, batch.values, batch.lengths).mean()}

    def bounds(self, model: Model, batch: Batch, view: Tensor, classes: Tensor) -> Tensor:
        """Bounds (n, k) of minus the log-likelihood of each row, for each of its classes (n, k, K)."""
        n, k, n_classes = classes.shape
        noise = normal(model, batch, self.latent_size, batch.generator)  # the same for all classes
        keep = kept_words(batch, self.word_dropout)
        encoded = model.encoder(view, batch.lengths, batch.generator)
        with_classes = torch.cat([encoded[:, None].expand(-1, k, -1), classes], dim=2)
        mean, log_variance = model.parts["posterior"](with_classes).chunk(2, dim=2)  # (n, k, C)
        z = mean + noise[:, None] * (log_variance / 2).exp()
        values, lengths, keep = (_repeated(x, k) for x in (batch.values, batch.lengths, keep))
        embeddings = torch.cat([z, classes], dim=2).flatten(0, 1)
        logs = log_likelihood(model, values, lengths, embeddings, keep).reshape(n, k)
        return gaussian_kl(mean, log_variance).sum(2) + math.log(n_classes) - logs


def _repeated(x: Any, k: int) -> Any:
    """Repeat each row `k` times; None stays None."""
    return x if x is None else x.repeat_interleave(k, 0)
