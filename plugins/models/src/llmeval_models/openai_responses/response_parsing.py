"""Reading an answer of the Responses API: items of output, one after another."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Generation, ModelError
from llmeval_models.answers.call_state import with_state
from llmeval_models.answers.choice_content import read_choice, thought_text
from llmeval_models.answers.generation_making import make_generation, named_keys
from llmeval_models.answers.token_usage import read_usage

_UNFINISHED = frozenset({"queued", "in_progress", "cancelled"})
_REASONS = {"max_messages": "length"}


def read_response(answer: Any, *, latency_s: float, retry_after_s: float | None) -> Generation:
    """Read an answer; Any: whatever JSON came.

    Args:
        answer: the body.
        latency_s, retry_after_s: see `Generation`.

    Raises:
        ModelError: `malformed`, it has no output, or one that is no answer.
    """
    output = answer.get("output") if isinstance(answer, dict) else None
    if not isinstance(output, list):
        raise ModelError("malformed", f"the answer has no output, only: {named_keys(answer)}")
    status = answer.get("status")
    if isinstance(status, str) and status in _UNFINISHED:
        raise ModelError("malformed", f"the answer is not finished: its status is '{status}'")
    word = _finish_word(answer, output)
    if not output and word == "completed":
        raise ModelError("malformed", "the answer has an empty output")
    message = {
        "content": _parts(output),
        "reasoning": _thoughts(output),
        "tool_calls": _calls(output),
    }
    return make_generation(
        [read_choice({"message": message, "finish_reason": _REASONS.get(str(word), word)})],
        finish_reason=word,
        usage=read_usage(answer.get("usage")),
        served_by=answer.get("model"),
        latency_s=latency_s,
        retry_after_s=retry_after_s,
    )


def _finish_word(answer: dict[str, Any], output: list[Any]) -> Any:
    """Find why it ended: what made it incomplete, else its status; Any: JSON."""
    details = answer.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if isinstance(reason, str) and reason:
        return reason
    status = answer.get("status")
    if status == "incomplete":
        return None
    is_cut = any(
        isinstance(item, dict)
        and item.get("type") == "message"
        and item.get("status") == "incomplete"
        for item in output
    )
    # Some answers are completed as a whole, and their message is not.
    return "max_output_tokens" if is_cut else status


def _parts(output: list[Any]) -> list[Any]:
    """Put the parts of all messages together; what else is a call, or nothing to judge."""
    parts: list[Any] = []
    for item in output:
        if not isinstance(item, dict):
            raise ModelError("malformed", f"an item of the output is a {type(item).__name__}")
        kind = item.get("type", "message")
        if kind == "message" and not _is_commentary(item):
            content = item.get("content")
            if isinstance(content, list):
                parts += content
            elif content is not None:
                parts.append({"type": "text", "text": content})
        elif isinstance(kind, str) and kind.endswith("_call"):
            parts.append({"type": "function_call"})
    return parts


def _calls(output: list[Any]) -> list[Any]:
    """Write the calls as chat completions do; the encrypted thoughts go with the first."""
    items = [item for item in output if isinstance(item, dict)]
    thoughts = [
        {"type": "reasoning", "summary": item.get("summary"), "encrypted_content": encrypted}
        for item in items
        if item.get("type") == "reasoning"
        and isinstance(encrypted := item.get("encrypted_content"), str)
    ]
    calls: list[Any] = []
    for item in items:
        if item.get("type") == "function_call":
            identity = item.get("call_id")
            if isinstance(identity, str):
                identity = with_state(identity, None if calls else thoughts)
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            calls.append({"id": identity, "function": function})
    return calls


def _thoughts(output: list[Any]) -> str:
    """Join summaries and thoughts, and what was said before the answer as a commentary."""
    found: list[str] = []
    for item in output:
        if not isinstance(item, dict):
            continue
        if item.get("type") == "reasoning":
            for key in ("content", "summary"):
                told = item.get(key)
                texts = [thought_text(one) for one in told] if isinstance(told, list) else []
                if any(texts):
                    found += filter(None, texts)
                    break
        elif _is_commentary(item):
            found.append(thought_text(item.get("content")))
    return "\n\n".join(filter(None, found))


def _is_commentary(item: dict[str, Any]) -> bool:
    return item.get("type") == "message" and item.get("phase") == "commentary"
