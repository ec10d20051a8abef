"""Several answers to one question, of which the most frequent counts.

Wang et al. 2023, Self-Consistency Improves Chain of Thought Reasoning in Language Models, ICLR.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import Field

from llmeval_core.hooks import MODEL, Ask, Generation, Mode, Settings, SolverInput


class SelfConsistencySettings(Settings):
    """How many answers, and how different they are."""

    n: int = Field(default=5, ge=2, le=1000, description="How many answers are drawn.")
    temperature: float | None = Field(
        default=0.7,
        gt=0,
        description="The temperature of the draws, as in the paper; null leaves the task's.",
    )


@dataclass(frozen=True, slots=True)
class SelfConsistency:
    """Draws n answers and gives back the first of those that say what most say.

    What an answer says is what metrics see of it: without reasoning, and extracted as the task
    says. Surrounding white space does not count; an empty answer votes only if all are empty. Of
    two answers with as many votes, the one that was drawn first counts.

    If a draw fails, the sample fails: a majority of fewer would be another number.
    """

    settings: SelfConsistencySettings

    @property
    def definition(self) -> str:
        """The id of what it does."""
        return "self_consistency@1"

    @property
    def modes(self) -> frozenset[Mode]:
        """The ways in which texts are generated."""
        return frozenset({"chat", "completion"})

    @property
    def roles(self) -> Mapping[str, int]:
        """A request a draw."""
        return {MODEL: self.settings.n}

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Answer one sample."""
        question = start.question
        if self.settings.temperature is not None and question.settings is not None:
            drawn = replace(question.settings, temperature=self.settings.temperature)
            question = replace(question, settings=drawn)
        draws = await asyncio.gather(
            *[ask(replace(question, draw=number)) for number in range(self.settings.n)]
        )
        said = [start.read(draw).strip() for draw in draws]
        votes = Counter(one for one in said if one) or Counter(said)
        winner = max(votes, key=lambda one: (votes[one], -said.index(one)))
        return draws[said.index(winner)]
