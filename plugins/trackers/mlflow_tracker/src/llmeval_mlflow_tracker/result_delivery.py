"""The delivery of one result to its model's run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import islice
from typing import Any

from llmeval_core.hooks import LlmevalError, RunInfo, TaskResult
from llmeval_mlflow_tracker.artifacts import ArtifactStoreState, ResultFiles, Uploads
from llmeval_mlflow_tracker.completeness_tags import coverage_tags
from llmeval_mlflow_tracker.entities import metric_entities, tag_entities
from llmeval_mlflow_tracker.intervals import spread_tags
from llmeval_mlflow_tracker.log_batches import log_batches
from llmeval_mlflow_tracker.metric_points import (
    MetricPoint,
    latest_points,
    next_points,
    possibly_overtaken,
    was_applied,
)
from llmeval_mlflow_tracker.metric_values import MetricValues, metric_values_of
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError
from llmeval_mlflow_tracker.names import MAX_PARAM, MAX_RUN_NAME, short_value
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.shared_tags import expected_shared_tags
from llmeval_mlflow_tracker.tags import (
    idempotency_tag,
    is_delivered,
    not_number_tag,
    result_tags,
    table_only_tag,
    with_result,
    write_table_only,
)
from llmeval_mlflow_tracker.traces import delete_traces, send_traces, traces_tag
from llmeval_mlflow_tracker.withdrawal import withdrawn

_MAX_DIGEST = 36
_MAX_NAME = 500


@dataclass(frozen=True, slots=True)
class ResultDelivery:
    """Writes one result to one run: one read, one write, and repeating it changes nothing.

    MLflow writes a batch as params, metrics and tags, each for itself, so a crash can leave metrics
    without tags. The idempotency tag comes last: without it everything is written again, and points
    that are there already stay as they are.

    Args:
        session: to MLflow.
        settings: the tracker's.
        info: gives the result's samples and plan.
        store: what is known of the store for artifacts.
        result: the result.
    """

    session: DeadlineSession
    settings: MlflowSettings
    info: RunInfo
    store: ArtifactStoreState
    result: TaskResult

    def deliver(self, run: Any) -> list[str]:
        """Write the result to a run that was read a moment ago; return what the user should know.

        Any: mlflow's run.

        Raises:
            MlflowError: MLflow refused; `gone` if the run is deleted.
        """
        if run.info.lifecycle_stage != "active":
            raise MlflowError("gone", f"run {run.info.run_id} is deleted")
        if is_delivered(self.result, run.data.tags):
            return []
        latest = latest_points(run)
        values = metric_values_of(
            self.result,
            stderr=self.settings.stderr,
            known=latest,
            max_metrics=self.settings.max_metrics,
            outcomes=self.settings.outcomes,
        )
        points = self._points(run, values, latest)
        if self._is_overtaken(run, points, latest):
            return []
        tags, long_texts = self._tags(run, values)
        if self.store.is_failing:
            self._log(run, points, tags)
        files = ResultFiles(
            self.info, self.result, values, long_texts, self.settings.max_table_rows
        )
        uploads = files.upload(self.session, run, self.store)
        self._log_dataset(run)
        kept = self._without_stale_tags(run, values)
        tags |= uploads.tags
        tags |= expected_shared_tags(latest | points, {**kept, **tags})
        notes = [*_not_metrics(values, self.settings.max_metrics), *uploads.notes]
        if self.settings.traces and uploads.retry_error is None:
            self._log(run, points, tags)  # first, because traces may take all the time there is
            points = {}
            tags, notes = self._send_traces(run, notes)
        self._finish(run, points, tags, uploads)
        return notes

    def _points(
        self, run: Any, values: MetricValues, latest: dict[str, MetricPoint]
    ) -> dict[str, MetricPoint]:
        """Return the points to write; NaN for what the result withdraws."""
        withdrawals = withdrawn(self.result, values.metrics, latest, run.data.tags)
        return next_points(
            values.metrics | withdrawals,
            latest,
            timestamp_ms=round(self.result.finished_at * 1000),
        )

    def _send_traces(self, run: Any, notes: list[str]) -> tuple[dict[str, str], list[str]]:
        """Send the samples' traces; the result is delivered even if that fails."""
        tag = traces_tag(self.result.task)
        try:
            samples = islice(self.info.samples(self.result), self.settings.traces)
            sent = send_traces(self.session, run, self.result, samples)
            delete_traces(self.session, run, run.data.tags.get(tag, ""), kept=sent)
        except LlmevalError as err:
            if isinstance(err, MlflowError) and err.kind == "gone":
                raise
            return {}, [*notes, f"traces of {self.result.task} are missing: {err.what}"]
        return {tag: sent}, notes

    def _tags(self, run: Any, values: MetricValues) -> tuple[dict[str, str], dict[str, str]]:
        """Return the result's tags, and the whole of each text that MLflow has no room for."""
        tags, long_texts = result_tags(self.result, values)
        tags |= coverage_tags(self.result, run.data.tags)
        tags |= spread_tags(self.result, run.data.tags)
        table_only = table_only_tag(self.result.task)
        if values.table_only or table_only in run.data.tags:
            tags[table_only] = write_table_only(values.table_only)
        for limit in (MAX_PARAM, MAX_RUN_NAME):
            _, digest = short_value(self.result.model, limit)
            if digest is not None:
                long_texts[digest] = self.result.model
        return tags, long_texts

    def _without_stale_tags(self, run: Any, values: MetricValues) -> dict[str, str]:
        """Delete the tags of metrics that had no number and have one now; return the others."""
        tags: dict[str, str] = dict(run.data.tags)
        stale = [tag for key in values.metrics if (tag := not_number_tag(key)) in tags]
        for tag in stale:
            self.session.call("delete_tag", str(run.info.run_id), tag)
            del tags[tag]
        return tags

    def _finish(
        self, run: Any, points: dict[str, MetricPoint], tags: dict[str, str], uploads: Uploads
    ) -> None:
        """Write points and tags; the idempotency tag only if the result is there as a whole."""
        if uploads.retry_error is not None:
            self._log(run, points, tags)
            raise uploads.retry_error
        key = idempotency_tag(self.result.task)
        delivered = with_result(run.data.tags.get(key, ""), self.result.id)
        self._log(run, points, tags | {key: delivered})
        if run.info.status != "FINISHED":
            self.session.call("set_terminated", str(run.info.run_id), status="FINISHED")

    def _is_overtaken(
        self, run: Any, points: dict[str, MetricPoint], latest: dict[str, MetricPoint]
    ) -> bool:
        """Whether this is the replay of a result that a newer one has replaced."""
        for key in possibly_overtaken(points, latest)[:1]:
            history = self.session.call("get_metric_history", str(run.info.run_id), key)
            point = points[key]
            past = (MetricPoint(m.value, m.timestamp, m.step) for m in history)
            return was_applied(point.value, point.timestamp_ms, past)
        return False

    def _log_dataset(self, run: Any) -> None:
        make = self.session.connection.entities
        name, _ = short_value(self.result.dataset, _MAX_NAME)
        digest = self.result.dataset_fingerprint
        if len(digest) > _MAX_DIGEST:
            digest = hashlib.blake2b(digest.encode(), digest_size=16).hexdigest()
        known = {(i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs}
        if (name, digest) not in known:
            dataset = make.Dataset(
                name,
                digest,
                source_type="llmeval",
                source=name,
                profile=json.dumps({"num_rows": self.result.n_samples}),
            )
            tags = [make.InputTag("mlflow.data.context", "evaluation")]
            self.session.call(
                "log_inputs",
                str(run.info.run_id),
                datasets=[make.DatasetInput(dataset, tags=tags)],
            )

    def _log(self, run: Any, points: dict[str, MetricPoint], tags: dict[str, str]) -> None:
        """Write points, and the tags that the run lacks or has with another value."""
        tags = {key: text for key, text in tags.items() if run.data.tags.get(key) != text}
        for some_points, some_tags in log_batches(points, tags):
            self.session.call(
                "log_batch",
                str(run.info.run_id),
                metrics=metric_entities(self.session, some_points.items()),
                tags=tag_entities(self.session, some_tags),
                synchronous=True,
            )


def _not_metrics(values: MetricValues, max_metrics: int | None) -> list[str]:
    """Say which values did not become metrics."""
    notes = []
    if values.not_numbers:
        listed = [
            f"{values.names.get(key, key)}: {text[:100]}"
            for key, text in values.not_numbers.items()
        ]
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        notes.append(f"not a number, so tags and not metrics: {', '.join(listed[:5])}{more}")
    n_left_out = sum(score.value is not None for score in values.table_only.values())
    if n_left_out:
        notes.append(
            f"{n_left_out} scores are in the tables only: "
            f"the run has its {max_metrics} metrics (setting max_metrics)"
        )
    return notes
