"""Files of estimators and encoders that are safe to load, checkpoints of training, and export to ONNX."""

from ._save import load, save

__all__ = ["load", "save"]
