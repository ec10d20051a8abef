"""The order of an item's turns does not depend on who answered first."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

from llmeval_core.contracts import Ask, Item
from llmeval_core.records import Generation, Request
from llmeval_core.testing import FakeModel, run_in
from tests.core.engine.test_items import Chatting, asked, samples_in


class Dawdling(FakeModel):
    """Answers when chance wants it to."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)

    async def generate(self, request: Request) -> Generation:
        for _ in range(self._chance.randint(0, 20)):
            await asyncio.sleep(0)
        return await super().generate(request)


async def ask_twice(name: str, ask: Ask) -> Generation:
    """Ask, and ask on."""
    await ask(asked(name))
    return await ask(asked(f"{name} on"))


async def ask_in_pairs(name: str, ask: Ask) -> Generation:
    """Ask, and then two things at once, twice."""
    await ask(asked(name))
    await asyncio.gather(*(ask_twice(f"{name} {side}", ask) for side in ("left", "right")))
    return await ask(asked(f"{name} end"))


class Branching(Chatting):
    """Asks in branches of branches."""

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        first = await ask(asked("begin"))
        await asyncio.gather(*(ask_in_pairs(name, ask) for name in "abc"))
        return [await ask(asked("last")), first]


EXPECTED = [
    "begin",
    *(
        f"{name}{rest}"
        for name in "abc"
        for rest in ("", " left", " left on", " right", " right on", " end")
    ),
    "last",
]


async def test_turns_stand_in_the_order_of_asking_whoever_answers_first(tmp_path: Path) -> None:
    for seed in range(10):
        home = tmp_path / str(seed)

        outcome = await run_in(
            home, models={"fake": Dawdling(seed)}, ready_tasks={"branching": Branching(n_items=1)}
        )

        assert outcome.errors == ()
        (sample,) = samples_in(home, "chatting_0shot")
        assert [turn.request.messages[-1].text for turn in sample.turns] == EXPECTED
