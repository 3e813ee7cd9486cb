"""Several inputs of a row: an encoder for each of them, and the fusion of their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .._inputs import Inputs
from ._encoder import Architecture, Encoder
from ._fusion import FUSIONS
from ._static import StaticArchitecture, StaticEncoder


@dataclass(frozen=True)
class FusedArchitecture:
    """The sizes of the encoders of several inputs, and how their embeddings are fused.

    Attributes
    ----------
    inputs : dict of Architecture or StaticArchitecture
        The architecture of the encoder of each input, by its name.
    fusion : {"concat", "gate"}
        How the embeddings are fused.
    hidden_size : int
        Number of units of the fusion.
    dropout : float
        Fraction of these units that are dropped in training.
    input_dropout : float
        Probability that an input of a row is left out in training.
    """

    inputs: dict[str, Architecture | StaticArchitecture]
    fusion: str
    hidden_size: int
    dropout: float
    input_dropout: float

    @property
    def n_parts(self) -> int:
        """Parts of words, which several inputs do not have."""
        return 0

    @classmethod
    def restored(cls, content: dict[str, Any]) -> FusedArchitecture:
        """Return the architecture of which `asdict` made this dictionary."""
        kinds = {
            name: StaticArchitecture if "categories" in a else Architecture for name, a in content["inputs"].items()
        }
        return cls(**content | {"inputs": {name: kinds[name](**a) for name, a in content["inputs"].items()}})


class FusedEncoder(nn.Module):
    """Encode the inputs of rows to embeddings (n, out_features). It is used as an `Encoder` is, with `Inputs`.

    Instead of the embedding of an input that a row does not have, or that is left out in training, the fusion gets a
    learned vector, and a flag marks the input as missing. No gradient passes to the encoder of that input.
    """

    def __init__(self, architecture: FusedArchitecture):
        super().__init__()
        a = self.architecture = architecture
        self.encoders = nn.ModuleList(
            StaticEncoder(part) if isinstance(part, StaticArchitecture) else Encoder(part) for part in a.inputs.values()
        )
        widths: list[Any] = [encoder.out_features for encoder in self.encoders]
        self.absent = nn.ParameterList(torch.zeros(width, device="cpu") for width in widths)
        self.fusion = FUSIONS[a.fusion](widths, a.hidden_size)
        self.out_features = self.fusion.out_features

    @property
    def each(self) -> list[Any]:
        """The encoders of the inputs."""
        return list(self.encoders)

    @property
    def input(self) -> InputLayers:
        """The input layers."""
        return InputLayers([encoder.input for encoder in self.each])

    @classmethod
    def restored(cls, architecture: FusedArchitecture, weights: dict[str, Tensor], frozen: list[bool]) -> FusedEncoder:
        """Return an encoder with these weights; `frozen` is whether the vectors of tokens of each input are."""
        encoder = cls(architecture)
        encoder.load_state_dict(weights)
        for part, is_frozen in zip(encoder.each, frozen, strict=True):
            if isinstance(part, Encoder):
                part.set_frozen(is_frozen)
        return encoder

    def layers(self) -> list[list[nn.Parameter]]:
        """Trained weights by layer, from the last to the first: the fusion, then the layers of the inputs."""
        by_input = [encoder.layers() for encoder in self.each]
        depth = max(len(layers) for layers in by_input)
        joined: list[list[nn.Parameter]] = [[] for _ in range(depth)]
        for layers in by_input:
            for i, layer in enumerate(layers):
                joined[i] += layer
        return [[*self.fusion.parameters(), *self.absent.parameters()], *joined]

    def set_dropout(self, p: float) -> None:
        """Drop values with probability `p` from now on."""
        for encoder in self.each:
            encoder.set_dropout(p)
        parts = {name: e.architecture for name, e in zip(self.architecture.inputs, self.each, strict=True)}
        self.architecture = replace(self.architecture, dropout=p, inputs=parts)

    def set_input_dropout(self, p: float) -> None:
        """Leave inputs out with probability `p` from now on."""
        self.architecture = replace(self.architecture, input_dropout=p)

    def embed(self, values: Inputs) -> Inputs:
        """Embedded steps of the values of each input."""
        return Inputs(encoder.embed(x) for encoder, x in zip(self.each, values.parts, strict=True))

    def forward(
        self,
        embedded: Inputs,
        lengths: Inputs,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> Tensor:
        """Embeddings (n, out_features) of embedded steps; an input of length 0 is missing."""
        parts = [
            encoder(x, ends.clamp_min(1), generator, kernel_mask)
            for encoder, x, ends in zip(self.each, embedded.parts, lengths.parts, strict=True)
        ]
        present = self._present(lengths, generator)
        absent = zip(parts, present.unbind(1), self.absent, strict=True)
        embeddings = [x.where(mask[:, None], vector.to(x.dtype)) for x, mask, vector in absent]
        return self.fusion(embeddings, present, self.architecture.dropout, generator)

    def _present(self, lengths: Inputs, generator: torch.Generator | None) -> Tensor:
        """Mask (n, inputs) of the inputs that a row has; in training, others than one are left out at random."""
        present = torch.stack([ends > 0 for ends in lengths.parts], dim=1)
        p = self.architecture.input_dropout
        if p == 0 or generator is None:
            return present
        draws = torch.rand(present.shape, generator=generator, device=present.device).masked_fill(~present, -1)
        return present & ((draws >= p) | (draws == draws.amax(1, keepdim=True)))

    def readings(self, embedded: Inputs, lengths: Inputs, n: int) -> Iterator[tuple[int, Inputs, Inputs]]:
        """Yield 0, the steps with repeats of the first step, and their lengths; see `Encoder.readings`.

        The shifts of the inputs are combined in their order; an input whose patches have fewer shifts is read again.
        """
        by_input = []
        for encoder, x, ends in zip(self.each, embedded.parts, lengths.parts, strict=True):
            of_input: list[tuple[int, Tensor, Any]] = [(0, x, ends)]
            if isinstance(encoder, Encoder):
                of_input = [(k, y, (ends + k).where(ends > 0, 0)) for k, y, _ in encoder.readings(x, ends, n)]
            by_input.append(of_input)
        for i in range(max(len(of_input) for of_input in by_input)):
            chosen = [of_input[i % len(of_input)] for of_input in by_input]
            yield 0, Inputs(steps for _, steps, _ in chosen), Inputs(ends for _, _, ends in chosen)


class InputLayers:
    """The input layers of several inputs, which are used as one; see `InputLayer`."""

    def __init__(self, layers: list[Any]):
        self.layers = layers

    @property
    def kernel_width(self) -> int:
        """Number of kernel features in a patch of any input."""
        return max(layer.kernel_width for layer in self.layers)

    @property
    def frozen(self) -> list[bool]:
        """Whether the vectors of tokens of each input are not trained."""
        return [layer.frozen for layer in self.layers]

    @property
    def has_gaps(self) -> bool:
        """Whether numbers of an input were missing in training."""
        return any(layer.has_gaps for layer in self.layers)

    def thinned(self, values: Inputs, share: float, generator: torch.Generator) -> Inputs:
        """Values of which a `share` is hidden at random; see `InputLayer.thinned`."""
        parts = zip(self.layers, values.parts, strict=True)
        return Inputs(layer.thinned(x, share, generator) for layer, x in parts)

    def passed(self, values: Inputs) -> Any:
        """Times since the step before, of each input; None for an input whose values may not be missing."""
        return [layer.passed(x) for layer, x in zip(self.layers, values.parts, strict=True)]

    def standardised(self, values: Inputs) -> Inputs:
        """Steps with mean 0 and deviation 1 over the training data."""
        return Inputs(layer.standardised(x) for layer, x in zip(self.layers, values.parts, strict=True))

    def with_changes(self, x: Inputs, passed: Any) -> Inputs:
        """Embedded steps of standardised steps."""
        parts = zip(self.layers, x.parts, passed, strict=True)
        return Inputs(layer.with_changes(part, times) for layer, part, times in parts)

    def target(self, values: Inputs) -> Inputs:
        """Targets of decoded steps."""
        return Inputs(layer.target(x) for layer, x in zip(self.layers, values.parts, strict=True))

    def errors(self, steps: Inputs, values: Inputs, loss: Callable[..., Tensor]) -> Inputs:
        """Errors (n, T) of the decoded steps of each input."""
        parts = zip(self.layers, steps.parts, values.parts, strict=True)
        return Inputs(layer.errors(x, true, loss) for layer, x, true in parts)


def restored_encoder(architecture: dict[str, Any], weights: dict[str, Tensor], frozen: Any) -> Encoder | FusedEncoder:
    """Return an encoder with these weights, given its architecture as a dictionary."""
    if "fusion" in architecture:
        return FusedEncoder.restored(FusedArchitecture.restored(architecture), weights, frozen)
    return Encoder.restored(Architecture(**architecture), weights, frozen)
