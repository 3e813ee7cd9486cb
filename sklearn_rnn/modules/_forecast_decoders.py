"""From the state after the context of a series to what follows: all steps at once, or one after the other."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear as affine
from torch.nn.functional import pad, softplus

from ._cells import CELLS
from ._encoder import Encoder
from ._layers import blank, embedding, linear, n_patches

LEAST_SCALE = 1e-3  # of the distribution of a step, in standard deviations of the series


class SegmentDecoder(nn.Module):
    """Decode embeddings to steps (n, horizon, K, q), all at once (Lin 2023).

    The horizon is cut into segments as long as a patch of the encoder. For each of them, a recurrent cell takes one
    step from the final state of the encoder. Its input is a learned vector of the segment's position, plus a linear
    map of the columns that are known ahead. The vectors of positions do not depend on the row, so they are multiplied
    with the weights once for all rows.

    Parameters
    ----------
    encoder : Encoder
        Its embeddings are decoded.
    horizon, n_targets, n_outputs, n_known : int
        Numbers of steps, of targets K, of outputs q for each value, and of columns that are known ahead.
    """

    def __init__(self, encoder: Encoder, horizon: int, n_targets: int, n_outputs: int, n_known: int):
        super().__init__()
        a = encoder.architecture
        self.cell, self.horizon, self.patch_size = a.cell, horizon, a.patch_size
        self.shape, self.n_known = (n_targets, n_outputs), n_known
        self.n_segments = n_patches(horizon, a.patch_size)
        self.n_states = encoder.recurrence.out_features
        self.positions = embedding(self.n_segments, a.hidden_size)
        self.known = linear(n_known * a.patch_size, a.hidden_size) if n_known else None
        self.recurrence = blank(CELLS[a.cell], a.hidden_size, self.n_states, batch_first=True)
        self.output = linear(self.n_states, a.patch_size * n_targets * n_outputs)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Steps (n, horizon, K, q) of embeddings: the final states and, if columns are known ahead, these."""
        state = embeddings[:, : self.n_states]
        inputs = self.positions.weight[None]  # (1, segments, H)
        if self.known is not None:
            inputs = inputs + self.known(self._segments(embeddings[:, self.n_states :]))
        steps = self.output(self._one_step(inputs, state))
        return steps.reshape(len(state), -1, *self.shape)[:, : self.horizon]

    def _segments(self, ahead: Tensor) -> Tensor:
        """Columns known ahead, by segment: (n, segments, patch_size * n_known)."""
        known = known_columns(ahead, self.horizon, self.shape[0], self.n_known)
        known = pad(known, (0, 0, 0, self.n_segments * self.patch_size - self.horizon))
        return known.reshape(len(known), self.n_segments, -1)

    def _one_step(self, inputs: Tensor, state: Tensor) -> Tensor:
        """States (n, segments, H) after one step of the cell from `state` (n, H), with `inputs` (1 or n, segments, E).

        The cell of an LSTM is zero at first.
        """
        r = self.recurrence
        if self.cell == "mingru":
            return r.step(inputs, state[:, None])
        of_inputs = affine(inputs, r.weight_ih_l0, r.bias_ih_l0)
        of_state = affine(state, r.weight_hh_l0, r.bias_hh_l0)[:, None]
        if self.cell == "rnn":
            return torch.tanh(of_inputs + of_state)
        if self.cell == "lstm":
            entry, _, candidate, output = (of_inputs + of_state).chunk(4, 2)
            return torch.sigmoid(output) * torch.tanh(torch.sigmoid(entry) * torch.tanh(candidate))
        n = self.n_states
        gates = torch.sigmoid(of_inputs[:, :, : 2 * n] + of_state[:, :, : 2 * n])
        candidate = torch.tanh(of_inputs[:, :, 2 * n :] + gates[:, :, :n] * of_state[:, :, 2 * n :])
        return candidate + gates[:, :, n:] * (state[:, None] - candidate)


class StepDecoder(nn.Module):
    """Decode embeddings step by step: each step is drawn from a Laplace distribution, given the step before.

    Outputs (n, horizon, K, 2) are the medians and scales of the distributions, in training given the true steps
    before. The K targets of a step are independent, given the steps before.

    Parameters
    ----------
    encoder : Encoder
        Its embeddings are decoded; the true steps follow the final states in them.
    horizon, n_targets, n_known : int
        Numbers of steps, of targets K, and of columns that are known ahead.
    """

    def __init__(self, encoder: Encoder, horizon: int, n_targets: int, n_known: int):
        super().__init__()
        a = encoder.architecture
        self.horizon, self.n_targets, self.n_known = horizon, n_targets, n_known
        self.n_states = encoder.recurrence.out_features
        self.start = linear(self.n_states, a.hidden_size)
        self.recurrence = blank(CELLS[a.cell], n_targets + n_known, a.hidden_size, batch_first=True)
        self.output = linear(a.hidden_size, 2 * n_targets)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Medians and scales (n, horizon, K, 2) of each step, given the true steps before."""
        ahead = embeddings[:, self.n_states :]
        before = known_columns(ahead, self.horizon, 0, self.n_targets)  # (n, horizon, K)
        inputs = torch.cat([pad(before[:, :-1], (0, 0, 1, 0)), self._known(ahead)], dim=2)
        return self._distributions(self.recurrence(inputs, self._first_state(embeddings))[0])

    def paths(self, embeddings: Tensor, noise: Tensor) -> Tensor:
        """Draw paths (n, horizon, K), each step given the one before.

        Parameters
        ----------
        embeddings : Tensor of shape (n, out_features)
            Embeddings; the true steps in them are not read.
        noise : Tensor of shape (n, horizon, K)
            Draws from a Laplace distribution of scale 1; with zeros, each step is the median.
        """
        state, known = self._first_state(embeddings), self._known(embeddings[:, self.n_states :])
        step, steps = embeddings.new_zeros(len(embeddings), 1, self.n_targets), []
        for t in range(self.horizon):
            states, state = self.recurrence(torch.cat([step, known[:, t : t + 1]], dim=2), state)
            median, scale = self._distributions(states).unbind(3)
            step = median + scale * noise[:, t : t + 1]
            steps.append(step)
        return torch.cat(steps, dim=1)

    def _known(self, ahead: Tensor) -> Tensor:
        return known_columns(ahead, self.horizon, self.n_targets, self.n_known)

    def _distributions(self, states: Tensor) -> Tensor:
        median, scale = self.output(states).reshape(len(states), -1, self.n_targets, 2).unbind(3)
        return torch.stack([median, softplus(scale) + LEAST_SCALE], dim=3)

    def _first_state(self, embeddings: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        state = torch.tanh(self.start(embeddings[:, : self.n_states]))[None]
        return (state, torch.zeros_like(state)) if isinstance(self.recurrence, nn.LSTM) else state


def known_columns(ahead: Tensor, n_steps: int, first: int, n: int) -> Tensor:
    """Return `n` columns, from the column `first` on, of embedded steps (n_rows, n_steps * E): (n_rows, n_steps, n)."""
    return ahead.reshape(len(ahead), n_steps, -1)[:, :, first : first + n]
