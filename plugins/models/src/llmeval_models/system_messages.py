"""System messages, for APIs that keep them apart from the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from llmeval_core.hooks import Message, ModelError


def split_system(messages: Sequence[Message]) -> tuple[str, tuple[Message, ...]]:
    """Take the system messages off the beginning; several are joined by an empty line.

    Returns:
        The text of the system messages, empty if there is none, and the other messages.

    Raises:
        ModelError: `bad_request`, one stands further down; moved to the beginning it would say
            something else.
    """
    n_system = next(
        (place for place, message in enumerate(messages) if message.role != "system"),
        len(messages),
    )
    rest = tuple(messages[n_system:])
    if any(message.role == "system" for message in rest):
        raise ModelError(
            "bad_request",
            "a system message stands inside the conversation",
            hint="this API takes it only at the beginning; give it the role `user` there",
        )
    return "\n\n".join([message.text for message in messages[:n_system]]), rest
