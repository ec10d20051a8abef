"""Bringing results to trackers: each has its own queue, none can lose a result or stop another."""

from llmeval_core.delivery.courier import CLOSE_S, Courier, DeliveryReport

__all__ = ["CLOSE_S", "Courier", "DeliveryReport"]
