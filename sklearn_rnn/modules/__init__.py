"""Recurrent encoders and decoders as plain `torch.nn` modules.

Sequences are (n, T, E) with `lengths` of shape (n,), or None if all are T long. The result for a sequence
does not depend on the padding that follows it. Dropout is drawn from the `generator` that is passed, and is
off if that is None. The modules have no other randomness and no training mode.
"""

from ._cells import CELLS, RecurrentStack, reverse
from ._decoder import Decoder, decoder_of
from ._encoder import Architecture, Encoder, auto_patch_size
from ._feeding_decoder import FeedingDecoder
from ._forecast_decoders import SegmentDecoder, StepDecoder
from ._fused_encoder import FusedArchitecture, FusedEncoder, restored_encoder
from ._fusion import FUSIONS
from ._gaps import GapEncoding, changes_since_seen
from ._generator import Generator
from ._input import InputLayer
from ._item_scores import ItemScores, best_scores
from ._layers import (
    RowLinear,
    blank,
    dropout,
    full_precision,
    gumbel_like,
    initialise,
    linear,
    mask_padding,
    n_patches,
    recomputed,
    step_mask,
    steps_in_order,
    unpatched,
)
from ._model import Augmentations, Model
from ._number_input import NumberInput
from ._pooling import POOLINGS, Pooling
from ._shares import Shares, sharing
from ._static import StaticArchitecture, StaticEncoder, StaticInput
from ._token_decoder import TokenDecoder
from ._token_input import TokenInput

__all__ = [
    "CELLS",
    "FUSIONS",
    "POOLINGS",
    "Architecture",
    "Augmentations",
    "Decoder",
    "Encoder",
    "FeedingDecoder",
    "FusedArchitecture",
    "FusedEncoder",
    "GapEncoding",
    "Generator",
    "InputLayer",
    "ItemScores",
    "Model",
    "NumberInput",
    "Pooling",
    "RecurrentStack",
    "RowLinear",
    "SegmentDecoder",
    "Shares",
    "StaticArchitecture",
    "StaticEncoder",
    "StaticInput",
    "StepDecoder",
    "TokenDecoder",
    "TokenInput",
    "auto_patch_size",
    "best_scores",
    "blank",
    "changes_since_seen",
    "decoder_of",
    "dropout",
    "full_precision",
    "gumbel_like",
    "initialise",
    "linear",
    "mask_padding",
    "n_patches",
    "recomputed",
    "restored_encoder",
    "reverse",
    "sharing",
    "step_mask",
    "steps_in_order",
    "unpatched",
]
