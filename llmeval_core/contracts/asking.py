"""The one way from a task, a solver or a metric to a model: a question, and `ask`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from llmeval_core.errors import LlmevalError
from llmeval_core.naming import Json
from llmeval_core.records import (
    Failure,
    Generation,
    GenerationSettings,
    Message,
    Mode,
    ToolSpec,
)

MODEL = "model"
"""The role of the model that is evaluated."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model; the engine makes the `Request` of it that one model gets.

    Args:
        messages: the conversation; empty unless mode is `chat`.
        prompt: the text to continue; empty if mode is `chat`.
        continuations: for `loglikelihood`, the texts to weigh after the prompt, in order; for
            `rolling`, the one text that is weighed.
        mode: how the model is asked.
        settings: how to generate; None for the settings of the task, or of the role. A setting
            that is None in it is not sent.
        tools: what the model may call.
        tool_choice: `auto`, `none`, `required` or the name of a tool; None is not sent.
        response_format: what the answer must look like, as OpenAI's `response_format`; None for
            nothing.
        draw: tells repeats of one question apart: equal questions are asked once, except with
            different draws. With a draw, `settings.seed` is counted on by it.
    """

    messages: tuple[Message, ...] = ()
    prompt: str = ""
    continuations: tuple[str, ...] = ()
    mode: Mode = "chat"
    settings: GenerationSettings | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    response_format: Mapping[str, Json] | None = None
    draw: int = 0


class UnansweredError(LlmevalError):
    """A question came to no answer.

    Args:
        failure: why.
        role: of the model that was asked.
    """

    def __init__(self, failure: Failure, role: str) -> None:
        super().__init__(failure.message, hint=failure.hint)
        self.failure = failure
        self.role = role


class Ask(Protocol):
    """Asks the models of a run, by their roles.

    A question is paced, tried again, kept in the journal, and paid from the run's budget; what was
    answered before is not asked again. Several may be asked at once (`asyncio.gather`). Hold
    nothing while you await an answer: no lock, no slot.
    """

    async def __call__(self, question: Question, *, role: str = MODEL) -> Generation:
        """Ask the model that has a role in this run.

        Raises:
            UnansweredError: there is no answer. Not caught, the sample ends with it: as failed if
                the evaluated model did not answer, as unscored if another one did not.
            LlmevalError: the model cannot be asked at all, which ends the task; let it pass.
        """

    def without_reasoning(self, generation: Generation, *, role: str = MODEL) -> str:
        """Return the first answer of a generation without what was thought before it.

        `Generation.text` is the text as the server gave it, with thoughts between tags if it does
        not tell them apart. This is what to score, and what to tell a model of earlier answers.

        Args:
            generation: what was answered.
            role: who answered: thoughts stand between the `reasoning_tags` of that model.
        """


class MetricAsk(Ask, Protocol):
    """What a metric asks by; it knows the conversation that the judged answer ended."""

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The messages that the judged answer answered, as they were sent.

        System prompt and examples are among them; of a text to continue it is one message.
        """

    @property
    def follow_ups(self) -> tuple[Message, ...]:
        """Those of them that came after the task's prompt, if a solver went on from there.

        Earlier answers of the model, what was said to them, and what its tools told it; empty if
        the judged answer is that to the prompt, or to a request that does not begin with it.
        """
