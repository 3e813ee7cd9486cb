"""From the embeddings of several inputs to one embedding for each row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._layers import dropout, linear


class Concatenation(nn.Module):
    """Concatenate embeddings, and add hidden units that read all of them.

    The hidden units also read which inputs a row has. They respond to combinations of inputs; a linear head could
    only add the effects of each input alone.

    Parameters
    ----------
    widths : list of int
        Widths of the embeddings.
    hidden_size : int
        Number of hidden units.
    """

    def __init__(self, widths: list[int], hidden_size: int):
        super().__init__()
        self.joint = linear(sum(widths) + len(widths), hidden_size)
        self.out_features = sum(widths) + hidden_size

    def forward(self, embeddings: list[Tensor], present: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        """Embeddings (n, out_features), given those of the inputs and the mask `present` (n, inputs)."""
        x = torch.cat(embeddings, dim=1)
        hidden = torch.relu(self.joint(torch.cat([x, present.to(x.dtype)], dim=1)))
        return torch.cat([x, dropout(hidden, p, generator)], dim=1)


class Gates(nn.Module):
    """Weigh the inputs for each unit, by gates that read all embeddings (Arevalo 2017).

    Each embedding is mapped to units; a softmax over the inputs that a row has weighs those of the same place.

    Parameters
    ----------
    widths : list of int
        Widths of the embeddings.
    hidden_size : int
        Number of units.

    References
    ----------
    Arevalo, Solorio, Montes-y-Gómez and González (2017), "Gated multimodal units for information fusion",
    ICLR workshop.
    """

    def __init__(self, widths: list[int], hidden_size: int):
        super().__init__()
        self.units = nn.ModuleList(linear(width, hidden_size) for width in widths)
        self.gates = linear(sum(widths) + len(widths), len(widths) * hidden_size)
        self.out_features = hidden_size

    def forward(self, embeddings: list[Tensor], present: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
        """Embeddings (n, out_features), given those of the inputs and the mask `present` (n, inputs)."""
        units = torch.stack([torch.tanh(layer(x)) for layer, x in zip(self.units, embeddings, strict=True)], dim=1)
        scores = self.gates(torch.cat([*embeddings, present.to(units.dtype)], dim=1)).view_as(units)
        weights = scores.masked_fill(~present[:, :, None], torch.finfo(scores.dtype).min).softmax(1)
        return dropout((weights * units).sum(1), p, generator)


FUSIONS: dict[str, type[Concatenation] | type[Gates]] = {"concat": Concatenation, "gate": Gates}
