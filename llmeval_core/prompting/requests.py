"""From a question to the request that one model gets, with its fingerprint."""

from __future__ import annotations

from dataclasses import replace

from llmeval_core.contracts import Question
from llmeval_core.naming import Json, fingerprint
from llmeval_core.plan import PlannedModel
from llmeval_core.records import GenerationSettings, Mode, Request

_FIRST_SETTINGS = ("max_tokens", "temperature", "top_p", "seed", "stop", "n")


def request_identity(model: PlannedModel, mode: Mode, settings: GenerationSettings) -> list[Json]:
    """List what all requests to a model have in common that are asked in one way.

    Of the settings, names stand only before those that the first version lacked.
    """
    written = settings.as_json()
    new: list[Json] = [[key, written[key]] for key in written if key not in _FIRST_SETTINGS]
    first = [written[key] for key in _FIRST_SETTINGS]
    return [model.name, model.info.cache_key, mode, [*first, *new]]


def make_request(
    question: Question, *, sample_id: str, model: PlannedModel, settings: GenerationSettings
) -> Request:
    """Make the request that a question becomes.

    What a question may have besides messages, prompt and continuations changes the fingerprint only
    if it is there: a plain question has the fingerprint that it always had.

    Args:
        question: what is asked.
        sample_id: for which sample; no part of the fingerprint.
        model: who is asked.
        settings: how to generate, every default filled in.
    """
    if question.draw and settings.seed is not None:  # else it would be the same answer again
        settings = replace(settings, seed=settings.seed + question.draw)
    body: list[Json] = [
        *request_identity(model, question.mode, settings),
        [message.as_json() for message in question.messages],
        question.prompt,
        list(question.continuations),
    ]
    extras: dict[str, Json] = {}
    if question.tools:
        extras["tools"] = [tool.as_json() for tool in question.tools]
    if question.tool_choice is not None:
        extras["tool_choice"] = question.tool_choice
    if question.response_format is not None:
        extras["response_format"] = dict(question.response_format)
    if question.draw:
        extras["draw"] = question.draw
    if extras:
        body.append(extras)
    return Request(
        sample_id=sample_id,
        mode=question.mode,
        messages=question.messages,
        prompt=question.prompt,
        continuations=question.continuations,
        settings=settings,
        fingerprint=fingerprint(body),
        tools=question.tools,
        tool_choice=question.tool_choice,
        response_format=question.response_format,
    )
