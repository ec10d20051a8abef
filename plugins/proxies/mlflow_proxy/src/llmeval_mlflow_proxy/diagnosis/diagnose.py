"""The diagnosis as a whole: looks at everything that can be looked at, one thing after another."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from llmeval_core.hooks import Json, LlmevalError, RouteContext
from llmeval_mlflow_proxy.client import reason_of
from llmeval_mlflow_proxy.diagnosis.asking import Asker, asking
from llmeval_mlflow_proxy.diagnosis.deliveries import look_at_deliveries
from llmeval_mlflow_proxy.diagnosis.destinations import (
    USUAL,
    Destination,
    find_destinations,
)
from llmeval_mlflow_proxy.diagnosis.findings import Finding, State, worst
from llmeval_mlflow_proxy.diagnosis.latency import look_at_latency
from llmeval_mlflow_proxy.diagnosis.reach import look_at_access, look_at_server
from llmeval_mlflow_proxy.diagnosis.redaction import redacted
from llmeval_mlflow_proxy.diagnosis.runs import look_at_runs
from llmeval_mlflow_proxy.embedded.server import EmbeddedServer
from llmeval_mlflow_proxy.settings import ProxySettings
from llmeval_mlflow_proxy.upstream import Absence, Source, Upstream

_LOG_LINES = 20
_MOST_SERVERS = 5
"""How many servers are asked besides the one that is shown."""
_LOG_TAIL_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, and the log lines that may explain them; free of secrets.

    Args:
        findings: in the order in which they depend on each other.
        log_lines: of llmeval's server, where they speak of MLflow.
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
    source: Source, site: RouteContext, *, settings: ProxySettings, origin: str | None
) -> Diagnosis:
    """Look at everything.

    Args:
        source: knows the MLflow server.
        site: the server we are part of.
        settings: which MLflow is shown, and what must not be.
        origin: the web origin under which people see us; None if unknown.
    """
    secrets = settings.secrets
    findings = look_at_embedded(source)
    mlflow_lines: list[str] = []
    if isinstance(source, EmbeddedServer) and (log := source.story().log) is not None:
        mlflow_lines = await asyncio.to_thread(_tail, log, secrets)
    destinations = await asyncio.to_thread(destinations_of, site, settings, origin)
    findings += look_at_destinations(destinations, secrets)
    upstream = source.upstream()
    if isinstance(upstream, Upstream):
        shown = [destination for destination in destinations if destination.is_shown]
        findings += await look_at_upstream(upstream, shown, origin=origin)
    for destination in _others(destinations):
        assert destination.server is not None
        findings += await look_at_upstream(destination.server, [destination], origin=None)
    findings += await asyncio.to_thread(look_at_deliveries, site.tracker_statuses, secrets)
    lines = (await asyncio.to_thread(site.log_lines, "MLflow"))[-_LOG_LINES:]
    return Diagnosis(findings, [redacted(line, secrets) for line in lines], mlflow_lines)


def destinations_of(
    site: RouteContext, settings: ProxySettings, origin: str | None
) -> list[Destination]:
    """Say where jobs deliver to, the usual place if that cannot be read; blocks."""
    try:
        tracker_statuses = site.tracker_statuses()
    except LlmevalError:  # what trackers lack is told on its own
        return [USUAL]
    return find_destinations(tracker_statuses, settings, site.home, origin=origin)


def look_at_destinations(
    destinations: Sequence[Destination], secrets: Collection[str]
) -> list[Finding]:
    """Say which trackers are looked at, and which MLflow each means."""
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
            findings.append(Finding("tracker", "ok", "tracker.shown", values, cure=optional))
        else:
            state: State = "ok" if is_any_shown else "warning"
            word = "tracker.other" if destination.server else "tracker.elsewhere"
            findings.append(Finding("tracker", state, word, values, cure="tracker.other.cure"))
    return findings


def _others(destinations: Sequence[Destination]) -> list[Destination]:
    """Choose those of other servers that can be asked."""
    return [one for one in destinations if one.server is not None][:_MOST_SERVERS]


def look_at_embedded(source: Source) -> list[Finding]:
    """Find out how the server of our own is, and whether there is any server to ask."""
    upstream = source.upstream()
    findings = []
    if isinstance(source, EmbeddedServer):
        values: dict[str, str | int] = {"n_ends": source.story().n_ends}
        if isinstance(upstream, Upstream):
            word = "embedded.restarted" if source.story().n_ends else "embedded.running"
            findings.append(Finding("embedded", "ok", word, values))
        else:
            findings.append(_absent("embedded", upstream))
    elif isinstance(upstream, Absence):
        findings.append(_absent("server", upstream))
    return findings


def _absent(topic: str, absence: Absence) -> Finding:
    state: State = "warning" if absence.state == "starting" else "failed"
    values = {"reason": absence.reason, "hint": absence.hint or ""}
    cure = "absent.cure" if absence.hint else None
    return Finding(topic, state, "absent", values, cure=cure)


async def look_at_upstream(
    upstream: Upstream, destinations: Sequence[Destination], *, origin: str | None
) -> list[Finding]:
    """Look at a server: first whether it is there, then what it holds, then how quick it is."""
    findings: list[Finding] = []
    try:
        async with asking(upstream) as asker:
            findings += await look_at_server(asker)
            if worst(findings) != "failed":
                await _look_further(asker, findings, destinations, origin)
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        values = {"url": upstream.url, "reason": reason_of(err)}
        findings.append(Finding("server", "failed", "server.away", values, cure="server.away.cure"))
    return findings


async def _look_further(
    asker: Asker,
    findings: list[Finding],
    destinations: Sequence[Destination],
    origin: str | None,
) -> None:
    findings += await look_at_access(asker, origin)
    if worst(findings) != "failed":
        of_experiments: dict[str, Destination] = {}
        for destination in destinations:
            of_experiments.setdefault(destination.experiment, destination)
        for destination in of_experiments.values():
            findings += await look_at_runs(asker, destination)
    findings.append(await look_at_latency(asker))


def _tail(path: Path, secrets: Collection[str]) -> list[str]:
    """Return the last lines of a log; none if it cannot be read."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [redacted(line, secrets) for line in text.splitlines()[-_LOG_LINES:]]
