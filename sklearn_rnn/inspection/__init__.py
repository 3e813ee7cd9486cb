"""Which steps or tokens carried a prediction."""

from ._integrated_gradients import attention_weights, integrated_gradients

__all__ = ["attention_weights", "integrated_gradients"]
