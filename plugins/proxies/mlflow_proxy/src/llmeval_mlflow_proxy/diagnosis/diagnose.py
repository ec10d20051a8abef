"""The diagnosis: checks everything that can be checked, one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from llmeval_core.hooks import Json, LlmevalError, RouteContext
from llmeval_mlflow_proxy.diagnosis.destinations import (
    USUAL,
    Destination,
    find_destinations,
)
from llmeval_mlflow_proxy.diagnosis.experiment_runs import look_at_runs
from llmeval_mlflow_proxy.diagnosis.findings import Finding, State, worst
from llmeval_mlflow_proxy.diagnosis.latency_check import look_at_latency
from llmeval_mlflow_proxy.diagnosis.mlflow_api import MlflowApi, open_mlflow_api
from llmeval_mlflow_proxy.diagnosis.pending_deliveries import look_at_deliveries
from llmeval_mlflow_proxy.diagnosis.reachability import look_at_access, look_at_server
from llmeval_mlflow_proxy.diagnosis.redaction import redacted
from llmeval_mlflow_proxy.embedded.embedded_server import EmbeddedServer
from llmeval_mlflow_proxy.http_client import reason_of
from llmeval_mlflow_proxy.settings import ProxySettings
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream, UpstreamProvider

_LOG_LINES = 20
_MOST_SERVERS = 5
"""How many servers are checked besides the one that is shown."""
_LOG_TAIL_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, and the log lines that may explain them; without secrets.

    Args:
        findings: in the order in which they depend on each other.
        log_lines: of llmeval's server, those about MLflow.
        mlflow_lines: of the embedded MLflow server.
    """

    findings: Sequence[Finding]
    log_lines: Sequence[str]
    mlflow_lines: Sequence[str]

    def as_json(self) -> dict[str, Json]:
        """Return it for programs, in English."""
        return {
            "state": worst(self.findings),
            "findings": [finding.as_json() for finding in self.findings],
            "log_lines": list(self.log_lines),
            "mlflow_log_lines": list(self.mlflow_lines),
        }


async def diagnose(
    provider: UpstreamProvider,
    context: RouteContext,
    *,
    settings: ProxySettings,
    origin: str | None,
) -> Diagnosis:
    """Run all checks.

    Args:
        provider: says which MLflow server is shown.
        context: of the server that we are part of.
        settings: which MLflow is shown, and what must not be.
        origin: the web origin under which people see us; None if unknown.
    """
    secrets = settings.secrets
    findings = look_at_embedded(provider)
    mlflow_lines: list[str] = []
    if isinstance(provider, EmbeddedServer) and (log := provider.history().log) is not None:
        mlflow_lines = await asyncio.to_thread(_tail, log, secrets)
    destinations = await asyncio.to_thread(destinations_of, context, settings, origin)
    findings += look_at_destinations(destinations, secrets)
    upstream = provider.upstream()
    if isinstance(upstream, Upstream):
        shown = [destination for destination in destinations if destination.is_shown]
        findings += await look_at_upstream(upstream, shown, origin=origin)
    for destination in _others(destinations):
        assert destination.server is not None
        findings += await look_at_upstream(destination.server, [destination], origin=None)
    findings += await asyncio.to_thread(look_at_deliveries, context.tracker_statuses, secrets)
    lines = (await asyncio.to_thread(context.log_lines, "MLflow"))[-_LOG_LINES:]
    return Diagnosis(findings, [redacted(line, secrets) for line in lines], mlflow_lines)


def destinations_of(
    context: RouteContext, settings: ProxySettings, origin: str | None
) -> list[Destination]:
    """Return where jobs deliver to; `USUAL` if that cannot be read. Blocks."""
    try:
        tracker_statuses = context.tracker_statuses()
    except LlmevalError:  # the finding about deliveries says so
        return [USUAL]
    return find_destinations(tracker_statuses, settings, context.home, origin=origin)


def look_at_destinations(
    destinations: Sequence[Destination], secrets: Collection[str]
) -> list[Finding]:
    """Return a finding for each tracker: which MLflow it delivers to."""
    is_any_shown = any(destination.is_shown for destination in destinations)
    findings = []
    for destination in destinations:
        values: dict[str, str | int] = {
            "tracker": destination.tracker,
            "experiment": destination.experiment,
            "place": redacted(destination.place or "", secrets),
        }
        optional = None if destination.is_required else "tracker.optional"
        if destination.n_delivered is None:
            findings.append(Finding("tracker", "ok", "tracker.unused", values))
        elif destination.is_shown:
            findings.append(Finding("tracker", "ok", "tracker.shown", values, remedy=optional))
        else:
            state: State = "ok" if is_any_shown else "warning"
            text_key = "tracker.other" if destination.server else "tracker.elsewhere"
            findings.append(
                Finding("tracker", state, text_key, values, remedy="tracker.other.remedy")
            )
    return findings


def _others(destinations: Sequence[Destination]) -> list[Destination]:
    """Return those on other servers that can be checked."""
    return [one for one in destinations if one.server is not None][:_MOST_SERVERS]


def look_at_embedded(provider: UpstreamProvider) -> list[Finding]:
    """Check the embedded server, and whether there is a server at all."""
    upstream = provider.upstream()
    findings = []
    if isinstance(provider, EmbeddedServer):
        values: dict[str, str | int] = {"n_ends": provider.history().n_ends}
        if isinstance(upstream, Upstream):
            text_key = "embedded.restarted" if provider.history().n_ends else "embedded.running"
            findings.append(Finding("embedded", "ok", text_key, values))
        else:
            findings.append(_unavailable_finding("embedded", upstream))
    elif isinstance(upstream, Unavailable):
        findings.append(_unavailable_finding("server", upstream))
    return findings


def _unavailable_finding(topic: str, unavailable: Unavailable) -> Finding:
    state: State = "warning" if unavailable.state == "starting" else "failed"
    values = {"reason": unavailable.reason, "hint": unavailable.hint or ""}
    remedy = "absent.remedy" if unavailable.hint else None
    return Finding(topic, state, "absent", values, remedy=remedy)


async def look_at_upstream(
    upstream: Upstream, destinations: Sequence[Destination], *, origin: str | None
) -> list[Finding]:
    """Check a server: first whether it answers, then what it holds, then how fast it is."""
    findings: list[Finding] = []
    try:
        async with open_mlflow_api(upstream) as client:
            findings += await look_at_server(client)
            if worst(findings) != "failed":
                await _check_contents(client, findings, destinations, origin)
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        values = {"url": upstream.url, "reason": reason_of(err)}
        findings.append(
            Finding("server", "failed", "server.away", values, remedy="server.away.remedy")
        )
    return findings


async def _check_contents(
    client: MlflowApi,
    findings: list[Finding],
    destinations: Sequence[Destination],
    origin: str | None,
) -> None:
    findings += await look_at_access(client, origin)
    if worst(findings) != "failed":
        of_experiments: dict[str, Destination] = {}
        for destination in destinations:
            of_experiments.setdefault(destination.experiment, destination)
        for destination in of_experiments.values():
            findings += await look_at_runs(client, destination)
    findings.append(await look_at_latency(client))


def _tail(path: Path, secrets: Collection[str]) -> list[str]:
    """Return the last lines of a log; none if it cannot be read."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [redacted(line, secrets) for line in text.splitlines()[-_LOG_LINES:]]
