"""What a model is asked, how it generates, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmeval_core.naming import Json
from llmeval_core.records.messages import Message, ToolCall, ToolSpec
from llmeval_core.records.outcomes import StopReason, stop_reason

Mode = Literal["chat", "completion", "loglikelihood", "rolling"]
"""How a model is asked: messages, one text to continue, choices to weigh after a text, or one text
to weigh from its first token on, in windows if it is longer than what the model reads at once."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much a model thinks before it answers.

    Args:
        effort: in OpenAI's words: `none`, `minimal`, `low`, `medium`, `high`, ...; None for what
            the model takes by itself.
        budget: most tokens to think; None for no bound of its own.
    """

    effort: str | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How an answer is generated; None leaves a setting to the model: it is not sent.

    Args:
        max_tokens: most tokens to generate.
        temperature: 0 is greedy.
        top_p: nucleus sampling mass, 0 to 1.
        seed: for the model's own sampling.
        stop: texts that end the generation; they are not part of it.
        n: how many answers to generate.
        reasoning: how much to think before the answer; None for what the model does by itself.
        extra_body: more keys for the JSON that is sent, for models behind a server.
    """

    max_tokens: int | None = None
    temperature: float | None = 0.0
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    reasoning: Reasoning | None = None
    extra_body: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Return what decides the answers, for fingerprints and for people to read.

        What was added after the first version is left out where it is not set: it changes no
        fingerprint of a run that does not use it.
        """
        written: dict[str, Json] = {
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "stop": list(self.stop),
            "n": self.n,
        }
        if self.reasoning is not None:
            effort, budget = self.reasoning.effort, self.reasoning.budget
            written["reasoning"] = {"effort": effort, "budget": budget}
        if self.extra_body:
            written["extra_body"] = dict(self.extra_body)
        return written


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a model for one sample.

    Args:
        sample_id: which sample it is for; not part of the fingerprint.
        mode: `chat` uses `messages`; `completion` and `loglikelihood` use `prompt`.
        messages: the conversation; empty unless mode is `chat`.
        prompt: the text to continue; empty if mode is `chat`.
        continuations: for `loglikelihood`, the texts to weigh after the prompt, in order; for
            `rolling`, the one text that is weighed.
        settings: how to generate, and how much to think before.
        fingerprint: 32 hex digits over the model and all that is sent to it.
        tools: what the model may call; empty for nothing.
        tool_choice: `auto`, `none`, `required` or the name of a tool; None is not sent.
        response_format: what the answer must look like, as OpenAI's `response_format`:
            `{"type": "json_schema", "json_schema": {"name": ..., "schema": ...}}`; None is not
            sent.
    """

    sample_id: str
    mode: Mode
    messages: tuple[Message, ...]
    prompt: str
    continuations: tuple[str, ...]
    settings: GenerationSettings
    fingerprint: str
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    response_format: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Loglikelihood:
    """How likely a model finds one continuation.

    Args:
        logprob: sum of the natural log-probabilities of its tokens; at most 0.
        n_tokens: how many tokens it has; None if the server does not tell.
        is_greedy: whether greedy decoding would produce it; None if unknown.
    """

    logprob: float
    n_tokens: int | None = None
    is_greedy: bool | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model answered to one request.

    Args:
        texts: the answers, `settings.n` of them; empty for `loglikelihood`.
        loglikelihoods: one for each continuation, in order; empty for other modes.
        finish_reason: the server's word for why the first answer ended; None if unknown.
        n_prompt_tokens: tokens read; None if unknown.
        n_completion_tokens: tokens written, those of the reasoning too; None if unknown.
        latency_s: time of the successful attempt, seconds.
        served_by: the model's name as the server gives it; None if it does not.
        retry_after_s: how long nothing more should be sent to this server, because its quota is
            used up, seconds; None if it did not say. Not kept in the journal.
        stop_reasons: why each answer ended, in the order of `texts`; empty if nothing is known.
        reasonings: what the model thought before each answer, where the server tells it apart,
            in the order of `texts`; None for an answer without; empty if there is none at all.
            It is never judged. Reasoning that stands in a text between tags stays there, and is
            told apart when the answer is scored.
        n_reasoning_tokens: those of the completion tokens that are reasoning; None if unknown.
        refusal: in which words the model declined, where the server tells them apart from an
            answer; None if it did not.
        not_sent: generation settings that this model refuses, and that were therefore left out
            of the request, by their names; empty if all were sent.
        tool_calls: what the first answer calls, in order; empty if it calls nothing.
    """

    texts: tuple[str, ...] = ()
    loglikelihoods: tuple[Loglikelihood, ...] = ()
    finish_reason: str | None = None
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None
    latency_s: float = 0.0
    served_by: str | None = None
    retry_after_s: float | None = None
    stop_reasons: tuple[StopReason, ...] = ()
    reasonings: tuple[str | None, ...] = ()
    n_reasoning_tokens: int | None = None
    refusal: str | None = None
    not_sent: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def text(self) -> str:
        """The first answer; empty if there is none."""
        return self.texts[0] if self.texts else ""

    def reason(self, place: int) -> StopReason:
        """Say why one answer ended; of the first, earlier versions kept the server's own word."""
        if place < len(self.stop_reasons):
            return self.stop_reasons[place]
        return stop_reason(self.finish_reason) if place == 0 else "unknown"
