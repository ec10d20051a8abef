"""Metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from llmeval_core.api import DeliveryRepository, JournalQueries, existing_journal
from llmeval_core.hooks import ConfigError, TrackerStatus
from llmeval_server.api.measuring import RequestCounts
from llmeval_server.api.responses import errors
from llmeval_server.context import ServerContext

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[Mapping[str, str], float]


def metric_router(context: ServerContext, counts: RequestCounts) -> APIRouter:
    """Make the route of the metrics."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={
            **errors(),
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        },
    )
    def metrics() -> PlainTextResponse:
        """Give jobs by state, results, deliveries and requests."""
        return PlainTextResponse(
            "".join([_jobs(context), _journal(context), _requests(counts)]), media_type=_TYPE
        )

    return router


def family(
    name: str, kind: Literal["counter", "gauge"], meaning: str, samples: Iterable[Sample]
) -> str:
    """Write one metric with all its samples."""
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{pairs}}} {value!r}" if pairs else f"{name} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _jobs(context: ServerContext) -> str:
    counts = context.jobs.counts()
    seen_at = context.jobs.worker_seen_at()
    return family(
        "llmeval_jobs",
        "gauge",
        "Jobs by state.",
        [({"state": state}, n_jobs) for state, n_jobs in counts.items()],
    ) + family(
        "llmeval_worker_seen_timestamp_seconds",
        "gauge",
        "When a worker last gave a sign of life, 0 if never.",
        [({}, seen_at or 0)],
    )


def _journal(context: ServerContext) -> str:
    n_results = n_requests = n_samples = n_failed = 0
    tracker_statuses: list[TrackerStatus] = []
    try:
        journal = existing_journal(context.settings.home)
    except ConfigError:  # nothing was ever run
        pass
    else:
        with journal:
            n_results = journal.read(JournalQueries.n_results)
            n_requests = journal.read(JournalQueries.n_requests)
            n_samples, n_failed = journal.read(JournalQueries.n_samples)
            tracker_statuses = journal.deliveries(DeliveryRepository.tracker_statuses)
    deliveries = [
        ({"tracker": status.tracker, "state": state}, number)
        for status in tracker_statuses
        for state, number in (
            ("delivered", status.n_delivered),
            ("pending", status.n_pending),
            ("failed", status.n_failed),
        )
    ]
    return "".join(
        [
            family("llmeval_results_total", "counter", "Task results.", [({}, n_results)]),
            family(
                "llmeval_samples_total", "counter", "Samples of task results.", [({}, n_samples)]
            ),
            family(
                "llmeval_failed_samples_total",
                "counter",
                "Samples of task results that failed.",
                [({}, n_failed)],
            ),
            family(
                "llmeval_requests_total",
                "counter",
                "Requests that models answered.",
                [({}, n_requests)],
            ),
            family("llmeval_deliveries", "gauge", "Results by tracker and state.", deliveries),
        ]
    )


def _requests(counts: RequestCounts) -> str:
    requests = sorted(counts.n_requests.items())
    seconds = sorted(counts.seconds.items())
    return family(
        "llmeval_http_requests_total",
        "counter",
        "Requests to this server.",
        [
            ({"method": method, "route": route, "status": str(status)}, number)
            for (method, route, status), number in requests
        ],
    ) + family(
        "llmeval_http_request_seconds_total",
        "counter",
        "Time that requests to this server took, streams included.",
        [({"route": route}, elapsed_s) for route, elapsed_s in seconds],
    )
