"""The JSON of a request to generateContent."""

from __future__ import annotations

import re
from typing import Any

from llmeval_core.hooks import GenerationSettings, Reasoning, Request
from llmeval_models.gemini.content_turns import write_format, write_tools, write_turns
from llmeval_models.system_messages import split_system

_MOST_STOPS = 5
_SIGNS_NOTHING = re.compile(r"(?:models/)?gemini-[12]\b")


def write_content(model: str, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Write a request; Any: JSON.

    Args:
        model: the model's name.
        request: messages and settings.

    Returns:
        The body, and the settings that the API does not take: more than five stop texts.

    Raises:
        ModelError: `bad_request`, the conversation does not fit.
    """
    system, messages = split_system(request.messages)
    body: dict[str, Any] = {
        "contents": write_turns(messages, signs=not _SIGNS_NOTHING.match(model)),
        "generationConfig": {**_config(request.settings), **write_format(request)},
        **write_tools(request),
    }
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    is_cut_here = len(request.settings.stop) > _MOST_STOPS
    return body, ("stop",) if is_cut_here else ()


def _config(settings: GenerationSettings) -> dict[str, Any]:
    """Write how to generate; None is not sent."""
    written = {
        "maxOutputTokens": settings.max_tokens,
        "temperature": settings.temperature,
        "topP": settings.top_p,
        "seed": settings.seed,
        "stopSequences": list(settings.stop[:_MOST_STOPS]) or None,
        "candidateCount": settings.n if settings.n != 1 else None,
        "thinkingConfig": None if settings.reasoning is None else _thinking(settings.reasoning),
    }
    return {key: value for key, value in written.items() if value is not None}


def _thinking(reasoning: Reasoning) -> dict[str, Any]:
    """Write how much to think: older models know a budget, newer ones a level."""
    effort, budget = reasoning.effort, reasoning.budget
    if effort == "none":
        effort, budget = None, 0
    written: dict[str, Any] = {}
    if budget is not None:
        written["thinkingBudget"] = budget
    if effort is not None:
        written["thinkingLevel"] = effort.upper()
    if budget != 0:  # beside a budget of 0 it is an error
        written["includeThoughts"] = True
    return written
