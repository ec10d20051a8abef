"""A server that misbehaves by a seed: the same seed and request, the same harm."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from tests.integration.loopback_server import HARMS, LoopbackServer


class ChaosServer(LoopbackServer):
    """Speaks OpenAI's chat completions; each attempt is harmed with the given chance.

    A question's answer is the question.

    Args:
        seed: decides every harm.
        harm: the chance that an attempt is harmed, 0 to 1.

    Attributes:
        answered: how often each question was answered whole.
        harmed: how often each harm was done.
    """

    def __init__(self, seed: int, harm: float) -> None:
        self.seed = seed
        self.harm = harm
        self.answered: Counter[str] = Counter()
        self.harmed: Counter[str] = Counter()
        self._attempts: Counter[str] = Counter()
        self._storm_left = 0
        super().__init__()

    async def answer(self, body: dict[str, Any]) -> tuple[str | None, Any]:
        """Answer a question by itself, or harm it; Any: JSON."""
        question = body["messages"][-1]["content"]
        harm = self._choose(question)
        if harm is not None:
            self.harmed[harm] += 1
            return harm, None
        self.answered[question] += 1
        message = {"role": "assistant", "content": question}
        usage = {"prompt_tokens": 7, "completion_tokens": 3}
        return None, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    def _choose(self, question: str) -> str | None:
        """Choose by seed, question and attempt, so that order does not matter but for storms."""
        if self._storm_left:
            self._storm_left -= 1
            return "storm"
        self._attempts[question] += 1
        chance = random.Random(f"{self.seed} {question} {self._attempts[question]}")
        if chance.random() >= self.harm:
            return None
        harm = chance.choice(HARMS)
        if harm == "storm" and chance.random() < 0.05:
            self._storm_left = 50
        return harm
