"""What made-up rows are made of: sentences, words, choices."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]  # Any: whatever a column holds

WORDS = (
    *("river", "stone", "teacher", "morning", "window", "garden", "seven", "engine", "paper"),
    *("winter", "music", "yellow", "market", "doctor", "bridge", "letter", "ocean", "silver"),
    *("planet", "forest", "bread", "village", "number", "coffee", "mountain"),
)
GOLD = ("river", "stone", "music", "bread")
LETTERS = ("A", "B", "C", "D", "E")


RowMaker = Callable[[random.Random], Row]


def text(r: random.Random, low: int = 4, high: int = 9) -> str:
    """Make a sentence."""
    words = [r.choice(WORDS) for _ in range(r.randint(low, high))]
    return " ".join(words).capitalize() + "."


def texts(r: random.Random, n: int) -> list[str]:
    """Make n different sentences."""
    return [f"{text(r, 1, 4)[:-1]} {letter}" for letter in "abcdefgh"[:n]]


def letters(r: random.Random, n: int = 4) -> Row:
    """Make the columns A, B, C, D."""
    return dict(zip(LETTERS, texts(r, n), strict=False))
