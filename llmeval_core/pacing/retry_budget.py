"""How many retries a run has in all, so that a server in trouble does not get twice the load."""

from __future__ import annotations

FREE_RETRIES = 100
"""Retries of a run that its budget does not count."""


class RetryBudget:
    """Gives out retries; answers earn more.

    As the retry budgets of "Site Reliability Engineering" (Beyer et al., 2016, chapter 21).

    Args:
        per_answer: retries that each answer earns.
    """

    def __init__(self, per_answer: float) -> None:
        self._per_answer = per_answer
        self._left = float(FREE_RETRIES)

    def earn(self) -> None:
        """Note an answer."""
        self._left += self._per_answer

    def take(self) -> bool:
        """Take one retry, if there is one left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
