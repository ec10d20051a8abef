"""A conversation as a text that people read, for a terminal or the cell of a table.

Images are told by type, size and digest, never by their bytes; of an address nothing is shown that
may be a key: no user, no query.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from llmeval_core.reasoning.finder import ReasoningFinder, split_answers
from llmeval_core.reasoning.turns_as_text import ToldTurn, told_turns
from llmeval_core.records import (
    Generation,
    ImagePart,
    Message,
    Request,
    SampleResult,
    ToolCall,
)

_DIGITS_SHOWN = 12
_MODEL = "model"


def message_line(message: Message) -> str:
    """Write a message with its role before it; images and calls of tools as far as a line shows."""
    pieces = [message.text] if message.text else []
    pieces += [_image_line(image) for image in message.images]
    pieces += [call_line(call) for call in message.tool_calls]
    return f"[{message.role}] " + "\n".join(pieces)


def call_line(call: ToolCall) -> str:
    """Write the call of a tool."""
    return f"{call.name}({call.arguments})"


def conversation_text(result: SampleResult, reasoning: ReasoningFinder) -> str | None:
    """Write all that was asked and answered for a sample, a turn after the other.

    Each begins with its role in brackets; of each request only what is new is told, of answers not
    what the model thought before. What others were asked stands under `[to judge]`, their answers
    under `[judge]`.

    Returns:
        The text; None where question and answer say all: one request, with nothing but text.
    """
    if result.turns:
        lines = [line for told in told_turns(result.turns, reasoning) for line in _told(told)]
        return "\n".join(lines)
    request, given = result.request, result.sample.input
    messages = request.messages if request is not None else ()
    if not messages and not isinstance(given, str):
        messages = given
    if not any(message.images or message.tool_calls for message in messages):
        return None
    lines = [message_line(message) for message in messages]
    if result.generation is not None:
        answers = [one.answer for one in split_answers(result.generation, reasoning)]
        lines += _answers(result.generation, answers, "assistant")
    return "\n".join(lines)


def _told(told: ToldTurn) -> list[str]:
    turn = told.turn
    if turn.role == _MODEL:
        lines = [message_line(message) for message in told.messages]
        asker, answerer = "user", "assistant"
    else:
        asker, answerer = f"to {turn.role}", turn.role
        lines = [
            f"[{asker}] {message_line(message).partition('] ')[2]}" for message in told.messages
        ]
    request = turn.request
    if request.prompt:
        lines.append(f"[{asker}] {request.prompt}")
    return [
        *lines,
        *_answers(turn.generation, [one.answer for one in told.answers], answerer),
        *_weighed(request, turn.generation, answerer),
    ]


def _answers(generation: Generation, texts: list[str], role: str) -> list[str]:
    """Write answers, without their reasoning, calls and a refusal."""
    said = [text for text in texts if text] + [call_line(call) for call in generation.tool_calls]
    if generation.refusal is not None:
        said.append(f"(refused) {generation.refusal}")
    return [f"[{role}] {text}" for text in said]


def _weighed(request: Request, generation: Generation, role: str) -> list[str]:
    """Write how likely continuations are."""
    pairs = zip(request.continuations, generation.loglikelihoods, strict=False)
    return [f"[{role}] {found.logprob:.3f} {text!r}" for text, found in pairs]


def _image_line(image: ImagePart) -> str:
    if image.url is None:
        told = f"{len(image.data):,} bytes, sha256 {image.digest[:_DIGITS_SHOWN]}"
    else:
        told = _address_shown(image.url)
    return f"({image.media_type}, {told})"


def _address_shown(url: str) -> str:
    """Leave of an address what is no secret."""
    if url[:5].lower() == "data:":
        return f"{len(url):,} characters of data"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.port is not None:
            host += f":{parts.port}"
    except ValueError:
        return "an address"
    query = "?..." if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path}{query}"
