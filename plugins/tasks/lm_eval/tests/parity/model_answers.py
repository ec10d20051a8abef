"""What the model of the comparison answers: made of the question alone, so both sides agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def _number(*parts: object) -> int:
    digest = hashlib.sha256("\x00".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big")


def loglikelihood(prompt: str, continuation: str) -> tuple[float, bool]:
    """Weigh a text after a prompt."""
    number = _number("weigh", prompt, continuation)
    return -(number % 900_001) / 70_003 - 0.03 * len(continuation), number % 3 == 0


def rolling(text: str) -> float:
    """Weigh a whole text."""
    return -len(text) * (1 + _number("roll", text) % 1009 / 997)


def written(prompt: str, draw: int, answers: tuple[str, ...]) -> str:
    """Write one of some answers."""
    return answers[_number("write", prompt, draw) % len(answers)]


def chat_text(turns: Iterable[tuple[str, str]]) -> str:
    """Write a conversation as the one text that the answer is made of."""
    return "\n".join(f"{role}: {content}" for role, content in turns)
