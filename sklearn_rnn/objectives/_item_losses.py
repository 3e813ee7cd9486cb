"""Losses of a scored item against items that did not come next."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def sampled_cross_entropy(own: Tensor, others: Tensor, log_expected: Tensor) -> Tensor:
    r"""Cross-entropy (m,) whose sum over all items is estimated from the drawn ones.

    .. math:: -r_i + \log(e^{r_i} + \sum_j e^{r_j} / E_j)

    The mean of the sum over draws is the sum over all items but i (Bengio and Senécal 2008).

    Parameters
    ----------
    own : Tensor of shape (m,)
        Scores r_i of the items that came next.
    others : Tensor of shape (m, k)
        Scores r_j of the items that were drawn; minus infinity for those that are item i.
    log_expected : Tensor of shape (k,)
        Logarithms of E_j, how often item j is expected among the k drawn ones.
    """
    return torch.logsumexp(torch.cat([own[:, None], others - log_expected], dim=1), dim=1) - own


def bpr_max(own: Tensor, others: Tensor, penalty: float) -> Tensor:
    r"""BPR-max (m,), with a penalty on the scores of negatives (Hidasi and Karatzoglou 2018, equation 10).

    .. math:: -\log \sum_j s_j \sigma(r_i - r_j) + \lambda \sum_j s_j r_j^2

    where s is the softmax over the negatives. Arguments are as in `sampled_cross_entropy`.
    """
    log_s = others.log_softmax(1)
    drawn = others > -torch.inf
    differences = logsigmoid(own[:, None] - others.masked_fill(~drawn, 0))
    ranking = -torch.logsumexp(log_s + differences, dim=1)
    return ranking + penalty * (log_s.exp() * others.masked_fill(~drawn, 0).square()).sum(1)


def top1_max(own: Tensor, others: Tensor) -> Tensor:
    r"""TOP1-max (m,) (Hidasi and Karatzoglou 2018, equation 8).

    .. math:: \sum_j s_j (\sigma(r_j - r_i) + \sigma(r_j^2))

    where s is the softmax over the negatives. Arguments are as in `sampled_cross_entropy`.
    """
    s = others.softmax(1)
    finite = others.masked_fill(others == -torch.inf, 0)
    return (s * (torch.sigmoid(finite - own[:, None]) + torch.sigmoid(finite.square()))).sum(1)
