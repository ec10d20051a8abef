"""What the user says next is written in a script, as in MT-Bench's second turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import (
    MODEL,
    Ask,
    Generation,
    Message,
    Mode,
    Sample,
    Settings,
    SolverInput,
)


class ConversationSettings(Settings):
    """What the user says after the first answer, and which answers are judged."""

    field: str = Field(
        default="follow_ups",
        description="The key of a sample's metadata that lists what the user says next.",
    )
    texts: tuple[str, ...] = Field(
        default=(),
        examples=[["Are you sure?"]],
        description="What the user says next to every sample, in the place of `field`.",
    )
    judge: Literal["last", "all"] = Field(
        default="last",
        description="Which answers metrics judge: the last, or all with empty lines between; these"
        " are cut off, filtered or refused if one of them is.",
    )


@dataclass(frozen=True, slots=True)
class ScriptedConversation:
    """Asks what the prompt makes of a sample, and after each answer what the script says next.

    The model is given its own answers back without its reasoning, as chats are.
    """

    settings: ConversationSettings

    @property
    def definition(self) -> str:
        """The id of what it does."""
        return "conversation@1"

    @property
    def modes(self) -> frozenset[Mode]:
        """Only chats have turns."""
        return frozenset({"chat"})

    @property
    def roles(self) -> Mapping[str, int]:
        """A request a turn; two if the samples decide."""
        return {MODEL: 1 + (len(self.settings.texts) or 1)}

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Answer one sample.

        Raises:
            ValueError: it has no script.
        """
        question = start.question
        script = self.settings.texts or self._script(start.sample)
        answers = [await ask(question)]
        for text in script:
            said = Message("assistant", ask.without_reasoning(answers[-1]))
            messages = (*question.messages, said, Message("user", text))
            question = replace(question, messages=messages)
            answers.append(await ask(question))
        if self.settings.judge == "last":
            return answers[-1]
        ended = next(filter(_was_ended, answers), answers[-1])
        return replace(
            answers[-1],
            texts=("\n\n".join(map(ask.without_reasoning, answers)),),
            finish_reason=ended.finish_reason,
            stop_reasons=ended.stop_reasons,
            refusal=ended.refusal,
            reasonings=(),
        )

    def _script(self, sample: Sample) -> tuple[str, ...]:
        script = sample.metadata.get(self.settings.field)
        if not isinstance(script, list | tuple) or not all(isinstance(one, str) for one in script):
            raise ValueError(
                f"its metadata has no list of texts '{self.settings.field}' for what the user says"
                f" next; data sets from files take `metadata: [{self.settings.field}]`"
            )
        return tuple(map(str, script))


def _was_ended(generation: Generation) -> bool:
    """Whether an answer was cut off, filtered or refused."""
    reason = generation.reason(0)
    return generation.refusal is not None or reason in ("length", "content_filter", "refusal")
