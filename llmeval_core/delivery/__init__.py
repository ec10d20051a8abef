"""Bringing results to trackers: each has its own queue, none can lose a result or stop another."""

from llmeval_core.delivery.delivery_worker import CLOSE_S, DeliveryReport, DeliveryWorker

__all__ = ["CLOSE_S", "DeliveryReport", "DeliveryWorker"]
