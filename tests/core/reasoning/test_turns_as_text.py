"""Conversations as they are told: of each request only what is new."""

from __future__ import annotations

from llmeval_core.api import (
    Generation,
    Message,
    ReasoningFinder,
    Request,
    Turn,
    told_turns,
)
from llmeval_core.records import GenerationSettings


def turn(role: str, number: int, *said: str) -> Turn:
    """Make a turn whose request has these messages, of user and model alternately."""
    names = ("user", "assistant")
    messages = tuple(Message(names[i % 2], text) for i, text in enumerate(said))
    request = Request("0", "chat", messages, "", (), GenerationSettings(), f"{number:032x}")
    return Turn(role, request, Generation((f"answer {number}",)))


def test_only_what_no_earlier_request_showed_is_told() -> None:
    turns = [turn("model", 1, "a"), turn("judge", 2, "x"), turn("model", 3, "a", "answer 1", "b")]

    told = told_turns(turns, ReasoningFinder())

    assert [[message.text for message in one.messages] for one in told] == [["a"], ["x"], ["b"]]


def test_one_request_to_two_roles_is_told_of_both() -> None:
    turns = [turn("strict", 1, "a"), turn("kind", 1, "a")]

    assert [one.turn.role for one in told_turns(turns, ReasoningFinder())] == ["strict", "kind"]
