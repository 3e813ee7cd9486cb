"""Which steps or tokens a prediction is based on."""

from ._integrated_gradients import attention_weights, integrated_gradients

__all__ = ["attention_weights", "integrated_gradients"]
