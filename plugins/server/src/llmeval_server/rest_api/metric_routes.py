"""Metrics for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from llmeval_core.api import DeliveryRepository, JournalQueries, existing_journal
from llmeval_core.hooks import ConfigError, TaskResult, TrackerStatus
from llmeval_server.context import ServerContext
from llmeval_server.rest_api.openapi_errors import errors
from llmeval_server.rest_api.request_metrics import RequestCounts
from llmeval_server.results_cache import ResultsCache

UNKNOWN_OUTCOME = "unknown"
"""The outcome of samples whose results do not tell it, as those of older versions."""


def metric_router(
    context: ServerContext, results: ResultsCache, counts: RequestCounts
) -> APIRouter:
    """Make the route of the metrics."""
    router = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    registry.register(_ServerCollector(context, results, counts))

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={
            **errors(),
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        },
    )
    def metrics() -> Response:
        """Return metrics of jobs, results, samples, deliveries and requests."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


class _ServerCollector(Collector):
    """Collects the metrics at each scrape.

    Args:
        context: the server.
        results: the task results.
        counts: the requests to this server.
    """

    def __init__(
        self, context: ServerContext, results: ResultsCache, counts: RequestCounts
    ) -> None:
        self._context = context
        self._results = results
        self._counts = counts

    def describe(self) -> Iterable[Metric]:
        """Return nothing: without this, registration would collect."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._jobs()
        yield from self._samples()
        yield from self._journal()
        yield from self._requests()

    def _jobs(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("llmeval_jobs", "Jobs by state.", labels=["state"])
        for state, n_jobs in self._context.jobs.counts().items():
            jobs.add_metric([state], n_jobs)
        yield jobs
        yield GaugeMetricFamily(
            "llmeval_worker_seen_timestamp_seconds",
            "When a worker last sent a heartbeat, 0 if never.",
            value=self._context.jobs.last_heartbeat() or 0,
        )

    def _samples(self) -> Iterator[Metric]:
        results = self._results.snapshot().results
        yield _counter("llmeval_results", "Task results.", len(results))
        samples = CounterMetricFamily(
            "llmeval_samples", "Samples of task results by outcome.", labels=["outcome"]
        )
        for outcome, n_samples in sorted(_outcomes(results).items()):
            samples.add_metric([outcome], n_samples)
        yield samples
        n_failed = sum(result.n_failed for result in results)
        yield _counter("llmeval_failed_samples", "Samples of task results that failed.", n_failed)

    def _journal(self) -> Iterator[Metric]:
        n_requests = 0
        statuses: list[TrackerStatus] = []
        try:
            journal = existing_journal(self._context.settings.home)
        except ConfigError:  # before the first run
            pass
        else:
            with journal:
                n_requests = journal.read(JournalQueries.n_requests)
                statuses = journal.deliveries(DeliveryRepository.tracker_statuses)
        yield _counter("llmeval_requests", "Requests that models answered.", n_requests)
        deliveries = GaugeMetricFamily(
            "llmeval_deliveries", "Results by tracker and state.", labels=["tracker", "state"]
        )
        for status in statuses:
            deliveries.add_metric([status.tracker, "delivered"], status.n_delivered)
            deliveries.add_metric([status.tracker, "pending"], status.n_pending)
            deliveries.add_metric([status.tracker, "failed"], status.n_failed)
        yield deliveries

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "llmeval_http_requests",
            "Requests to this server.",
            labels=["method", "route", "status"],
        )
        for (method, route, status), n_requests in sorted(self._counts.n_requests.items()):
            requests.add_metric([method, route, str(status)], n_requests)
        yield requests
        seconds = CounterMetricFamily(
            "llmeval_http_request_seconds",
            "Time that requests to this server took, streams included.",
            labels=["route"],
        )
        for route, elapsed_s in sorted(self._counts.seconds.items()):
            seconds.add_metric([route], elapsed_s)
        yield seconds


def _counter(name: str, documentation: str, value: float) -> Metric:
    return CounterMetricFamily(name, documentation, value=value)


def _outcomes(results: Iterable[TaskResult]) -> Counter[str]:
    """Count the samples of all results by outcome."""
    counts: Counter[str] = Counter()
    for result in results:
        outcomes = dict(result.outcomes) or {"failed": result.n_failed}
        counts.update(outcomes)
        counts[UNKNOWN_OUTCOME] += result.n_samples - sum(outcomes.values())
    return +counts
