"""The model of the comparison as a provider, for runs by the engine."""

from __future__ import annotations

from llmeval_core.hooks import (
    Generation,
    Loglikelihood,
    ModelError,
    ModelInfo,
    Request,
)
from plugins.tasks.lm_eval.tests.parity import model_answers


class ComparedProvider:
    """Answers as the model of the comparison; a server, so several requests are under way.

    Args:
        answers: what it may write.
        fails_after: after how many requests it cannot be reached any more; None for never.
    """

    def __init__(self, answers: tuple[str, ...], *, fails_after: int | None = None) -> None:
        self._answers = answers
        self._fails_after = fails_after
        self.requests: list[Request] = []

    def describe(self, model: str) -> ModelInfo:
        modes = frozenset({"chat", "completion", "loglikelihood", "rolling"})
        return ModelInfo("compared", modes, endpoint="compared")  # type: ignore[arg-type]

    async def open(self, model: str) -> ComparedProvider:
        return self

    async def generate(self, request: Request) -> Generation:
        if self._fails_after is not None and len(self.requests) >= self._fails_after:
            raise ModelError("auth", "the key is not valid any more")
        self.requests.append(request)
        if request.mode == "loglikelihood":
            pairs = [model_answers.loglikelihood(request.prompt, c) for c in request.continuations]
            return Generation(loglikelihoods=tuple(Loglikelihood(p, None, g) for p, g in pairs))
        if request.mode == "rolling":
            found = Loglikelihood(model_answers.rolling(request.continuations[0]))
            return Generation(loglikelihoods=(found,))
        turns = [(one.role, one.text) for one in request.messages]
        prompt = model_answers.chat_text(turns) if turns else request.prompt
        draw = request.settings.seed or 0
        return Generation((model_answers.written(prompt, draw, self._answers),))

    async def aclose(self) -> None:
        pass
