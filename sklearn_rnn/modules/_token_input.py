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
    """

    auto_steps = 48
    frequency: Tensor
    columns: Tensor

    def __init__(self, n_tokens: int, embedding_size: int, patch_size: int, n_columns: int = 0):
        super().__init__()
        self.n_outputs, self.patch_size = n_tokens + 1, patch_size
        self.patch_width = embedding_size * patch_size
        self.embedding = embedding(n_tokens + 1, embedding_size)
        self.register_buffer("frequency", torch.full((n_tokens + 1,), 1 / (n_tokens + 1)))
        self.side = linear(n_columns, embedding_size) if n_columns else None
        if n_columns:
            self.register_buffer("columns", torch.zeros(n_tokens + 1, n_columns))

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

    def freeze(self, frozen: bool) -> None:
        """Freeze the vectors of tokens from now on, or train them."""
        if frozen and not self.frozen:
            with torch.no_grad():
                self.embedding.weight.copy_(self.normalised(self.vectors()))
                for weight in () if self.side is None else self.side.parameters():
                    weight.zero_()  # the vectors now include the columns
        self.frozen = frozen
        self.embedding.requires_grad_(not frozen)
        if self.side is not None:
            self.side.requires_grad_(not frozen)

    def standardised(self, values: Tensor) -> Tensor:
        """Normalised vectors (n, T, E) of ids (n, T), or of one-hot vectors (n, T, n_tokens + 1)."""
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
        return values

    def errors(self, steps: Tensor, values: Tensor, loss: Callable[..., Tensor]) -> Tensor:
        """Cross-entropies (n, T) of logits (n, T, n_tokens + 1); the `loss` of numbers is not used."""
        return cross_entropy(steps.transpose(1, 2), values, reduction="none")

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
