"""Between requests, their answers, and their rows in the journal."""

from __future__ import annotations

import functools
import json
import re
from math import isfinite
from typing import Any, NamedTuple

from llmeval_core.journal.message_rows import (
    MessageReader,
    call_cell,
    extras_cell,
    message_cell,
    to_calls,
    to_extras,
)
from llmeval_core.journal.text_lists import text_list, to_texts
from llmeval_core.records import (
    Generation,
    GenerationSettings,
    Loglikelihood,
    Request,
    StopReason,
    stop_reason,
)
from llmeval_core.tokens import MOST_TOKENS

Row = tuple[Any, ...]  # Any: SQLite columns

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_SETTINGS_NOT_KEPT = GenerationSettings()  # one for all: making it takes longer than the rest
_HALVES = re.compile("[\ud800-\udfff]")


class TurnColumns(NamedTuple):
    """Whom a sample asked, and what, in `turns`."""

    role: str
    generation: bytes


class RequestColumns(NamedTuple):
    """What was asked, in `generations`."""

    mode: Any  # Any: a `Mode`, which SQLite does not know
    messages: str | None
    prompt: str | None
    continuations: str | None
    extras: str | None
    parent: bytes | None


class GenerationColumns(NamedTuple):
    """What was answered, in `generations`; Any: earlier versions kept what is no such value."""

    texts: str
    loglikelihoods: str | None
    finish_reason: Any
    n_prompt_tokens: Any
    n_completion_tokens: Any
    latency_s: Any
    served_by: Any
    stop_reasons: str | None
    reasonings: str | None
    n_reasoning_tokens: Any
    refusal: Any
    not_sent: str | None
    tool_calls: str | None


# Rows are inserted whole, without naming columns: an older llmeval that is still at work on a
# journal with new columns then fails, and writes no row that lacks them.
INSERT_GENERATIONS = "INSERT INTO generations"
INSERT_SCORES = "INSERT OR REPLACE INTO sample_scores"

_ANSWER_COLUMNS = (*RequestColumns._fields, *GenerationColumns._fields, "finished_at")
REPLACE_ANSWER = " ON CONFLICT (fingerprint) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _ANSWER_COLUMNS
)
"""What becomes of a second answer to one request: it takes the place of the first."""
UNLESS_ANSWERED = (
    f"{REPLACE_ANSWER} WHERE generations.texts = '[]'"
    " AND ifnull(generations.loglikelihoods, 'N') GLOB '*[NI]*'"
)
"""What becomes of a second answer to one request: the first stays, unless it was none. Earlier
versions could keep log-likelihoods that are no numbers, which JSON spells NaN and Infinity."""


def generation_row(
    request: Request,
    generation: Generation,
    finished_at: float,
    *,
    parent: Request | None = None,
) -> Row:
    """Make the row of an answered request.

    Args:
        request, generation: what was asked, and answered.
        finished_at: when, seconds since 1970.
        parent: an earlier request in the journal, with whose messages it begins; None for none.
    """
    likelihoods = generation.loglikelihoods
    messages = request.messages if parent is None else request.messages[len(parent.messages) :]
    return (
        bytes.fromhex(request.fingerprint),
        request.mode,
        message_cell(messages),
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
        extras_cell(request),
        call_cell(generation.tool_calls),
        None if parent is None else bytes.fromhex(parent.fingerprint),
    )


@functools.lru_cache(maxsize=64)
def _reasons(stop_reasons: tuple[StopReason, ...]) -> str:
    """Write stop reasons; nearly all answers have the same."""
    return text_list(stop_reasons)


@functools.lru_cache(maxsize=64)
def _to_reasons(cell: str) -> tuple[StopReason, ...]:
    """Read stop reasons; nearly all answers have the same."""
    return tuple([stop_reason(word) for word in to_texts(cell)])


def writable(row: Row) -> Row:
    """Put U+FFFD for halves of surrogate pairs: a model can answer them, UTF-8 cannot say them."""
    return tuple(_HALVES.sub("\ufffd", cell) if isinstance(cell, str) else cell for cell in row)


def to_generation(row: GenerationColumns) -> Generation:
    """Read an answer.

    What an earlier version kept and should not have (half a token, a log-likelihood that is no
    number) is unknown, or not there.
    """
    return Generation(
        to_texts(row.texts),
        _to_likelihoods(row.loglikelihoods) if row.loglikelihoods else (),
        row.finish_reason if isinstance(row.finish_reason, str) else None,
        _to_count(row.n_prompt_tokens),
        _to_count(row.n_completion_tokens),
        row.latency_s if isinstance(row.latency_s, float) else 0.0,
        row.served_by if isinstance(row.served_by, str) else None,
        stop_reasons=_to_reasons(row.stop_reasons) if row.stop_reasons else (),
        reasonings=to_texts(row.reasonings),
        n_reasoning_tokens=_to_count(row.n_reasoning_tokens),
        refusal=row.refusal if isinstance(row.refusal, str) else None,
        not_sent=tuple(row.not_sent.split(",")) if row.not_sent else (),
        tool_calls=to_calls(row.tool_calls),
    )


def is_answer(generation: Generation) -> bool:
    """Whether something was answered: a row of an earlier version may hold nothing usable."""
    return bool(generation.texts or generation.loglikelihoods)


def has_answer(texts: str, likelihoods: str | None) -> bool:
    """Say of two columns what `is_answer` says of the generation that they make."""
    return bool(to_texts(texts) or (likelihoods and _to_likelihoods(likelihoods)))


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


def to_request(
    row: RequestColumns, *, sample_id: str, fingerprint: bytes, reader: MessageReader
) -> Request:
    """Read a request; the generation settings are the task's and are not repeated."""
    return Request(
        sample_id=sample_id,
        mode=row.mode,
        messages=reader.messages(row.messages, row.parent),
        prompt=row.prompt or "",
        continuations=to_texts(row.continuations),
        settings=_SETTINGS_NOT_KEPT,
        fingerprint=fingerprint.hex(),
        **to_extras(row.extras),
    )
