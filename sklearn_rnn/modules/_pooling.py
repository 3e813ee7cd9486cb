"""From the states of all steps to one embedding for each sequence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ._layers import last_step, linear, mask_padding, step_mask


def _last(states: Tensor, lengths: Tensor | None, n_forward: int) -> Tensor:
    """Final state of each direction; the backward direction ends at the first step."""
    ends = last_step(states[:, :, :n_forward], lengths)
    return torch.cat([ends, states[:, 0, n_forward:]], dim=1)


def _mean(states: Tensor, lengths: Tensor | None, n_forward: int) -> Tensor:
    if lengths is None:
        return states.mean(1)
    return mask_padding(states, lengths).sum(1) / lengths[:, None]


def _max(states: Tensor, lengths: Tensor | None, n_forward: int) -> Tensor:
    return mask_padding(states, lengths, -torch.inf).amax(1)


def _mean_max(states: Tensor, lengths: Tensor | None, n_forward: int) -> Tensor:
    return torch.cat([_mean(states, lengths, n_forward), _max(states, lengths, n_forward)], dim=1)


POOLINGS: dict[str, Callable[[Tensor, Tensor | None, int], Tensor] | None] = {
    "last": _last,
    "mean": _mean,
    "max": _max,
    "mean_max": _mean_max,
    "attention": None,
}


class Pooling(nn.Module):
    """Combine the states (n, T, S) of each sequence to an embedding (n, out_features); padding does not count.

    Parameters
    ----------
    pooling : str
        A key of `POOLINGS`. `"attention"` is a weighted mean with learned weights (Bahdanau 2015).
    n_states, n_forward : int
        Width of the states, and of their forward direction.
    """

    def __init__(self, pooling: str, n_states: int, n_forward: int):
        super().__init__()
        self.pooling = pooling
        self.n_forward = n_forward
        self.out_features = n_states * (2 if pooling == "mean_max" else 1)
        if pooling == "attention":
            self.project, self.score = linear(n_states, n_states), linear(n_states, 1)

    def forward(self, states: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (n, out_features) of states (n, T, S)."""
        pool = POOLINGS[self.pooling]
        if pool is not None:
            return pool(states, lengths, self.n_forward)
        return torch.einsum("nt,nts->ns", self.attend(states, lengths), states)

    def attend(self, states: Tensor, lengths: Tensor | None) -> Tensor:
        """Attention weights (n, T), zero for padding."""
        scores = self.score(torch.tanh(self.project(states)))[:, :, 0]
        if lengths is not None:
            scores = scores.masked_fill(~step_mask(lengths, scores.shape[1]), -torch.inf)
        return scores.softmax(1)
