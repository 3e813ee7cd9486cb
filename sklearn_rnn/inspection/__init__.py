"""Which steps or tokens a prediction is based on, and the segments of predicted tags."""

from ._integrated_gradients import attention_weights, integrated_gradients
from ._segments import Segment, find_segments

__all__ = ["Segment", "attention_weights", "find_segments", "integrated_gradients"]
