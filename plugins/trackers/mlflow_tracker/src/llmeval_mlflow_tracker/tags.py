"""The tags of a run: what is known of its results besides their numbers.

The keys are those of runs that exist already: a constant may be renamed, its value may not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmeval_core.hooks import OUTCOMES, Json, TaskResult
from llmeval_mlflow_tracker.metric_values import MetricValue, MetricValues
from llmeval_mlflow_tracker.names import HIDDEN, MAX_KEY, MAX_TAG, legal_key, short_value

DESCRIPTION_TAG = "mlflow.note.content"
TABLES_TAG = "mlflow.loggedArtifacts"
VERSION_TAG = "llmeval.version"
TABLE_ONLY = f"{HIDDEN}table_only."
TABLE = f"{HIDDEN}table."
PLAN = f"{HIDDEN}plan."
N_SAMPLES = f"{HIDDEN}n_samples."
N_FAILED = f"{HIDDEN}n_failed."
UNANSWERED = f"{HIDDEN}unanswered."
"""Of a task, how many samples were neither answered nor failed: `3 truncated, 1 empty`."""
NONE_UNANSWERED = "none"
_MAX_IDS = 100


def idempotency_tag(task: str) -> str:
    """Return the key of a task's idempotency tag: the ids of its results, the newest first.

    It is written last: a result whose id is in it is on the run as a whole.
    """
    return legal_key(f"{HIDDEN}result.{task}")


def is_delivered(result: TaskResult, tags: Mapping[str, str]) -> bool:
    """Whether a run with these tags has a result as a whole."""
    return result.id in tags.get(idempotency_tag(result.task), "").split()


def with_result(listed: str, result_id: str) -> str:
    """Return the value of an idempotency tag with one more result; the oldest are dropped."""
    return " ".join([result_id, *listed.split()[: _MAX_IDS - 1]])


def definition_tag(metric_key: str) -> str:
    """Return the key of the tag with a metric's definition; `metric_key` has no category."""
    return legal_key(f"{HIDDEN}definition.{metric_key}")


def not_number_tag(key: str) -> str:
    """Return the key of the tag with what a metric has instead of a number."""
    return legal_key(f"llmeval.not_a_number.{key}")


def name_tag(key: str) -> str:
    """Return the key of the tag with the original of a metric's key, which is legal already."""
    tag = f"{HIDDEN}name.{key}"
    return tag if len(tag) <= MAX_KEY else legal_key(tag)


def table_only_tag(task: str) -> str:
    """Return the key of the tag with a task's scores that are not among the metrics."""
    return legal_key(TABLE_ONLY + task)


def table_tag(task: str) -> str:
    """Return the key of the tag with the path of a task's sample table."""
    return legal_key(TABLE + task)


def plan_tag(task: str) -> str:
    """Return the key of the tag with the fingerprint of the plan of a task's newest result."""
    return legal_key(PLAN + task)


def text_tag(digest: str) -> str:
    """Return the key of the tag with the path of the whole text that was cut at this digest."""
    return f"llmeval.text.{digest}"


def result_tags(result: TaskResult, values: MetricValues) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tags of one result, without the idempotency tag.

    Returns:
        The tags, and the whole of each value that was too long for a tag, by its digest.
    """
    tags = {
        VERSION_TAG: result.llmeval_version,
        N_SAMPLES + result.task: str(result.n_samples),
        N_FAILED + result.task: str(result.n_failed),
        f"{HIDDEN}task_fingerprint.{result.task}": result.task_fingerprint,
    }
    if result.outcomes:
        tags[UNANSWERED + result.task] = _unanswered(result)
    legal = {legal_key(key): value for key, value in tags.items()}
    for metric in result.metrics:
        if metric.category is None:
            legal[definition_tag(metric.key)] = metric.definition
    legal |= {not_number_tag(key): text for key, text in values.not_numbers.items()}
    legal |= {name_tag(key): original for key, original in values.names.items()}
    long = {}
    for key, value in legal.items():
        short, digest = short_value(value, MAX_TAG)
        legal[key] = short
        if digest is not None:
            long[digest] = value
    return legal, long


def _unanswered(result: TaskResult) -> str:
    counts = [
        f"{result.outcomes[outcome]} {outcome}"
        for outcome in OUTCOMES
        if outcome not in ("answered", "failed") and result.outcomes.get(outcome)
    ]
    return ", ".join(counts) or NONE_UNANSWERED


def write_table_only(scores: Mapping[str, MetricValue]) -> str:
    """Return the value of a table-only tag; what does not fit is in the artifact alone."""
    kept = {key: [score.value, score.stderr] for key, score in scores.items()}
    while len(text := json.dumps(kept, ensure_ascii=False)) > MAX_TAG:
        kept = dict(list(kept.items())[: len(kept) // 2])
    return text


def read_table_only(tags: Mapping[str, str]) -> dict[str, MetricValue]:
    """Read what the table-only tags of a run hold, by metric key; foreign content is skipped."""
    found: dict[str, MetricValue] = {}
    for tag, text in tags.items():
        if tag.startswith(TABLE_ONLY):
            try:
                found |= {
                    key: MetricValue(value, error)
                    for key, (value, error) in json.loads(text).items()
                }
            except (ValueError, TypeError, AttributeError):
                continue
    return found


def read_object(text: str) -> dict[str, Json]:
    """Read a tag with a JSON object; empty if it is not ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
