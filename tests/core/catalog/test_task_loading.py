"""A source of tasks is told how users want answers generated: of the run, the model, the task."""

from __future__ import annotations

from typing import Any

import pytest

from llmeval_core.catalog import make_plan
from llmeval_core.config import Origin, RunConfig, validate
from llmeval_core.contracts import TaskOptions, TaskSet
from llmeval_core.errors import PluginError
from llmeval_core.host import load_plugins
from llmeval_core.testing import FakeModel
from llmeval_core.testing.running import catalog_of
from tests.core.engine.test_items import Chatting


class Recording:
    """Remembers what it was told; gives another task each time, if it is fickle."""

    def __init__(self, *, is_fickle: bool = False) -> None:
        self.told: list[dict[str, Any]] = []
        self.is_fickle = is_fickle

    def load(self, options: TaskOptions) -> TaskSet:
        """Give a task."""
        self.told.append(dict(options.generation))
        return TaskSet((Chatting(name=f"chatting{len(self.told) if self.is_fickle else ''}"),))


def plan(source: Recording) -> None:
    """Plan two models, the second of which has settings of its own."""
    origin = Origin()
    run_file = {
        "models": [
            "fake/plain",
            {"name": "fake/own", "generation": {"max_tokens": 7, "top_p": 0.7}},
            {"name": "fake/own2", "generation": {"max_tokens": 7, "top_p": 0.7}},
        ],
        "generation": {"max_tokens": 5, "temperature": 0.5, "extra_body": {"a": 1, "b": 1}},
        "tasks": [{"task": "s", "generation": {"top_p": 0.9, "extra_body": {"b": 3}}}],
    }
    make_plan(
        validate(RunConfig, run_file, origin=origin),
        catalog_of({"models": {"fake": FakeModel()}, "tasks": {"s": source}}),
        origin=origin,
        observer=load_plugins(entry_points=[]),
    )


def test_what_is_nearest_to_the_task_wins() -> None:
    source = Recording()

    plan(source)

    alike = {"temperature": 0.5, "top_p": 0.9, "extra_body": {"a": 1, "b": 3}}
    assert source.told == [{**alike, "max_tokens": 5}, {**alike, "max_tokens": 7}]


def test_a_source_that_gives_other_tasks_for_other_settings_is_a_bug_of_the_plugin() -> None:
    with pytest.raises(PluginError) as caught:
        plan(Recording(is_fickle=True))

    assert caught.value.what == "task 's' has no 'chatting1' for other generation settings"
