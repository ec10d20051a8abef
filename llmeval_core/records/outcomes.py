"""How a sample ended, in one word, and why a model stopped, whatever its server calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

StopReason = Literal["stop", "length", "content_filter", "refusal", "tool_calls", "unknown"]
"""Why a generation ended: by itself or at a stop text, at `max_tokens`, held back by a filter,
because the model declined, to call a tool, or for a reason that the server does not tell."""

Outcome = Literal["answered", "truncated", "empty", "refused", "filtered", "unscored", "failed"]
"""How a sample ended.

* `answered`: the model answered and every metric scored it.
* `truncated`: the generation ended at `max_tokens`; what there is of it is judged.
* `empty`: nothing but reasoning or white space came.
* `refused`: the model declined, by the server's word.
* `filtered`: a content filter held the answer back, or a moderation refused the request.
* `unscored`: there is an answer, and a metric cannot score it; the scores of others are kept.
* `failed`: there is no answer.
"""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""All outcomes, in the order in which they are shown."""

_STOP_REASONS: Mapping[str, StopReason] = {
    # OpenAI, vLLM, SGLang, llama.cpp, Ollama
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    # OpenAI's Responses
    "completed": "stop",
    "max_output_tokens": "length",
    # Anthropic
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "length",  # to be gone on with, which nobody does here
    # Gemini
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "language": "content_filter",
    "image_safety": "content_filter",
    "image_prohibited_content": "content_filter",
    "image_recitation": "content_filter",
    "model_armor": "content_filter",
    "escalation": "content_filter",
    "continuation": "length",
    # Cohere, Text Generation Inference, Together, older gateways
    "complete": "stop",
    "eos_token": "stop",
    "model_length": "length",
    "error_limit": "length",
    "error_toxic": "content_filter",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    # Zhipu (GLM), MiniMax, LiteLLM
    "sensitive": "content_filter",
    "content_policy_violation": "content_filter",
    "context_window_exceeded": "length",
    "context_length_exceeded": "length",
    "max_length": "length",
    "max_new_tokens": "length",
}


def stop_reason(word: object) -> StopReason:
    """Read a server's word for why it stopped; what is not known, or no text, is `unknown`.

    What follows a colon says more of the same: Gemini's `content_filter: RECITATION`.
    """
    if not isinstance(word, str):
        return "unknown"
    if word in _STOP_REASONS:
        return _STOP_REASONS[word]
    known = word.partition(":")[0].strip().lower().replace("-", "_").replace(" ", "_")
    return _STOP_REASONS.get(known.removeprefix("finish_reason_"), "unknown")
