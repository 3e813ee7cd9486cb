"""A guard that lowers the weight of the unlabeled rows where their predicted classes cannot be trusted."""

from __future__ import annotations

import torch
from torch import Tensor

MOMENTUM = 0.97
DOUBTFUL, TRUSTED = 0.4, 0.7  # agreement with which the unlabeled rows do not count, and count fully


class Guard:
    """Factor of the weight of the unlabeled rows, from the agreement of teacher and student about their classes.

    How often two nets, or two views, disagree about unlabeled rows tells how often they are wrong (Jiang 2022). Where a
    weak and a strong view disagree for many rows, the classes predicted for them are learned less.

    Attributes
    ----------
    agreement : Tensor
        Running mean of the fraction of unlabeled rows for which both predict the same class.

    References
    ----------
    Jiang, Nagarajan, Baek and Kolter (2022), "Assessing generalization of SGD via disagreement", ICLR.

    Guo et al. (2020), "Safe deep semi-supervised learning for unseen-class unlabeled data", ICML.
    """

    def __init__(self) -> None:
        self.agreement = torch.tensor(1.0)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the running mean."""
        return {"agreement": self.agreement}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Set the running mean."""
        self.agreement = state["agreement"].clone()

    @property
    def factor(self) -> float:
        """Factor of the weight, between 0 and 1."""
        return float(((self.agreement - DOUBTFUL) / (TRUSTED - DOUBTFUL)).clamp(0, 1))

    def follow(self, agreement: Tensor) -> None:
        """Update the running mean with the agreement in an optimiser step."""
        self.agreement = agreement.detach().float().cpu().lerp(self.agreement, MOMENTUM)
