"""An encoder with a head and further parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from .._inputs import Inputs, each_input
from ._layers import dropout, full_precision, mask_padding, steps_in_order, unpatched

Augmentation: TypeAlias = Callable[[Any, Any, torch.Generator], Any]


class Model(nn.Module):
    """An encoder, the head of a task, and the parts of an objective.

    Parameters
    ----------
    encoder : Encoder or FusedEncoder
        The encoder, which pretraining passes on.
    task : Task
        Makes the head, which maps embeddings to outputs.
    parts : dict of modules, default=None
        Further modules that the objective trains, such as a decoder.
    augmentation, strong_augmentation : callable, default=None
        Functions that perturb embedded steps in `view`.
    """

    def __init__(
        self,
        encoder: Any,
        *,
        task: Any,
        parts: dict[str, nn.Module] | None = None,
        augmentation: Augmentation | None = None,
        strong_augmentation: Augmentation | None = None,
    ):
        super().__init__()
        self.encoder = encoder
        self.augmentation = augmentation
        self.strong_augmentation = strong_augmentation
        self.task = task
        self.head = task.head(encoder)
        self.parts = nn.ModuleDict(parts or {})
        self.unchecked: set[str] = set()  # augmentations whose next result is checked to be finite
        self.hidden_share = (
            0.0  # largest fraction of the values of a feature that are hidden, where values may be missing
        )
        self.kernel_dropout = 0.0  # fraction of labeled rows whose kernel features are zeroed at each training step

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Put the weights of each recurrent layer into one block of memory, else cuDNN would copy them in each call."""
        super().__setstate__(state)
        for layer in self.modules():
            if isinstance(layer, nn.RNNBase):
                layer.flatten_parameters()

    def of_input(self, i: int) -> Model:
        """Return a model that shares the encoder and the augmentations of one of several inputs."""
        part = copy(self)
        part._modules = dict(self._modules)
        part.encoder = self.encoder.each[i]
        for name in ("augmentation", "strong_augmentation"):
            of_all = getattr(self, name)
            setattr(part, name, of_all.parts[i] if isinstance(of_all, Augmentations) else of_all)
        return part

    def view(
        self, values: Tensor, lengths: Tensor | None, generator: torch.Generator | None, strong: bool = False
    ) -> Tensor:
        """Embedded steps (n, T, E) of values, some of them hidden and all perturbed if there is a generator."""
        if generator is not None:
            values = self.encoder.input.thinned(values, self.hidden_share, generator)
        embedded = self.encoder.embed(values)
        name = "strong_augmentation" if strong else "augmentation"
        augmentation = getattr(self, name)
        if augmentation is None or generator is None:
            return embedded
        changed = augmentation(embedded, lengths, generator)
        _check_changed(changed, embedded, name, augmentation)
        if name in self.unchecked:
            _check_finite(changed, embedded, name, augmentation)
            self.unchecked.discard(name)
        return changed

    def check_views(self, values: Tensor, lengths: Tensor | None, generator: torch.Generator | None) -> None:
        """Raise an error if an augmentation that was used returns values that are not finite."""
        used = {"augmentation", "strong_augmentation"} - self.unchecked
        self.unchecked |= used
        for name in used:
            self.view(values, lengths, generator, strong=name == "strong_augmentation")

    def train_outputs(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        n_labeled: int = 0,
    ) -> Tensor:
        """Outputs (n, n_outputs) for embedded steps, in training.

        They are (m, n_outputs) if each step has an answer, and (n, T / patch_size, n_outputs) if each patch has one.

        Kernel features are zeroed in a fraction `kernel_dropout` of the first `n_labeled` rows.
        """
        kernel_mask = None
        if n_labeled and self.kernel_dropout and generator is not None and self.encoder.input.kernel_width:
            kernel_mask = embedded.new_ones(len(embedded)).bool()
            kernel_mask[:n_labeled].bernoulli_(1 - self.kernel_dropout, generator=generator)
        outputs = self._outputs(embedded, lengths, generator, kernel_mask)
        return steps_in_order(outputs, lengths) if self.task.by_step else outputs

    def _outputs(
        self,
        embedded: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None = None,
        kernel_mask: Tensor | None = None,
    ) -> Tensor:
        """Outputs (n, n_outputs), or (n, T, n_outputs) of steps, or (n, T / patch_size, n_outputs) of patches."""
        task, encoder = self.task, self.encoder
        if not (task.by_step or task.by_patch):
            return full_precision(self.head(encoder(embedded, lengths, generator, kernel_mask)))
        states, ends = encoder.states(embedded, lengths, generator, kernel_mask)
        states = dropout(mask_padding(states, ends), encoder.architecture.dropout, generator)
        outputs = full_precision(self.head(states))
        return unpatched(outputs, task.n_outputs, embedded.shape[1]) if task.by_step else outputs

    def embed_sequences(self, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (n, out_features) of sequences, without noise."""
        return self.predict_embeddings(self.encoder.embed(values), lengths)

    def predict_embeddings(self, embedded: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings (n, out_features) of embedded steps, without noise: the means over their `readings`."""
        embeddings = [full_precision(self.encoder(x, ends)) for _, x, ends in self.readings(embedded, lengths)]
        return torch.stack(embeddings).mean(0)

    def predict_outputs(self, embedded: Tensor, lengths: Tensor | None) -> Tensor:
        """Outputs for embedded steps, of the shapes of `train_outputs`, without noise, for predictions."""
        if self.task.by_patch:
            return self._outputs(embedded, lengths)
        if self.task.by_step:
            shifted = [self._outputs(x, ends)[:, k:] for k, x, ends in self.readings(embedded, lengths)]
            return steps_in_order(torch.stack(shifted).mean(0), lengths)
        return full_precision(self.head(self.predict_embeddings(embedded, lengths)))

    def readings(self, embedded: Tensor, lengths: Tensor | None) -> Iterator[tuple[int, Tensor, Tensor | None]]:
        """Yield the number of times that the first step is repeated, the steps with the repeats, and their lengths.

        The repeats shift the patches. The task sets the number of shifts: with 3, by thirds of a patch; with 1, none.
        """
        return self.encoder.readings(embedded, lengths, self.task.n_readings)

    def forward(self, values: Tensor, lengths: Tensor | None) -> Tensor:
        """Answers of the task for sequences, without noise."""
        return self.task.answers(self.predict_outputs(self.encoder.embed(values), lengths))


class Augmentations:
    """Augmentations of several inputs, one for each.

    Parameters
    ----------
    parts : list of callable or None
        The augmentation of each input; None for none.
    """

    def __init__(self, parts: list[Augmentation | None]):
        self.parts = parts

    def __call__(self, embedded: Inputs, lengths: Inputs, generator: torch.Generator) -> Inputs:
        """Perturb each input; what is missing there stays zero."""
        changed = []
        for part, x, ends in zip(self.parts, embedded.parts, lengths.parts, strict=True):
            changed.append(x if part is None else part(x, ends.clamp_min(1), generator))
        return Inputs(changed)


@each_input
def _check_changed(changed: Any, embedded: Tensor, name: str, augmentation: Any) -> None:
    """Raise an error if an augmentation did not return a tensor like the embedded steps."""
    got = type(changed).__name__
    if isinstance(changed, Tensor):
        single = changed.is_floating_point() and changed.element_size() <= max(4, embedded.element_size())
        if changed.shape == embedded.shape and changed.device == embedded.device and single:
            return
        got = f"shape {tuple(changed.shape)}, {changed.dtype}, on {changed.device}"
    raise ValueError(
        f"{name}={_called(augmentation)} must return a tensor like its first argument, of shape "
        f"{tuple(embedded.shape)}, {embedded.dtype}, on {embedded.device}; got {got}."
    )


@each_input
def _check_finite(changed: Tensor, embedded: Tensor, name: str, augmentation: Any) -> None:
    if embedded.isfinite().all() and not changed.isfinite().all():
        raise ValueError(f"{name}={_called(augmentation)} returned values that are not finite, given finite values.")


def _called(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
