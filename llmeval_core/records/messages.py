"""What a conversation is made of: messages of text and images, and the calls of tools in them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmeval_core.naming import Json


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text among the parts of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image among the parts of a message: its bytes, or where the server finds it.

    Args:
        media_type: such as `image/png`.
        data: the file's bytes; empty if there is a `url`.
        url: an address that is sent as it is; None if there is `data`.
    """

    media_type: str
    data: bytes = b""
    url: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, 64 hex digits: under this name the journal keeps them."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def address(self) -> str:
        """Where the image is, for a server: its `url`, or a `data:` URL with its bytes."""
        if self.url is not None:
            return self.url
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model wants a tool to do.

    Args:
        id: the server's name for this call; the tool's answer refers to it.
        name: the tool.
        arguments: as the model wrote them, mostly JSON; they are not checked.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that a model may call, as it is told of it.

    Args:
        name: how the model calls it.
        description: what it is good for, for the model to read.
        parameters: JSON Schema of its arguments.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Return the tool for fingerprints and the journal."""
        return [self.name, self.description, dict(self.parameters)]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Args:
        role: `system`, `user`, `assistant` or `tool`.
        content: the text; or its parts, in order.
        tool_calls: of an assistant's message, what it calls.
        tool_call_id: of a tool's message, the call that it answers.
    """

    role: str
    content: str | tuple[Part, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The texts of the message, a line each; images are left out."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join([part.text for part in self.content if isinstance(part, TextPart)])

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """The images of the message, in order."""
        if isinstance(self.content, str):
            return ()
        return tuple(part for part in self.content if isinstance(part, ImagePart))

    def as_json(self) -> list[Json]:
        """Return the message for fingerprints and the journal, images by their digest.

        A plain text is `[role, text]`, as ever; what else there is stands behind.
        """
        if isinstance(self.content, str):
            written: list[Json] = [self.role, self.content]
        else:
            written = [self.role, [_part_as_json(part) for part in self.content]]
        if self.tool_calls or self.tool_call_id is not None:
            calls: list[Json] = [[call.id, call.name, call.arguments] for call in self.tool_calls]
            written.append({"tool_calls": calls, "tool_call_id": self.tool_call_id})
        return written


def chat_message(message: Message) -> dict[str, Json]:
    """Write a message as OpenAI's chat API has it, which many others understand.

    A plain message is `{"role": ..., "content": text}`; images are `image_url` parts with their
    address, calls of tools are of type `function`.
    """
    written: dict[str, Json] = {"role": message.role}
    if isinstance(message.content, str):
        written["content"] = message.content
    else:
        written["content"] = [
            {"type": "text", "text": part.text}
            if isinstance(part, TextPart)
            else {"type": "image_url", "image_url": {"url": part.address}}
            for part in message.content
        ]
    if message.tool_calls:
        written["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    return written


def message_from_json(written: list[Json], images: Mapping[str, bytes]) -> Message:
    """Read `Message.as_json`.

    Args:
        written: the message.
        images: bytes by digest; an image that is not among them comes back empty.

    Raises:
        TypeError, ValueError, KeyError: it is not what `as_json` writes.
    """
    role, content, *rest = written
    if not isinstance(role, str):
        raise TypeError("a message has a role")
    extras = rest[0] if rest else {}
    if not isinstance(extras, dict):
        raise TypeError("what stands behind a message is an object")
    calls, call_id = extras.get("tool_calls", []), extras.get("tool_call_id")
    return Message(
        role,
        content if isinstance(content, str) else _parts(content, images),
        tuple(_call(call) for call in calls) if isinstance(calls, list) else (),
        call_id if isinstance(call_id, str) else None,
    )


def digests_in(written: Iterable[list[Json]]) -> set[str]:
    """Name the images of messages as `Message.as_json` writes them."""
    return {
        str(part["image"])
        for _, content, *_ in written
        if isinstance(content, list)
        for part in content
        if isinstance(part, dict) and "image" in part
    }


def _part_as_json(part: Part) -> Json:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if part.url is not None:
        return {"url": part.url, "media_type": part.media_type}
    return {"image": part.digest, "media_type": part.media_type}


def _parts(content: Json, images: Mapping[str, bytes]) -> tuple[Part, ...]:
    if not isinstance(content, list):
        raise TypeError("the content of a message is a text or a list of parts")
    parts: list[Part] = []
    for part in content:
        if not isinstance(part, dict):
            raise TypeError("a part of a message is an object")
        if "text" in part:
            parts.append(TextPart(str(part["text"])))
        elif "url" in part:
            parts.append(ImagePart(str(part["media_type"]), url=str(part["url"])))
        else:
            data = images.get(str(part["image"]), b"")
            parts.append(ImagePart(str(part["media_type"]), data))
    return tuple(parts)


def _call(written: Json) -> ToolCall:
    if not isinstance(written, list) or len(written) != 3:
        raise TypeError("a tool call is its id, its name and its arguments")
    return ToolCall(*[str(one) for one in written])
