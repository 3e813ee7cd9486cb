"""Masks, noise, and initial weights that do not depend on the global random state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.utils.checkpoint import checkpoint

CHUNK = 1 << 18  # numbers in the gates of steps that are computed together, so that they stay in the cache


def blank(layer: type[nn.Module], *args: Any, **kwargs: Any) -> Any:
    """Make a layer whose weights are drawn later, by `initialise`; the global random state does not change."""
    # `to_empty` would do the same, but calls `empty_like`, which imports the 486 modules of sympy.
    return layer(*args, device="meta", **kwargs)._apply(lambda w: torch.empty(w.shape, dtype=w.dtype, device="cpu"))


def embedding(n: int, size: int) -> nn.Embedding:
    """Make a table of n vectors, blank; on the device "meta" this would import the compiler of torch."""
    return nn.Embedding.from_pretrained(torch.empty(n, size, device="cpu"), freeze=False)


def linear(n_in: int, n_out: int) -> nn.Linear:
    """Make a linear layer, blank: its weights are drawn later."""
    return blank(nn.Linear, n_in, n_out)


class RowLinear(nn.Linear):
    """Linear layer for few outputs: the bits for a row do not depend on the other rows.

    torch sums the product of a matrix and a single column in an order that depends on the place of the row.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (n, n_out) of rows (n, n_in)."""
        return (x[:, None] * self.weight).sum(2) + self.bias


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights from `generator`, as PyTorch does; those of convolutions, as ROCKET does."""
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.RNNBase):
                _uniform(layer, layer.hidden_size, generator)
            elif isinstance(layer, nn.Linear):
                _uniform(layer, layer.in_features, generator)
            elif isinstance(layer, nn.Embedding):
                layer.weight.normal_(generator=generator)
            elif isinstance(layer, nn.Conv1d):
                _kernels(layer, generator)


def _uniform(layer: nn.Module, fan: int, generator: torch.Generator) -> None:
    bound = fan**-0.5
    for weight in layer.parameters():
        weight.uniform_(-bound, bound, generator=generator)


def _kernels(layer: nn.Conv1d, generator: torch.Generator) -> None:
    """Draw kernels of norm 1 whose weights add up to zero, and their biases."""
    weight, bias = layer.parameters()
    weight.normal_(generator=generator)
    weight.sub_(weight.mean(2, keepdim=True))
    weight.div_(weight.norm(dim=(1, 2), keepdim=True))
    bias.normal_(generator=generator)


def chunks(n_steps: int, width: int) -> list[slice]:
    """Slices of steps whose gates, `width` numbers a step, are about `CHUNK` numbers."""
    size = max(1, CHUNK // width)
    return [slice(start, min(start + size, n_steps)) for start in range(0, n_steps, size)]


def recomputed(function: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
    """Return ``function(*inputs)``, of which nothing is kept for the gradients: it is computed again for them.

    The function must draw no random numbers. The first call of a process takes a second longer: it imports torch's
    compiler.
    """
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)


def step_mask(lengths: Tensor, n_steps: int) -> Tensor:
    """Mask (n, T) of the steps that are no padding."""
    return torch.arange(n_steps, device=lengths.device) < lengths[:, None]


def mask_padding(x: Tensor, lengths: Tensor | None, fill: float = 0.0) -> Tensor:
    """Set the padding of steps (n, T, E) to `fill`."""
    if lengths is None:
        return x
    return x.masked_fill(~step_mask(lengths, x.shape[1])[:, :, None], fill)


def dropout(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    """Zero each value with probability `p` and scale the rest up; off without a generator."""
    if p == 0 or generator is None:
        return x
    keep = torch.empty_like(x).bernoulli_(1 - p, generator=generator)
    return x * keep.mul_(1 / (1 - p))


def gumbel_like(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Noise with which the largest logit is a draw from the softmax of the logits."""
    return -torch.empty_like(logits).exponential_(generator=generator).log()


def last_step(states: Tensor, lengths: Tensor | None) -> Tensor:
    """State (n, H) at the last step of each sequence."""
    if lengths is None:
        return states[:, -1]
    return states[torch.arange(states.shape[0], device=states.device), lengths - 1]


def trained_on_cpu(x: Tensor) -> bool:
    """Whether gradients are recorded of what is computed from `x`, on a CPU, and not in a graph that is traced."""
    return not traced() and x.device.type == "cpu" and torch.is_grad_enabled()


def traced() -> bool:
    """Whether the modules are being traced into a graph, which must be valid for all batch sizes and lengths."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling()


def n_patches(n_steps: Any, patch_size: int) -> Any:
    """Number of patches for a number of steps, or for each of an array or tensor of numbers."""
    return (n_steps + patch_size - 1) // patch_size


def in_patches(x: Tensor, patch_size: int) -> Tensor:
    """Group steps (n, T, E) into patches (n, T / patch_size, patch_size, E); the last is filled up with zeros."""
    n_steps, n = x.shape[1], n_patches(x.shape[1], patch_size)
    if traced() or n_steps % patch_size:
        x = pad(x, (0, 0, 0, n * patch_size - n_steps))
    return x.reshape(x.shape[0], n, patch_size, x.shape[2])


def unpatched(x: Tensor, width: int, n_steps: int) -> Tensor:
    """Return steps (n, n_steps, width), given those of a patch side by side (n, T / patch_size, patch_size * width)."""
    return x.reshape(len(x), -1, width)[:, :n_steps]


def steps_in_order(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return all steps (m, E) of steps (n, T, E) that are no padding, one row after the other."""
    return x.flatten(0, 1) if lengths is None else x[step_mask(lengths, x.shape[1])]


def full_precision(x: Tensor) -> Tensor:
    """Convert half precision, which autocast returns, to single precision; other types do not change."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
