"""Gated recurrent units of narrow nets, trained on a CPU in less time than by `torch.nn.GRU`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ._layers import chunks, traced

MOST = 1 << 15  # numbers in the state of all rows and directions, from which on `torch.nn.GRU` is as fast
sigmoid_gradient, tanh_gradient = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


def is_faster(layer: Any, n_directions: int, x: Tensor) -> bool:
    """Whether `gru_states` takes less time than the layer itself, on these inputs (n, T, E).

    In training the layer takes 1.1 (16,384 numbers in the state) to 2 times (1,024) as long, in prediction as long.
    """
    if type(layer) is not nn.GRU or x.device.type != "cpu" or traced() or torch.is_autocast_enabled("cpu"):
        return False
    trained = torch.is_grad_enabled() and (x.requires_grad or layer.weight_hh_l0.requires_grad)
    return bool(trained and n_directions * len(x) * layer.hidden_size <= MOST)


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
        ctx: Any, x: Tensor, of_inputs: Tensor, input_bias: Tensor, of_states: Tensor, state_bias: Tensor
    ) -> Tensor:
        (n_layers, n_steps, n), size = x.shape[:3], of_states.shape[2]
        bias = input_bias.clone()
        bias[:, : 2 * size] += state_bias[:, : 2 * size]  # only the third gate multiplies its own by another
        own_bias = state_bias.clone()
        own_bias[:, : 2 * size] = 0
        weight = of_states.transpose(1, 2).contiguous()
        gates, memories = x.new_empty(n_layers, n_steps, n, 3 * size), x.new_empty(n_layers, n_steps, n, size)
        states = x.new_empty(n_layers, n_steps + 1, n, size)
        states[:, 0] = 0
        products = x.new_empty(n_layers, n, 3 * size)
        of_two, of_third = products.split((2 * size, size), 2)
        for part in chunks(n_steps, n_layers * n * size):
            of_part, inputs = gates[:, part], x[:, part].flatten(1, 2)
            torch.baddbmm(bias[:, None], inputs, of_inputs.transpose(1, 2), out=of_part.flatten(1, 2))
            two = of_part[..., : 2 * size].unbind(1)
            each = (*(gate.unbind(1) for gate in of_part.split(size, 3)), memories[:, part].unbind(1))
            old, new = states[:, :-1][:, part].unbind(1), states[:, 1:][:, part].unbind(1)
            for both, r, z, c, memory, before, after in zip(two, *each, old, new, strict=True):
                torch.baddbmm(own_bias[:, None], before, weight, out=products)
                both.add_(of_two).sigmoid_()
                c.addcmul_(r, memory.copy_(of_third)).mul_(2).sigmoid_().mul_(2).sub_(1)  # tanh, in half of its time
                torch.lerp(c, before, z, out=after)
        ctx.save_for_backward(x, of_inputs, of_states, gates, memories, states)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, of_inputs, of_states, gates, memories, states = ctx.saved_tensors
        (n_layers, n_steps, n), size = x.shape[:3], of_states.shape[2]
        for_x = x.new_empty(x.shape) if ctx.needs_input_grad[0] else None
        for_inputs, for_states = torch.zeros_like(of_inputs), torch.zeros_like(of_states)
        for_input_bias, for_state_bias = x.new_zeros(2, n_layers, 3 * size)
        carry = x.new_zeros(n_layers, n, size)
        for part in reversed(chunks(n_steps, n_layers * n * size)):
            before = states[:, :-1][:, part]
            own = gates[:, part], memories[:, part], before
            sums, of_third, carry = _gate_gradients(*own, gradient[:, part], carry, of_states)
            rows = sums.flatten(1, 2)
            for_states.baddbmm_(rows.transpose(1, 2), before.flatten(1, 2))
            for_state_bias += rows.sum(1)
            sums[..., 2 * size :] = of_third
            for_inputs.baddbmm_(rows.transpose(1, 2), x[:, part].flatten(1, 2))
            for_input_bias += rows.sum(1)
            if for_x is not None:
                torch.bmm(rows, of_inputs, out=for_x[:, part].flatten(1, 2))
        return for_x, for_inputs, for_input_bias, for_states, for_state_bias


def _gate_gradients(
    gates: Tensor, memories: Tensor, before: Tensor, gradient: Tensor, carry: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of what states add to gates (D, T, n, 3 H), of the third sum (D, T, n, H), and of the first state."""
    (r, z, c), sums, of_third = gates.chunk(3, 3), torch.empty_like(gates), torch.empty_like(memories)
    of_r, of_z, of_memory = sums.chunk(3, 3)
    factors = sigmoid_gradient(memories, r), sigmoid_gradient(before - c, z), tanh_gradient(1 - z, c)
    each = (gradient, sums, of_r, of_z, of_memory, of_third, *factors, z, r)
    steps = list(zip(*(part.unbind(1) for part in each), strict=True))
    through = torch.empty_like(carry)
    for g, all_, g_r, g_z, g_m, g_c, f_r, f_z, f_c, z_t, r_t in reversed(steps):
        total = carry.add_(g)
        torch.mul(total, f_c, out=g_c)
        torch.mul(total, f_z, out=g_z)
        torch.mul(g_c, f_r, out=g_r)
        torch.mul(g_c, r_t, out=g_m)
        carry = torch.baddbmm(torch.mul(total, z_t, out=through), all_, weight)
    return sums, of_third, carry
