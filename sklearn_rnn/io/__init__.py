"""Files of estimators and encoders that are safe to load, checkpoints of training, and export to ONNX."""

from ._checkpoint import Checkpoint
from ._encoder import load_encoder, save_encoder
from ._onnx import to_onnx
from ._save import load, save

__all__ = ["Checkpoint", "load", "load_encoder", "save", "save_encoder", "to_onnx"]
