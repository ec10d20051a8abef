"""From a sample to a request: templates, few-shot examples, fingerprints."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmeval_core.errors import ConfigError, DatasetError, foreign_errors
from llmeval_core.naming import Json, fingerprint
from llmeval_core.plan import PlannedModel, PlannedTask
from llmeval_core.records import Message, Request, Sample, plain_text, problem_of

_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class PromptError(ValueError):
    """One sample cannot be turned into a request; the message says which template and why."""


class Prompter:
    """Makes the requests of one task for one model.

    Args:
        model: its name and identity go into each fingerprint.
        task: prompt, shots and generation settings.

    Raises:
        ConfigError: a template has a syntax error.
    """

    def __init__(self, model: PlannedModel, task: PlannedTask) -> None:
        prompt = task.prompt
        environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, keep_trailing_newline=True, finalize=_shown_text
        )
        self._task = task
        self._identity: list[Json] = [
            model.name,
            model.info.identity,
            task.mode,
            _settings_as_json(task),
        ]
        self._system = _Template(environment, prompt.system, "system", task.key)
        self._preamble = _Template(environment, prompt.preamble, "preamble", task.key)
        self._question = _Template(environment, prompt.template, "template", task.key)
        self._answer = _Template(environment, prompt.answer, "answer", task.key)
        self._continuation = _Template(environment, prompt.continuation, "continuation", task.key)
        self._pool: tuple[Sample, ...] = ()

    def load_pool(self) -> None:
        """Read the few-shot pool, if the task shows examples; blocking, call it from a thread.

        Raises:
            ConfigError: the pool has too few samples.
            DatasetError: the pool cannot be read.
        """
        task = self._task
        if task.n_shots == 0:
            return
        what = f"the few-shot pool of '{task.dataset_name}' cannot be read"
        with foreign_errors(DatasetError, what, where=task.key):
            pool = task.dataset.few_shot_pool()
            self._pool = tuple(itertools.islice(pool, task.few_shot.pool_size))
        for index, example in enumerate(self._pool):
            problem = problem_of(example, index)
            if problem is not None:
                raise DatasetError(
                    f"{problem}, in the few-shot pool of '{task.dataset_name}'",
                    where=task.key,
                    hint="this is a bug in the plugin; tell its author",
                )
        if len(self._pool) < task.n_shots:
            raise ConfigError(
                f"the few-shot pool of '{task.dataset_name}' has {len(self._pool)} samples, "
                f"{task.n_shots} are asked for",
                where=task.key,
                hint="ask for fewer shots, or name a larger pool",
            )

    def request(self, sample: Sample) -> Request:
        """Make the request for one sample.

        Raises:
            PromptError: a template fails on this sample, or the pool has too few other samples.
        """
        task = self._task
        shown = [_variables(example) for example in self._chosen(sample)]
        variables = _variables(sample)
        examples: list[tuple[str, str]] = []
        if task.prompt.examples == "template":
            variables["examples"] = [{**each, "output": self._answer(each)} for each in shown]
        else:
            examples = [(self._question(each), self._answer(each)) for each in shown]
        question = self._question(variables)
        system = self._system(variables) if self._system else None
        preamble = self._preamble(variables) if self._preamble else None
        messages: tuple[Message, ...] = ()
        prompt = ""
        if task.mode == "chat":
            messages = self._messages(system, preamble, examples, question)
        else:
            head = [part for part in (system, preamble) if part]
            texts = [asked + answered for asked, answered in examples]
            prompt = task.prompt.separator.join([*head, *texts, question])
        continuations: tuple[str, ...] = ()
        if task.mode == "loglikelihood":
            continuations = self._continuations(sample, variables)
        body: list[Json] = [
            *self._identity,
            [[message.role, message.content] for message in messages],
            prompt,
            list(continuations),
        ]
        return Request(
            sample_id=sample.id,
            mode=task.mode,
            messages=messages,
            prompt=prompt,
            continuations=continuations,
            settings=task.generation,
            fingerprint=fingerprint(body),
        )

    def _messages(
        self,
        system: str | None,
        preamble: str | None,
        examples: list[tuple[str, str]],
        question: str,
    ) -> tuple[Message, ...]:
        separator = self._task.prompt.separator
        messages = [Message("system", system)] if system else []
        if self._task.prompt.examples == "turns":
            head = f"{preamble}{separator}" if preamble else ""
            for asked, answered in examples:
                messages += [Message("user", head + asked), Message("assistant", answered.strip())]
                head = ""
            messages.append(Message("user", head + question))
        else:
            shown = [asked + answered for asked, answered in examples]
            parts = [*([preamble] if preamble else []), *shown, question]
            messages.append(Message("user", separator.join(parts)))
        return tuple(messages)

    def _chosen(self, sample: Sample) -> list[Sample]:
        """Choose the examples for one sample, never the sample itself.

        It is known by its input: ids of a pool in another file may be the same by chance.
        """
        n_shots = self._task.n_shots
        chosen: list[Sample] = []
        if n_shots == 0:
            return chosen
        for candidate in self._candidates(sample):
            if candidate.input == sample.input:
                continue
            chosen.append(candidate)
            if len(chosen) == n_shots:
                return chosen
        raise PromptError(f"the few-shot pool has only {len(chosen)} other samples")

    def _candidates(self, sample: Sample) -> Iterator[Sample]:
        """Go through the pool for one sample: as it is, or at random by (seed, sample id)."""
        if self._task.few_shot.select == "first":
            yield from self._pool
            return
        chance = random.Random(f"{self._task.seed}:{sample.id}")  # noqa: S311  not for secrets
        n = len(self._pool)
        drawn = chance.sample(range(n), min(n, self._task.n_shots + 8))
        yield from (self._pool[index] for index in drawn)
        yield from (self._pool[index] for index in range(n) if index not in drawn)

    def _continuations(self, sample: Sample, variables: dict[str, Any]) -> tuple[str, ...]:
        if not sample.choices:
            raise PromptError("it has no choices to weigh")
        return tuple(
            self._continuation({**variables, "choice": choice}) for choice in sample.choices
        )


class _Template:
    """A compiled template that knows its name; empty if there is no text."""

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
        """Render; Any: templates see values of every type."""
        if self._constant is not None:
            return self._constant
        if self._template is None:
            return ""
        try:
            return self._template.render(variables)
        except Exception as err:  # a template can raise anything; it is the user's
            raise PromptError(f"prompt.{self._name}: {err}") from err


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


def _variables(sample: Sample) -> dict[str, Any]:
    letters = _LETTERS[: len(sample.choices)]
    answer = sample.answer
    return {
        "id": sample.id,
        "input": sample.input,
        "references": sample.references,
        "choices": sample.choices,
        "answer": answer,
        "letter": letters[answer] if answer is not None and answer < len(letters) else None,
        "letters": letters,
        "category": sample.category,
        "metadata": sample.metadata,
    }


def _settings_as_json(task: PlannedTask) -> Json:
    generation = task.generation
    return [
        generation.max_tokens,
        generation.temperature,
        generation.top_p,
        generation.seed,
        list(generation.stop),
        generation.n,
    ]
