"""The checks of `llmeval doctor`: the findings of the diagnosis page in short."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import aiohttp

from llmeval_core.hooks import CheckOutcome
from llmeval_mlflow_proxy.diagnosis.destinations import USUAL
from llmeval_mlflow_proxy.diagnosis.experiment_runs import look_at_runs
from llmeval_mlflow_proxy.diagnosis.findings import Finding, worst
from llmeval_mlflow_proxy.diagnosis.latency_check import look_at_latency
from llmeval_mlflow_proxy.diagnosis.mlflow_api import open_mlflow_api
from llmeval_mlflow_proxy.diagnosis.reachability import look_at_access, look_at_server
from llmeval_mlflow_proxy.embedded.service_file import read_service_file
from llmeval_mlflow_proxy.http_client import reason_of
from llmeval_mlflow_proxy.settings import read_settings
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream

Topic = Literal["pages", "runs", "speed"]


def check(topic: Topic, home: Path, environ: Mapping[str, str]) -> CheckOutcome:
    """Check one topic; takes seconds if the server is slow.

    Raises:
        ConfigError: a setting cannot be understood.
    """
    settings = read_settings(environ)
    if isinstance(settings.mlflow, Unavailable):
        return CheckOutcome("warning", settings.mlflow.reason, settings.mlflow.hint)
    if settings.mlflow is not None:
        return asyncio.run(_check_server(topic, settings.mlflow))
    running = read_service_file(home)
    if running is not None:
        outcome = asyncio.run(_check_server(topic, running))
        if outcome.state != "failed":
            return outcome
        # The file is left over: the server was killed.
    return _without_server(topic)


def _without_server(topic: Topic) -> CheckOutcome:
    if topic != "pages":
        return CheckOutcome("ok", "seen while `llmeval serve` runs MLflow, which it does not now")
    if importlib.util.find_spec("mlflow") is None:
        return CheckOutcome(
            "warning",
            "`llmeval serve` cannot start MLflow: it is not installed",
            "pip install 'llmeval-mlflow-proxy[embedded]', or set MLFLOW_TRACKING_URI",
        )
    return CheckOutcome("ok", "`llmeval serve` starts MLflow itself; it is not running now")


async def _check_server(topic: Topic, upstream: Upstream) -> CheckOutcome:
    try:
        async with open_mlflow_api(upstream) as client:
            findings = await look_at_server(client)
            if worst(findings) != "failed":
                findings += await look_at_access(client, None)
            if topic != "pages" and worst(findings) == "failed":
                return CheckOutcome("ok", "not seen: MLflow does not answer as it should")
            if topic == "runs":
                findings = await look_at_runs(client, USUAL)
            if topic == "speed":
                findings = [await look_at_latency(client)]
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        return CheckOutcome("failed", f"{upstream.url}: {reason_of(err)}")
    return _in_short(findings)


def _in_short(findings: Sequence[Finding]) -> CheckOutcome:
    """Return all findings if they are all ok, else those in the worst state."""
    state = worst(findings)
    shown = [finding for finding in findings if finding.state == state]
    detail = "; ".join(f"{finding.name('en')}: {finding.detail('en')}" for finding in shown)
    return CheckOutcome(state, detail, next(filter(None, (f.hint("en") for f in shown)), None))
