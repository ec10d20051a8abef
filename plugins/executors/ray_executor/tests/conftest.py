"""One Ray on this machine for all tests, and runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from llmeval_ray_executor.cluster import MODELS_PER_CLUSTER, start
from llmeval_ray_executor.executor import RayExecutor
from llmeval_ray_executor.settings import RaySettings

from llmeval_core.testing import FakeDataset, run_in
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider

# Any: the outcome has no public type
RunOnRay = Callable[..., Coroutine[Any, Any, Any]]
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def ray_here() -> Iterator[Any]:  # Any: a module
    """Start Ray with one `place`; a run finds it and leaves it alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        ray, _ = start(RaySettings(actors=1, resources={"place": 1 / MODELS_PER_CLUSTER}))
        yield ray
        ray.shutdown()


@pytest.fixture
def run_on_ray(ray_here: Any, tmp_path: Path) -> RunOnRay:
    """Return what runs a number of samples with a model, on two workers."""
    return partial(run_with, tmp_path / "home")


async def run_with(
    home: Path,
    model: RecordingProvider,
    n_samples: int = 60,
    *,
    settings: RaySettings | None = None,
    executor: RayExecutor | None = None,
    **config: Any,  # Any: keys of the run file
) -> Any:
    """Run samples with a model on Ray."""
    chosen = settings or RaySettings(actors=2, concurrency_per_actor=4)
    return await run_in(
        home,
        datasets={"fake": FakeDataset(n_samples)},
        models={"fake": model},
        executors={"ray": executor or RayExecutor(chosen)},
        executor="ray",
        **{"retry": {"base_s": 0.001}, **config},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for what workers write down."""
    path = tmp_path / "workers"
    path.mkdir()
    return path


async def until(true: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110  what we wait for is in another process
            await asyncio.sleep(0.01)
