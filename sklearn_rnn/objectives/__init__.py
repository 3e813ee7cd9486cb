"""Objectives: what the nets are trained for, one algorithm per class.

Each objective has a name, which is its class name in snake case: `"mean_teacher"` is `MeanTeacher()`.
Semi-supervised objectives can be added: ``VAT() + EntropyMinimization(weight=0.06)``.
"""

import re

from ..sequences import Batch
from ._adversarial import AdversarialTraining
from ._adversarial_autoencoder import AdversarialAutoencoder
from ._average import weak_answers
from ._base import Objective
from ._composite import Composite
from ._contrastive import Contrastive
from ._cross_view import CrossView
from ._denoising import Denoising
from ._each_input import EachInput
from ._entropy import EntropyMinimization
from ._feature_matching_gan import FeatureMatchingGAN
from ._fixmatch import FixMatch
from ._flexmatch import FlexMatch
from ._freematch import FreeMatch
from ._ict import ICT
from ._iterated_pseudo_label import IteratedPseudoLabel
from ._joint_reconstruction import JointReconstruction
from ._masked_reconstruction import MaskedReconstruction
from ._mean_teacher import MeanTeacher
from ._mixup import MixUp
from ._next_item import NextItem
from ._next_step import NextStep
from ._noisy_student import NoisyStudent
from ._pi_model import PiModel
from ._pseudo_label import PseudoLabel
from ._reconstruction import Reconstruction
from ._recurrent_gan import RecurrentGAN
from ._self_training import SelfTraining
from ._semi_supervised import SemiSupervisedObjective
from ._semi_supervised_vae import SemiSupervisedVAE
from ._softmatch import SoftMatch
from ._sum import Sum
from ._supervised import Supervised
from ._temporal_ensembling import TemporalEnsembling
from ._uda import UDA
from ._unsupervised import UnsupervisedObjective
from ._variational import Variational
from ._vat import VAT

__all__ = [
    "ICT",
    "UDA",
    "VAT",
    "AdversarialAutoencoder",
    "AdversarialTraining",
    "Batch",
    "Composite",
    "Contrastive",
    "CrossView",
    "Denoising",
    "EachInput",
    "EntropyMinimization",
    "FeatureMatchingGAN",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "IteratedPseudoLabel",
    "JointReconstruction",
    "MaskedReconstruction",
    "MeanTeacher",
    "MixUp",
    "NextItem",
    "NextStep",
    "NoisyStudent",
    "Objective",
    "PiModel",
    "PseudoLabel",
    "Reconstruction",
    "RecurrentGAN",
    "SelfTraining",
    "SemiSupervisedObjective",
    "SemiSupervisedVAE",
    "SoftMatch",
    "Sum",
    "Supervised",
    "TemporalEnsembling",
    "UnsupervisedObjective",
    "Variational",
    "objective_names",
    "weak_answers",
]


def _name(cls: type[Objective]) -> str:
    """Class name in snake case; but `"fixmatch"`, `"mixup"` and the like, which the papers write as one word."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
    return re.sub("_match$", "match", words).replace("mix_up", "mixup")


_NAMED: dict[str, type[Objective]] = {
    _name(cls): cls
    for cls in map(globals().get, __all__)
    if isinstance(cls, type)
    and issubclass(cls, Objective)
    and cls is not Sum
    and not cls.__name__.endswith("Objective")
}


def for_several_inputs(objective: Objective, estimator: str, task: str) -> Objective:
    """Return an objective that trains a net of several inputs: this one, or `EachInput` of it.

    Raises
    ------
    ValueError
        If it can do neither; the message names the objectives of the task that can.
    """
    if objective.several_inputs:
        return objective
    if objective.by_input:
        each = EachInput(objective)
        each.validate()
        return each
    fitting = [name for name in objective_names(task) if from_name(name).several_inputs or from_name(name).by_input]
    raise ValueError(
        f"objective={objective!r} does not fit several inputs, which {estimator} was given; choose from {fitting}."
    )


def objective_names(task: str) -> list[str]:
    """Names of the objectives for a task: `"classification"`, `"tagging"`, `"transcription"`, `"representation"` ..."""
    return sorted(name for name, cls in _NAMED.items() if cls.fits(task))


def from_name(name: str) -> Objective:
    """Return the objective of this name, with its default parameters."""
    return _NAMED[name]()
