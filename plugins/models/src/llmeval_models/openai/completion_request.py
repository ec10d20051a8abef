"""The JSON of a request: what the settings say, in the words of the server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from llmeval_core.hooks import GenerationSettings, ModelError, Reasoning, Request
from llmeval_models.answers.tool_calls import parameters_of
from llmeval_models.model_settings import OpenAICompatibleSettings, ReasoningAs

_REASONING_BY_HOST: tuple[tuple[str, ReasoningAs], ...] = (
    ("openrouter.ai", "openrouter"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "gemini"),
    ("anthropic.com", "anthropic"),
    ("aliyuncs.com", "qwen"),
    ("siliconflow.com", "qwen"),
    ("siliconflow.cn", "qwen"),
)


def reasoning_as(settings: OpenAICompatibleSettings) -> ReasoningAs:
    """Tell in whose words `reasoning` is written: as set, else by the host, else OpenAI's."""
    if settings.reasoning_as != "auto":
        return settings.reasoning_as
    host = urlsplit(settings.base_url).hostname or ""
    for name, found in _REASONING_BY_HOST:
        if host == name or host.endswith(f".{name}"):
            return found
    return "openai"


_CHOICE_WORDS = ("auto", "none", "required")


def write_settings(
    model: str,
    settings: GenerationSettings,
    *,
    max_tokens_key: str,
    seed_key: str,
    reasoning_as: ReasoningAs,
) -> dict[str, Any]:
    """Write how to generate; None is not sent. Any: JSON.

    Raises:
        ModelError: the server has no word for how much is to be thought.
    """
    body: dict[str, Any] = {"model": model}
    if settings.max_tokens is not None:
        body[max_tokens_key] = settings.max_tokens
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.top_p is not None:
        body["top_p"] = settings.top_p
    if settings.seed is not None:
        body[seed_key] = settings.seed
    if settings.stop:
        body["stop"] = settings.stop
    if settings.n != 1:
        body["n"] = settings.n
    if settings.reasoning is not None:
        body |= write_reasoning(settings.reasoning, reasoning_as)
    return body


def write_offers(request: Request) -> dict[str, Any]:
    """Write what may be called, and what the answer must look like; Any: JSON."""
    body: dict[str, Any] = {}
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": parameters_of(tool),
                },
            }
            for tool in request.tools
        ]
    choice = request.tool_choice
    if choice in _CHOICE_WORDS:
        body["tool_choice"] = choice
    elif choice is not None:
        body["tool_choice"] = {"type": "function", "function": {"name": choice}}
    if request.response_format is not None:
        body["response_format"] = dict(request.response_format)
    return body


def write_reasoning(reasoning: Reasoning, reasoning_as: ReasoningAs) -> dict[str, Any]:
    """Write how much to think, as each server wants it; Any: JSON.

    Raises:
        ModelError: it has no word for that.
    """
    effort, budget = reasoning.effort, reasoning.budget
    body: dict[str, Any] = {}
    if reasoning_as == "openrouter":
        told = {"effort": effort, "max_tokens": budget}
        return {"reasoning": {key: value for key, value in told.items() if value is not None}}
    if effort is not None:
        body["reasoning_effort"] = effort
    if budget is None:
        return body
    if reasoning_as == "vllm":
        return body | {"thinking_token_budget": budget}
    if reasoning_as == "qwen":
        return body | {"enable_thinking": budget > 0, "thinking_budget": budget}
    if reasoning_as == "gemini":
        thinking = {"thinking_config": {"thinking_budget": budget}}
        return body | {"extra_body": {"google": thinking}}
    if reasoning_as == "anthropic":
        kind = {"type": "enabled", "budget_tokens": budget} if budget else {"type": "disabled"}
        return body | {"thinking": kind}
    raise ModelError(
        "bad_request",
        "this server has no word for `reasoning.budget`",
        hint="give `reasoning: {effort: ...}`, or say with `reasoning_as` which server it is",
    )
