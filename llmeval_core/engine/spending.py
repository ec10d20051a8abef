"""What a run uses: tokens, and what they cost; it stops when the budget is used up."""

from __future__ import annotations

from llmeval_core.config import BudgetConfig, PriceConfig
from llmeval_core.engine.one_time_messages import OneTimeMessages
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.errors import LlmevalError
from llmeval_core.plan import PlannedModel
from llmeval_core.records import Generation, Request
from llmeval_core.tokens import MOST_TOKENS, estimate_tokens, prompt_tokens

_MILLION = 1_000_000


def cost_of(price: PriceConfig, n_prompt_tokens: int, n_completion_tokens: int) -> float:
    """Price tokens, in the currency of the price."""
    return (price.input * n_prompt_tokens + price.output * n_completion_tokens) / _MILLION


class Spending:
    """Adds up the answers of a run.

    A budget is kept also where a server reports no tokens, or a count that cannot be: tokens are
    then estimated by the rule of four characters.

    Args:
        budget: when to stop.
        stop_signal: is set when the budget is used up; requests under way may still finish.
        messages: says once a model that its tokens are estimated.

    Attributes:
        n_tokens: tokens read and written in this run, as far as servers report them.
        cost: what they cost; of models with a price only.
        error: says that the budget is used up; None while it is not.
    """

    def __init__(
        self, budget: BudgetConfig, stop_signal: StopSignal, messages: OneTimeMessages
    ) -> None:
        self._budget = budget
        self._has_budget = budget.tokens is not None or budget.cost is not None
        self._stop_signal = stop_signal
        self._messages = messages
        self._n_estimated = 0
        self._cost_estimated = 0.0
        self.n_tokens = 0
        self.cost = 0.0
        self.error: LlmevalError | None = None

    def add(self, request: Request, generation: Generation, model: PlannedModel) -> None:
        """Note one new answer."""
        n_read, n_written = (
            _valid_count(generation.n_prompt_tokens),
            _valid_count(generation.n_completion_tokens),
        )
        self.n_tokens += (n_read or 0) + (n_written or 0)
        price = model.price
        if price is not None:
            self.cost += cost_of(price, n_read or 0, n_written or 0)
        if not self._has_budget:
            return
        if not n_read or n_written is None or (n_written == 0 and any(generation.texts)):
            self._estimate(request, generation, model, n_read=n_read, n_written=n_written)
        if self.error is None and (problem := self._problem()):
            self.error = LlmevalError(
                problem,
                where="budget",
                hint="what is finished is kept; raise the budget and run again to go on",
            )
            self._stop_signal.set()

    def _estimate(
        self,
        request: Request,
        generation: Generation,
        model: PlannedModel,
        *,
        n_read: int | None,
        n_written: int | None,
    ) -> None:
        """Add an estimate of what the server did not report."""
        self._messages.once(
            model.name,
            "the server does not tell the tokens of each answer; the budget counts an estimate, "
            "a token for four characters",
        )
        of_prompt = 0 if n_read else prompt_tokens(request)
        of_answer = 0
        if not n_written:
            thoughts = [text for text in generation.reasonings if text]
            of_answer = sum(map(estimate_tokens, (*generation.texts, *thoughts)))
        self._n_estimated += of_prompt + of_answer
        if model.price is not None:
            self._cost_estimated += cost_of(model.price, of_prompt, of_answer)

    def _problem(self) -> str | None:
        most_tokens, most_cost = self._budget.tokens, self._budget.cost
        n_tokens, cost = self.n_tokens + self._n_estimated, self.cost + self._cost_estimated
        about = "about " if self._n_estimated else ""
        if most_tokens is not None and n_tokens >= most_tokens:
            return f"the budget of {most_tokens:,} tokens is used up ({about}{n_tokens:,})"
        if most_cost is not None and cost >= most_cost:
            return f"the budget of {most_cost:g} is used up ({about}{cost:.4g})"
        return None


def _valid_count(n_tokens: object) -> int | None:
    """Take a count that can be one: no server's nonsense raises or lowers what is used."""
    if isinstance(n_tokens, int) and 0 <= n_tokens <= MOST_TOKENS:
        return int(n_tokens)
    return None
