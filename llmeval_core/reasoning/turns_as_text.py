"""The turns of a sample, told one after the other: of each request only what is new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from llmeval_core.reasoning.finder import ReasoningFinder, split_answers
from llmeval_core.reasoning.split import ReasoningSplit
from llmeval_core.records import Message, Turn


@dataclass(frozen=True, slots=True)
class ToldTurn:
    """One request of a sample, and its answer.

    Args:
        turn: the whole request and its answer.
        messages: those of its messages that no earlier request to this role showed.
        answers: the answers, separated from their reasoning.
    """

    turn: Turn
    messages: tuple[Message, ...]
    answers: tuple[ReasoningSplit, ...]


def told_turns(turns: Iterable[Turn], reasoning: ReasoningFinder) -> list[ToldTurn]:
    """Tell turns as conversations, one with each role.

    A request that goes on with the last one to its role shows only what came after the answer,
    which the model was given back with or without its reasoning.
    """
    told: list[ToldTurn] = []
    said: dict[str, tuple[Message, ...]] = {}
    for turn in turns:
        messages, known = turn.request.messages, said.get(turn.role, ())
        answers = tuple(split_answers(turn.generation, reasoning))
        n_known = len(known) if known and messages[: len(known)] == known else 0
        if n_known and len(messages) > n_known and messages[n_known].role == "assistant":
            n_known += 1
        told.append(ToldTurn(turn, messages[n_known:], answers))
        said[turn.role] = messages
    return told
