"""How a task is prompted: settings laid over each other, defaults filled in."""

from __future__ import annotations

from typing import TypeVar

from llmeval_core.config import AnswerBy, PromptConfig, Settings
from llmeval_core.plan import PlannedPrompt

_LETTER_TEMPLATE = (
    "{{ input }}\n"
    "{% for choice in choices %}{{ letters[loop.index0] }}. {{ choice }}\n{% endfor %}"
    "Answer:"
)
_SettingsT = TypeVar("_SettingsT", bound=Settings)


def overlay(first: _SettingsT, *others: _SettingsT) -> _SettingsT:
    """Lay settings over each other: of each key, the last that was set counts."""
    update = {}
    for settings in others:
        for key in settings.model_fields_set:
            value = getattr(settings, key)
            if value is not None:
                update[key] = value
    return first.model_copy(update=update)


def fill_prompt(prompt: PromptConfig, of_task: PromptConfig, answer_by: AnswerBy) -> PlannedPrompt:
    """Fill in our own defaults; by letter, a data set's own question would hide the choices."""
    if answer_by == "letter":
        template, answer = of_task.template or _LETTER_TEMPLATE, of_task.answer or " {{ letter }}"
    else:
        template = "{{ input }}" if prompt.template is None else prompt.template
        answer = " {{ references[0] }}" if prompt.answer is None else prompt.answer
    return PlannedPrompt(
        system=prompt.system,
        preamble=prompt.preamble,
        template=template,
        answer=answer,
        continuation=prompt.continuation if prompt.continuation is not None else " {{ choice }}",
        separator=prompt.separator if prompt.separator is not None else "\n\n",
        examples=prompt.examples or "turns",
    )
