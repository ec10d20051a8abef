"""What one choice says: the text apart from thoughts, refusals and tool calls."""

from __future__ import annotations

from typing import Any, NamedTuple

from llmeval_core.hooks import ModelError, StopReason, ToolCall, stop_reason
from llmeval_models.answers.tool_calls import read_calls
from llmeval_models.answers.whole_text import whole_text

_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
"""Where servers keep a thought apart; of several the first that has any counts (OpenRouter and
LiteLLM say the same twice)."""
_THINKING_PARTS = frozenset(
    {"thinking", "reasoning", "redacted_thinking", "reasoning_text", "summary_text", "thought"}
)
_TEXT_PARTS = frozenset({"text", "output_text", "input_text"})
_CALL_PARTS = frozenset({"tool_use", "tool_call", "function_call", "server_tool_use"})
_CALLS = ("tool_calls", "function_call")
_MORE = frozenset({*_THOUGHTS, *_CALLS, "refusal"})
_INSIDE_THOUGHTS = ("text", "thinking", "summary", "content", "reasoning")
_DEEPEST = 8


class ChoiceContent(NamedTuple):
    """One choice.

    Args:
        text: the answer; empty if there is none.
        reasoning: what was thought before it; None if nothing is told.
        refusal: in which words the model declined; None if it did not.
        stop: why it ended.
        calls: what it calls.
    """

    text: str
    reasoning: str | None
    refusal: str | None
    stop: StopReason
    calls: tuple[ToolCall, ...] = ()


def read_choice(choice: Any) -> ChoiceContent:
    """Read one choice of chat or completions; Any: JSON of any shape.

    A missing content is an empty text. A thought is never part of the text; tags inside a text
    are left there.

    Raises:
        ModelError: `malformed`, it has no message and no text, or content that is no text.
    """
    if not isinstance(choice, dict):
        raise ModelError("malformed", f"a choice is {_kind(choice)}")
    message = choice.get("message", choice.get("delta"))
    if message is None:
        if "text" not in choice:
            raise ModelError("malformed", "a choice has no message and no text")
        message = {"content": choice["text"], **{k: choice[k] for k in _THOUGHTS if k in choice}}
    elif not isinstance(message, dict):
        raise ModelError("malformed", f"the message of a choice is {_kind(message)}")
    text, thought, refusal, calls = _content(message.get("content"))
    called: tuple[ToolCall, ...] = ()
    stop = stop_reason(choice.get("finish_reason"))
    if not _MORE.isdisjoint(message):
        thought = next(
            (said for key in _THOUGHTS if (said := thought_text(message.get(key)))), thought
        )
        if isinstance(declined := message.get("refusal"), str) and declined:
            refusal = declined
        calls = calls or any(_is_call(message.get(key)) for key in _CALLS)
        called = read_calls(message)
    if refusal:
        stop = "refusal"
    elif calls and not text and stop in ("stop", "unknown"):
        stop = "tool_calls"
    return ChoiceContent(
        whole_text(text),
        whole_text(thought) if thought else None,
        whole_text(refusal) if refusal else None,
        stop,
        called,
    )


def _content(content: Any) -> tuple[str, str, str, bool]:
    """Read text, thought and refusal of a message's content, and whether it calls a tool."""
    if isinstance(content, str):
        return content, "", "", False
    if content is None:
        return "", "", "", False
    if not isinstance(content, list):
        raise ModelError("malformed", f"the content of the answer is {_kind(content)}, not a text")
    texts: list[str] = []
    thoughts: list[str] = []
    refusals: list[str] = []
    calls = False
    for part in content:
        if isinstance(part, str):
            texts.append(part)
            continue
        if not isinstance(part, dict):
            raise ModelError("malformed", f"a part of the answer is {_kind(part)}")
        kind = part.get("type", "text")
        if not isinstance(kind, str):
            raise ModelError("malformed", f"the type of a part of the answer is {_kind(kind)}")
        if kind in _TEXT_PARTS:
            texts.append(_text(part))
        elif kind in _THINKING_PARTS:
            thoughts.append(thought_text(part))
        elif kind == "refusal":
            refusals.append(part["refusal"] if isinstance(part.get("refusal"), str) else "")
        else:  # an image, a reference, a sound: nothing to judge
            calls |= kind in _CALL_PARTS
    return "".join(texts), "".join(thoughts), "".join(refusals), calls


def _text(part: dict[str, Any]) -> str:
    text = part.get("text")
    if text is None and "text" in part:
        return ""
    if not isinstance(text, str):
        raise ModelError("malformed", f"the text of a part of the answer is {_kind(text)}")
    return text


def thought_text(value: Any, depth: int = _DEEPEST) -> str:
    """Read a thought: a text, parts, or an object with one of them; what is odd is none.

    Any: JSON.
    """
    if isinstance(value, str):
        return value
    if depth == 0 or not value:
        return ""
    if isinstance(value, list):
        return "".join([thought_text(item, depth - 1) for item in value])
    if isinstance(value, dict):
        inside = (thought_text(value.get(key), depth - 1) for key in _INSIDE_THOUGHTS)
        return next(filter(None, inside), "")
    return ""


def _is_call(value: Any) -> bool:
    return isinstance(value, (list, dict)) and bool(value)


def _kind(value: Any) -> str:
    """Name the type of a JSON value, never the value."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    names |= {list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
