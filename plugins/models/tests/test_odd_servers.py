"""Whole runs against a server that says something odd now and then: one answer never ends a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider

from llmeval_core.engine import RunOutcome
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.records import Sample, SampleResult
from llmeval_core.testing import FakeDataset, run_in

from .conftest import Http, ScriptedServer

SAMPLES = [Sample(str(n), f"Capital of France? {n}", ("Paris",)) for n in range(3)]
GOOD: dict[str, Any] = {
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "Paris"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


def saying(**message: Any) -> dict[str, Any]:
    return GOOD | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def at_first(server: ScriptedServer, odd: Any, *, n: int) -> None:
    """Say something odd to the first n requests, as bytes or JSON (Any), then answer well."""

    async def respond(request: web.Request) -> web.Response:
        said = odd if len(server.bodies) <= n else GOOD
        return web.Response(body=said if isinstance(said, bytes) else json.dumps(said).encode())

    server.respond = respond


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path


async def run(home: Path, server: ScriptedServer, **config: Any) -> RunOutcome:
    return await run_in(
        home,
        datasets={"fake": FakeDataset(SAMPLES)},
        models={
            "fake": OpenAICompatibleProvider(OpenAICompatibleSettings(base_url=server.base_url))
        },
        concurrency=1,
        retry={"max_attempts": 2, "base_s": 0.001, "max_s": 0.001},
        **config,
    )


def samples(home: Path) -> list[SampleResult]:
    with Journal(home) as journal:
        (task,) = journal.read(JournalQueries.tasks)
        return list(journal.read(JournalQueries.sample_results, task.id))


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 0.5, "completion_tokens": 0.5},
        {"prompt_tokens": None, "completion_tokens": {}},
        {"prompt_tokens": 9999999999999999999999, "completion_tokens": 1},
        {"prompt_tokens": "5", "completion_tokens": "2"},
        {"prompt_tokens": float("nan"), "completion_tokens": float("inf")},
        {"prompt_tokens": -1000, "completion_tokens": -1000},
        [5, 2],
        "many",
    ],
    ids=str,
)
async def test_odd_counts_are_unknown_and_the_answers_count(
    home: Path, server: ScriptedServer, usage: Any
) -> None:
    """s02-odd-usage-crashes-and-poisons: later runs go on from the same journal."""
    at_first(server, GOOD | {"usage": usage}, n=2)

    first = await run(home, server)
    again = await run(home, server)

    (result,) = first.summary.results
    assert (result.n_samples, result.n_failed) == (3, 0)
    assert [metric.aggregate.value for metric in result.metrics] == [1.0]
    assert len(server.bodies) == 3
    assert again.summary.results[0].n_samples == 3
    assert result.n_prompt_tokens == 5


async def test_negative_counts_never_lower_what_a_budget_has_used(
    home: Path, server: ScriptedServer
) -> None:
    """s02-odd-usage-crashes-and-poisons."""
    at_first(server, GOOD | {"usage": {"prompt_tokens": -(10**6), "completion_tokens": 2}}, n=1)

    outcome = await run(home, server, budget={"tokens": 9})

    assert [error.where for error in outcome.errors] == ["budget"]


ODD_ANSWERS: dict[str, Any] = {
    "content is a number": saying(content=42),
    "content is an object": saying(content={"text": "Paris"}),
    "content is a list of odd parts": saying(content=[1, None]),
    "message is a text": GOOD | {"choices": [{"index": 0, "message": "Paris"}]},
    "choices are a text": GOOD | {"choices": "Paris"},
    "choices are empty": GOOD | {"choices": []},
    "a choice is null": GOOD | {"choices": [None]},
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "deep inside": b'{"choices": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "no JSON": b"<html>",
    "not UTF-8": b'{"choices": "\xff"}',
    "a number": b"7",
    "null": b"null",
    "nothing": b"",
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_an_odd_answer_costs_that_sample_and_no_other(
    home: Path, server: ScriptedServer, name: str
) -> None:
    """s03-odd-answer-fields-crash: tried again, then that sample has failed; the run goes on."""
    at_first(server, ODD_ANSWERS[name], n=2)

    outcome = await run(home, server)

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed, outcome.errors) == (3, 1, ())
    failed, *rest = samples(home)
    assert failed.failure is not None
    assert failed.failure.kind == "malformed"
    assert [one.generation.text for one in rest if one.generation] == ["Paris", "Paris"]


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"id": "m"}},
        {"choices": [GOOD["choices"][0] | {"finish_reason": {"type": "stop"}}]},
        {"choices": [GOOD["choices"][0] | {"index": "first"}]},
        {"usage": {"completion_tokens_details": [[[]]]}, "id": 10**30, "created": {}},
    ],
    ids=str,
)
async def test_an_odd_side_field_costs_nothing(
    home: Path, server: ScriptedServer, change: Any
) -> None:
    """s03-odd-answer-fields-crash: finish_reason and model as objects."""
    at_first(server, GOOD | change, n=3)

    outcome = await run(home, server)

    assert [result.n_failed for result in outcome.summary.results] == [0]
    assert [one.generation and one.generation.text for one in samples(home)] == ["Paris"] * 3


ERRORS: dict[str, Any] = {
    "in a choice": GOOD
    | {
        "choices": [
            {
                "index": 0,
                "message": {"content": ""},
                "finish_reason": "error",
                "error": {"code": 502, "message": "Upstream error from provider"},
            }
        ]
    },
    "as a finish reason": GOOD
    | {"choices": [{"index": 0, "message": {"content": "Par"}, "finish_reason": "error"}]},
    "in the body": {"error": {"code": 502, "message": "Upstream error"}},
    "beside choices": GOOD | {"error": "overloaded"},
    "as an object": {"object": "error", "message": "overloaded", "code": 503},
    "in a stream": b'data: {"choices": [{"index": 0, "delta": {"content": "Lon"}}]}\n\n'
    b'data: {"error": {"code": 502, "message": "Upstream error"}}\n\ndata: [DONE]\n\n',
}


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_that_says_200_is_tried_again_and_never_kept_as_an_answer(
    home: Path, server: ScriptedServer, name: str
) -> None:
    """s05-error-inside-choice-200: a failed attempt (`overloaded`), not an answer scored 0."""
    at_first(server, ERRORS[name], n=1)

    outcome = await run(home, server)

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed) == (3, 0)
    assert [metric.aggregate.value for metric in result.metrics] == [1.0]
    assert len(server.bodies) == 4


async def test_an_error_that_stays_is_a_failed_sample_which_is_asked_again_by_the_next_run(
    home: Path, server: ScriptedServer
) -> None:
    """s05-error-inside-choice-200: a rerun asks again."""
    at_first(server, ERRORS["in a choice"], n=2)

    first = await run(home, server)
    failed = samples(home)[0]
    again = await run(home, server)

    assert [result.n_failed for result in first.summary.results] == [1]
    assert failed.generation is None
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.message) == (
        "overloaded",
        "HTTP 200 with error 502 inside: Upstream error from provider",
    )
    assert [result.n_failed for result in again.summary.results] == [0]
    assert len(server.bodies) == 5
