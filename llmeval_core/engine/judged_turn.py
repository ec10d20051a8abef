"""Which request of an item the judged answer is the answer to, and what metrics may know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmeval_core.contracts import MODEL, Ask, Question
from llmeval_core.engine.item_ask import ItemAsk
from llmeval_core.records import Generation, Message, Turn


@dataclass(frozen=True, slots=True)
class ConversationAsk:
    """The `MetricAsk` of one sample.

    Args:
        ask: asks.
        conversation, follow_ups: see `contracts.MetricAsk`.
    """

    ask: Ask
    conversation: tuple[Message, ...]
    follow_ups: tuple[Message, ...]

    async def __call__(self, question: Question, *, role: str = MODEL) -> Generation:
        """Ask."""
        return await self.ask(question, role=role)

    def without_reasoning(self, generation: Generation, *, role: str = MODEL) -> str:
        """Return the first answer without its thoughts."""
        return self.ask.without_reasoning(generation, role=role)


def judged_turn(turns: Sequence[Turn], judged: Generation | None) -> Turn | None:
    """Find the request whose answer counts: the last one that was judged, else the last at all.

    Args:
        turns: what was asked, in order.
        judged: the answer that is judged; a solver may have made it of several.
    """
    asked = [turn for turn in turns if turn.role == MODEL] or list(turns)
    latest = asked[::-1]
    same = [turn for turn in latest if turn.generation is judged]
    # Of what was asked twice one turn is kept: the other answer is equal, and another object.
    same += [turn for turn in latest if turn.generation == judged]
    return next(iter([*same, *latest]), None)


def metric_ask(ask: Ask, first: Question, judged: Generation) -> ConversationAsk:
    """Give metrics the conversation that an answer ended.

    Args:
        ask: the item's, before a metric asked anything.
        first: what the task's prompt made of the sample.
        judged: the answer.
    """
    turn = judged_turn(ask.turns, judged) if isinstance(ask, ItemAsk) else None
    asked = first if turn is None else turn.request
    conversation = asked.messages or (Message("user", asked.prompt),)
    n_first = len(first.messages)
    is_longer = bool(n_first) and asked.messages[:n_first] == first.messages
    return ConversationAsk(ask, conversation, conversation[n_first:] if is_longer else ())
