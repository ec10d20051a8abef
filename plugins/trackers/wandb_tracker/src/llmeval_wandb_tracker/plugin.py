"""What this distribution offers: the tracker `wandb`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmeval_core.hooks import Component, Tracker, hookimpl
from llmeval_wandb_tracker.settings import WandbSettings

_EXAMPLE = """\
trackers:
  - use: wandb
    project: model_evaluation
    mode: offline        # left out: online, after `wandb login`
"""


def _make_tracker(settings: WandbSettings) -> Tracker:
    from llmeval_wandb_tracker.tracker import WandbTracker  # noqa: PLC0415  only when used

    return WandbTracker(settings)


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[Any, Tracker]]:
    """Offer `wandb`."""
    yield Component(
        "wandb",
        WandbSettings,
        _make_tracker,
        "Weights & Biases: one run per model, online or offline",
        argument="project",
        example=_EXAMPLE,
    )
