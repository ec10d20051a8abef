"""The doctor's lines: the same findings as the page's, in short."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import aiohttp

from llmeval_core.hooks import CheckOutcome
from llmeval_mlflow_proxy.client import reason_of
from llmeval_mlflow_proxy.diagnosis.asking import asking
from llmeval_mlflow_proxy.diagnosis.destinations import USUAL
from llmeval_mlflow_proxy.diagnosis.findings import Finding, worst
from llmeval_mlflow_proxy.diagnosis.latency import look_at_latency
from llmeval_mlflow_proxy.diagnosis.reach import look_at_access, look_at_server
from llmeval_mlflow_proxy.diagnosis.runs import look_at_runs
from llmeval_mlflow_proxy.embedded.announcement import read_announcement
from llmeval_mlflow_proxy.settings import read_settings
from llmeval_mlflow_proxy.upstream import Absence, Upstream

Topic = Literal["pages", "runs", "speed"]


def check(topic: Topic, home: Path, environ: Mapping[str, str]) -> CheckOutcome:
    """Look at one topic; takes seconds if the server is slow.

    Raises:
        ConfigError: a setting cannot be understood.
    """
    settings = read_settings(environ)
    if isinstance(settings.mlflow, Absence):
        return CheckOutcome("warning", settings.mlflow.reason, settings.mlflow.hint)
    if settings.mlflow is not None:
        return asyncio.run(_look(topic, settings.mlflow))
    announced = read_announcement(home)
    if announced is not None:
        outcome = asyncio.run(_look(topic, announced))
        if outcome.state != "failed":
            return outcome
        # It ended without taking its leave, as after `kill -9`.
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


async def _look(topic: Topic, upstream: Upstream) -> CheckOutcome:
    try:
        async with asking(upstream) as asker:
            findings = await look_at_server(asker)
            if worst(findings) != "failed":
                findings += await look_at_access(asker, None)
            if topic != "pages" and worst(findings) == "failed":
                return CheckOutcome("ok", "not seen: MLflow does not answer as it should")
            if topic == "runs":
                findings = await look_at_runs(asker, USUAL)
            if topic == "speed":
                findings = [await look_at_latency(asker)]
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        return CheckOutcome("failed", f"{upstream.url}: {reason_of(err)}")
    return _in_short(findings)


def _in_short(findings: Sequence[Finding]) -> CheckOutcome:
    """Name everything if all is well, else only what is not."""
    state = worst(findings)
    told = [finding for finding in findings if finding.state == state]
    detail = "; ".join(f"{finding.name('en')}: {finding.detail('en')}" for finding in told)
    return CheckOutcome(state, detail, next(filter(None, (f.hint("en") for f in told)), None))
