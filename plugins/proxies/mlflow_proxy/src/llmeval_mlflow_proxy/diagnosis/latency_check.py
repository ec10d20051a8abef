"""How long MLflow takes to respond, and the 40 ms that more than one worker costs."""

from __future__ import annotations

import statistics
import time

from llmeval_mlflow_proxy.diagnosis.findings import Finding
from llmeval_mlflow_proxy.diagnosis.mlflow_api import MlflowApi

_N_REQUESTS = 9
_TRAP_MS = 25.0
_SLOW_MS = 500.0


async def look_at_latency(client: MlflowApi) -> Finding:
    """Compare requests on one connection with requests on new connections.

    uvicorn with several workers responds 40 ms late on a kept connection, because its sockets wait
    to fill their packets (Kludex/uvicorn#3149); a new connection has no such delay.
    """
    kept_ms = await _median_ms(client)
    fresh_ms = await _median_ms(client, Connection="close")
    values = {"kept": f"{kept_ms:.1f}", "fresh": f"{fresh_ms:.1f}"}
    if kept_ms - fresh_ms > _TRAP_MS:
        return Finding("latency", "warning", "latency.trap", values, remedy="latency.trap.remedy")
    if kept_ms > _SLOW_MS:
        return Finding("latency", "warning", "latency.slow", values, remedy="latency.slow.remedy")
    return Finding("latency", "ok", "latency.fine", values)


async def _median_ms(client: MlflowApi, **headers: str) -> float:
    await client.get("/version", **headers)
    took = []
    for _ in range(_N_REQUESTS):
        started = time.perf_counter()
        await client.get("/version", **headers)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)
