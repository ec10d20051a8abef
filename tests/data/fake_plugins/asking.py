"""A task of two turns with a judge, and a model that answers and judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmeval_core.hooks import (
    Ask,
    Component,
    Generation,
    Item,
    Message,
    MetricInfo,
    Mode,
    ModelInfo,
    Question,
    Request,
    Sample,
    Score,
    Settings,
    ToolCall,
    hookimpl,
    mean_aggregate,
)


class Echo:
    def describe(self, model: str) -> ModelInfo:
        return ModelInfo("echo", frozenset({"chat"}))

    async def open(self, model: str) -> Echo:
        return self

    async def generate(self, request: Request) -> Generation:
        asked = request.messages[-1]
        calls = (ToolCall("c1", "look", '{"at": 1}'),) if "look" in asked.text else ()
        return Generation(
            ("" if calls else asked.text,),
            n_prompt_tokens=3,
            n_completion_tokens=2,
            stop_reasons=("tool_calls" if calls else "stop",),
            tool_calls=calls,
        )

    async def aclose(self) -> None:
        pass


class Talk:
    name = "talk"
    n_shots = 0
    modes: frozenset[Mode] = frozenset({"chat"})

    def __init__(self) -> None:
        self.roles = {"model": 1, "judge": 1}
        polite = MetricInfo("polite@1", higher_is_better=True, aggregate=mean_aggregate)
        self.metrics = {"polite": polite}

    def fingerprint(self) -> str:
        return "1"

    def size(self) -> int:
        return 2

    def items(self) -> Iterator[Item]:
        for name in ("Ann", "Bob"):
            question = Question((Message("user", f"hello {name}"),))
            yield Item(Sample(name, f"hello {name}"), (question,))

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        (question,) = item.questions
        first = await ask(question)
        said = (
            *question.messages,
            Message("assistant", first.text),
            Message("user", "look at this"),
        )
        called = await ask(Question(said))
        told = (
            *said,
            Message("assistant", "", called.tool_calls),
            Message("tool", "a cat", tool_call_id="c1"),
        )
        return [first, await ask(Question(told))]

    async def score(self, item: Item, answers: Sequence[Generation], ask: Ask) -> dict[str, Score]:
        verdict = await ask(
            Question((Message("user", f"was '{answers[-1].text}' polite?"),)), role="judge"
        )
        return {"polite": Score(1.0, details={"said": verdict.text})}


@hookimpl
def llmeval_register_models() -> Iterator[Component[Settings, Echo]]:
    yield Component("echoing", Settings, lambda settings: Echo(), "says it again")


@hookimpl
def llmeval_register_tasks() -> Iterator[Component[Settings, Talk]]:
    yield Component("talk", Settings, lambda settings: Talk(), "two turns, and a judge")
