"""The Ray cluster of a run: started here or joined, and left when nobody needs it any more."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import secrets
import socket
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from llmeval_core.hooks import LlmevalError
from llmeval_ray_executor.settings import RaySettings

ENVIRONMENT: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns of a default that will change
}
"""What Ray is told before it is imported, unless the user said otherwise."""
LOCAL_ENVIRONMENT: Mapping[str, str] = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_prestart_worker_first_driver": "0",  # else a process for each place starts at once
    "RAY_worker_niceness": "0",  # else whatever else runs here comes before the models
}
"""The same for a cluster of our own: a lost node is noticed in seconds, not in a minute."""
CONNECT_S = 10.0
"""How long a cluster's address may take to accept a connection, seconds."""
ROOM_FOR_MODELS = 16
"""Models at once that a cluster of our own has places for."""

_log = logging.getLogger("llmeval")


class Cluster:
    """Starts or joins Ray when the first model needs it; leaves when the last is closed.

    A Ray that this process had joined before is used and left alone.
    """

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._n_users = 0
        self._is_ours = False
        self._n_workers: dict[object, int] = {}
        self._last_used = 0.0

    async def enter(self) -> ModuleType:
        """Make Ray ready; return the library, which was not imported before.

        Raises:
            LlmevalError: there is no such cluster, or none can be started.
        """
        async with self._lock:
            # A start cannot be broken off half-way: who cancels it waits, then it is undone.
            starting = asyncio.create_task(asyncio.to_thread(start, self._settings))
            try:
                ray, started = await asyncio.shield(starting)
            except asyncio.CancelledError:
                await asyncio.wait({starting})
                if starting.exception() is None:
                    await self._stop(*starting.result())
                raise
            self._is_ours = self._is_ours or started
            self._n_users += 1
            return ray

    async def leave(self) -> None:
        """Tell that one who entered is done."""
        async with self._lock:
            self._n_users -= 1
            if not self._n_users:
                import ray  # noqa: PLC0415  it is heavy

                ours, self._is_ours = self._is_ours, False
                await self._stop(ray, ours)

    def count(self, user: object, n_workers: int) -> None:
        """Note how many workers of a model are ready."""
        self._last_used = self.last_used()
        self._n_workers[user] = n_workers

    def last_used(self) -> float:
        """Tell when any model of the run last had a worker, in the time of the event loop."""
        if any(self._n_workers.values()):
            return asyncio.get_running_loop().time()
        return self._last_used

    async def _stop(self, ray: ModuleType, is_ours: bool) -> None:
        if is_ours and not self._n_users:
            await asyncio.to_thread(ray.shutdown)


def start(settings: RaySettings) -> tuple[ModuleType, bool]:
    """Import Ray and connect; blocking. True if it was not connected before."""
    if settings.address is None and os.environ.get("RAY_ADDRESS"):
        _log.warning(
            "RAY_ADDRESS is not heeded: a cluster is started on this machine, unless the "
            "executor's setting address says another"
        )
    _set_environment(local=settings.address is None)
    import ray  # noqa: PLC0415  it is heavy, and reads the environment now

    if ray.is_initialized():
        return ray, False
    arguments: dict[str, Any] = {"log_to_driver": not settings.quiet}
    if settings.quiet:
        arguments["logging_level"] = logging.ERROR
    if settings.address is None:
        arguments |= _local_arguments(settings)
    else:
        arguments["address"] = settings.address
    try:
        _reach(settings.address)
        ray.init(**arguments)
    except Exception as err:  # the border: Ray raises many kinds, ValueError to RuntimeError
        raise _told(err, settings) from err
    if settings.quiet:
        _silence()
    return ray, True


def _local_arguments(settings: RaySettings) -> dict[str, Any]:
    """Describe a cluster on this machine that has room for all workers; Any: Ray's own types.

    CPUs and custom resources are only counted by Ray, so they are made to fit, for several
    models at once; GPUs are real.
    """
    n_workers = settings.actors * ROOM_FOR_MODELS
    n_cpus = max(os.cpu_count() or 1, math.ceil(n_workers * settings.num_cpus))
    resources = {name: need * n_workers for name, need in settings.resources.items()}
    return {
        "address": "local",
        "num_cpus": n_cpus,
        "resources": resources,
        "include_dashboard": False,
    }


def _set_environment(*, local: bool) -> None:
    wanted = dict(ENVIRONMENT)
    if local:
        wanted |= LOCAL_ENVIRONMENT
        if "RAY_AUTH_MODE" not in os.environ:
            # Else Ray leaves a token in the home directory, and each `ray start` there wants it.
            wanted |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def _reach(address: str | None) -> None:
    """Raise OSError if nobody listens at an address; Ray would try for minutes."""
    place = urlsplit(address if address and "://" in address else f"//{address or 'auto'}")
    if place.hostname is not None and place.port is not None:
        socket.create_connection((place.hostname, place.port), timeout=CONNECT_S).close()


def _told(err: Exception, settings: RaySettings) -> LlmevalError:
    if settings.address is None:
        what, hint = "Ray cannot be started on this machine", None
    else:
        what = f"the Ray cluster at '{settings.address}' cannot be joined"
        hint = "is it running, with the same versions of Python and Ray? `ray status` tells"
        if settings.address.startswith("ray://"):
            hint = "is it running? `ray://` needs `pip install 'llmeval-ray-executor[client]'`"
    lines = str(err).strip().splitlines()
    reason = f": {lines[0]}" if lines else ""
    return LlmevalError(f"{what}: {type(err).__name__}{reason}", where="executor 'ray'", hint=hint)


def _silence() -> None:
    """Keep what Ray prints about lost workers off standard output, where results go.

    `log_to_driver=False` does not cover these lines, and there is no public switch for them.
    """
    from ray._private import worker  # noqa: PLC0415

    if hasattr(worker, "_worker_logs_enabled"):
        worker._worker_logs_enabled = False
