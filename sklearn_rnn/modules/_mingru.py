"""A recurrence whose gates do not depend on its state, so that all of them are computed at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ._layers import chunks, full_precision, linear, traced


class MinGRU(nn.Module):
    r"""Minimal gated recurrent unit (Feng 2024), with the interface of `torch.nn.GRU`.

    .. math:: h_t = (1 - z_t) h_{t-1} + z_t v_t, \quad z_t = \sigma(W_z x_t + b_z), \quad v_t = W_v x_t + b_v

    Gate and value depend on the input only. On a CPU the steps follow each other, in chunks; on other devices they are
    combined in pairs, then in pairs of pairs, and so on.

    Parameters
    ----------
    input_size, hidden_size : int
        Widths of the input and of the state.
    batch_first, device : bool, torch.device
        Not read: they are arguments of `torch.nn.GRU`.

    References
    ----------
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), "Were RNNs all we needed?", arXiv:2410.01201.
    """

    def __init__(self, input_size: int, hidden_size: int, batch_first: bool = True, device: Any = None):
        super().__init__()
        self.hidden_size = hidden_size
        self.gate, self.value = linear(input_size, hidden_size), linear(input_size, hidden_size)

    def forward(self, x: Tensor, first: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """States (n, T, H) of inputs (n, T, E), given a first state (1, n, H), by default 0; and the last state."""
        start = x.new_zeros(x.shape[0], self.hidden_size) if first is None else first[0]
        if traced():
            states = pairwise(self.gate(x), self.value(x), start)
            return states, states[None, :, -1]
        weights = [w for layer in (self.gate, self.value) for w in (layer.weight, layer.bias)]
        if x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            states = _Recurrence.apply(x.transpose(0, 1), start, *weights)
        else:
            inputs = x.transpose(0, 1)
            states = _Scan.apply(*map(full_precision, (self.gate(inputs), self.value(inputs), start)))
        return states.transpose(0, 1), states[-1:]

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """States (n, m, H) after one step from a state (n, 1, H), for each of the inputs (n or 1, m, E)."""
        return state + torch.sigmoid(self.gate(x)) * (self.value(x) - state)


class _Scan(torch.autograd.Function):
    """States (T, n, H) of gates before the sigmoid and values (T, n, H), and a first state (n, H)."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, values: Tensor, first: Tensor) -> Tensor:
        open_ = torch.sigmoid(gates)
        states = open_ * values
        keep = 1 - open_
        states[0] += keep[0] * first
        doubling(keep, states)
        ctx.save_for_backward(open_, values, first, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        open_, values, first, states = ctx.saved_tensors
        keep = 1 - open_
        total = gradient.flip(0).clone()
        doubling(torch.cat([keep[:1], keep[1:].flip(0)]), total)
        total = total.flip(0)
        before = torch.cat([first[None], states[:-1]])
        return total * (values - before) * open_ * keep, total * open_, total[0] * keep[0]


class _Recurrence(torch.autograd.Function):
    """States (T, n, H) of inputs (T, n, E), a first state (n, H), and the weights of gates and values, in chunks."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, first: Tensor, gate: Tensor, gate_bias: Tensor, value: Tensor, value_bias: Tensor
    ) -> Tensor:
        n_steps, n, size = *x.shape[:2], len(gate)
        open_, values, states = (x.new_empty(n_steps, n, size) for _ in range(3))
        last = first
        for part in chunks(n_steps, n * size):
            inputs = x[part].reshape(-1, x.shape[2])
            torch.addmm(gate_bias, inputs, gate.t(), out=open_[part].view(-1, size)).sigmoid_()
            torch.addmm(value_bias, inputs, value.t(), out=values[part].view(-1, size))
            for z, v, h in zip(open_[part].unbind(), values[part].unbind(), states[part].unbind(), strict=True):
                last = torch.lerp(last, v, z, out=h)
        ctx.save_for_backward(x, first, gate, value, open_, values, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, first, gate, value, open_, values, states = ctx.saved_tensors
        n_steps, n, size = states.shape
        of_x = x.new_empty(n_steps, n, x.shape[2]) if ctx.needs_input_grad[0] else None
        of_gate, of_value = torch.zeros_like(gate), torch.zeros_like(value)
        of_gate_bias, of_value_bias = gate.new_zeros(size), gate.new_zeros(size)
        carry = torch.zeros_like(first)
        for part in reversed(chunks(n_steps, n * size)):
            z = open_[part]
            keep = 1 - z
            total = gradient[part].clone(memory_format=torch.contiguous_format)
            steps, kept = total.unbind(), keep.unbind()
            for t in reversed(range(len(steps))):
                steps[t].add_(carry)
                carry = steps[t] * kept[t]
            before = torch.cat([first[None] if part.start == 0 else states[part.start - 1 : part.start], states[part]])
            inputs = x[part].reshape(-1, x.shape[2])
            values_ = (total * z).view(-1, size)
            gates = (total.mul_(values[part] - before[:-1]).mul_(z).mul_(keep)).view(-1, size)
            of_gate.addmm_(gates.t(), inputs)
            of_value.addmm_(values_.t(), inputs)
            of_gate_bias += gates.sum(0)
            of_value_bias += values_.sum(0)
            if of_x is not None:
                torch.addmm(values_ @ value, gates, gate, out=of_x[part].view(-1, x.shape[2]))
        return of_x, carry, of_gate, of_gate_bias, of_value, of_value_bias


def doubling(keep: Tensor, states: Tensor) -> None:
    """Add to each of the `states` (T, ...) the one before it times `keep`, from the first on, in log2(T) passes.

    Both are overwritten (Hillis and Steele 1986).
    """
    distance = 1
    while distance < len(states):
        states[distance:] += keep[distance:] * states[:-distance].clone()
        keep[distance:] *= keep[:-distance].clone()
        distance *= 2


def pairwise(gates: Tensor, values: Tensor, first: Tensor) -> Tensor:
    """States (n, T, H) from all pairs of steps, in a graph that holds at all lengths; they take memory of T squared."""
    sums = torch.nn.functional.logsigmoid(-gates).double().cumsum(1)  # log of what is kept of the first state
    earlier = torch.ones_like(gates[0, :, :1] * gates[0, :, 0]).tril()[None, :, :, None]
    share = (sums[:, :, None] - sums[:, None]).to(gates).clamp(max=0).exp() * earlier  # (n, T, T, H)
    return (share * (torch.sigmoid(gates) * values)[:, None]).sum(2) + sums.to(gates).exp() * first[:, None]
