"""A plan shows by which settings a question is asked that has its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from llmeval_core.api import preview_tasks
from llmeval_core.cli.prompt_view import echo_task_preview
from llmeval_core.contracts import Item
from llmeval_core.records import GenerationSettings
from llmeval_core.testing.running import plan_of
from tests.core.engine.test_items import Chatting


@dataclass(frozen=True)
class OwnSettings(Chatting):
    """Asks its second question by settings of its own."""

    def items(self) -> Iterator[Item]:
        own = GenerationSettings(max_tokens=7, stop=("\n",), extra_body={"api_key": "sk-x"})
        for item in super().items():
            (question,) = item.questions
            yield Item(item.sample, (question, replace(question, settings=own)))


def test_settings_of_a_questions_own_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_of(ready_tasks={"chatting": OwnSettings()}, generation={"max_tokens": 9})

    for previewed in preview_tasks(plan, 1):
        echo_task_preview(previewed)

    assert capsys.readouterr().out == (
        "fake/model  chatting_0shot\n"
        "chat, generation: max_tokens 9, temperature 0.0, n 1\n"
        "── 0 · 0\n"
        "asked     [user] talk 0\n"
        "expected  (no reference)\n"
        "\n"
        "── 1 · 0\n"
        "asked     [user] talk 0\n"
        "with      max_tokens 7, temperature 0.0, stop ['\\n'], n 1,"
        " extra_body {'api_key': '***'}\n"
        "expected  (no reference)\n"
        "\n"
    )
