"""What is said of a result beside its numbers: the run's tags."""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmeval_core.hooks import OUTCOMES, Json, TaskResult
from llmeval_mlflow_tracker.names import HIDDEN, MAX_KEY, MAX_TAG, legal_key, short_value
from llmeval_mlflow_tracker.scores import Score, Scores

NOTE_TAG = "mlflow.note.content"
TABLES_TAG = "mlflow.loggedArtifacts"
VERSION_TAG = "llmeval.version"
TABLE_ONLY = f"{HIDDEN}table_only."
TABLE = f"{HIDDEN}table."
PLAN = f"{HIDDEN}plan."
N_SAMPLES = f"{HIDDEN}n_samples."
N_FAILED = f"{HIDDEN}n_failed."
UNANSWERED = f"{HIDDEN}unanswered."
"""Of a task, how many samples ended otherwise than answered or failed: `3 truncated, 1 empty`."""
NONE_UNANSWERED = "none"
_MOST_IDS = 100


def result_tag(task: str) -> str:
    """Name the tag with the ids of a task's results, the newest first: all of it is there."""
    return legal_key(f"{HIDDEN}result.{task}")


def is_delivered(result: TaskResult, tags: Mapping[str, str]) -> bool:
    """Whether a run with these tags has all of a result."""
    return result.id in tags.get(result_tag(result.task), "").split()


def with_result(listed: str, result_id: str) -> str:
    """Return the value of a result tag with one more result; the oldest go when it is full."""
    return " ".join([result_id, *listed.split()[: _MOST_IDS - 1]])


def definition_tag(metric_key: str) -> str:
    """Name the tag that holds what exactly a metric computes; `metric_key` has no category."""
    return legal_key(f"{HIDDEN}definition.{metric_key}")


def not_number_tag(key: str) -> str:
    """Name the tag that holds what a metric has instead of a number."""
    return legal_key(f"llmeval.not_a_number.{key}")


def name_tag(key: str) -> str:
    """Name the tag that holds the original of a metric's key, which is legal already."""
    tag = f"{HIDDEN}name.{key}"
    return tag if len(tag) <= MAX_KEY else legal_key(tag)


def table_only_tag(task: str) -> str:
    """Name the tag that holds a task's scores that are not among the metrics."""
    return legal_key(TABLE_ONLY + task)


def table_tag(task: str) -> str:
    """Name the tag that holds the path of a task's sample table."""
    return legal_key(TABLE + task)


def plan_tag(task: str) -> str:
    """Name the tag that holds the fingerprint of the plan that a task's newest result is from."""
    return legal_key(PLAN + task)


def text_tag(digest: str) -> str:
    """Name the tag that holds the path of the whole of a text that ends in this digest."""
    return f"llmeval.text.{digest}"


def result_tags(result: TaskResult, scores: Scores) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tags of one result, without the one that proves delivery.

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
    legal |= {not_number_tag(key): text for key, text in scores.not_numbers.items()}
    legal |= {name_tag(key): original for key, original in scores.names.items()}
    long = {}
    for key, value in legal.items():
        short, digest = short_value(value, MAX_TAG)
        legal[key] = short
        if digest is not None:
            long[digest] = value
    return legal, long


def _unanswered(result: TaskResult) -> str:
    told = [
        f"{result.outcomes[outcome]} {outcome}"
        for outcome in OUTCOMES
        if outcome not in ("answered", "failed") and result.outcomes.get(outcome)
    ]
    return ", ".join(told) or NONE_UNANSWERED


def write_table_only(scores: Mapping[str, Score]) -> str:
    """Return the value of a table-only tag; what does not fit is in the artifact alone."""
    kept = {key: [score.value, score.stderr] for key, score in scores.items()}
    while len(text := json.dumps(kept, ensure_ascii=False)) > MAX_TAG:
        kept = dict(list(kept.items())[: len(kept) // 2])
    return text


def read_table_only(tags: Mapping[str, str]) -> dict[str, Score]:
    """Read what the table-only tags of a run hold, by metric key; what is not ours is skipped."""
    found: dict[str, Score] = {}
    for tag, text in tags.items():
        if tag.startswith(TABLE_ONLY):
            try:
                found |= {
                    key: Score(value, error) for key, (value, error) in json.loads(text).items()
                }
            except (ValueError, TypeError, AttributeError):
                continue
    return found


def read_object(text: str) -> dict[str, Json]:
    """Read a tag that holds a JSON object; empty if it is not ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
