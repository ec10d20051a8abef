"""Between records and rows of the journal."""

from __future__ import annotations

import functools
import json
import re
from math import isfinite
from typing import Any

from llmeval_core.journal.texts import text_list, to_texts
from llmeval_core.records import (
    Failure,
    Generation,
    GenerationSettings,
    Loglikelihood,
    Message,
    Request,
    Sample,
    SampleResult,
    StopReason,
    stop_reason,
)
from llmeval_core.tokens import MOST_TOKENS

Row = tuple[Any, ...]  # Any: SQLite columns

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_HALVES = re.compile("[\ud800-\udfff]")

INSERT_GENERATIONS = "INSERT INTO generations"
INSERT_SAMPLES = "INSERT OR REPLACE INTO samples"
INSERT_SCORES = "INSERT OR REPLACE INTO sample_scores"

GENERATION_COLUMNS = (
    "texts, loglikelihoods, finish_reason, n_prompt_tokens, n_completion_tokens, latency_s,"
    " served_by, stop_reasons, reasonings, n_reasoning_tokens, refusal, not_sent"
)
REQUEST_COLUMNS = "mode, generations.messages, prompt, continuations"
N_REQUEST_COLUMNS = 4
N_GENERATION_COLUMNS = 12
UNLESS_ANSWERED = (
    " ON CONFLICT (fingerprint) DO UPDATE SET (mode, messages, prompt, continuations, "
    f"{GENERATION_COLUMNS}, finished_at) = (excluded.mode, excluded.messages, excluded.prompt, "
    "excluded.continuations, "
    + ", ".join([f"excluded.{name.strip()}" for name in GENERATION_COLUMNS.split(",")])
    + ", excluded.finished_at) WHERE generations.texts = '[]'"
    " AND ifnull(generations.loglikelihoods, 'N') GLOB '*[NI]*'"
)
"""What becomes of a second answer to one request: the first stays, unless it was none. Earlier
versions could keep log-likelihoods that are no numbers, which JSON spells NaN and Infinity."""
SAMPLE_COLUMNS = "sample_id, input, reference_texts, choices, answer, category, samples.messages"
N_SAMPLE_COLUMNS = 7


def generation_row(request: Request, generation: Generation, finished_at: float) -> Row:
    """Make the row of an answered request."""
    likelihoods = generation.loglikelihoods
    return (
        bytes.fromhex(request.fingerprint),
        request.mode,
        _encode([[m.role, m.content] for m in request.messages]) if request.messages else None,
        request.prompt or None,
        text_list(request.continuations) if request.continuations else None,
        text_list(generation.texts),
        _encode([[x.logprob, x.n_tokens, x.is_greedy] for x in likelihoods])
        if likelihoods
        else None,
        generation.finish_reason,
        generation.n_prompt_tokens,
        generation.n_completion_tokens,
        generation.latency_s,
        generation.served_by,
        finished_at,
        _reasons(generation.stop_reasons) if generation.stop_reasons else None,
        text_list(generation.reasonings) if generation.reasonings else None,
        generation.n_reasoning_tokens,
        generation.refusal,
        ",".join(generation.not_sent) or None,
    )


@functools.lru_cache(maxsize=64)
def _reasons(stop_reasons: tuple[StopReason, ...]) -> str:
    """Write stop reasons; nearly all answers have the same."""
    return text_list(stop_reasons)


def sample_columns(sample: Sample) -> Row:
    """Make `SAMPLE_COLUMNS`."""
    text, turns = "", None
    if isinstance(sample.input, str):
        text = sample.input
    else:
        turns = _encode([[turn.role, turn.content] for turn in sample.input])
    return (
        sample.id,
        text,
        text_list(sample.references) if sample.references else None,
        text_list(sample.choices) if sample.choices else None,
        sample.answer,
        sample.category,
        turns,
    )


def sample_row(task_id: int, result: SampleResult, request: bytes | None) -> Row:
    """Make the row of a finished sample with its request's fingerprint; metadata is not kept."""
    sample, failure = result.sample, result.failure
    *columns, turns = sample_columns(sample)
    return (
        task_id,
        result.index,
        *columns,
        request,
        failure.kind if failure else None,
        failure.message if failure else None,
        result.outcome,
        turns,
    )


def writable(row: Row) -> Row:
    """Put U+FFFD for halves of surrogate pairs: a model can answer them, UTF-8 cannot say them."""
    return tuple(_HALVES.sub("\ufffd", cell) if isinstance(cell, str) else cell for cell in row)


def to_generation(row: Row) -> Generation:
    """Read `GENERATION_COLUMNS`.

    What an earlier version kept and should not have (half a token, a log-likelihood that is no
    number) is unknown, or not there.
    """
    texts, likelihoods, finish_reason, n_prompt, n_completion, latency_s, served_by, *newer = row
    stop_reasons, reasonings, n_reasoning_tokens, refusal, not_sent = newer
    return Generation(
        to_texts(texts),
        _to_likelihoods(likelihoods) if likelihoods else (),
        finish_reason if isinstance(finish_reason, str) else None,
        _to_count(n_prompt),
        _to_count(n_completion),
        latency_s if isinstance(latency_s, float) else 0.0,
        served_by if isinstance(served_by, str) else None,
        stop_reasons=tuple([stop_reason(word) for word in to_texts(stop_reasons)]),
        reasonings=to_texts(reasonings),
        n_reasoning_tokens=_to_count(n_reasoning_tokens),
        refusal=refusal if isinstance(refusal, str) else None,
        not_sent=tuple(not_sent.split(",")) if not_sent else (),
    )


def is_answer(generation: Generation) -> bool:
    """Whether something was answered: a row of an earlier version may hold nothing usable."""
    return bool(generation.texts or generation.loglikelihoods)


def known_count(column: str) -> str:
    """Write the SQL for a number of tokens; NULL for what is none, such as 0.5 or -1."""
    return (
        f"CASE WHEN typeof({column}) = 'integer' AND {column} BETWEEN 0 AND {MOST_TOKENS}"
        f" THEN {column} END"
    )


def _to_count(cell: object) -> int | None:
    """Read a number of tokens; None for what is none."""
    return cell if isinstance(cell, int) and 0 <= cell <= MOST_TOKENS else None


def _to_likelihoods(cell: str) -> tuple[Loglikelihood, ...]:
    """Read log-likelihoods; nothing if one is no number."""
    found = tuple([Loglikelihood(*item) for item in json.loads(cell)])
    return found if all(isfinite(item.logprob) for item in found) else ()


def to_request(row: Row, *, sample_id: str, fingerprint: bytes) -> Request:
    """Read `REQUEST_COLUMNS`; the generation settings are the task's and are not repeated."""
    mode, messages, prompt, continuations = row
    return Request(
        sample_id=sample_id,
        mode=mode,
        messages=tuple(Message(*item) for item in json.loads(messages or "[]")),
        prompt=prompt or "",
        continuations=to_texts(continuations),
        settings=GenerationSettings(),
        fingerprint=fingerprint.hex(),
    )


def to_sample(row: Row) -> Sample:
    """Read `SAMPLE_COLUMNS`."""
    sample_id, text, references, choices, answer, category, turns = row
    return Sample(
        id=sample_id,
        input=tuple([Message(*turn) for turn in json.loads(turns)]) if turns else text,
        references=to_texts(references),
        choices=to_texts(choices),
        answer=answer,
        category=category,
    )


def to_failure(kind: Any, message: Any) -> Failure | None:
    """Read the two failure columns."""
    return Failure(kind, message) if kind is not None else None
