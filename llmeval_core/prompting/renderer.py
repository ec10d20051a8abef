"""Renders the prompts of a task: what all models that are asked in the same way have in common."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from llmeval_core.naming import Json, canonical_json
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting.few_shot import FewShotPool
from llmeval_core.prompting.templates import PromptError, Templates, Variables, variables_of
from llmeval_core.records import Message, Sample, TextPart


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What a model is given of a sample.

    Args:
        messages: of a chat; empty otherwise.
        prompt: the text to continue; empty in a chat.
        continuations: what is weighed after the prompt, if anything is.
        as_json: the canonical JSON of all this, without brackets around it, for fingerprints.
    """

    messages: tuple[Message, ...]
    prompt: str
    continuations: tuple[str, ...]
    as_json: str


class PromptRenderer:
    """Renders the prompts of one task.

    The turns of a conversation go to the model as they are; the template renders its last one,
    unless it uses `messages`: it then makes one message of all. A conversation's own system message
    stands instead of the task's.

    Args:
        task: prompt, shots and mode.

    Raises:
        ConfigError: a template has a syntax error.
    """

    def __init__(self, task: PlannedTask) -> None:
        self._task = task
        self._templates = Templates(task)
        self._pool = FewShotPool(task, self._templates)
        self._loading = threading.Lock()

    def load_pool(self) -> None:
        """Read the few-shot pool, if the task shows examples and it was not read yet; blocking.

        Raises:
            ConfigError: the pool has too few samples.
            DatasetError: the pool cannot be read.
        """
        with self._loading:
            self._pool.load()

    def render(self, sample: Sample) -> RenderedPrompt:
        """Render the prompt of one sample.

        Raises:
            PromptError: a template fails on this sample, the pool has too few other samples, or a
                conversation is to become one text.
        """
        task, templates = self._task, self._templates
        examples = self._pool.choose(sample)
        variables = variables_of(sample)
        if task.prompt.examples == "template":
            shown = [variables_of(example) for example in examples]
            variables["examples"] = [{**each, "output": templates.answer(each)} for each in shown]
            examples = []
        messages: tuple[Message, ...] = ()
        prompt = ""
        if task.mode == "chat":
            messages = tuple(self._messages(sample, variables, examples))
        else:
            prompt = self._text(sample, variables, examples)
        continuations: tuple[str, ...] = ()
        if task.mode == "loglikelihood":
            continuations = self._continuations(sample, variables)
        turns: list[Json] = [message.as_json() for message in messages]
        as_json = canonical_json([turns, prompt, list(continuations)])
        return RenderedPrompt(messages, prompt, continuations, as_json[1:-1])

    def _messages(
        self, sample: Sample, variables: Variables, examples: list[Sample]
    ) -> list[Message]:
        prompt, templates = self._task.prompt, self._templates
        turns: list[Message] = []
        if not isinstance(sample.input, str) and not templates.sees_messages:
            turns = list(sample.input[:-1])
        messages: list[Message] = []
        if turns and turns[0].role == "system":
            messages.append(turns.pop(0))
        elif templates.system and (system := templates.system(variables)):
            messages.append(Message("system", system))
        last = self._asked(sample, templates.question(variables))
        preamble = templates.preamble(variables) if templates.preamble else ""
        if prompt.examples == "turns":
            shown = [turn for example in examples for turn in self._as_turns(example)]
            following = [*shown, *turns, last]
            if preamble:
                following[0] = _with_text_before(following[0], f"{preamble}{prompt.separator}")
            return messages + following
        texts = [self._as_text(example) for example in examples]
        parts = [*([preamble] if preamble else []), *texts]
        following = [*turns, last]
        if parts:
            following[0] = _with_text_before(following[0], prompt.separator.join([*parts, ""]))
        return [*messages, *following]

    def _asked(self, sample: Sample, question: str) -> Message:
        """Make the message that asks: the question instead of the text of the last turn."""
        if isinstance(sample.input, str):
            return Message("user", question)
        last = sample.input[-1]
        if self._templates.sees_messages:
            images = [image for turn in sample.input for image in turn.images]
            return Message("user", (*images, TextPart(question)) if images else question)
        if not isinstance(last.content, str):
            if question == last.text:
                return last
            return replace(last, content=(*last.images, TextPart(question)))
        return last if question == last.content else replace(last, content=question)

    def _as_turns(self, example: Sample) -> list[Message]:
        """Show an example as turns: what is asked, and the answer; without a system message."""
        variables = variables_of(example)
        asked = self._asked(example, self._templates.question(variables))
        if asked.role != "tool":
            asked = replace(asked, role="user")
        answered = Message("assistant", self._templates.answer(variables).strip())
        before = () if isinstance(example.input, str) else example.input[:-1]
        return [*(turn for turn in before if turn.role != "system"), asked, answered]

    def _as_text(self, example: Sample) -> str:
        """Show an example as one text."""
        self._refuse_conversation(example)
        variables = variables_of(example)
        return self._templates.question(variables) + self._templates.answer(variables)

    def _text(self, sample: Sample, variables: Variables, examples: list[Sample]) -> str:
        """Make the text that a model continues."""
        self._refuse_conversation(sample)
        templates = self._templates
        question = templates.question(variables)
        system = templates.system(variables) if templates.system else None
        preamble = templates.preamble(variables) if templates.preamble else None
        head = [part for part in (system, preamble) if part]
        texts = [self._as_text(example) for example in examples]
        return self._task.prompt.separator.join([*head, *texts, question])

    def _refuse_conversation(self, sample: Sample) -> None:
        """Refuse to make one text of an image, or of several turns without being told how."""
        if isinstance(sample.input, str):
            return
        if any(turn.images for turn in sample.input):
            raise PromptError("an image cannot be shown as text", hint="set prompt.mode to chat")
        if len(sample.input) == 1 or self._templates.sees_messages:
            return
        way = "answer_by to letter" if self._task.mode == "loglikelihood" else "prompt.mode to chat"
        raise PromptError(
            "a conversation cannot be shown as one text",
            hint=f"set {way} and prompt.examples to turns, or write a template that uses"
            " `messages`",
        )

    def _continuations(self, sample: Sample, variables: Variables) -> tuple[str, ...]:
        if not sample.choices:
            raise PromptError("it has no choices to weigh")
        continuation = self._templates.continuation
        return tuple(continuation({**variables, "choice": choice}) for choice in sample.choices)


def _with_text_before(message: Message, text: str) -> Message:
    if isinstance(message.content, str):
        return replace(message, content=f"{text}{message.content}")
    return replace(message, content=(TextPart(text), *message.content))
