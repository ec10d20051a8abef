"""The files of a result: samples, scores, the plan, and texts too long for their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmeval_core.hooks import Json, LlmevalError, RunInfo, TaskResult, reasoning_finder
from llmeval_mlflow_tracker.metric_values import MetricValues
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError
from llmeval_mlflow_tracker.names import file_name
from llmeval_mlflow_tracker.table import sample_table, score_table
from llmeval_mlflow_tracker.tags import PLAN, plan_tag, table_tag, text_tag


@dataclass(slots=True)
class ArtifactStoreState:
    """Whether the store for artifacts works; it need not be MLflow's server.

    Args:
        is_failing: whether the last upload failed or did not end; then the numbers are written
            before the next one.
    """

    is_failing: bool = False


@dataclass(frozen=True, slots=True)
class Uploads:
    """The outcome of uploading a result's files.

    Args:
        tags: the run's tags with their paths.
        notes: what the user should know.
        retry_error: why the result has to be delivered again; None if it need not.
    """

    tags: dict[str, str]
    notes: list[str]
    retry_error: MlflowError | None


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """The files of one result.

    Args:
        info: gives samples and plan.
        result: the result.
        values: its values as metrics.
        long_texts: whole texts by digest.
        max_rows: samples in the table.
    """

    info: RunInfo
    result: TaskResult
    values: MetricValues
    long_texts: Mapping[str, str]
    max_rows: int

    def upload(self, session: DeadlineSession, run: Any, store: ArtifactStoreState) -> Uploads:
        """Upload what the run lacks; a store that refuses does not stop the delivery.

        Any: mlflow's run.

        Raises:
            MlflowError: `gone`, if the run is deleted.
        """
        uploads = Uploads({}, [], None)
        for make in self._files(run):
            try:
                file = make(uploads)
                if file is None:
                    continue
                method, content, path = file
                store.is_failing = True
                session.call(method, str(run.info.run_id), content, path)
                store.is_failing = False
            except MlflowError as err:
                if err.kind == "gone":
                    raise
                if err.kind == "transient":
                    return Uploads(uploads.tags, uploads.notes, err)
                store.is_failing = False
                uploads.notes.append(f"artifacts of {self.result.task}: {err.what}")
            except LlmevalError as err:
                uploads.notes.append(f"artifacts of {self.result.task}: {err.what}")
        return uploads

    def _files(self, run: Any) -> Iterator[Callable[[Uploads], _File | None]]:
        if self.max_rows:
            yield self._samples
        if self.values.table_only:
            yield self._scores
        known_plans = {text for tag, text in run.data.tags.items() if tag.startswith(PLAN)}
        if self.result.plan_fingerprint not in known_plans:
            yield self._plan
        for digest, text in self.long_texts.items():
            if text_tag(digest) not in run.data.tags:
                yield partial(_text, digest, text)

    def _samples(self, uploads: Uploads) -> _File:
        path = file_name(self.result.task, ".json")
        samples = self.info.samples(self.result)
        table, is_cut = sample_table(
            samples, max_rows=self.max_rows, reasoning=reasoning_finder(self.result.settings)
        )
        uploads.tags[table_tag(self.result.task)] = path
        if is_cut:
            uploads.notes.append(
                f"{path} has the first {self.max_rows} of {self.result.n_samples} samples"
            )
        return "log_dict", table, path

    def _scores(self, uploads: Uploads) -> _File:
        path = file_name(self.result.task, ".scores.json")
        uploads.tags[table_tag(f"{self.result.task}.scores")] = path
        return "log_dict", score_table(self.result, self.values.table_only), path

    def _plan(self, uploads: Uploads) -> _File | None:
        plan = self.info.plan(self.result)
        if not plan:
            return None
        fingerprint = self.result.plan_fingerprint
        uploads.tags[plan_tag(self.result.task)] = fingerprint
        return "log_dict", dict(plan), f"plans/{file_name(fingerprint, '.json')}"


def _text(digest: str, text: str, uploads: Uploads) -> _File:
    path = f"texts/{digest}.txt"
    uploads.tags[text_tag(digest)] = path
    writable = text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is not
    return "log_text", writable, path


_File = tuple[str, dict[str, Json] | str, str]  # the client's method, the content, the path
