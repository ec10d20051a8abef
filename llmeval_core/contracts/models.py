"""Who answers: a provider, its models, and what can be said of them before they are opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from llmeval_core.records import Generation, Mode, Request


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What can be said of a model before it is opened.

    Args:
        cache_key: everything besides its name that changes what it answers (base URL, digest of
            weights): its part of the key under which answers are kept. Holds no secrets.
        modes: how it can be asked.
        max_concurrency: most requests it can usefully serve at once; None for no limit.
        endpoint: tells which models share a server and a key, and with them its limits; holds
            no secrets; None for a model that works in this process: such are asked one after
            another.
        lacks: what it cannot be asked for, so that a plan says it before anything is sent: `n`,
            several answers to one request; `tools`, calls of tools.
    """

    cache_key: str
    modes: frozenset[Mode]
    max_concurrency: int | None = None
    endpoint: str | None = None
    lacks: frozenset[Literal["n", "tools"]] = frozenset()


@runtime_checkable
class Model(Protocol):
    """A model that is ready to answer."""

    async def generate(self, request: Request) -> Generation:
        """Answer one request, in one attempt; the engine repeats.

        A `chat` or `completion` request gets texts; a `loglikelihood` request, which comes only
        if `ModelInfo.modes` has that mode, gets one `Loglikelihood` for each continuation.

        Raises:
            ModelError: with the kind that tells the engine what to do next.
        """

    async def aclose(self) -> None:
        """Free what the model holds; called once."""


@runtime_checkable
class ModelProvider(Protocol):
    """Where models of one provider come from."""

    def describe(self, model: str) -> ModelInfo:
        """Tell about a model without network and without loading it.

        Raises:
            ConfigError: there is no such model, or a setting is missing.
        """

    async def open(self, model: str) -> Model:
        """Make a model ready: connect, fetch, load. Called once a run and model.

        Raises:
            ModelError: it cannot be made ready.
        """


@dataclass(frozen=True, slots=True)
class ModelFactory:
    """How a model is made; travels to another process by pickle, if its provider does."""

    provider: ModelProvider
    model: str

    async def open(self) -> Model:
        """Make a model that the caller closes.

        Raises:
            ModelError: it cannot be made ready.
        """
        return await self.provider.open(self.model)
