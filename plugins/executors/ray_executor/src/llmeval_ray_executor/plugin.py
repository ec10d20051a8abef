"""The hook: which executor this distribution offers.

Loaded at every start of llmeval: Ray is imported when the first model is opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.hooks import Component, Executor, hookimpl
from llmeval_ray_executor.settings import RaySettings


@hookimpl
def llmeval_register_executors() -> Iterable[Component[RaySettings, Executor]]:
    """Offer the executor."""
    yield Component(
        "ray",
        RaySettings,
        _ray,
        "models open on the machines of a Ray cluster",
        argument="address",
        example="executor:\n  use: ray:auto\n  actors: 8\n  num_gpus: 1\n"
        "  concurrency_per_actor: 32",
    )


def _ray(settings: RaySettings) -> Executor:
    from llmeval_ray_executor.executor import RayExecutor  # noqa: PLC0415

    return RayExecutor(settings)
