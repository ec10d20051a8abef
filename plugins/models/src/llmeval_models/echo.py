"""A model that answers with the question, for trying out everything around it."""

from __future__ import annotations

import asyncio
import itertools

from llmeval_core.hooks import (
    Generation,
    Loglikelihood,
    ModelError,
    ModelInfo,
    Request,
    StopReason,
    fingerprint,
)
from llmeval_models.model_settings import EchoSettings


class EchoProvider:
    """Offers one kind of model under any name."""

    def __init__(self, settings: EchoSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell that it can be asked in every way."""
        return ModelInfo(
            cache_key=fingerprint(["echo", self._settings.answer]),
            modes=frozenset({"chat", "completion", "loglikelihood", "rolling"}),
        )

    async def open(self, model: str) -> EchoModel:
        """Make a model; there is nothing to load."""
        return EchoModel(self._settings)


class EchoModel:
    """Answers with the last message or the prompt; tokens are counted as words."""

    def __init__(self, settings: EchoSettings) -> None:
        self._settings = settings
        self._count = itertools.count(1)

    async def generate(self, request: Request) -> Generation:
        """Answer at once, or after the set latency.

        Of several continuations the shortest is the likeliest: -1 for each character.

        Raises:
            ModelError: `bad_request`, for each n-th request if `fail_every` is set.
        """
        if self._settings.latency_s:
            await asyncio.sleep(self._settings.latency_s)
        every = self._settings.fail_every
        if every and next(self._count) % every == 0:
            raise ModelError("bad_request", f"echo fails every {every} requests, as it was told")
        asked = request.messages[-1].text if request.messages else request.prompt
        answer = asked if self._settings.answer is None else self._settings.answer
        n_texts = 0 if request.continuations else request.settings.n
        stop: StopReason = "stop"
        return Generation(
            texts=(answer,) * n_texts,
            loglikelihoods=tuple(
                Loglikelihood(-float(len(text)), len(text.split()), None)
                for text in request.continuations
            ),
            finish_reason="stop",
            stop_reasons=(stop,) * n_texts,
            n_prompt_tokens=len(asked.split()),
            n_completion_tokens=len(answer.split()),
            latency_s=self._settings.latency_s,
            served_by="echo",
        )

    async def aclose(self) -> None:
        """Do nothing; there is nothing to free."""
