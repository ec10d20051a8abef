"""The samples and the values of a task as tables that MLflow's UI can show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice

from llmeval_core.hooks import (
    Json,
    ReasoningFinder,
    ReasoningSplit,
    Sample,
    SampleResult,
    TaskResult,
    conversation_text,
    split_answers,
)
from llmeval_mlflow_tracker.coercion import as_number
from llmeval_mlflow_tracker.metric_values import MetricValue
from llmeval_mlflow_tracker.names import MAX_TAG, legal_key
from llmeval_mlflow_tracker.tags import TABLE

_MAX_CELL = 4000
_MAX_CONVERSATION = 16_000


def sample_table(
    samples: Iterable[SampleResult], *, max_rows: int, reasoning: ReasoningFinder | None = None
) -> tuple[dict[str, Json], bool]:
    """Return `{"columns": [...], "data": [[...], ...]}`, and whether rows were left out.

    One row a sample, in sample order; a long text is cut, with an ellipsis. The answer stands
    second, because MLflow compares tables of several runs by their second column. Reasoning has a
    column of its own if there is any, and so has the conversation of samples that took several
    requests, or have images or calls of tools; of a long one the middle is left out. Reads one
    sample more than the table takes, and no further.
    """
    finder = reasoning or ReasoningFinder()
    stream = iter(samples)
    rows = list(islice(stream, max_rows))
    parsed = {name: False for row in rows for name in row.scores}
    for row in rows:
        for name, score in row.scores.items():
            parsed[name] = parsed[name] or score.parsed is not None
    columns: list[Json] = ["id", "answer", "expected", "question", "category"]
    for name, has_parsed in sorted(parsed.items()):
        columns += [name, f"{name}: parsed"] if has_parsed else [name]
    answers = [_parted(row, finder) for row in rows]
    has_reasoning = any(answer.reasoning for answer in answers)
    conversations = [conversation_text(row, finder) for row in rows]
    has_conversations = any(text is not None for text in conversations)
    # A metric may be called "outcome", and no two columns may.
    columns.append("how it ended" if "outcome" in parsed else "outcome")
    columns += ["reasoning"] if has_reasoning else []
    if has_conversations:
        columns.append("all turns" if "conversation" in parsed else "conversation")
    columns.append("failure")
    data: list[Json] = []
    for row, answer, text in zip(rows, answers, conversations, strict=True):
        *cells, failure = _row(row, answer.answer, parsed)
        told: list[Json] = [_cut(answer.reasoning)] if has_reasoning else []
        if has_conversations:
            told.append(_without_middle(text or ""))
        data.append([*cells, row.outcome, *told, failure])
    return {"columns": columns, "data": data}, next(stream, None) is not None


def _row(result: SampleResult, answer: str, parsed: Mapping[str, bool]) -> list[Json]:
    """Return a sample's cells; `parsed` says for each metric whether it has a second column."""
    sample, generation = result.sample, result.generation
    cells: list[Json] = [
        sample.id,
        None if generation is None else _cut(answer),
        _cut(expected_of(sample)),
        _cut(sample.input_text),
        sample.category or "",
    ]
    for name, has_parsed in sorted(parsed.items()):
        score = result.scores.get(name)
        cells.append(None if score is None else score.value)
        if has_parsed:
            cells.append(None if score is None else _cut(score.parsed))
    cells.append(_cut(result.failure_text))
    return cells


def expected_of(sample: Sample) -> str:
    """Return the accepted answers, or the right choice, one a line."""
    if not sample.references and sample.answer is not None:
        return sample.choices[sample.answer]
    return "\n".join(sample.references)


def _parted(result: SampleResult, finder: ReasoningFinder) -> ReasoningSplit:
    """Return the first answer and its reasoning, or the likelihoods of the choices, one a line."""
    generation = result.generation
    if generation is None:
        return ReasoningSplit("", "")
    if generation.texts:
        return split_answers(generation, finder)[0]
    likelihoods = "\n".join(
        f"{one.logprob:.3f} {choice}"
        for one, choice in zip(generation.loglikelihoods, result.sample.choices, strict=False)
    )
    return ReasoningSplit(likelihoods, "")


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}…"


def _without_middle(text: str) -> str:
    """Leave of a long text how it begins and how it ends."""
    if len(text) <= _MAX_CONVERSATION:
        return text
    half = _MAX_CONVERSATION // 2
    return f"{text[:half]}\n…\n{text[-half:]}"


def score_table(result: TaskResult, table_only: Mapping[str, MetricValue]) -> dict[str, Json]:
    """Return the scores of a task as a table: those that are among the metrics, and the rest."""
    columns: list[Json] = [
        "score",
        "category",
        "value",
        "stderr",
        "n_scored",
        "n_failed",
        "definition",
        "a metric",
    ]
    data: list[Json] = [
        [
            metric.key,
            metric.category,
            as_number(metric.aggregate.value),
            as_number(metric.aggregate.stderr),
            metric.aggregate.n_scored,
            metric.aggregate.n_failed,
            metric.definition,
            table_only.get(legal_key(metric.key), MetricValue(None, None)).value is None,
        ]
        for metric in result.metrics
    ]
    return {"columns": columns, "data": data}


def logged_tables(listed: str, tags: Mapping[str, str]) -> str:
    """Return the value of the tag `mlflow.loggedArtifacts` with every table of ours.

    `listed` is the value so far, which may be empty or another tool's; if the tag is full, the
    oldest entries are dropped.
    """
    try:
        entries = json.loads(listed) if listed else []
    except ValueError:
        entries = []
    if not isinstance(entries, list):
        entries = []
    paths = [path for tag, path in sorted(tags.items()) if tag.startswith(TABLE)]
    ours = [{"path": path, "type": "table"} for path in paths]
    entries += [entry for entry in ours if entry not in entries]
    while len(text := json.dumps(entries, ensure_ascii=False)) > MAX_TAG:
        entries = entries[1:]
    return text
