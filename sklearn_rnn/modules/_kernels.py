"""Random convolutions, whose responses are summarised in patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, layer_norm, pad

from ._layers import blank, in_patches, mask_padding, n_patches, step_mask, traced

WIDTH = 9  # weights of a kernel
DILATIONS = (1, 2, 4, 8)
SPREAD = 4  # steps from which on a patch has a second feature beside the mean
SCALE = 0.25  # of the features, relative to standardised values
NOISE = 0.3  # deviation of white noise to which a kernel must respond less than to the standardised data
SIGNAL = 0.5  # smallest share of the variance of a kernel's responses that is not due to the noise of the data
CHUNK = 1 << 22  # features of steps that are computed together
NARROW, WIDE = 3, 4  # widest steps and smallest dilation for which one product takes half of the time of a convolution


class RandomKernels(nn.Module):
    """Random convolutions that are never trained, (n, T, E) -> (n, T / patch_size, out_features).

    Each kernel has a dilation, a bias, and weights whose sum is zero for each input. Its responses are rectified. The
    features of a patch are their mean over its steps and, in patches of at least `SPREAD` steps, the difference of
    their maximum and mean. All features of a patch are normalised together. Random kernels cannot overfit, so they
    make a strong classifier with few labels (Dempster 2020).

    Parameters
    ----------
    n_inputs : int
        Width of the steps.
    n_kernels : int
        Number of convolutions, divided evenly among the dilations.
    patch_size : int
        Number of steps in a patch.
    n_steps : int
        Dilations with which a kernel would span more steps are not used.

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
    def scale(self, x: Tensor, lengths: Tensor | None, noise: Tensor) -> None:
        """Scale the responses to steps (n, T, E) to mean 0 and deviation 1, without the bias.

        Kernels that would respond more to `NOISE` than to these steps, as short ones do in smooth series, are set to
        zero, because they would respond to the jitter of training, which new sequences do not have. So are those that
        respond mostly to the noise in the steps, of which `noise` (1, T, E) is a sample.
        """
        inside = slice(None) if lengths is None else step_mask(lengths, x.shape[1])
        steps = mask_padding(x, lengths).transpose(1, 2)
        for convolution in self.convolutions:
            weight, bias = convolution.parameters()
            responses = (convolution(steps) - bias[:, None]).transpose(1, 2)[inside].flatten(0, -2)
            deviation, mean = torch.std_mean(responses, 0, correction=0)
            of_noise = (convolution(noise.transpose(1, 2)) - bias[:, None]).var((0, 2), correction=0)
            deviation = deviation.where(deviation > NOISE * weight.flatten(1).norm(dim=1), torch.inf)
            deviation = deviation.where(of_noise <= (1 - SIGNAL) * deviation.square(), torch.inf)
            weight.div_(deviation[:, None, None])
            bias.sub_(mean / deviation)

    def forward(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Features (n, T / patch_size, out_features) of embedded steps (n, T, E), whose padding is zero.

        They are zero for sequences whose `kernel_mask` (n,) is False.
        """
        if kernel_mask is not None:
            features = x.new_zeros(x.shape[0], n_patches(x.shape[1], self.patch_size), self.out_features)
            if kernel_mask.any():
                ends = None if lengths is None else lengths[kernel_mask]
                features[kernel_mask] = self(x[kernel_mask], ends).to(features)
            return features
        if traced():  # in a graph, the number of parts would be that of the example
            return self._features(x, lengths)
        n_rows = max(1, CHUNK // (x.shape[1] * self.out_features))
        parts = [x[i : i + n_rows] for i in range(0, len(x), n_rows)]
        ends_of_parts = [None] * len(parts) if lengths is None else lengths.split(n_rows)
        return torch.cat([self._features(*part) for part in zip(parts, ends_of_parts, strict=True)])

    def _features(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        p, n_steps = self.patch_size, x.shape[1]
        outside = None if lengths is None else ~step_mask(lengths, n_steps)[:, :, None]
        left = (n_steps if lengths is None else lengths[:, None]) - torch.arange(0, n_steps, p, device=x.device)
        n_inside = left.clamp(1, p)[..., None]  # (n, T / p, 1)
        parts = []
        for convolution, d in zip(self.convolutions, self.dilations, strict=True):
            weight, bias = convolution.parameters()
            steps = _responses(x, weight, bias, d)  # (n, T, K)
            steps = (steps if outside is None else steps.masked_fill_(outside, 0)).relu_()
            patches = in_patches(steps, p)  # (n, T / p, p, K)
            mean = patches.sum(2) / n_inside  # (n, T / p, K)
            parts += [mean, _largest(patches) - mean] if self.spread else [mean]
        features = torch.cat(parts, 2)
        return SCALE * (layer_norm(features, (self.out_features,)) if self.out_features > 1 else features)


def _responses(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    """Responses (n, T, K) of convolutions with `weight` (K, E, WIDTH) to steps (n, T, E)."""
    (n, n_steps, n_inputs), margin = x.shape, WIDTH // 2 * dilation
    if not traced() and n_inputs <= NARROW and dilation >= WIDE and x.device.type == "cpu":
        padded = pad(x.permute(2, 0, 1), (margin, margin))
        windows = torch.stack([padded[..., i * dilation : i * dilation + n_steps] for i in range(WIDTH)], 1)
        rows = windows.view(n_inputs * WIDTH, n * n_steps).t()
        return torch.mm(rows, weight.flatten(1).t()).add_(bias).view(n, n_steps, -1)
    image = x[:, None].permute(0, 3, 1, 2)  # (n, E, 1, T), a view: channels last suits the sums over patches
    responses = conv2d(image, weight[:, :, None], bias, padding=(0, margin), dilation=(1, dilation))
    return responses.permute(0, 2, 3, 1).flatten(1, 2)


def _largest(patches: Tensor) -> Tensor:
    """Largest responses (n, m, K) of patches (n, m, p, K). Maxima of halves take a fifth of the time of `amax`."""
    if traced():
        return patches.amax(2)
    while (size := patches.shape[2]) > 1:
        half = (size + 1) // 2
        patches = torch.maximum(patches[:, :, :half], patches[:, :, size - half :])
    return patches[:, :, 0]
