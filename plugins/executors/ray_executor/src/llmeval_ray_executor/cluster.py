"""The Ray cluster of a run: started or joined for the first model, left after the last."""

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
"""Environment variables for Ray, set before it is imported; what the user has set stays."""
LOCAL_ENVIRONMENT: Mapping[str, str] = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_prestart_worker_first_driver": "0",  # else a process for each place starts at once
    "RAY_worker_niceness": "0",  # else whatever else runs here comes before the models
}
"""The same for a cluster that we start: a lost node is noticed in seconds, not in a minute."""
CONNECT_S = 10.0
"""How long a cluster's address may take to accept a connection, seconds."""
MODELS_PER_CLUSTER = 16
"""For how many models at once a cluster that we start has CPUs and resources."""

_log = logging.getLogger("llmeval")


class RayCluster:
    """Starts or joins Ray when the first model acquires it; leaves when the last has released it.

    If this process is connected to a Ray already, that one is used and not shut down.
    """

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._n_users = 0
        self._is_ours = False
        self._n_workers: dict[object, int] = {}
        self._last_used = 0.0

    async def acquire(self) -> ModuleType:
        """Connect to Ray, if nobody has yet, and return the imported library.

        Raises:
            LlmevalError: there is no such cluster, or none can be started.
        """
        async with self._lock:
            # A start cannot be interrupted: a cancelled caller waits for it, then it is undone.
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

    async def release(self) -> None:
        """Undo one `acquire`; the last one shuts down a Ray that we have started."""
        async with self._lock:
            self._n_users -= 1
            if not self._n_users:
                import ray  # noqa: PLC0415  it is heavy

                ours, self._is_ours = self._is_ours, False
                await self._stop(ray, ours)

    def report_workers(self, user: object, n_workers: int) -> None:
        """Record how many workers of a model are ready."""
        self._last_used = self.last_used()
        self._n_workers[user] = n_workers

    def last_used(self) -> float:
        """Return when any model of the run last had a worker, by the event loop's clock."""
        if any(self._n_workers.values()):
            return asyncio.get_running_loop().time()
        return self._last_used

    async def _stop(self, ray: ModuleType, is_ours: bool) -> None:
        if is_ours and not self._n_users:
            await asyncio.to_thread(ray.shutdown)


def start(settings: RaySettings) -> tuple[ModuleType, bool]:
    """Import Ray and connect; blocking. Returns it, and whether this call has connected it."""
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
        _check_reachable(settings.address)
        ray.init(**arguments)
    except Exception as err:  # the border: Ray raises many kinds, ValueError to RuntimeError
        raise _connection_error(err, settings) from err
    if settings.quiet:
        _mute_worker_logs()
    return ray, True


def _local_arguments(settings: RaySettings) -> dict[str, Any]:
    """Return `ray.init` arguments for a cluster that all workers fit in; Any: Ray's own types.

    CPUs and custom resources are only counted by Ray, so they are made to fit, for several
    models at once; GPUs are real.
    """
    n_workers = settings.actors * MODELS_PER_CLUSTER
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


def _check_reachable(address: str | None) -> None:
    """Connect to an address and disconnect; Ray itself would try for minutes.

    Raises:
        OSError: nothing listens there.
    """
    parts = urlsplit(address if address and "://" in address else f"//{address or 'auto'}")
    if parts.hostname is not None and parts.port is not None:
        socket.create_connection((parts.hostname, parts.port), timeout=CONNECT_S).close()


def _connection_error(err: Exception, settings: RaySettings) -> LlmevalError:
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


def _mute_worker_logs() -> None:
    """Keep what Ray prints about lost workers off standard output, where results go.

    `log_to_driver=False` does not cover these lines, and there is no public switch for them.
    """
    from ray._private import worker  # noqa: PLC0415

    if hasattr(worker, "_worker_logs_enabled"):
        worker._worker_logs_enabled = False
