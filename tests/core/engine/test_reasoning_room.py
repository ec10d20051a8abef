"""What a plan says of models that think, before money is spent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.engine import preview
from llmeval_core.engine.past_usage import PastUsage
from llmeval_core.engine.reasoning_room import task_reasoning_warnings
from llmeval_core.journal import Journal
from llmeval_core.naming import Json
from llmeval_core.records import Generation, Request
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from llmeval_core.testing.running import plan_of

WARNING = (
    "{} thinks before it answers ({}), and max_tokens={} is for both:"
    " set generation.max_tokens to 4096 or more"
)


class Thinker(FakeModel):
    """Tells how long it thought."""

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        return Generation(("a",), n_completion_tokens=50, n_reasoning_tokens=40)


def warnings_of(
    model: str,
    journal: Journal | None = None,
    *,
    settings: dict[str, Json] | None = None,
    **config: Any,
) -> tuple[str, ...]:
    """Say what a plan says of one task of a model; Any: keys of the run file."""
    plan = plan_of(datasets=DATASETS, **{"generation": {"max_tokens": 512}, **config})
    (evaluation,) = plan.evaluations
    planned = replace(evaluation.model, name=model, settings=settings or {})
    return task_reasoning_warnings(planned, evaluation.tasks[0], PastUsage(journal))


DATASETS = {"fake": FakeDataset(2)}


@pytest.mark.parametrize(
    "name",
    [
        *("o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-oss-120b", "deepseek-reasoner"),
        *("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "Qwen/QwQ-32B", "Qwen/Qwen3-8B"),
        *("magistral-small-2507", "Qwen/Qwen3-4B-Thinking-2507", "microsoft/Phi-4-reasoning"),
        *("kimi-k2-thinking", "LGAI-EXAONE/EXAONE-Deep-7.8B", "gemini-2.5-pro", "some-thinker"),
    ],
)
def test_a_model_that_thinks_is_known_by_its_name(name: str) -> None:
    assert warnings_of(f"openai/{name}") == (WARNING.format(f"openai/{name}", "by its name", 512),)


@pytest.mark.parametrize(
    "name",
    [
        *("gpt-4o-mini", "gpt-4.1", "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3-4B-Instruct-2507"),
        *("gpt-5-chat-latest", "qwen3-coder-30b", "qwen3-embedding-0.6b", "deepseek-chat"),
        *("llama-3.1-8b", "pro1-large", "video3", "model-non-thinking", "foo-o10"),
    ],
)
def test_a_model_that_does_not_think_is_left_alone(name: str) -> None:
    assert warnings_of(f"openai/{name}") == ()


@pytest.mark.parametrize("most", [4096, None])
def test_enough_room_is_enough(most: int | None) -> None:
    assert warnings_of("openai/o3", generation={"max_tokens": most}) == ()


def test_choices_that_are_weighed_need_no_room() -> None:
    assert warnings_of("openai/o3", tasks=[{"dataset": "fake", "answer_by": "loglikelihood"}]) == ()


async def test_earlier_answers_tell_that_a_model_thinks(tmp_path: Path) -> None:
    await run_in(tmp_path, datasets=DATASETS, models={"fake": Thinker()})

    with Journal(tmp_path) as journal:
        found = warnings_of("fake/model", journal, generation={"max_tokens": 16})

    assert found == (WARNING.format("fake/model", "40 tokens an answer so far", 16),)


async def test_a_model_that_was_seen_not_to_think_is_left_alone(tmp_path: Path) -> None:
    class Silent(Thinker):
        async def generate(self, request: Request) -> Generation:
            return Generation(("a",), n_completion_tokens=5, n_reasoning_tokens=0)

    await run_in(tmp_path, datasets=DATASETS, models={"qwq": Silent()})

    with Journal(tmp_path) as journal:
        assert warnings_of("qwq/model", journal) == ()
    assert warnings_of("qwq/model") != ()


@pytest.mark.parametrize(
    ("settings", "thinks"),
    [
        ({"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}}, True),
        ({"extra_body": {"thinking": {"type": "enabled", "budget_tokens": 100}}}, True),
        ({"reasoning_effort": "high"}, True),
        ({"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}, False),
        ({"extra_body": {"thinking": {"type": "disabled"}}}, False),
        ({"reasoning_effort": "none"}, False),
    ],
)
def test_the_settings_of_a_model_say_whether_it_thinks(
    settings: dict[str, Json], thinks: bool
) -> None:
    for name in ("openai/gpt-4o", "openai/o3"):
        found = warnings_of(name, settings=settings)

        assert found == ((WARNING.format(name, "its settings say so", 512),) if thinks else ())


def test_the_reasoning_setting_of_a_task_says_so_too() -> None:
    thinking = {"max_tokens": 512, "reasoning": {"effort": "high"}}
    silent = {"max_tokens": 512, "reasoning": {"effort": "none"}}

    assert warnings_of("openai/gpt-4o", generation=thinking) != ()
    assert warnings_of("openai/o3", generation=silent) == ()


@pytest.mark.parametrize(
    ("prompt", "n_doubts"),
    [
        ({"system": "Think in <thought> tags."}, 1),
        ({"template": "{{ input }} <THINK>"}, 1),
        ({"template": "{{ input }}"}, 0),
    ],
)
def test_a_prompt_that_asks_for_tags_is_told_of(prompt: dict[str, str], n_doubts: int) -> None:
    tasks = [{"dataset": "fake", "prompt": prompt}]

    found = warnings_of("fake/model", tasks=tasks)

    assert len(found) == n_doubts
    assert all("set reasoning_tags: []" in doubt for doubt in found)
    assert warnings_of("fake/model", tasks=tasks, reasoning_tags=[]) == ()


def test_a_plan_says_so() -> None:
    plan = plan_of(models={"qwq": FakeModel()}, datasets=DATASETS, generation={"max_tokens": 64})

    (found,) = preview(plan, None)

    assert found.warnings == (WARNING.format("qwq/model", "by its name", 64),)
