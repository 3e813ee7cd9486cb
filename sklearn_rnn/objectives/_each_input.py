"""An objective of one input, for each of several inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented, parameter
from .._inputs import Inputs
from ..modules import Encoder, Model
from ..sequences import Batch
from ._base import Objective
from ._masked_reconstruction import MaskedReconstruction
from ._unsupervised import UnsupervisedObjective


@documented
@dataclass(repr=False, eq=False)
class EachInput(UnsupervisedObjective):
    """Train the encoder of each input on its own, with an objective of one input.

    Estimators use it where an objective such as `MaskedReconstruction` is given, and rows have several inputs. Each
    input that is a sequence has the objective for itself, in the rows that have it; the terms are means over the
    inputs. Static columns and the fusion are not trained.

    Parameters
    ----------
    %(parameters)s

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import EachInput, NextStep
    >>> clf = SemiSupervisedRNNClassifier("supervised", pretraining=EachInput(NextStep()))
    """

    objective: Any = parameter(
        None,
        [Objective, None],
        "Objective or None",
        """
        `MaskedReconstruction`, `NextStep`, `Composite`, or `Contrastive` with views of each input. None is
        ``MaskedReconstruction()``.
        """,
        positional=True,
    )

    several_inputs = True

    @property
    def inner(self) -> Any:
        """The objective of one input."""
        return MaskedReconstruction() if self.objective is None else self.objective

    @property
    def compares_views(self) -> bool:  # type: ignore[override]
        """Whether the loss needs several sequences."""
        return self.inner.compares_views

    @property
    def errors(self) -> Any:
        """The method `errors`, if the objective has it: the error (n,) of each row is the mean over its inputs.

        A row without any sequence gets the mean of the others.
        """
        if not hasattr(self.inner, "errors"):
            raise AttributeError(f"{type(self.inner).__name__} has no errors of sequences.")
        return self._errors

    def validate(self) -> None:
        """Check the parameters of the objective.

        Raises
        ------
        ValueError
            If the objective cannot train the encoder of one input on its own.
        """
        super().validate()
        self.objective = self.inner
        self.objective.validate()
        if not self.objective.by_input:
            raise ValueError(
                "EachInput takes MaskedReconstruction, NextStep, Composite, or Contrastive with across_inputs=False, "
                f"got {self.objective!r}."
            )

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the parts of the objective for each input, as `"inputs"`, by the input's number."""
        sequences = {str(i): part for i, part in enumerate(encoder.each) if isinstance(part, Encoder)}
        parts = {i: nn.ModuleDict(self.inner.parts(part, task)) for i, part in sequences.items()}
        return {"inputs": nn.ModuleDict(parts)}

    def terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the objective, as means over the inputs that rows of the batch have."""
        terms: dict[str, Tensor] = {}
        parts = {i: of_input(batch, i) for i in numbers_of(model)}
        present = {i: part for i, (part, rows) in parts.items() if len(rows)}
        for i, part in present.items():
            for name, term in self.inner.terms(model_of_input(model, i), part).items():
                terms[name] = terms.get(name, 0) + term / len(present)
            for name, value in self.inner.observed().items():
                self.observe(**{name: torch.as_tensor(value)})
        return terms or self._zero_terms(model, batch)

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield the texts of the objective."""
        yield from self.inner.troubles(history)

    def state(self) -> dict[str, Any]:
        """Return what the objective remembers in training."""
        return {**super().state(), "objective": self.inner.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Remember again what `state` returned."""
        self.inner.load_state(state["objective"])
        super().load_state({name: value for name, value in state.items() if name != "objective"})

    def _errors(self, model: Model, batch: Batch) -> Tensor:
        total, counts = torch.zeros(2, len(batch), device=next(model.parameters()).device)
        for i in numbers_of(model):
            part, rows = of_input(batch, i)
            if len(rows):
                total[rows] += self.inner.errors(model_of_input(model, i), part)
                counts[rows] += 1
        mean = total.sum() / counts.sum().clamp_min(1)
        return torch.where(counts > 0, total / counts.clamp_min(1), mean)

    def _zero_terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of a batch in which no row has a sequence: zeros with a gradient, which is zero too."""
        i = numbers_of(model)[0]
        inputs: Any = batch.values
        part, values = model_of_input(model, i), inputs.parts[i][:1]
        lengths = torch.ones(1, dtype=torch.long, device=values.device)
        row = replace(
            batch,
            values=torch.zeros_like(values),
            lengths=lengths,
            targets=batch.targets[:1],
            rows=batch.rows[:1],
            weights=None,
            n_labeled=0,
            generator=None,
        )
        with torch.no_grad():  # only the names are used
            names = self.inner.terms(part, row)
        zero = sum(weight.sum() for weight in part.parts.parameters()) * 0
        return dict.fromkeys(names, zero)


def numbers_of(model: Model) -> list[int]:
    """Numbers of the inputs that are sequences."""
    parts: Any = model.parts["inputs"]
    return [int(i) for i in parts]


def model_of_input(model: Model, i: int) -> Any:
    """Return a model that shares the encoder of input `i`, and the parts of an objective for it."""
    part: Any = model.of_input(i)
    part.parts = model.parts["inputs"][str(i)]  # type: ignore[index]
    return part


def of_input(batch: Batch, i: int) -> tuple[Batch, Tensor]:
    """Return the rows that have input `i`, without the other inputs, and the numbers of these rows."""
    values: Any = batch.values
    if not isinstance(values, Inputs):
        return batch, torch.arange(len(batch))
    lengths: Any = batch.lengths
    ends = lengths.parts[i]
    rows = torch.nonzero(ends > 0)[:, 0]
    longest = int(ends.max()) if len(rows) else 0
    return replace(
        batch,
        values=values.parts[i][rows, :longest],
        lengths=ends[rows],
        targets=batch.targets[rows],
        rows=batch.rows[rows.to(batch.rows.device)],
        weights=None if batch.weights is None else batch.weights[rows],
        n_labeled=0,
    ), rows
