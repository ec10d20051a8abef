"""The solvers in whole runs: what is asked, and what counts as the answer."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from llmeval_solvers.calculator import Calculator
from llmeval_solvers.conversation import ConversationSettings, ScriptedConversation
from llmeval_solvers.self_consistency import SelfConsistency, SelfConsistencySettings
from llmeval_solvers.single import Single
from llmeval_solvers.tool_loop import ToolLoop, ToolLoopSettings

from llmeval_core.api import Journal
from llmeval_core.hooks import (
    ComponentConfig,
    ExtractConfig,
    Generation,
    Json,
    LlmevalError,
    Request,
    Sample,
    Solver,
    StopReason,
    ToolCall,
    ToolSpec,
)
from llmeval_core.testing import FakeDataset, FakeModel, check_solver, run_in


async def solved(
    home: Path, solver: Solver, model: FakeModel, *samples: Sample, **task: Any
) -> dict[str, float | None]:
    """Run samples through a solver; return the mean of the fake metric."""
    outcome = await run_in(
        home,
        models={"fake": model},
        datasets={"fake": FakeDataset(samples)},
        solvers={"solver": solver},
        tools={"calculator": Calculator()},
        tasks=[{"dataset": "fake", "solver": "solver", **task}],
    )
    assert outcome.errors == ()
    return {
        metric.key: metric.aggregate.value
        for result in outcome.summary.results
        for metric in result.metrics
    }


class Scripted(FakeModel):
    """Answers from a function of the whole request and of how often it was asked."""

    def __init__(self, reply: Callable[[Request, int], Generation]) -> None:
        super().__init__()
        self._reply = reply

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        return self._reply(request, len(self.requests))


def texts(request: Request) -> list[str]:
    return [message.text for message in request.messages]


@pytest.mark.parametrize(
    "solver",
    [
        Single(),
        ScriptedConversation(ConversationSettings(texts=("Are you sure?",))),
        SelfConsistency(SelfConsistencySettings(n=3)),
        ToolLoop(ToolLoopSettings(tools=(ComponentConfig(use="calculator"),))),
    ],
)
async def test_each_keeps_the_promises_of_a_solver(solver: Solver) -> None:
    await check_solver(solver, tools={"calculator": Calculator()})


async def test_a_conversation_follows_the_script_of_its_sample(tmp_path: Path) -> None:
    model = FakeModel(lambda text: f"<think>hm</think>{text}!")
    sample = Sample("a", "one", ("three!",), metadata={"follow_ups": ["two", "three"]})

    values = await solved(tmp_path, ScriptedConversation(ConversationSettings()), model, sample)

    assert values == {"fake_0shot_fake": 1.0}
    assert [texts(request) for request in model.requests] == [
        ["one"],
        ["one", "one!", "two"],
        ["one", "one!", "two", "two!", "three"],
    ]


async def test_all_answers_of_a_conversation_can_be_judged(tmp_path: Path) -> None:
    solver = ScriptedConversation(ConversationSettings(texts=("two",), judge="all"))

    values = await solved(tmp_path, solver, FakeModel(), Sample("a", "one", ("one\n\ntwo",)))

    assert values == {"fake_0shot_fake": 1.0}


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("length", "truncated"), ("content_filter", "filtered"), ("refusal", "refused")],
)
async def test_a_conversation_is_cut_off_where_one_of_its_answers_is(
    tmp_path: Path, reason: StopReason, outcome: str
) -> None:
    model = Scripted(lambda _, n: Generation(("hm",), stop_reasons=(reason if n == 1 else "stop",)))
    solver = ScriptedConversation(ConversationSettings(texts=("two",), judge="all"))

    ended = await run_in(
        tmp_path,
        models={"fake": model},
        datasets={"fake": FakeDataset([Sample("a", "one", ("hm\n\nhm",))])},
        solvers={"solver": solver},
        tasks=[{"dataset": "fake", "solver": "solver"}],
    )

    (result,) = ended.summary.results
    assert result.outcomes == {outcome: 1}


async def test_a_sample_without_a_script_fails_before_it_is_asked(tmp_path: Path) -> None:
    model = FakeModel()
    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        solvers={"conversation": ScriptedConversation(ConversationSettings())},
        tasks=[{"dataset": "fake", "solver": "conversation"}],
    )

    assert model.requests == []
    assert "its metadata has no list of texts 'follow_ups'" in str(outcome.errors[0])


async def test_the_most_frequent_answer_counts(tmp_path: Path) -> None:
    said = ["It is 3.", "4", "It is 4, since 2 + 2 = 4", "", "3", "I say 4"]
    model = Scripted(lambda _, n: Generation((said[n - 1],)))
    solver = SelfConsistency(SelfConsistencySettings(n=6, temperature=0.5))
    extract: ExtractConfig = r"(\d)\D*$"

    values = await solved(tmp_path, solver, model, Sample("a", "2 + 2?", ("4",)), extract=extract)

    assert values == {"fake_0shot_fake": 1.0}
    assert len({request.fingerprint for request in model.requests}) == 6
    assert {request.settings.temperature for request in model.requests} == {0.5}


@pytest.mark.parametrize(
    ("said", "winner"),
    [(["b", "a"], "b"), (["a", "b", "b "], "b"), (["", "", "a"], "a"), (["", ""], "")],
)
async def test_ties_and_empty_answers(tmp_path: Path, said: list[str], winner: str) -> None:
    model = Scripted(lambda _, n: Generation((said[n - 1],)))
    solver = SelfConsistency(SelfConsistencySettings(n=len(said)))

    values = await solved(
        tmp_path, solver, model, Sample("a", "?", (winner, f"{winner} ")), generation={"seed": 7}
    )

    assert values == {"fake_0shot_fake": 1.0}
    seeds = [request.settings.seed for request in model.requests]
    assert seeds == [7 + number for number in range(len(said))]


def calling(*calls: ToolCall) -> Generation:
    return Generation(("",), stop_reasons=("tool_calls",), tool_calls=calls)


async def test_a_model_calls_a_tool_and_answers_with_what_came_out(tmp_path: Path) -> None:
    def reply(request: Request, n: int) -> Generation:
        if n == 1:
            return calling(ToolCall("c1", "calculator", json.dumps({"expression": "6 * 7"})))
        return Generation((request.messages[-1].text,))

    model = Scripted(reply)
    solver = ToolLoop(ToolLoopSettings(tools=(ComponentConfig(use="calculator"),)))

    values = await solved(tmp_path, solver, model, Sample("a", "6 * 7?", ("42",)))

    assert values == {"fake_0shot_fake": 1.0}
    first, second = model.requests
    assert [tool.name for tool in first.tools] == ["calculator"]
    assert [message.role for message in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[1].tool_calls[0].name == "calculator"
    assert second.messages[2].tool_call_id == "c1"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("divide", "{}"), "error: there is no tool 'divide', only: calculator"),
        (("calculator", "{"), "error: the arguments are not JSON: "),
        (("calculator", "[1]"), "error: the arguments are no JSON object"),
        (("calculator", '{"expression": NaN}'), "error: the arguments are not JSON: NaN"),
        (("calculator", '{"expression": "1/0"}'), "error: '1/0' has no value: "),
        (("calculator", '{"expression": "open(1)"}'), "error: 'open(1)' is no arithmetic"),
    ],
)
async def test_a_wrong_call_is_told_to_the_model(
    tmp_path: Path, call: tuple[str, str], told: str
) -> None:
    model = Scripted(
        lambda request, n: (
            calling(ToolCall("c", *call)) if n == 1 else Generation((request.messages[-1].text,))
        )
    )
    solver = ToolLoop(ToolLoopSettings(tools=(ComponentConfig(use="calculator"),)))

    await solved(tmp_path, solver, model, Sample("a", "?", ("?",)))

    assert model.requests[1].messages[-1].text.startswith(told)


class Broken:
    """A tool that does what a test wants."""

    spec = ToolSpec("broken")

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do = do

    async def call(self, arguments: Mapping[str, Json]) -> str:
        """Do it; Any: what is no text, too."""
        done = self._do()
        found: str = await done if inspect.isawaitable(done) else done
        return found


def raising(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (raising(KeyError("x")), "plugin", "failed: KeyError: 'x' (a bug in BY; tell its author)"),
        (raising(SystemExit(3)), "plugin", "failed: SystemExit: 3 (a bug in BY; tell its author)"),
        (lambda: 5, "plugin", "gave an object of type int, no text (a bug in BY; tell its author)"),
        (raising(TimeoutError("no server")), "prompt", "failed: TimeoutError: no server"),
        (
            lambda: asyncio.Event().wait(),
            "prompt",
            "took longer than 0.1 s, the solver's `tool_timeout_s`",
        ),
    ],
)
async def test_a_tool_that_fails_is_named(
    tmp_path: Path, do: Callable[[], Any], kind: str, message: str
) -> None:
    model = Scripted(
        lambda request, n: (
            calling(ToolCall("c", "broken", "{}"))
            if request.messages[0].text == "call"
            else Generation(("?",))
        )
    )
    tools = (ComponentConfig(use="broken"),)

    ended = await run_in(
        tmp_path,
        models={"fake": model},
        datasets={"fake": FakeDataset([Sample("a", "?", ("?",)), Sample("b", "call", ("?",))])},
        solvers={"solver": ToolLoop(ToolLoopSettings(tools=tools, tool_timeout_s=0.1))},
        tools={"broken": Broken(do)},
        tasks=[{"dataset": "fake", "solver": "solver"}],
    )

    assert ended.errors == ()
    with Journal(tmp_path) as journal, journal.reader() as reader:
        (task,) = reader.tasks()
        _, failed = reader.sample_results(task.id)
    assert failed.failure is not None
    said = failed.failure.message.replace("test 0", "BY")
    assert (kind, f"the tool 'broken' {message}") == (failed.failure.kind, said)


async def test_the_last_request_allows_no_call(tmp_path: Path) -> None:
    def reply(request: Request, n: int) -> Generation:
        if request.tool_choice == "none":
            return Generation(("I give up",))
        return calling(ToolCall(f"c{n}", "calculator", '{"expression": "1"}'))

    model = Scripted(reply)
    solver = ToolLoop(ToolLoopSettings(tools=(ComponentConfig(use="calculator"),), max_steps=4))

    values = await solved(tmp_path, solver, model, Sample("a", "?", ("I give up",)))

    assert values == {"fake_0shot_fake": 1.0}
    assert [request.tool_choice for request in model.requests] == [None, None, None, "none"]


async def test_a_tool_that_nobody_offers_is_refused_by_the_plan(tmp_path: Path) -> None:
    solver = ToolLoop(ToolLoopSettings(tools=(ComponentConfig(use="calculater"),)))

    with pytest.raises(LlmevalError) as caught:
        await solved(tmp_path, solver, FakeModel(), Sample("a", "?"))

    assert "unknown tool 'calculater'" in str(caught.value)
    assert "did you mean 'calculator'?" in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(2 + 3) * sqrt(16)", "20"),
        ("2^10", "1024"),
        ("1 / 3", "0.333333333333333"),
        ("-7 // 2", "-4"),
        ("10**20", "1e+20"),
        ("round(2.6) + pi - pi", "3"),
    ],
)
async def test_the_calculator_calculates(expression: str, value: str) -> None:
    assert value == await Calculator().call({"expression": expression})


@pytest.mark.parametrize(
    "expression",
    ["9**9**9**9", "__import__('os')", "a.b", "[1]", "1 if 1 else 2", "'a' * 9", "", "(" * 900, 3],
)
async def test_the_calculator_does_nothing_else(expression: Any) -> None:
    with pytest.raises(ValueError):
        await Calculator().call({"expression": expression})
