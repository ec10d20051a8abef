"""Messages between a parent and a child process: bytes, with their length before them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

LENGTH_BYTES = 8


def framed(message: bytes) -> bytes:
    """Write the length before a message."""
    return len(message).to_bytes(LENGTH_BYTES, "big") + message


def length_in(frame: bytes | bytearray) -> int:
    """Read the length of the message that follows."""
    return int.from_bytes(frame, "big")


class ParentChannel:
    """The child's end: the messages of the parent, and the answers to them.

    Make it before anything else: from then on, what is printed goes to standard error, and does
    not break into an answer. A child that takes messages is this:

        parent = ParentChannel()
        for message in parent:
            parent.answer(message.upper())
    """

    def __init__(self) -> None:
        self._messages = os.fdopen(os.dup(0), "rb")
        self._answers = os.fdopen(os.dup(1), "wb")
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)  # who reads from the terminal gets nothing, and takes nothing from us
        os.close(nowhere)
        sys.stdout.flush()
        os.dup2(2, 1)

    def __iter__(self) -> Iterator[bytes]:
        """Give each message, until the parent has no more or is gone."""
        while (message := self._receive()) is not None:
            yield message

    def answer(self, message: bytes) -> None:
        """Send the answer to the message that came last."""
        self._answers.write(framed(message))
        self._answers.flush()

    def _receive(self) -> bytes | None:
        frame = self._messages.read(LENGTH_BYTES)
        if len(frame) < LENGTH_BYTES:
            return None
        message = self._messages.read(length_in(frame))
        return message if len(message) == length_in(frame) else None
