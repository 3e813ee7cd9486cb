"""Random convolutions, summed up within patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, layer_norm

from ._layers import blank, in_patches, mask_padding, n_patches, step_mask, traced

WIDTH = 9  # steps of a kernel, those between left out
DILATIONS = (1, 2, 4, 8)
SPREAD = 4  # steps from which on a patch has more to tell than its mean
SCALE = 0.25  # of what the kernels see, against standardised values
NOISE = 0.3  # deviation of white noise, against standardised values, which a kernel must answer less than the data
SOME = 1 << 22  # features of steps computed together


class RandomKernels(nn.Module):
    """Random convolutions that are never trained, (n, T, E) -> (n, T / patch_size, out_features).

    Each kernel has weights that add up to zero for each input, a dilation, and a bias; its responses,
    rectified, count with their mean over the steps of a patch and, in patches of `SPREAD` steps and more,
    with how far the largest lies above it. All of a patch are normalised together. Random kernels make a
    strong classifier of few labels because there is nothing in them to overfit (Dempster 2020).

    Parameters
    ----------
    n_inputs : int
        Width of the steps.
    n_kernels : int
        Convolutions, shared out evenly over the dilations.
    patch_size : int
        Steps of a patch.
    n_steps : int
        Dilations are left out by which a kernel would span more steps.

    References
    ----------
    Dempster, Petitjean and Webb (2020), "ROCKET: exceptionally fast and accurate time series
    classification using random convolutional kernels", Data Mining and Knowledge Discovery.
    """

    def __init__(self, n_inputs: int, n_kernels: int, patch_size: int, n_steps: int):
        super().__init__()
        dilations = [d for d in DILATIONS if d == 1 or (WIDTH - 1) * d < n_steps]
        counts = [n_kernels // len(dilations) + (i < n_kernels % len(dilations)) for i in range(len(dilations))]
        self.dilations = dilations[: min(n_kernels, len(dilations))]
        self.patch_size = patch_size
        self.spread = patch_size >= SPREAD
        self.out_features = n_kernels * (1 + self.spread)
        self.convolutions = nn.ModuleList(
            blank(nn.Conv1d, n_inputs, n, WIDTH, padding="same", dilation=d)
            for n, d in zip(counts, self.dilations, strict=False)
        )
        self.requires_grad_(False)

    @torch.no_grad()
    def scale(self, x: Tensor, lengths: Tensor | None) -> None:
        """Bring the responses to steps (n, T, E) to mean 0 and deviation 1, beside the bias.

        Kernels that would answer `NOISE` more than these steps, as short ones do in smooth series, are turned
        off: what they see in training, with jitter, is not what they see of new sequences.
        """
        own = slice(None) if lengths is None else step_mask(lengths, x.shape[1])
        steps = mask_padding(x, lengths).transpose(1, 2)
        for convolution in self.convolutions:
            weight, bias = convolution.parameters()
            responses = (convolution(steps) - bias[:, None]).transpose(1, 2)[own].flatten(0, -2)
            deviation, mean = torch.std_mean(responses, 0, correction=0)
            deviation = deviation.where(deviation > NOISE * weight.flatten(1).norm(dim=1), torch.inf)
            weight.div_(deviation[:, None, None])
            bias.sub_(mean / deviation)

    def forward(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Features of each patch; zeros for sequences whose `kernel_mask` (n,) is False.

        `x` is zero where `lengths` has ended.
        """
        if kernel_mask is not None:
            seen = x.new_zeros(x.shape[0], n_patches(x.shape[1], self.patch_size), self.out_features)
            if kernel_mask.any():
                seen[kernel_mask] = self(x[kernel_mask], None if lengths is None else lengths[kernel_mask]).to(seen)
            return seen
        if traced():  # a graph has no parts, whose number would be that of the example
            return self._seen(x, lengths)
        n_rows = max(1, SOME // (x.shape[1] * self.out_features))
        parts = [x[i : i + n_rows] for i in range(0, len(x), n_rows)]
        ends = [None] * len(parts) if lengths is None else lengths.split(n_rows)
        return torch.cat([self._seen(*part) for part in zip(parts, ends, strict=True)])

    def _seen(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        p, n_steps = self.patch_size, x.shape[1]
        image = x[:, None].permute(0, 3, 1, 2)  # (n, E, 1, T), a view: channels last, as the patches are summed up
        outside = None if lengths is None else ~step_mask(lengths, n_steps)[:, :, None]
        left = (n_steps if lengths is None else lengths[:, None]) - torch.arange(0, n_steps, p, device=x.device)
        n_own = left.clamp(1, p)[..., None]  # (n, T / p, 1)
        seen = []
        for convolution, d in zip(self.convolutions, self.dilations, strict=True):
            weight, bias = convolution.parameters()
            responses = conv2d(image, weight[:, :, None], bias, padding=(0, WIDTH // 2 * d), dilation=(1, d))
            steps = responses.permute(0, 2, 3, 1).flatten(1, 2)  # (n, T, K)
            steps = (steps if outside is None else steps.masked_fill_(outside, 0)).relu_()
            patches = in_patches(steps, p)  # (n, T / p, p, K)
            mean = patches.sum(2) / n_own  # (n, T / p, K)
            seen += [mean, patches.amax(2) - mean] if self.spread else [mean]
        features = torch.cat(seen, 2)
        return SCALE * (layer_norm(features, (self.out_features,)) if self.out_features > 1 else features)
