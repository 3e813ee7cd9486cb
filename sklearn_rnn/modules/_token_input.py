"""Token ids as the input of an encoder: each id has a vector."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from ._input import InputLayer
from ._layers import embedding, gumbel_like, in_patches, linear


class TokenInput(InputLayer):
    """Embed token ids (n, T): their vectors, normalised over the training data, are the embedded steps (n, T, E).

    Instead of ids there may be one-hot vectors (n, T, n_tokens + 1), which have a gradient. Decoded steps are logits,
    one for each token, and a last one for the unknown token.

    Parameters
    ----------
    n_tokens : int
        Number of tokens, without the unknown token, whose id is `n_tokens`.
    embedding_size : int
        Width of the vectors.
    patch_size : int
        Number of steps in a patch.
    n_columns : int, default=0
        Number of known columns of each token. A linear layer maps them to vectors, which are added to those of the
        tokens.
    n_parts : int, default=0
        Number of parts of words, such as endings, without the unknown part. If there are parts, values are
        (n, T, 1 + k): the id of a word, and those of its k parts. The sum of the vectors of the parts follows the
        vector of the word: embedded steps are (n, T, 2 E).
    """

    auto_steps = 48
    frequency: Tensor
    columns: Tensor
    part_mean: Tensor
    part_scale: Tensor

    def __init__(self, n_tokens: int, embedding_size: int, patch_size: int, n_columns: int = 0, n_parts: int = 0):
        super().__init__()
        self.n_outputs, self.patch_size = n_tokens + 1, patch_size
        self.patch_width = embedding_size * patch_size * (2 if n_parts else 1)
        self.embedding = embedding(n_tokens + 1, embedding_size)
        self.register_buffer("frequency", torch.full((n_tokens + 1,), 1 / (n_tokens + 1)))
        self.side = linear(n_columns, embedding_size) if n_columns else None
        if n_columns:
            self.register_buffer("columns", torch.zeros(n_tokens + 1, n_columns))
        self.parts = embedding(n_parts + 1, embedding_size) if n_parts else None
        if n_parts:
            self.register_buffer("part_mean", torch.zeros(embedding_size))
            self.register_buffer("part_scale", torch.ones(()))

    def vectors(self) -> Tensor:
        """Vectors (n_tokens + 1, E) of all tokens, as they are trained, not normalised."""
        weight = self.embedding.weight
        return weight if self.side is None else weight + self.side(self.columns)

    def set_vectors(self, vectors: Tensor | None, frequency: Tensor) -> None:
        """Set the frequencies (n_tokens + 1,) of the tokens and, if given, their vectors (n_tokens + 1, E)."""
        with torch.no_grad():
            self.frequency.copy_(frequency)
            if vectors is not None:
                self.embedding.weight.copy_(vectors)

    def set_parts(self, vectors: Tensor | None, steps: Tensor) -> None:
        """Set the vectors (n_parts + 1, E) of parts, if given; learn the scale of their sums from steps (m, 1 + k)."""
        assert self.parts is not None
        with torch.no_grad():
            if vectors is not None:
                self.parts.weight.copy_(vectors)
            sums = self.parts(steps[:, 1:]).sum(1)
            self.part_mean.copy_(sums.mean(0))
            self.part_scale.copy_((sums - self.part_mean).square().mean().clamp_min(1e-8).sqrt())

    def train_vectors(self, trained: bool) -> None:
        """Train all vectors from now on, or none."""
        for layer in (self.embedding, self.side, self.parts):
            if layer is not None:
                layer.requires_grad_(trained)

    def freeze(self, frozen: bool) -> None:
        """Freeze the vectors of tokens from now on, or train them."""
        if frozen and not self.frozen:
            with torch.no_grad():
                self.embedding.weight.copy_(self.normalised(self.vectors()))
                for weight in () if self.side is None else self.side.parameters():
                    weight.zero_()  # the vectors now include the columns
        self.frozen = frozen
        self.train_vectors(not frozen)

    def standardised(self, values: Tensor) -> Tensor:
        """Normalised vectors (n, T, E) of ids (n, T), or of one-hot vectors (n, T, n_tokens + 1)."""
        if self.parts is not None:
            words = self._looked_up(values[..., 0])
            sums = (self.parts(values[..., 1:]).sum(2) - self.part_mean) / self.part_scale
            return torch.cat([words if self.frozen else self.normalised(words), sums], dim=2)
        vectors = self._looked_up(values) if values.dim() == 2 else values @ self.vectors()
        return vectors if self.frozen else self.normalised(vectors)

    def _looked_up(self, ids: Tensor) -> Tensor:
        vectors = self.embedding(ids)
        return vectors if self.side is None else vectors + self.side(self.columns[ids])

    def normalised(self, vectors: Tensor) -> Tensor:
        """Normalise vectors to mean 0 and variance 1 over the tokens of the data (Miyato, Dai and Goodfellow 2017).

        It is the variance of all features together, so that the ratios of their variances do not change.
        """
        weight = self.vectors()
        mean = self.frequency @ weight
        variance = (self.frequency @ (weight - mean).square()).mean()
        return (vectors - mean) * (variance + 1e-8).rsqrt()

    def group(self, x: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None) -> Tensor:
        """Patches (n, T / patch_size, patch_width) of embedded steps; tokens have no random kernels."""
        return in_patches(x, self.patch_size).flatten(2)

    def target(self, values: Tensor) -> Tensor:
        """Token ids (n, T)."""
        return values if self.parts is None else values[..., 0]

    def errors(self, steps: Tensor, values: Tensor, loss: Callable[..., Tensor]) -> Tensor:
        """Cross-entropies (n, T) of logits (n, T, n_tokens + 1); the `loss` of numbers is not used."""
        return cross_entropy(steps.transpose(1, 2), self.target(values), reduction="none")

    def draw(self, steps: Tensor, generator: torch.Generator | None) -> Tensor:
        """Add noise to logits, so that the largest is a draw from their softmax; without a generator add none."""
        return steps if generator is None else steps + gumbel_like(steps, generator)

    def to_values(self, steps: Tensor) -> Tensor:
        """One-hot vectors (n, T, n_tokens + 1) of the largest logits, with the gradient of the softmax.

        This is the straight-through estimator of Jang (2017).
        """
        soft = steps.softmax(2)
        hard = one_hot(steps.argmax(2), steps.shape[2]).to(soft)
        return hard + soft - soft.detach()

    def decoded(self, steps: Tensor) -> Tensor:
        """Ids (n, T) of the largest logits, without that of the unknown token, the last."""
        return steps[:, :, :-1].argmax(2).cpu()
