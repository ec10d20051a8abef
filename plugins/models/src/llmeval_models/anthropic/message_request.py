"""The JSON of a request to the Messages API."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import GenerationSettings, Reasoning, Request
from llmeval_models.anthropic.message_turns import write_offers, write_turns
from llmeval_models.http.body_merging import merged
from llmeval_models.system_messages import split_system

_LEAST_TOP_P_THINKING = 0.95


def write_message(
    model: str, request: Request, *, default_max_tokens: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Write a request; Any: JSON.

    Args:
        model: the model's name.
        request: messages and settings.
        default_max_tokens: what is sent where the settings leave it to the model: the API wants
            a number.

    Returns:
        The body, and the settings that the API has no place for: a seed, stop texts of white
        space alone, and beside thinking a temperature.

    Raises:
        ModelError: `bad_request`, the conversation does not fit.
    """
    settings = request.settings
    system, messages = split_system(request.messages)
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": default_max_tokens if settings.max_tokens is None else settings.max_tokens,
        "messages": write_turns(messages),
        **write_offers(request),
    }
    if system:
        body["system"] = system
    if settings.reasoning is not None:
        body = merged(body, _thinking(settings.reasoning))
    return body, _sampling(settings, body)


def _thinking(reasoning: Reasoning) -> dict[str, Any]:
    """Write how much to think; with an effort alone the model decides when to think."""
    effort, budget = reasoning.effort, reasoning.budget
    if budget == 0 or (effort == "none" and budget is None):
        return {"thinking": {"type": "disabled"}}
    if budget is None:
        # Newer models leave the thoughts out of the answer unless they are asked for.
        thinking: dict[str, Any] = {"type": "adaptive", "display": "summarized"}
    else:
        thinking = {"type": "enabled", "budget_tokens": budget}
    if effort is None or effort == "none":
        return {"thinking": thinking}
    return {"thinking": thinking, "output_config": {"effort": effort}}


def _sampling(settings: GenerationSettings, body: dict[str, Any]) -> tuple[str, ...]:
    """Add how tokens are chosen and where to stop; return what cannot be sent."""
    not_sent: list[str] = []
    thinks = body.get("thinking", {}).get("type") in ("enabled", "adaptive")
    if settings.temperature is not None:
        if thinks and settings.temperature != 1:
            not_sent.append("temperature")
        else:
            body["temperature"] = settings.temperature
    if settings.top_p is not None:
        if thinks and settings.top_p < _LEAST_TOP_P_THINKING:
            not_sent.append("top_p")
        else:
            body["top_p"] = settings.top_p
    if settings.seed is not None:
        not_sent.append("seed")
    stops = [text for text in settings.stop if text.strip()]
    if stops:
        body["stop_sequences"] = stops
    if len(stops) < len(settings.stop):
        not_sent.append("stop")
    return tuple(not_sent)
