"""A `vllm serve` of our own: started, waited for, asked, and ended with all that it started."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket

from pydantic import SecretStr

from llmeval_core.hooks import Generation, ModelError, Request
from llmeval_core.support import ChildCommand, ChildProcess
from llmeval_models.http.json_client import JsonClient
from llmeval_models.model_settings import VllmSettings
from llmeval_models.openai.openai_model import OpenAIModel
from llmeval_models.openai.stream_chunks import StreamedResponse

_LOOK_EVERY_S = 0.5
_LOOK_S = 5.0
_END_S = 30.0
_LINES_SHOWN = 5
_LONGEST_LINE = 200


class VllmServedModel:
    """One model on a server of our own.

    Args:
        process: the server; ended with the model.
        client: the connection pool; closed with the model.
        name: the model's name.
        settings: how it is asked.
    """

    def __init__(
        self, process: ChildProcess, client: JsonClient, name: str, settings: VllmSettings
    ) -> None:
        self._process = process
        self._client = client
        self._name = name
        self._settings = settings
        self._model = OpenAIModel(client, name, settings)

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`.

        Raises:
            ModelError: `not_found` if the server has ended; otherwise as the server.
        """
        try:
            return await self._model.generate(request)
        except ModelError as err:
            if self._process.returncode is None:
                raise
            raise self._error("ended", "out of memory? `serve_args` can take less") from err

    async def aclose(self) -> None:
        """Close the connections and end the server, which frees the GPU."""
        try:
            await self._model.aclose()
        finally:
            await self._process.end(within_s=_END_S)

    async def ended(self) -> None:
        """Wait until the server has ended, for whatever reason."""
        await self._process.wait()

    async def until_ready(self) -> None:
        """Wait until the server answers.

        Raises:
            ModelError: `not_found`, it ended, or does not answer in time.
        """
        try:
            async with asyncio.timeout(self._settings.start_timeout_s):
                while not await self._client.is_up("/health", at_root=True, within_s=_LOOK_S):
                    if await self._has_ended(within_s=_LOOK_EVERY_S):
                        raise self._error(
                            "ended before it was ready", "its own log says more: run it by hand"
                        )
        except TimeoutError as err:
            raise self._error(
                f"was not ready within {self._settings.start_timeout_s:g} s",
                "the setting start_timeout_s allows more time",
            ) from err

    async def _has_ended(self, *, within_s: float) -> bool:
        """Wait a little for the server's end."""
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    def _error(self, what: str, hint: str) -> ModelError:
        """Say what became of the server, and what it said last."""
        ended = self._process.exit_text()
        lines = [line.strip() for line in self._process.last_output().splitlines()]
        shown = [line[:_LONGEST_LINE] for line in lines if line][-_LINES_SHOWN:]
        said = f"; its last lines: {' | '.join(shown)}" if shown else ""
        return ModelError(
            "not_found",
            self._client.clean(f"vLLM's server {what}{f' ({ended})' if ended else ''}{said}"),
            where=" ".join((*self._settings.serve_command, self._settings.weights or self._name)),
            hint=hint,
        )


async def start_vllm(name: str, settings: VllmSettings) -> VllmServedModel:
    """Start a server on a free port of the loopback interface and wait until it answers.

    It takes only requests with a key that nobody else knows.

    Raises:
        ModelError: `not_found`, it ended, or does not answer in time.
    """
    port, key = _free_port(), secrets.token_urlsafe(24)
    served = os.path.expanduser(settings.weights or name)  # noqa: ASYNC240  it reads no disk
    command = ChildCommand(
        [
            *settings.serve_command,
            served,
            *("--served-model-name", name, "--host", "127.0.0.1", "--port", str(port)),
            *settings.serve_args,
        ],
        environ={**os.environ, "VLLM_API_KEY": key},
        grace_s=_END_S,
    )
    asked = settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}/v1"})
    client = JsonClient(asked, streamed=StreamedResponse, key=SecretStr(key))
    model = VllmServedModel(await ChildProcess.start(command), client, name, asked)
    try:
        await model.until_ready()
    except BaseException:
        await model.aclose()
        raise
    return model


def _free_port() -> int:
    """Find a port that nobody listens on; vLLM cannot tell one that it has found itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
