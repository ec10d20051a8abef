"""How long MLflow takes to answer, and the 40 ms that more than one worker costs."""

from __future__ import annotations

import statistics
import time

from llmeval_mlflow_proxy.diagnosis.asking import Asker
from llmeval_mlflow_proxy.diagnosis.findings import Finding

_N_REQUESTS = 9
_TRAP_MS = 25.0
_SLOW_MS = 500.0


async def look_at_latency(asker: Asker) -> Finding:
    """Compare requests on one connection with requests on new ones.

    uvicorn with several workers answers on a kept connection some 40 ms late, because its
    sockets wait to fill their packets (Kludex/uvicorn#3149); a new connection has no such delay.
    """
    kept_ms = await _median_ms(asker)
    fresh_ms = await _median_ms(asker, Connection="close")
    values = {"kept": f"{kept_ms:.1f}", "fresh": f"{fresh_ms:.1f}"}
    if kept_ms - fresh_ms > _TRAP_MS:
        return Finding("latency", "warning", "latency.trap", values, cure="latency.trap.cure")
    if kept_ms > _SLOW_MS:
        return Finding("latency", "warning", "latency.slow", values, cure="latency.slow.cure")
    return Finding("latency", "ok", "latency.fine", values)


async def _median_ms(asker: Asker, **headers: str) -> float:
    await asker.get("/version", **headers)
    took = []
    for _ in range(_N_REQUESTS):
        started = time.perf_counter()
        await asker.get("/version", **headers)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)
