"""What a model thinks aloud: neither judged nor told on by a task that asks for it without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from llmeval_core.contracts import Ask, Item, MetricInfo, Question
from llmeval_core.errors import PluginError
from llmeval_core.hooks import GenerationConfig
from llmeval_core.records import Generation, Message, Mode, Sample, Score
from llmeval_core.statistics import mean_aggregate
from llmeval_core.testing import FakeModel, run_in
from llmeval_core.testing.running import plan_of


class Guessing:
    """Asks for a word; another model says whether it is right; the word is asked for again."""

    name, n_shots = "guessing", 0
    modes: frozenset[Mode] = frozenset({"chat"})
    metrics: ClassVar = {
        "right": MetricInfo("right@1", higher_is_better=True, aggregate=mean_aggregate)
    }
    roles: ClassVar = {"host": 1, "model": 1}

    def fingerprint(self) -> str:
        """Be always the same."""
        return "guessing"

    def size(self) -> int | None:
        """Have one item."""
        return 1

    def items(self) -> Iterator[Item]:
        """Give one item."""
        asked = Question((Message("user", "Guess!"),))
        yield Item(Sample("cat", "Guess!", ("cat",)), (asked,))

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        """Ask, tell the host, and ask again."""
        (question,) = item.questions
        first = await ask(question)
        said = ask.without_reasoning(first)
        told = await ask(Question((Message("user", said),)), role="host")
        heard = ask.without_reasoning(told, role="host")
        turns = (Message("assistant", said), Message("user", heard))
        return [await ask(Question((*question.messages, *turns)))]

    def score(self, item: Item, answers: Sequence[Generation], ask: Ask) -> Mapping[str, Score]:
        """Look for the word."""
        return {"right": Score(float("cat" in ask.without_reasoning(answers[-1])))}


class SettledGuessing(Guessing):
    """Says how its answers are generated."""

    generation: Any = GenerationConfig(max_tokens=40, stop=("?",))


def _value(outcome: Any) -> float | None:
    (result,) = outcome.summary.results
    value: float | None = result.metrics[0].aggregate.value
    return value


async def test_thoughts_are_neither_judged_nor_told_on(tmp_path: Path) -> None:
    model = FakeModel(lambda asked: "<think>a cat, surely</think>A dog")
    host = FakeModel(lambda asked: "<think>it is the cat</think>No")

    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        role_models={"host": host},
        ready_tasks={"guessing": Guessing()},
    )

    assert _value(outcome) == 0.0
    assert [message.text for message in host.requests[0].messages] == ["A dog"]
    assert [message.text for message in model.requests[1].messages] == ["Guess!", "A dog", "No"]


async def test_thoughts_stand_between_the_tags_of_the_model_that_has_them(tmp_path: Path) -> None:
    model = FakeModel(lambda asked: "{cat}A <think>dog</think>")
    host = FakeModel(lambda asked: "[cat]No, no <think>")
    tags = [["{", "}"]]

    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        role_models={"host": host},
        ready_tasks={"guessing": Guessing()},
        reasoning_tags=tags,
        roles={"host": {"name": "role-host/model", "reasoning_tags": [["[", "]"]]}},
    )

    assert _value(outcome) == 0.0
    assert [message.text for message in model.requests[1].messages] == [
        "Guess!",
        "A <think>dog</think>",
        "No, no <think>",
    ]
    (result,) = outcome.summary.results
    assert result.settings["reasoning_tags"] == tags


def test_other_tags_are_another_result_of_a_ready_made_task() -> None:
    given: dict[str, Any] = {
        "ready_tasks": {"guessing": Guessing()},
        "role_models": {"host": FakeModel()},
    }

    plain = plan_of(**given).evaluations[0].tasks[0]
    other = plan_of(**given, reasoning_tags=[]).evaluations[0].tasks[0]

    assert plain.fingerprint != other.fingerprint


async def test_what_the_run_file_says_is_laid_over_how_a_task_generates(tmp_path: Path) -> None:
    model = FakeModel()

    await run_in(
        tmp_path,
        models={"fake": model},
        role_models={"host": FakeModel()},
        ready_tasks={"guessing": SettledGuessing()},
        generation={"temperature": 0.5},
        tasks=[{"task": "guessing", "generation": {"max_tokens": 512}}],
    )

    settings = model.requests[0].settings
    assert (settings.max_tokens, settings.stop, settings.temperature) == (512, ("?",), 0.5)


def test_a_generation_that_is_none_is_a_bug_of_the_plugin() -> None:
    wrong = SettledGuessing()
    wrong.generation = {"max_tokens": 40}

    with pytest.raises(PluginError) as caught:
        plan_of(ready_tasks={"guessing": wrong}, role_models={"host": FakeModel()})

    assert "its generation is a dict, not a GenerationConfig" in str(caught.value)
