"""One request a sample, as without a solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmeval_core.hooks import MODEL, Ask, Generation, Mode, SolverInput


@dataclass(frozen=True, slots=True)
class Single:
    """Asks once; for run files that name their solver anyway."""

    @property
    def definition(self) -> str:
        """The id of what it does."""
        return "single@1"

    @property
    def modes(self) -> frozenset[Mode]:
        """Every way of asking."""
        return frozenset({"chat", "completion", "loglikelihood"})

    @property
    def roles(self) -> Mapping[str, int]:
        """One request of the evaluated model."""
        return {MODEL: 1}

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Answer one sample."""
        return await ask(start.question)
