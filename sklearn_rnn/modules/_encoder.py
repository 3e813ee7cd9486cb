"""From sequences to embeddings: the input layer, patches, the recurrence and the pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ._cells import RecurrentStack
from ._input import InputLayer
from ._layers import dropout, linear, mask_padding, n_patches, recomputed, trained_on_cpu
from ._number_input import NumberInput
from ._pooling import Pooling
from ._shares import by_rows, sharing
from ._token_input import TokenInput

KEPT = {"gru": 8, "lstm": 19, "mingru": 6, "rnn": 4}  # numbers for each unit and step that training keeps
MAX_KEPT = 1 << 28  # numbers of a batch that are kept on a CPU, about 1 GB; the rows of a larger batch are divided


@dataclass(frozen=True)
class Architecture:
    """The parameters that determine the shapes of an encoder's weights; the estimators explain them."""

    n_features: int
    n_tokens: int  # 0 for numbers
    cell: str
    hidden_size: int
    num_layers: int
    bidirectional: bool
    dropout: float
    pooling: str
    patch_size: int
    embedding_size: int = 64  # width of the vectors of tokens
    n_kernels: int = 0  # for numbers
    layer_norm: bool = True  # whether each input of the recurrence is normalised, which hides how large it is
    n_ahead: int = 0  # final steps that the recurrence does not read; they follow the pooled states in an embedding
    second_changes: bool = False  # whether steps of numbers have the changes of their changes
    n_columns: int = 0  # known columns of each token
    n_parts: int = 0  # parts of words, such as endings
    gaps: bool = False  # whether numbers may be missing
    time_column: int = -1  # position of the times of steps among the columns of numbers, which is no feature; -1: none


def auto_patch_size(median_length: float, tokens: bool = False, n_steps: int | None = None) -> int:
    """Patch size with which a sequence of median length has about `n_steps` recurrent steps (or `auto_steps`)."""
    n_steps = n_steps or (TokenInput if tokens else NumberInput).auto_steps
    return max(1, round(median_length / n_steps))


def input_layer(a: Architecture) -> InputLayer:
    """Make the input layer: for token ids if there are tokens, else for numbers."""
    if a.n_tokens:
        return TokenInput(a.n_tokens, a.embedding_size, a.patch_size, a.n_columns, a.n_parts)
    return NumberInput(a.n_features, a.n_kernels, a.patch_size, a.second_changes, a.gaps, a.time_column)


class Encoder(nn.Module):
    """Encode sequences of numbers (n, T, F) or token ids (n, T) to embeddings (n, out_features)."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        a = self.architecture = architecture
        self.input = input_layer(a)
        self.patches = linear(self.input.patch_width, a.hidden_size)
        self.norm = nn.LayerNorm(a.hidden_size) if a.layer_norm else nn.Identity()
        self.recurrence = RecurrentStack(a.cell, a.hidden_size, a.hidden_size, a.num_layers, a.bidirectional, a.dropout)
        self.pooling = Pooling(a.pooling, self.recurrence.out_features, a.hidden_size)
        self.out_features = self.pooling.out_features + (2 + a.second_changes) * a.n_features * a.n_ahead

    def layers(self) -> list[list[nn.Parameter]]:
        """Trained weights by layer, from the last to the first: the recurrent layers, then the layers below them."""
        stack, n = self.recurrence, len(self.recurrence.forwards)
        modules = [[recurrent[i] for recurrent in (stack.forwards, stack.backwards) if recurrent] for i in range(n)]
        modules[-1].append(self.pooling)
        modules.insert(0, [self.input, self.patches, self.norm])
        return [[w for m in layer for w in m.parameters() if w.requires_grad] for layer in reversed(modules)]

    @classmethod
    def restored(cls, architecture: Architecture, weights: dict[str, Tensor], frozen: bool) -> Encoder:
        """Return an encoder with these weights; `frozen` is whether the vectors of tokens are not trained.

        Raises
        ------
        RuntimeError
            If the weights do not fit the architecture.
        """
        encoder = cls(architecture)
        encoder.load_state_dict(weights)
        encoder.set_frozen(frozen)
        return encoder

    @property
    def each(self) -> list[Encoder]:
        """The encoders of the inputs: there is one."""
        return [self]

    def set_frozen(self, frozen: bool) -> None:
        """Set whether the vectors of tokens, which do not change, are trained from now on."""
        self.input.frozen = frozen
        if isinstance(self.input, TokenInput):
            self.input.train_vectors(not frozen)

    def set_dropout(self, p: float) -> None:
        """Drop values with probability `p` from now on."""
        self.architecture = replace(self.architecture, dropout=p)
        self.recurrence.dropout = p

    def embed(self, values: Tensor) -> Tensor:
        """Embedded steps (n, T, E) of values."""
        return self.input.embed(values)

    def forward(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> Tensor:
        """Embeddings (n, out_features) of embedded steps (n, T, E).

        Kernel features are zero for sequences whose `kernel_mask` (n,) is False.
        """
        n = embedded.shape[1] - self.architecture.n_ahead
        if self.recurrence.draws(generator):
            pooled = self.pooled(*self.states(embedded[:, :n], lengths, generator, kernel_mask), generator)
        else:
            rows = by_rows(self._embeddings_of_rows, embedded[:, :n], lengths, kernel_mask)
            pooled = dropout(rows, self.architecture.dropout, generator)
        return torch.cat([pooled, embedded[:, n:].flatten(1)], dim=1) if self.architecture.n_ahead else pooled

    def readings(self, embedded: Tensor, lengths: Tensor | None, n: int) -> Iterator[tuple[int, Tensor, Tensor | None]]:
        """Yield the number of times that the first step is repeated, the steps with the repeats, and their lengths.

        The repeats shift the patches: with n = 3, by thirds of a patch; with n = 1, not.
        """
        p = self.architecture.patch_size
        for n_repeats in sorted({p * third // 3 for third in range(n)}):
            x = torch.cat([embedded[:, :1].expand(-1, n_repeats, -1), embedded], dim=1) if n_repeats else embedded
            yield n_repeats, x, None if lengths is None else lengths + n_repeats

    def pooled(self, states: Tensor, lengths: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """Embeddings (n, out_features) of states (n, T / patch_size, S)."""
        return dropout(self.pooling(states, lengths), self.architecture.dropout, generator)

    def states(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """States (n, T / patch_size, S) of the recurrence, and their lengths."""
        if self.recurrence.draws(generator):
            x, ends = self.patched(embedded, lengths, kernel_mask)
            return self.recurrence(x, ends, generator), ends
        return by_rows(self._states_of_rows, embedded, lengths, kernel_mask), self._ends(lengths)

    def _embeddings_of_rows(self, embedded: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None) -> Tensor:
        """Embeddings of rows; those of a batch that needs much memory are computed again for their gradients."""
        n_pieces = self._n_pieces(embedded)
        if n_pieces == 1:
            return self._pooled_rows(embedded, lengths, kernel_mask)
        rows = (embedded, lengths, kernel_mask)
        pieces = zip(*([None] * n_pieces if x is None else x.tensor_split(n_pieces) for x in rows), strict=True)
        return torch.cat([recomputed(self._pooled_rows, *piece) for piece in pieces])

    def _n_pieces(self, embedded: Tensor) -> int:
        """Number of pieces of a batch, for each of which training keeps about `MAX_KEPT` numbers, or one row."""
        if not trained_on_cpu(embedded):
            return 1
        a = self.architecture
        width = self.input.patch_width + KEPT[a.cell] * a.num_layers * self.recurrence.out_features
        n_kept = len(embedded) * n_patches(embedded.shape[1], a.patch_size) * width
        return max(1, min(len(embedded), -(-n_kept // MAX_KEPT)))

    def _pooled_rows(self, embedded: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None) -> Tensor:
        with sharing(None):  # of the rows of this process, also when they are computed again
            return self.pooling(self._states_of_rows(embedded, lengths, kernel_mask), self._ends(lengths))

    def _states_of_rows(self, embedded: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None) -> Tensor:
        return self.recurrence(self._patches_of_rows(embedded, lengths, kernel_mask), self._ends(lengths))

    def _patches_of_rows(self, embedded: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None) -> Tensor:
        x = mask_padding(embedded, lengths)
        return self.norm(self.patches(self.input.group(x, lengths, kernel_mask)))

    def _ends(self, lengths: Tensor | None) -> Tensor | None:
        """Number of patches (n,) of each sequence."""
        return None if lengths is None else n_patches(lengths, self.architecture.patch_size)

    def patched(
        self, embedded: Tensor, lengths: Tensor | None, kernel_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Inputs (n, T / patch_size, H) of the recurrence, and their lengths.

        The random kernels look beyond a patch. Their features are zero for sequences whose `kernel_mask` (n,) is False.
        """
        return by_rows(self._patches_of_rows, embedded, lengths, kernel_mask), self._ends(lengths)
