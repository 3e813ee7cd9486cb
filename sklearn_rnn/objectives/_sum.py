"""Two objectives in one loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from ..modules import Model
from ..sequences import Batch
from ._base import Needs
from ._semi_supervised import SemiSupervisedObjective


class Sum(SemiSupervisedObjective):
    """Two objectives in one loss, also written ``first + second``: one pass over the rows, and the terms of both.

    The student sees strong views of unlabeled rows if one of the objectives needs them. If both have a teacher, that of
    `first` predicts. A sum can be added to a further objective: ``(a + b) + c``.

    Parameters
    ----------
    first, second : SemiSupervisedObjective
        Objectives that do not train in rounds. Their parameters are searched as `objective__first__weight`.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNClassifier
    >>> from sklearn_rnn.objectives import VAT, EntropyMinimization
    >>> objective = VAT() + EntropyMinimization(weight=0.06)
    >>> clf = SemiSupervisedRNNClassifier(objective).set_params(objective__first__epsilon=0.1)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "first": [SemiSupervisedObjective],
        "second": [SemiSupervisedObjective],
    }

    def __init__(self, first: Any, second: Any):
        self.first = first
        self.second = second

    @property
    def needs(self) -> Needs:  # type: ignore[override]
        """Steps, classes or transcripts, if one of the objectives needs them, else targets."""
        needs: tuple[Needs, ...] = ("steps", "classes", "transcripts")
        return next((need for need in needs if need in (self.first.needs, self.second.needs)), "targets")

    @property
    def by_step(self) -> bool:  # type: ignore[override]
        """Whether both objectives also serve tasks with an answer for each step."""
        return self.first.by_step and self.second.by_step

    def fits(self, task: str) -> bool:  # type: ignore[override]
        """Whether both objectives can train a net for the task of this name."""
        return self.first.fits(task) and self.second.fits(task)

    @property
    def several_inputs(self) -> bool:  # type: ignore[override]
        """Whether both objectives can train a net that reads several inputs."""
        return self.first.several_inputs and self.second.several_inputs

    @property
    def unlabeled_ratio(self) -> float:
        """Number of unlabeled rows in a step, as a fraction of `batch_size`: the larger of the two."""
        return max(self.first.unlabeled_ratio, self.second.unlabeled_ratio)

    @property
    def keeps_levels(self) -> bool:  # type: ignore[override]
        """Whether one of the objectives learns the level of sequences."""
        return self.first.keeps_levels or self.second.keeps_levels

    @property
    def opponents(self) -> tuple[str, ...]:  # type: ignore[override]
        """The opponents of both."""
        return self.first.opponents + self.second.opponents

    @property
    def strong(self) -> bool:  # type: ignore[override]
        """Whether one of the objectives needs strong views."""
        return any(part.strong and part.unlabeled_ratio > 0 for part in (self.first, self.second))

    @property
    def sample(self) -> Any:
        """The method `sample` of the objective that has it."""
        return (self.first if hasattr(self.first, "sample") else self.second).sample

    def validate(self) -> None:
        """Check the parameters of the sum and of its objectives."""
        super().validate()
        for part in (self.first, self.second):
            part.validate()
            if part.n_rounds > 1:
                raise ValueError(f"{type(part).__name__} trains in rounds and cannot be part of a sum.")

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return the parts of both."""
        first, second = (part.parts(encoder, task) for part in (self.first, self.second))
        if both := first.keys() & second.keys():
            names = f"{type(self.first).__name__} and {type(self.second).__name__}"
            raise ValueError(
                f"{names} both train a part named {sorted(both)[0]!r} and cannot be summed; leave one out."
            )
        return first | second

    def start(self, model: Model, n_steps: int, n_rows: int) -> None:
        """Start both."""
        self.first.start(model, n_steps, n_rows)
        self.second.start(model, n_steps, n_rows)

    def added_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return the terms of both; terms of the same name are added."""
        terms = self.first.added_terms(model, batch, view, outputs)
        for name, term in self.second.added_terms(model, batch, view, outputs).items():
            terms[name] = terms[name] + term if name in terms else term
        return terms

    def opponent_terms(self, model: Model, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the opponents of both."""
        batch = replace(batch, strong=self.strong)
        first, second = (part.opponent_terms(model, batch) for part in (self.first, self.second))
        return first | second

    def after_step(self, model: Model) -> None:
        """Called after each optimiser step, for both."""
        self.first.after_step(model)
        self.second.after_step(model)

    def predictor(self, model: Model) -> nn.Module:
        """Return the teacher of the first if it has one, else that of the second or the model."""
        predictor = self.first.predictor(model)
        return self.second.predictor(model) if predictor is model else predictor

    def state(self) -> dict[str, Any]:
        """Return what both remember in training."""
        return {**super().state(), "first": self.first.state(), "second": self.second.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Remember again what `state` returned, for both."""
        self.first.load_state(state["first"])
        self.second.load_state(state["second"])
        super().load_state({name: value for name, value in state.items() if name.endswith("_")})

    def finish(self, model: Model) -> None:
        """Called at the end of training, for both."""
        self.first.finish(model)
        self.second.finish(model)

    def observed(self) -> dict[str, Any]:
        """Return the values that both observed; of the same name, those of the first."""
        return {**self.second.observed(), **self.first.observed()}

    def troubles(self, history: Any) -> Iterator[str]:
        """Yield the texts of both, each once."""
        yield from dict.fromkeys([*self.first.troubles(history), *self.second.troubles(history)])
