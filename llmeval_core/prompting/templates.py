"""The templates of a prompt, and what they see of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmeval_core.errors import ConfigError
from llmeval_core.plan import PlannedTask
from llmeval_core.records import Sample, plain_text

Variables = dict[str, Any]  # Any: templates see values of every type

_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class PromptError(ValueError):
    """One sample cannot be turned into a request; the message says which template and why.

    Args:
        what: what happened, one line.
        hint: what to try; None for the usual.
    """

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(what)
        self.hint = hint


class Template:
    """A compiled template that knows its name; false if there is no text.

    Args:
        environment: compiles it.
        text: what the run file or the data set has; None for none.
        name: the key in `prompt`.
        task: the task's key, for errors.

    Raises:
        ConfigError: the text has a syntax error.
    """

    def __init__(
        self, environment: jinja2.Environment, text: str | None, name: str, task: str
    ) -> None:
        self._name = name
        self._template: jinja2.Template | None = None
        self._constant: str | None = None
        if text is None:
            return
        try:
            self._template = environment.from_string(text)
        except jinja2.TemplateSyntaxError as err:
            raise ConfigError(
                f"the prompt's {name} is not a template: {str(err.message).rstrip('.')}",
                where=f"{task}, line {err.lineno} of prompt.{name}",
            ) from err
        # Jinja copies the globals at each rendering; it gives a ChainMap, which is slow to copy.
        self._template.globals = dict(self._template.globals)
        if "{" not in text:
            self._constant = text

    def __bool__(self) -> bool:
        return self._template is not None

    def __call__(self, variables: Mapping[str, Any]) -> str:
        """Render it; Any: see `Variables`.

        Raises:
            PromptError: it fails on this sample.
        """
        if self._constant is not None:
            return self._constant
        if self._template is None:
            return ""
        try:
            return self._template.render(variables)
        except Exception as err:  # a template can raise anything; it is the user's
            raise PromptError(f"prompt.{self._name}: {err}") from err


class Templates:
    """All templates of one task.

    Raises:
        ConfigError: one has a syntax error.
    """

    def __init__(self, task: PlannedTask) -> None:
        prompt = task.prompt
        environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, keep_trailing_newline=True, finalize=_shown_text
        )
        self.system = Template(environment, prompt.system, "system", task.key)
        self.preamble = Template(environment, prompt.preamble, "preamble", task.key)
        self.question = Template(environment, prompt.template, "template", task.key)
        self.answer = Template(environment, prompt.answer, "answer", task.key)
        self.continuation = Template(environment, prompt.continuation, "continuation", task.key)
        self.sees_messages = "messages" in prompt.template


def _shown_text(value: Any) -> Any:
    """Give the text of what stands in `{{ }}`, never Python's own; Any: templates see all types.

    Raises:
        ValueError: it has none, such as a list or None.
    """
    if isinstance(value, str | jinja2.Undefined):
        return value
    text = plain_text(value)
    if text is None:
        kind = "None (null)" if value is None else f"a {type(value).__name__}, not a text"
        raise ValueError(f"a value is {kind}; `| join(', ')`, `| tojson` or `if` may help")
    return text


def variables_of(sample: Sample) -> Variables:
    """Return what templates see of a sample.

    Of a conversation, `input` is the text of its last turn, and `messages` has all turns.
    """
    letters = _LETTERS[: len(sample.choices)]
    answer = sample.answer
    asked = sample.input
    return {
        "id": sample.id,
        "input": asked if isinstance(asked, str) else asked[-1].text,
        "messages": () if isinstance(asked, str) else asked,
        "references": sample.references,
        "choices": sample.choices,
        "answer": answer,
        "letter": letters[answer] if answer is not None and answer < len(letters) else None,
        "letters": letters,
        "category": sample.category,
        "metadata": sample.metadata,
    }
