"""What a run uses: tokens, and what they cost; it stops when the budget is used up."""

from __future__ import annotations

from llmeval_core.config import BudgetConfig, PriceConfig
from llmeval_core.engine.halting import Halt
from llmeval_core.errors import LlmevalError
from llmeval_core.records import Generation

_MILLION = 1_000_000


def cost_of(price: PriceConfig, n_prompt_tokens: int, n_completion_tokens: int) -> float:
    """Price tokens, in the currency of the price."""
    return (price.input * n_prompt_tokens + price.output * n_completion_tokens) / _MILLION


class Spending:
    """Adds up the answers of a run.

    Args:
        budget: when to stop.
        halt: is set when the budget is used up; requests under way may still finish.

    Attributes:
        n_tokens: tokens read and written in this run, as far as servers told.
        cost: what they cost; of models with a price only.
        error: what to tell if the budget was used up; None while it is not.
    """

    def __init__(self, budget: BudgetConfig, halt: Halt) -> None:
        self._budget = budget
        self._halt = halt
        self.n_tokens = 0
        self.cost = 0.0
        self.error: LlmevalError | None = None

    def add(self, generation: Generation, price: PriceConfig | None) -> None:
        """Note one new answer."""
        n_read = generation.n_prompt_tokens or 0
        n_written = generation.n_completion_tokens or 0
        self.n_tokens += n_read + n_written
        if price is not None:
            self.cost += cost_of(price, n_read, n_written)
        if self.error is None and (problem := self._problem()):
            self.error = LlmevalError(
                problem,
                where="budget",
                hint="what is finished is kept; raise the budget and run again to go on",
            )
            self._halt.set()

    def _problem(self) -> str | None:
        most_tokens, most_cost = self._budget.tokens, self._budget.cost
        if most_tokens is not None and self.n_tokens >= most_tokens:
            return f"the budget of {most_tokens:,} tokens is used up ({self.n_tokens:,})"
        if most_cost is not None and self.cost >= most_cost:
            return f"the budget of {most_cost:g} is used up ({self.cost:.4g})"
        return None
