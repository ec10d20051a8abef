"""Bringing one result to a model's run: one read, one write, and the same again changes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import islice
from typing import Any

from llmeval_core.hooks import LlmevalError, RunInfo, TaskResult
from llmeval_mlflow_tracker.artifacts import ArtifactStore, ResultFiles, Uploads
from llmeval_mlflow_tracker.batches import batches
from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.intervals import scored_tags
from llmeval_mlflow_tracker.names import MAX_PARAM, MAX_RUN_NAME, short_value
from llmeval_mlflow_tracker.overwrite import (
    Point,
    landed_before,
    latest_points,
    next_points,
    suspects,
)
from llmeval_mlflow_tracker.refusals import RefusedError
from llmeval_mlflow_tracker.scores import Scores, scores_of
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.settling import shared_tags
from llmeval_mlflow_tracker.standing import standing_tags
from llmeval_mlflow_tracker.tags import (
    is_delivered,
    not_number_tag,
    result_tag,
    result_tags,
    table_only_tag,
    with_result,
    write_table_only,
)
from llmeval_mlflow_tracker.traces import forget_traces, send_traces, traces_tag
from llmeval_mlflow_tracker.wire import metric_entities, tag_entities
from llmeval_mlflow_tracker.withdrawal import withdrawn

_MAX_DIGEST = 36
_MAX_NAME = 500


@dataclass(frozen=True, slots=True)
class Delivery:
    """One result on its way to one run.

    Args:
        session: how to ask MLflow.
        settings: the tracker's.
        info: gives the result's samples and plan.
        store: what is known of the place for artifacts.
        result: the result.
    """

    session: Session
    settings: MlflowSettings
    info: RunInfo
    store: ArtifactStore
    result: TaskResult

    def bring(self, run: Any) -> list[str]:
        """Write the result to a run that was read a moment ago; return what the user should know.

        MLflow writes a batch as params, metrics, tags, each for itself, so a crash can leave
        metrics without tags. The tag with the result's id comes last: without it everything is
        written again, and points that are there already stay as they are.

        Any: mlflow's run.

        Raises:
            RefusedError: MLflow refused; `gone` if the run is deleted.
        """
        if run.info.lifecycle_stage != "active":
            raise RefusedError("gone", f"run {run.info.run_id} is deleted")
        proof, tags = result_tag(self.result.task), run.data.tags
        landed = tags.get(proof, "")
        if is_delivered(self.result, tags):
            return []
        latest = latest_points(run)
        scores = scores_of(
            self.result,
            stderr=self.settings.stderr,
            known=latest,
            max_metrics=self.settings.max_metrics,
            outcomes=self.settings.outcomes,
        )
        taken_back = withdrawn(self.result, scores.metrics, latest, tags)
        points = next_points(
            scores.metrics | taken_back,
            latest,
            timestamp_ms=round(self.result.finished_at * 1000),
        )
        if self._is_overtaken(run, points, latest):
            return []
        words, long_texts = self._words(run, scores)
        if self.store.in_trouble:
            self._write(run, points, words)
        files = ResultFiles(
            self.info, self.result, scores, long_texts, self.settings.max_table_rows
        )
        uploads = files.upload(self.session, run, self.store)
        self._store_input(run)
        healed = [tag for key in scores.metrics if (tag := not_number_tag(key)) in tags]
        for tag in healed:
            self.session.call("delete_tag", str(run.info.run_id), tag)
        words |= uploads.tags
        words |= shared_tags(
            latest | points, {**{k: v for k, v in tags.items() if k not in healed}, **words}
        )
        notes = [*_about(scores, self.settings.max_metrics), *uploads.notes]
        if self.settings.traces and not uploads.trouble:
            self._write(run, points, words)  # first, because traces may take all the time there is
            points = {}
            words, notes = self._trace(run, notes)
        self._finish(run, points, words, uploads, {proof: with_result(landed, self.result.id)})
        return notes

    def _trace(self, run: Any, notes: list[str]) -> tuple[dict[str, str], list[str]]:
        """Send the samples' traces; without them the result is delivered all the same."""
        tag = traces_tag(self.result.task)
        try:
            samples = islice(self.info.samples(self.result), self.settings.traces)
            told = send_traces(self.session, run, self.result, samples)
            forget_traces(self.session, run, run.data.tags.get(tag, ""), kept=told)
        except LlmevalError as err:
            if isinstance(err, RefusedError) and err.kind == "gone":
                raise
            return {}, [*notes, f"traces of {self.result.task} are missing: {err.what}"]
        return {tag: told}, notes

    def _words(self, run: Any, scores: Scores) -> tuple[dict[str, str], dict[str, str]]:
        """Return the result's tags, and the whole of each text that is too long for its place."""
        words, long_texts = result_tags(self.result, scores)
        words |= standing_tags(self.result, run.data.tags)
        words |= scored_tags(self.result, run.data.tags)
        table_only = table_only_tag(self.result.task)
        if scores.table_only or table_only in run.data.tags:
            words[table_only] = write_table_only(scores.table_only)
        for limit in (MAX_PARAM, MAX_RUN_NAME):
            _, digest = short_value(self.result.model, limit)
            if digest is not None:
                long_texts[digest] = self.result.model
        return words, long_texts

    def _finish(
        self,
        run: Any,
        points: dict[str, Point],
        words: dict[str, str],
        uploads: Uploads,
        proof: dict[str, str],
    ) -> None:
        """Write numbers and tags, the proof only if nothing has to come again."""
        self._write(run, points, words if uploads.trouble else words | proof)
        if uploads.trouble:
            raise uploads.trouble
        if run.info.status != "FINISHED":
            self.session.call("set_terminated", str(run.info.run_id), status="FINISHED")

    def _is_overtaken(self, run: Any, points: dict[str, Point], latest: dict[str, Point]) -> bool:
        """Tell whether this is the replay of a result that has a newer one on top by now."""
        for key in suspects(points, latest)[:1]:
            history = self.session.call("get_metric_history", str(run.info.run_id), key)
            point = points[key]
            past = (Point(m.value, m.timestamp, m.step) for m in history)
            return landed_before(point.value, point.timestamp_ms, past)
        return False

    def _store_input(self, run: Any) -> None:
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

    def _write(self, run: Any, points: dict[str, Point], tags: dict[str, str]) -> None:
        """Write numbers, and the tags that the run has not or has otherwise."""
        tags = {key: text for key, text in tags.items() if run.data.tags.get(key) != text}
        for some_points, some_tags in batches(points, tags):
            self.session.call(
                "log_batch",
                str(run.info.run_id),
                metrics=metric_entities(self.session, some_points.items()),
                tags=tag_entities(self.session, some_tags),
                synchronous=True,
            )


def _about(scores: Scores, max_metrics: int | None) -> list[str]:
    """Say what did not become a metric."""
    notes = []
    if scores.not_numbers:
        listed = [
            f"{scores.names.get(key, key)}: {text[:100]}"
            for key, text in scores.not_numbers.items()
        ]
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        notes.append(f"not a number, so tags and not metrics: {', '.join(listed[:5])}{more}")
    n_left_out = sum(score.value is not None for score in scores.table_only.values())
    if n_left_out:
        notes.append(
            f"{n_left_out} scores are in the tables only: "
            f"the run has its {max_metrics} metrics (setting max_metrics)"
        )
    return notes
