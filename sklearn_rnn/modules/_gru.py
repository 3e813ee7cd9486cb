"""Gated recurrent units of narrow nets, trained on a CPU in less time than by `torch.nn.GRU`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ._layers import chunks, trained_on_cpu

MOST = 1 << 15  # numbers in the state of all rows and directions, from which on `torch.nn.GRU` is as fast
sigmoid_gradient, tanh_gradient = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


def is_faster(layer: Any, n_directions: int, x: Tensor) -> bool:
    """Whether `gru_states` takes less time than the layer itself, on these inputs (n, T, E).

    In training the layer takes 1.1 (16,384 numbers in the state) to 2 times (1,024) as long, in prediction as long.
    """
    if type(layer) is not nn.GRU or not trained_on_cpu(x) or torch.is_autocast_enabled("cpu"):
        return False
    has_gradient = x.requires_grad or layer.weight_hh_l0.requires_grad
    return bool(has_gradient and n_directions * len(x) * layer.hidden_size <= MOST)


def gru_states(layers: list[Any], x: Tensor) -> Tensor:
    """States (D, T, n, H) of D layers of like sizes, which read inputs (D, T, n, E); the first states are 0."""
    names = ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0")
    return _Recurrence.apply(x, *(torch.stack([getattr(layer, name) for layer in layers]) for name in names))


class _Recurrence(torch.autograd.Function):
    """States (D, T, n, H) of inputs (D, T, n, E) and the weights of D layers, in the order of `torch.nn.GRU`.

    One product makes the inputs' part of the gates of all steps, one each step the states' part of all layers, and one
    the gradient of each weight; `torch.nn.GRU` takes products of each step and keeps its results for autograd.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, input_weight: Tensor, input_bias: Tensor, state_weight: Tensor, state_bias: Tensor
    ) -> Tensor:
        (n_layers, n_steps, n), size = x.shape[:3], state_weight.shape[2]
        bias = input_bias.clone()
        bias[:, : 2 * size] += state_bias[:, : 2 * size]  # the reset gate multiplies the rest, of the new gate
        state_bias_new_gate = state_bias.clone()
        state_bias_new_gate[:, : 2 * size] = 0
        weight = state_weight.transpose(1, 2).contiguous()
        gates, memories = x.new_empty(n_layers, n_steps, n, 3 * size), x.new_empty(n_layers, n_steps, n, size)
        states = x.new_empty(n_layers, n_steps + 1, n, size)
        states[:, 0] = 0
        products = x.new_empty(n_layers, n, 3 * size)
        reset_update_products, new_gate_products = products.split((2 * size, size), 2)
        for part in chunks(n_steps, n_layers * n * size):
            part_gates, inputs = gates[:, part], x[:, part].flatten(1, 2)
            torch.baddbmm(bias[:, None], inputs, input_weight.transpose(1, 2), out=part_gates.flatten(1, 2))
            reset_update_gates = part_gates[..., : 2 * size].unbind(1)
            arrays = (*(gate.unbind(1) for gate in part_gates.split(size, 3)), memories[:, part].unbind(1))
            old_states, new_states = states[:, :-1][:, part].unbind(1), states[:, 1:][:, part].unbind(1)
            steps = zip(reset_update_gates, *arrays, old_states, new_states, strict=True)
            for reset_update, r, z, c, memory, before, after in steps:
                torch.baddbmm(state_bias_new_gate[:, None], before, weight, out=products)
                reset_update.add_(reset_update_products).sigmoid_()
                c.addcmul_(r, memory.copy_(new_gate_products))
                c.mul_(2).sigmoid_().mul_(2).sub_(1)  # tanh, in half of its time
                torch.lerp(c, before, z, out=after)
        ctx.save_for_backward(x, input_weight, state_weight, gates, memories, states)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, input_weight, state_weight, gates, memories, states = ctx.saved_tensors
        (n_layers, n_steps, n), size = x.shape[:3], state_weight.shape[2]
        x_gradient = x.new_empty(x.shape) if ctx.needs_input_grad[0] else None
        input_weight_gradient, state_weight_gradient = torch.zeros_like(input_weight), torch.zeros_like(state_weight)
        input_bias_gradient, state_bias_gradient = x.new_zeros(2, n_layers, 3 * size)
        carry = x.new_zeros(n_layers, n, size)
        for part in reversed(chunks(n_steps, n_layers * n * size)):
            before = states[:, :-1][:, part]
            saved = gates[:, part], memories[:, part], before
            sums, new_gate_gradient, carry = _gate_gradients(*saved, gradient[:, part], carry, state_weight)
            rows = sums.flatten(1, 2)
            state_weight_gradient.baddbmm_(rows.transpose(1, 2), before.flatten(1, 2))
            state_bias_gradient += rows.sum(1)
            sums[..., 2 * size :] = new_gate_gradient
            input_weight_gradient.baddbmm_(rows.transpose(1, 2), x[:, part].flatten(1, 2))
            input_bias_gradient += rows.sum(1)
            if x_gradient is not None:
                torch.bmm(rows, input_weight, out=x_gradient[:, part].flatten(1, 2))
        return x_gradient, input_weight_gradient, input_bias_gradient, state_weight_gradient, state_bias_gradient


def _gate_gradients(
    gates: Tensor, memories: Tensor, before: Tensor, gradient: Tensor, carry: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of what states add to gates (D, T, n, 3 H), of the third sum (D, T, n, H), and of the first state."""
    (r, z, c), sums, new_gate = gates.chunk(3, 3), torch.empty_like(gates), torch.empty_like(memories)
    reset_sums, update_sums, memory_sums = sums.chunk(3, 3)
    factors = sigmoid_gradient(memories, r), sigmoid_gradient(before - c, z), tanh_gradient(1 - z, c)
    arrays = (gradient, sums, reset_sums, update_sums, memory_sums, new_gate, *factors, z, r)
    steps = list(zip(*(part.unbind(1) for part in arrays), strict=True))
    kept = torch.empty_like(carry)
    for g, gate_sums, g_r, g_z, g_m, g_c, f_r, f_z, f_c, z_t, r_t in reversed(steps):
        total = carry.add_(g)
        torch.mul(total, f_c, out=g_c)
        torch.mul(total, f_z, out=g_z)
        torch.mul(g_c, f_r, out=g_r)
        torch.mul(g_c, r_t, out=g_m)
        carry = torch.baddbmm(torch.mul(total, z_t, out=kept), gate_sums, weight)
    return sums, new_gate, carry
