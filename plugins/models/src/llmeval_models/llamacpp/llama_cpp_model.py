"""An embedded model: a server of our own, asked as any other."""

from __future__ import annotations

from dataclasses import replace

from llmeval_core.hooks import Generation, Message, ModelError, Request
from llmeval_models.llamacpp.engine_process import EngineProcess
from llmeval_models.openai.openai_model import OpenAIModel


class LlamaCppModel:
    """One model in its own process.

    Args:
        engine: the process; ended with the model.
        server: asks it.
        system: the system message of chats that have none; None for none.
    """

    def __init__(self, engine: EngineProcess, server: OpenAIModel, *, system: str | None) -> None:
        self.engine = engine
        self._server = server
        self._system = system

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`.

        Raises:
            ModelError: `not_found` if the engine has crashed; otherwise as the server.
        """
        if self._system and request.messages and request.messages[0].role != "system":
            messages = (Message("system", self._system), *request.messages)
            request = replace(request, messages=messages)
        try:
            return await self._server.generate(request)
        except ModelError as err:
            ended = self.engine.ended()
            if ended is None:
                raise
            raise ModelError(
                "not_found",
                f"the llama.cpp engine ended with {ended}",
                hint="out of memory? lower n_parallel or context_size; then run again, it goes on",
            ) from err

    async def aclose(self) -> None:
        """Close the connections and end the process."""
        await self._server.aclose()
        await self.engine.end()
