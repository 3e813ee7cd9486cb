"""Views of one direction of a sequence learn the answers of the whole net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .._documented import documented
from ..modules import Model, linear, steps_in_order, unpatched
from ..sequences import Batch
from . import _parameters as shared
from ._next_step import beside_each, one_direction
from ._semi_supervised import SemiSupervisedObjective

AT, AROUND = ("to_step", "from_step"), ("past", "future")  # heads of each direction: with the step, and without it


@documented
@dataclass(repr=False, eq=False)
class CrossView(SemiSupervisedObjective):
    r"""Cross-view training: heads that see a part of a sequence learn, without labels, what the whole net answers.

    .. math:: w(t) \sum_v \frac{1}{n} \sum_i KL(q_i \| p^v_i)

    over the n steps of unlabeled rows, where :math:`q_i` are the probabilities of the whole net for step i, and
    :math:`p^v_i` are those of a head that reads only a view: the forward direction up to the step (`"to_step"`) or up
    to the step before (`"past"`), or the backward direction from the step (`"from_step"`) or from the step after
    (`"future"`). In no layer does one direction see the states of the other. No gradient passes through :math:`q_i`,
    which are answers of the teacher without noise. A net that reads in one direction has the view `"past"` alone. The
    heads are not used to predict: what they teach is in the states. The random kernels of numbers are zero in views,
    because they look ahead. Steps of a patch are one step here.

    Parameters
    ----------
    %(parameters)s

    References
    ----------
    Clark, Luong, Manning and Le (2018), "Semi-supervised sequence modeling with cross-view training", EMNLP.

    Examples
    --------
    >>> from sklearn_rnn import SemiSupervisedRNNTagger
    >>> from sklearn_rnn.objectives import CrossView
    >>> tagger = SemiSupervisedRNNTagger(CrossView(weight=0.5))
    """

    needs = "steps"
    several_inputs = False

    weight: float = shared.weight(1)
    ramp: float = shared.ramp(0)
    memory: float = shared.memory()
    ratio: float = shared.ratio()

    def parts(self, encoder: Any, task: Any) -> dict[str, nn.Module]:
        """Return a head for each view."""
        a = encoder.architecture
        names = [*AT, *AROUND] if a.bidirectional else ["past"]
        return {name: linear(a.hidden_size, a.patch_size * task.n_outputs) for name in names}

    def unlabeled_terms(self, model: Model, batch: Batch, view: Tensor, outputs: Tensor) -> dict[str, Tensor]:
        """Return the divergence of each view by its name."""
        targets = whole_outputs(self.predictor(model), batch)
        self.observe(agreement=model.task.agreement(targets, outputs))
        terms = {}
        for name, answers in self.views(model, batch, view).items():
            terms[name] = model.task.divergence(answers, targets).mean()
        return terms

    def views(self, model: Model, batch: Batch, view: Tensor) -> dict[str, Tensor]:
        """Outputs (m, K) of each head for all steps."""
        outputs, n_steps = {}, view.shape[1]
        for backward, (at, around) in enumerate(zip(AT, AROUND, strict=True)):
            if around not in model.parts:
                continue
            states, lengths = one_direction(model.encoder, view, batch, backward=bool(backward))
            seen = {at: states, around: beside_each(states, lengths, backward=bool(backward))}
            for name in [name for name in seen if name in model.parts]:
                steps = unpatched(model.parts[name](seen[name]), model.task.n_outputs, n_steps)
                outputs[name] = steps_in_order(steps, batch.lengths)
        return outputs


@torch.no_grad()
def whole_outputs(teacher: Any, batch: Batch) -> Tensor:
    """Outputs (m, K) of the whole net for all steps, without noise."""
    return teacher.train_outputs(teacher.view(batch.values, batch.lengths, None), batch.lengths)
